"""What a picture is put together of: panes of a split screen or call, a slide or screen, pillars,
and writing that lies over it.

All of it shows in what stays the same: edges of panes are straight lines that do not move, a slide
is flat and still, captions are fine, strong and stand still while the rest moves. Lines are found
by recursive cuts, as Nagy and Seth cut printed pages ("Hierarchical representation of optically
scanned documents", 1984).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import numpy.typing as npt

from reelremix.engine.domain.occupied import Occupied
from reelremix.engine.domain.shot import Shot
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Box

HEIGHT_PX = 240
"""Pictures are sampled down to about this height."""
LEAST_SAMPLES = 3
"""Fewer say nothing about what is still."""
MOST_SAMPLES = 16
"""Kept of one shot, to find panes and screens; a longer one is sampled more sparsely."""
EDGE = 6.0
"""Grey levels from one pixel to the next that are an edge."""
LINE = 0.85
"""Share of its length in which a line is an edge."""
THINNEST = 0.12
"""A pane's side is at least this share of the picture's."""
MOST_LINES = 5
"""Tried for each side of the frame around a face: some are the edge of a collar."""
DEEPEST = 3
"""Cuts one after another: eight panes a side."""

FLAT_STEP, FLAT = 1.5, 0.75
"""A screen is flat: steps of less, in at least this share of it."""
ONE_TONE = 0.4
"""It has a background: this share of it has one tone, of 32."""
SHARP_STEP, SHARP = 25.0, 0.012
"""It has writing or drawing: steps of more, in at least this share of it."""
STILL_CHANGE, STILL = 1.0, 0.9
"""It is still: changes of less, in at least this share of it."""

STROKE = 45
"""Grey levels of the edge of a letter."""
DENSE = 0.1
"""Share of a line of writing that is edges of letters."""
SAME_TEXT_IOU = 0.6
DARK = 24.0
"""Mean luma, 16 to 235, below which a place is as black as a bar ..."""
THIN_BAR = 0.02
"""Bars are at least this share of the picture wide, ..."""
LEAST_CONTENT = 0.25
"""... around a picture that takes at least this share."""
LETTERS = 14
"""Edges in a row of writing."""
LINE_HEIGHTS = (0.02, 0.14)
"""Of one or two lines of writing, as shares of the picture's height."""

Grey = npt.NDArray[np.float32]
Strokes = npt.NDArray[np.bool_]
"""Edges that are as strong as those of letters."""
Area = tuple[int, int, int, int]
"""Left, top, right, bottom in sampled pixels."""


@dataclass(frozen=True, slots=True)
class Composition:
    """How the picture of a stretch is put together, in source pixels."""

    range: TimeRange
    panes: tuple[Box, ...]
    screen: Box | None
    occupied: tuple[Occupied, ...]
    content: Box | None = None


@dataclass(slots=True)
class StillFrames:
    """Pictures of one stretch without a cut: a few are kept, writing is read from each in turn."""

    start: Timestamp
    _every: int = 1
    _kept: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    _step: int = 1
    _times: list[Timestamp] = field(default_factory=list)
    """Of all pictures."""
    _written: list[Area | None] = field(default_factory=list)
    """What stands written in each and in the next, up to the last but one."""
    _strokes: Strokes | None = None
    """Of the last."""

    def add(self, at: Timestamp, luma: npt.NDArray[np.uint8]) -> None:
        """Take one more picture; the longer the stretch, the fewer are kept."""
        self._step = max(1, round(luma.shape[0] / HEIGHT_PX))
        picture = luma[:: self._step, :: self._step].copy()
        before, self._strokes = self._strokes, _strokes(picture)
        if before is not None:
            self._written.append(_writing(before & self._strokes))
        if len(self._times) % self._every == 0:
            self._keep(picture)
        self._times.append(at)

    def _keep(self, picture: npt.NDArray[np.uint8]) -> None:
        self._kept.append(picture)
        if len(self._kept) > MOST_SAMPLES:
            self._kept = self._kept[::2]
            self._every *= 2

    def composition(self, end: Timestamp, faces: Sequence[Box]) -> Composition:
        """What the stretch shows.

        Args:
            end: of the stretch.
            faces: typical places of the faces seen in it, in source pixels.
        """
        whole = TimeRange(self.start, end)
        if not self._kept:
            return Composition(whole, (), None, ())
        scaled = [_area(face, self._step) for face in faces]
        stack = np.stack(self._kept).astype(np.float32)
        mean: Grey = stack.mean(axis=0)
        change: Grey = (
            np.abs(np.diff(stack, axis=0)).mean(axis=0) if len(stack) > 1 else np.zeros_like(mean)
        )
        leaves = list(_cut(mean, (0, 0, mean.shape[1], mean.shape[0]), DEEPEST))
        panes = [_pane_of(mean, leaves, face) for face in scaled]
        screen = _screen(mean, change, leaves, panes) if len(stack) >= LEAST_SAMPLES else None
        occupied = () if screen else tuple(self._occupied(end, scaled))
        size = mean.shape[1], mean.shape[0]
        shown = tuple(self._inside(p, size) for p in dict.fromkeys(panes) if p is not None)
        lit = _without_bars(mean)
        content = None if lit is None else self._inside(lit, size)
        return Composition(
            whole, shown, None if screen is None else self._box(screen), occupied, content
        )

    def _box(self, area: Area) -> Box:
        left, top, right, bottom = (value * self._step for value in area)
        return Box(left, top, right - left, bottom - top)

    def _inside(self, pane: Area, size: tuple[int, int]) -> Box:
        """A pane without the seams to its neighbours, which are known to a sampled pixel alone."""
        left, top, right, bottom = pane
        return self._box((
            left + (left > 0), top + (top > 0),
            right - (right < size[0]), bottom - (bottom < size[1]),
        ))  # fmt: skip

    def _occupied(self, end: Timestamp, faces: Sequence[Area]) -> Iterator[Occupied]:
        """Writing that stands still from one sample to the next."""
        times = [*self._times, end]
        for number, area in enumerate(self._written):
            if area is not None and not any(_shared(area, face) for face in faces):
                yield Occupied(TimeRange(times[number], times[number + 2]), self._box(area))


def shot_of(span: TimeRange, parts: Sequence[Composition]) -> Shot:
    """A shot put together as its longest part is; what lies over it is taken from all of them."""
    own = [part for part in parts if part.range.overlap_s(span) > 0]
    longest = max(own, key=lambda part: part.range.overlap_s(span), default=None)
    if longest is None:
        return Shot(span)
    occupied = _joined([taken for part in own for taken in part.occupied])
    return Shot(span, longest.panes, longest.screen, occupied, longest.content)


def _joined(occupied: Sequence[Occupied]) -> tuple[Occupied, ...]:
    """What stays in its place for a while as one."""
    joined: list[Occupied] = []
    for taken in occupied:
        last = joined[-1] if joined else None
        if last and taken.range.start <= last.range.end and taken.box.iou(last.box) > SAME_TEXT_IOU:
            end = max(last.range.end, taken.range.end)
            joined[-1] = Occupied(TimeRange(last.range.start, end), last.box)
        else:
            joined.append(taken)
    return tuple(joined)


def _without_bars(mean: Grey) -> Area | None:
    """What black bars at opposite sides leave; None without any, or where almost nothing is lit."""
    is_lit = mean >= DARK
    across, down = np.flatnonzero(is_lit.any(axis=0)), np.flatnonzero(is_lit.any(axis=1))
    if not across.size:
        return None
    sides = [(int(lit[0]), int(lit[-1]) + 1) for lit in (across, down)]
    kept = []
    for (first, last), length in zip(sides, (mean.shape[1], mean.shape[0]), strict=True):
        are_bars = min(first, length - last) >= THIN_BAR * length
        kept.append((first, last) if are_bars else (0, length))
    (left, right), (top, bottom) = kept
    area = (left, top, right, bottom)
    is_whole = area == (0, 0, mean.shape[1], mean.shape[0])
    share = (right - left) * (bottom - top) / mean.size
    return None if is_whole or share < LEAST_CONTENT else area


def _area(box: Box, step: int) -> Area:
    return (
        round(box.x / step),
        round(box.y / step),
        round((box.x + box.width) / step),
        round((box.y + box.height) / step),
    )


def _shared(a: Area, b: Area) -> bool:
    return min(a[2], b[2]) > max(a[0], b[0]) and min(a[3], b[3]) > max(a[1], b[1])


def _cut(mean: Grey, area: Area, depth: int) -> Iterator[Area]:
    """The parts between straight lines that run from side to side of an area."""
    at = _best_line(mean, area) if depth else None
    if at is None:
        yield area
        return
    left, top, right, bottom = area
    is_upright, place = at
    if is_upright:
        halves = ((left, top, place, bottom), (place, top, right, bottom))
    else:
        halves = ((left, top, right, place), (left, place, right, bottom))
    for half in halves:
        yield from _cut(mean, half, depth - 1)


def _best_line(mean: Grey, area: Area) -> tuple[bool, int] | None:
    """The straightest line through an area, whether it is upright, and the pixel behind it."""
    left, top, right, bottom = area
    part = mean[top:bottom, left:right]
    found: list[tuple[float, bool, int]] = []
    for is_upright in (True, False):
        steps = np.abs(np.diff(part, axis=1 if is_upright else 0))
        share = (steps > EDGE).mean(axis=0 if is_upright else 1)
        margin = round(THINNEST * mean.shape[1 if is_upright else 0])
        inner = share[margin - 1 : len(share) - margin + 1] if margin else share
        if inner.size and inner.max() >= LINE:
            place = int(inner.argmax()) + margin + (left if is_upright else top)
            found.append((float(inner.max()), is_upright, place))
    if not found:
        return None
    _, is_upright, place = max(found)
    return is_upright, place


def _pane_of(mean: Grey, leaves: Sequence[Area], face: Area) -> Area | None:
    """The part a face is in: the frame around it, else the leaf; None where that is everything."""
    middle = (face[0] + face[2]) // 2, (face[1] + face[3]) // 2
    leaf = next((a for a in leaves if a[0] <= middle[0] < a[2] and a[1] <= middle[1] < a[3]), None)
    whole = (0, 0, mean.shape[1], mean.shape[0])
    if leaf is None:
        return None
    inner = _frame_around(mean, leaf, face)
    found = inner or leaf
    return None if found == whole else found


def _frame_around(mean: Grey, leaf: Area, face: Area) -> Area | None:
    """The smallest rectangle of lines that encloses a face; one side may be that of the leaf."""
    across, down = np.abs(np.diff(mean, axis=1)) > EDGE, np.abs(np.diff(mean, axis=0)) > EDGE
    rows, columns = slice(max(0, face[1]), face[3]), slice(max(0, face[0]), face[2])
    upright = across[rows].mean(axis=0) >= LINE
    level = down[:, columns].mean(axis=1) >= LINE
    sides = (
        _nearest(upright, range(face[0] - 1, leaf[0], -1)),
        _nearest(level, range(face[1] - 1, leaf[1], -1)),
        _nearest(upright, range(face[2], leaf[2] - 1)),
        _nearest(level, range(face[3], leaf[3] - 1)),
    )
    enclosing = [
        area
        for chosen in product(*sides)
        if chosen.count(None) <= 1
        and _is_framed(area := _between(chosen, leaf), chosen, across, down)
    ]
    return min(enclosing, key=_size, default=None)


def _between(sides: Sequence[int | None], leaf: Area) -> Area:
    """The area inside four lines, of the leaf where there is none."""
    left, top, right, bottom = (
        end if side is None else side + 1 for side, end in zip(sides, leaf, strict=True)
    )
    return left, top, right, bottom


def _is_framed(
    area: Area,
    sides: Sequence[int | None],
    across: npt.NDArray[np.bool_],
    down: npt.NDArray[np.bool_],
) -> bool:
    """Whether the lines run along the whole of the area."""
    left, top, right, bottom = sides
    lines = [across[area[1] : area[3], x] for x in (left, right) if x is not None]
    lines += [down[y, area[0] : area[2]] for y in (top, bottom) if y is not None]
    return all(line.mean() >= LINE - 0.1 for line in lines)


def _nearest(lines: npt.NDArray[np.bool_], places: range) -> list[int | None]:
    """The nearest few lines, and none."""
    found: list[int | None] = [p for p in places if 0 <= p < len(lines) and lines[p]]
    return [*found[:MOST_LINES], None]


def _screen(
    mean: Grey, change: Grey, leaves: Sequence[Area], panes: Sequence[Area | None]
) -> Area | None:
    """A slide or screen: a part without faces, else the whole with a face in a corner."""
    held = {pane for pane in panes if pane is not None}
    free = [leaf for leaf in leaves if not any(_shared(leaf, pane) for pane in held)]
    whole = (0, 0, mean.shape[1], mean.shape[0])
    if None not in panes:
        outside = np.ones(mean.shape, np.bool_)
        for left, top, right, bottom in held:
            outside[top:bottom, left:right] = False
        if outside.mean() > 0.5 and _is_screen(mean, change, outside):
            return free[0] if len(free) == 1 and held == set(leaves) - set(free) else whole
    for leaf in sorted(free, key=_size, reverse=True):
        if leaf == whole or _size(leaf) > 0.3 * _size(whole):
            inside = np.zeros(mean.shape, np.bool_)
            inside[leaf[1] : leaf[3], leaf[0] : leaf[2]] = True
            if _is_screen(mean, change, inside):
                return leaf
    return None


def _size(area: Area) -> int:
    return (area[2] - area[0]) * (area[3] - area[1])


def _is_screen(mean: Grey, change: Grey, where: npt.NDArray[np.bool_]) -> bool:
    steps = np.maximum(
        np.abs(np.diff(mean, axis=1, prepend=mean[:, :1])),
        np.abs(np.diff(mean, axis=0, prepend=mean[:1])),
    )[where]
    tones = np.bincount((mean[where].astype(np.intp) // 8), minlength=32)
    return bool(
        (steps < FLAT_STEP).mean() >= FLAT
        and tones.max() >= ONE_TONE * tones.sum()
        and (steps > SHARP_STEP).mean() >= SHARP
        and (change[where] < STILL_CHANGE).mean() >= STILL
    )


def _writing(strokes: Strokes) -> Area | None:
    """The largest block of letters, given where two pictures both have edges of letters."""
    height = strokes.shape[0]
    rows = strokes.sum(axis=1) >= LETTERS
    best: Area | None = None
    for top, bottom in _runs(rows, gap=round(0.012 * height)):
        if not LINE_HEIGHTS[0] * height <= bottom - top <= LINE_HEIGHTS[1] * height:
            continue
        columns = np.flatnonzero(strokes[top:bottom].any(axis=0))
        left, right = np.percentile(columns, [2, 98]).astype(int)
        block = strokes[top:bottom, left : right + 1]
        area = int(left), int(top), int(right) + 1, int(bottom)
        if block.mean() >= DENSE and (best is None or _size(area) > _size(best)):
            best = area
    return best


def _strokes(picture: npt.NDArray[np.uint8]) -> Strokes:
    strokes: Strokes = np.abs(np.diff(picture.astype(np.int16), axis=1)) > STROKE
    return strokes


def _runs(rows: npt.NDArray[np.bool_], gap: int) -> Iterator[tuple[int, int]]:
    """Stretches of rows, shorter gaps closed."""
    places = np.flatnonzero(rows)
    if not places.size:
        return
    breaks = np.flatnonzero(np.diff(places) > gap + 1)
    starts = [places[0], *places[breaks + 1]]
    ends = [*places[breaks], places[-1]]
    for start, end in zip(starts, ends, strict=True):
        yield int(start), int(end) + 1
