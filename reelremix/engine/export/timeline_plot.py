"""A source at a glance, as a drawing: where everything of the timeline plot stands.

Pure geometry, from the published form of clips to plain shapes; how shapes look is said in
`timeline_plot.html`. Manifests may be by others: what is missing or makes no sense is not drawn.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from reelremix.engine.export.clock import clock, span

SHAPES = {"laughter": "circle", "applause": "triangle", "cheering": "diamond", "music": "bar"}
"""How what is heard is drawn, so that colour is not needed to tell it apart."""
OTHER_SHAPE = "square"
FONT_PX = 12.0
MOST_REJECTED = 100
MOST_KINDS = 6
"""Kinds of sound that get a row; the rarest go without."""
MOST_FACTS = 3
"""Kinds and reasons that a hint tells."""
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200,
            86400)  # fmt: skip
_PITCH = 1.5
"""Least width of a step of the curve: finer ones cannot be seen."""
_MARK = 10.0
_LANE = 20.0
_THIN = 8.0
_GAP = 10.0
_LANE_GAP = 3.0
_TOUCH = 0.1
"""What bars may share and still stand side by side."""
_CURVE = 120.0
_LEVEL_ROOM = 12.0
_TICK_ROOM = 14.0


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle, from its upper left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def middle(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of the source."""

    box: Box
    label: str
    hint: str
    """What is said about it, a fact a line."""
    target: str | None = None
    """The id of what tells more; None where nothing does."""
    columns: tuple[Box, ...] = ()
    """Exactly what it keeps, as stretches of the score's height; empty without a score."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something heard, or several of a kind too close to tell apart."""

    shape: str
    box: Box
    hint: str


@dataclass(frozen=True, slots=True)
class Label:
    """A text around `x`, or from it on where it is not `centred`, above a line."""

    text: str
    x: float
    y: float
    centred: bool = True

    @property
    def extent(self) -> tuple[float, float]:
        """About where it begins and ends."""
        width = text_width(self.text)
        left = self.x - width / 2 if self.centred else self.x
        return left, left + width


@dataclass(frozen=True, slots=True)
class Curve:
    """The score as closed outlines from the ground up, a path of SVG, and its line alone."""

    area: str
    line: str
    box: Box
    levels: tuple[Label, ...]
    """What heights mean; each label stands on its height."""
    hint: str


@dataclass(frozen=True, slots=True)
class Plot:
    """Everything to draw, in units of a picture of this size."""

    width: float
    height: float
    left: float
    """Where the source begins; names of rows stand before it, where there is room."""
    summary: str
    rows: tuple[Label, ...]
    ticks: tuple[Label, ...]
    curve: Curve | None
    clips: tuple[Bar, ...]
    rejected: tuple[Bar, ...]
    topics: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    heard: tuple[tuple[str, str, int], ...]
    """Kinds of sound that are drawn: shape, name, how often."""
    is_percent: bool
    """Whether the curve tells chances; otherwise ranks in this source."""


Drawn = TypeVar("Drawn", Box, Bar, Mark)


@dataclass(frozen=True, slots=True)
class _Scale:
    """From the source's clock to the picture."""

    left: float
    right: float
    end_s: float

    def at(self, seconds: float) -> float:
        part = min(1.0, max(0.0, seconds / self.end_s))
        return self.left + part * (self.right - self.left)

    def box(self, start_s: float, end_s: float, y: float, height: float, least: float) -> Box:
        """A stretch at least this wide, around its middle where there is room."""
        x, right = self.at(start_s), self.at(end_s)
        least = min(max(least, right - x), self.right - self.left)
        x = min(max(self.left, (x + right - least) / 2), self.right - least)
        return Box(x, y, least, height)


def timeline_plot(content: Mapping[str, Any], width: float, left: float) -> Plot | None:
    """The plot of a `clips.json`, this wide, the source from `left` on; None if there is nothing.

    A clip's bar leads to `clip-` and its id, a rejected one's to `left-` and its place in the list.
    """
    timeline = content.get("timeline") or {}
    clips, rejected = _clips(content), _placed(content.get("rejected"))
    topics, events = _placed(timeline.get("topics")), _placed(timeline.get("events"))
    steps = [_number(value) for value in timeline.get("score") or ()]
    has_curve = any(value is not None for value in steps)
    step_s = _number(timeline.get("step_s")) or 1.0
    end_s = _end_s(content, step_s * len(steps), [*clips, *rejected, *topics, *events])
    if end_s <= 0 or not (has_curve or clips or rejected or topics or events):
        return None
    scale, rows = _Scale(left, width, end_s), _Rows()
    bars = rows.lanes("clips", [_clip_bar(clip, stretch, scale) for stretch, clip in clips])
    is_percent = any(_total(clip) is not None for _, clip in clips)
    curve = None
    if has_curve:
        area = Box(left, rows.y + _LEVEL_ROOM, width - left, _CURVE)
        curve = _curve(steps, step_s, scale, area, is_percent=is_percent)
        rows.end("score", [area])
        bars = [_with_columns(bar, clip, scale, area)
                for bar, (_, clip) in zip(bars, clips, strict=True)]  # fmt: skip
    heard = Counter(_kind(event) for _, event in events).most_common(MOST_KINDS)
    marks: list[Mark] = []
    for kind, _ in heard:
        found = sorted(stretch for stretch, event in events if _kind(event) == kind)
        marks += rows.end(kind, _marks(kind, found, scale, rows.y), gap=3.0)
    rows.y += _GAP if marks else 0.0
    bands = rows.end("topics", [_topic_bar(topic, s, scale, rows.y) for s, topic in topics])
    thin = [
        _rejected_bar(entry, number, stretch, scale)
        for number, entry in enumerate(content.get("rejected") or (), start=1)
        if (stretch := _stretch(entry))
    ]
    thin = rows.lanes("left out", thin[:MOST_REJECTED])
    height = rows.y + _TICK_ROOM
    return Plot(
        width,
        height,
        left,
        summary=_summary(content, end_s, len(clips), len(rejected)),
        rows=tuple(rows.names),
        ticks=_ticks(scale, height - 4.0),
        curve=curve,
        clips=tuple(bars),
        rejected=tuple(thin),
        topics=tuple(bands),
        marks=tuple(marks),
        heard=tuple((_shape(kind), kind, count) for kind, count in heard),
        is_percent=is_percent,
    )


class _Rows:
    """Rows of a picture, from its top down."""

    def __init__(self) -> None:
        self.y = 0.0
        self.names: list[Label] = []

    def end(self, name: str, drawn: Sequence[Drawn], gap: float = _GAP) -> Sequence[Drawn]:
        """Close the row that holds these shapes; without any there is no row."""
        boxes = [shape if isinstance(shape, Box) else shape.box for shape in drawn]
        if boxes:
            bottom = max(box.bottom for box in boxes)
            self.names.append(Label(name, 0.0, (self.y + bottom) / 2 + 4.0, centred=False))
            self.y = bottom + gap
        return drawn

    def lanes(self, name: str, bars: Sequence[Bar]) -> list[Bar]:
        """A row of as many lanes as it takes for no bar to cover another."""
        return list(self.end(name, _in_lanes(bars, self.y)))


def text_width(text: str) -> float:
    """About how wide a text is at most."""
    return sum(_advance(c) for c in text) * FONT_PX


def _advance(character: str) -> float:
    if unicodedata.combining(character):
        return 0.0
    return 1.1 if unicodedata.east_asian_width(character) in "WF" else 0.6


Stretch = tuple[float, float]
Placed = tuple[Stretch, Mapping[str, Any]]


def _number(value: object) -> float | None:
    """A finite number, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _stretch(entry: Mapping[str, Any]) -> Stretch | None:
    return _ordered(entry.get("start_s"), entry.get("end_s"))


def _ordered(start: object, end: object) -> Stretch | None:
    start_s, end_s = _number(start), _number(end)
    if start_s is None or end_s is None or not 0 <= start_s <= end_s:
        return None
    return start_s, end_s


def _clips(content: Mapping[str, Any]) -> list[Placed]:
    found = [(_ordered(c["ranges"][0][0], c["ranges"][-1][1]), c) for c in content["clips"]]
    return [(stretch, clip) for stretch, clip in found if stretch]


def _placed(entries: Sequence[Mapping[str, Any]] | None) -> list[Placed]:
    found = [(_stretch(entry), entry) for entry in entries or ()]
    return [(stretch, entry) for stretch, entry in found if stretch]


def _end_s(content: Mapping[str, Any], judged_s: float, placed: Sequence[Placed]) -> float:
    """The source's length: as told, else up to the last thing known of it."""
    told = _number(content["source"].get("duration_s"))
    if told is not None and told > 0:
        return told
    return max([stretch[1] for stretch, _ in placed], default=judged_s)


def _total(clip: Mapping[str, Any]) -> float | None:
    return _number((clip.get("score") or {}).get("total"))


def _curve(
    steps: Sequence[float | None], step_s: float, scale: _Scale, box: Box, *, is_percent: bool
) -> Curve:
    """The score of steps that last `step_s` each; steps too fine to be seen are drawn as one."""
    size = max(1, math.ceil(len(steps) * _PITCH / box.width))
    values = [_best(steps[at : at + size]) for at in range(0, len(steps), size)]
    highest = max(value for value in values if value is not None)
    top = min(100.0, max(40.0, 20.0 * math.ceil(highest / 20.0)))
    line, area = "", ""
    for first, run in _runs(values):
        heights = [min(1.0, max(0.0, value / top)) * box.height for value in run]
        ends = [scale.at((first + i) * size * step_s) for i in range(len(run) + 1)]
        stairs = "".join(f"V{_short(box.bottom - height)}H{_short(end)}"
                         for height, end in zip(heights, ends[1:], strict=True))  # fmt: skip
        line += f"M{_short(ends[0])} {_short(box.bottom - heights[0])}{stairs}"
        area += f"M{_short(ends[0])} {_short(box.bottom)}{stairs}V{_short(box.bottom)}Z"
    unit = " %" if is_percent else ""
    levels = tuple(
        Label(f"{level:.0f}{unit}", box.x, box.bottom - level / top * box.height, centred=False)
        for level in (top / 2, top)
    )
    at = steps.index(_best(steps))
    hint = f"the best begins at {clock(at * step_s)}: {highest:.0f}{unit}"
    return Curve(area, line, box, levels, hint)


def _best(values: Sequence[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _runs(values: Sequence[float | None]) -> list[tuple[int, list[float]]]:
    """Stretches of known values, each with the place of its first."""
    runs: list[tuple[int, list[float]]] = []
    for i, value in enumerate(values):
        if value is None:
            continue
        if not runs or runs[-1][0] + len(runs[-1][1]) < i:
            runs.append((i, []))
        runs[-1][1].append(value)
    return runs


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _in_lanes(bars: Sequence[Bar], y: float) -> list[Bar]:
    """Each bar in the first lane where it covers no other, the lanes from `y` down."""
    ends: list[float] = []
    placed: dict[int, Bar] = {}
    for i in sorted(range(len(bars)), key=lambda i: (bars[i].box.x, i)):
        bar = bars[i]
        lane = next((k for k, end in enumerate(ends) if end <= bar.box.x + _TOUCH), len(ends))
        ends[lane : lane + 1] = [bar.box.right]
        top = y + lane * (bar.box.height + _LANE_GAP)
        box = Box(bar.box.x, top, bar.box.width, bar.box.height)
        placed[i] = Bar(box, bar.label, bar.hint, bar.target, bar.columns)
    return [placed[i] for i in range(len(bars))]


def _clip_bar(clip: Mapping[str, Any], stretch: Stretch, scale: _Scale) -> Bar:
    label = str(clip["rank"])
    box = scale.box(*stretch, 0.0, _LANE, least=text_width(label) + 10.0)
    return Bar(box, label, _clip_hint(clip, stretch), f"clip-{clip['id']}")


def _with_columns(bar: Bar, clip: Mapping[str, Any], scale: _Scale, area: Box) -> Bar:
    kept = [s for start, end in clip["ranges"] if (s := _ordered(start, end))]
    columns = tuple(scale.box(*s, area.y, area.height, least=1.0) for s in kept)
    return Bar(bar.box, bar.label, bar.hint, bar.target, columns)


def _clip_hint(clip: Mapping[str, Any], stretch: Stretch) -> str:
    score = clip.get("score") or {}
    lines = [f"{clip['rank']}. {name}" if (name := clip.get("title")) else f"clip {clip['rank']}"]
    total = _total(clip)
    lines.append(span(*stretch) + ("" if total is None else f", score {total:.0f}"))
    for entry in [*(score.get("kinds") or ()), *(score.get("reasons") or ())][:MOST_FACTS]:
        quote = entry.get("quote")
        lines.append(entry.get("text", "") + (f": “{quote}”" if quote else ""))
    return "\n".join(lines)


def _rejected_bar(entry: Mapping[str, Any], number: int, stretch: Stretch, scale: _Scale) -> Bar:
    score = _number(entry.get("score"))
    told = span(*stretch) + ("" if score is None else f", score {score:.0f}")
    reason = entry.get("reason")
    hint = f"left out: {told}" + (f"\n{reason}" if reason else "")
    return Bar(scale.box(*stretch, 0.0, _THIN, least=3.0), "", hint, f"left-{number}")


def _topic_bar(topic: Mapping[str, Any], stretch: Stretch, scale: _Scale, y: float) -> Bar:
    words = [str(word) for word in topic.get("words") or ()]
    box = scale.box(*stretch, y, _LANE, least=1.0)
    hint = span(*stretch) + (f"\nabout {', '.join(words)}" if words else "")
    return Bar(box, _fitting(words, box.width - 8.0), hint)


def _fitting(words: Sequence[str], width: float) -> str:
    """As many words, from the first on, as there is room for; perhaps none."""
    for count in range(len(words), 0, -1):
        if text_width(label := ", ".join(words[:count])) <= width:
            return label
    return ""


def _kind(event: Mapping[str, Any]) -> str:
    return str(event.get("kind", "sound"))


def _shape(kind: str) -> str:
    return SHAPES.get(kind, OTHER_SHAPE)


def _marks(kind: str, stretches: Sequence[Stretch], scale: _Scale, y: float) -> list[Mark]:
    """The marks of one kind in a row; what would cover the one before is counted with it."""
    groups: list[tuple[Box, list[Stretch]]] = []
    for start_s, end_s in stretches:
        middle_s = (start_s + end_s) / 2
        drawn = (start_s, end_s) if _shape(kind) == "bar" else (middle_s, middle_s)
        box = scale.box(*drawn, y, _MARK, least=_MARK)
        if groups and box.x < groups[-1][0].right:
            last, members = groups[-1]
            right = max(last.right, box.right) if _shape(kind) == "bar" else last.right
            groups[-1] = (Box(last.x, y, right - last.x, _MARK), [*members, (start_s, end_s)])
        else:
            groups.append((box, [(start_s, end_s)]))
    return [Mark(_shape(kind), box, _mark_hint(kind, members)) for box, members in groups]


def _mark_hint(kind: str, members: Sequence[Stretch]) -> str:
    first, last = members[0][0], max(end for _, end in members)
    return f"{kind}{f', {len(members)} times' if len(members) > 1 else ''}, {span(first, last)}"


def _ticks(scale: _Scale, y: float) -> tuple[Label, ...]:
    """Round times, as many as there is room for."""
    room = scale.right - scale.left
    needed = text_width(clock(scale.end_s)) + 20.0
    step_s = next((s for s in _STEPS_S if room * s / scale.end_s >= needed), _STEPS_S[-1])
    while room * step_s / scale.end_s < needed:
        step_s *= 2
    labels = [Label(clock(k * step_s), scale.at(k * step_s), y)
              for k in range(int(scale.end_s // step_s) + 1)]  # fmt: skip
    first = Label(labels[0].text, scale.left, y, centred=False)
    return (first, *(label for label in labels[1:] if label.extent[1] <= scale.right))


def _summary(content: Mapping[str, Any], end_s: float, clips: int, rejected: int) -> str:
    chosen = f"{clips} clip{'' if clips == 1 else 's'} chosen"
    others = f"{rejected} moment{'' if rejected == 1 else 's'} left out"
    return f"Timeline of {content['source']['name']}, {clock(end_s)} long: {chosen}, {others}"
