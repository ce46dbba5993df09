from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelremix.engine.export import report
from reelremix.engine.export.timeline_plot import Box, Label, Plot, text_width, timeline_plot

DAY_S = 86_400.0
SECONDS = st.floats(0, DAY_S)
WORDS = st.lists(st.text(max_size=12), max_size=4)
SIZES = st.sampled_from([(size["width"], size["left"]) for size in report.SIZES.values()])
EVERYTHING: dict[str, Any] = {
    "source": {"name": "talk.mp4", "duration_s": 1200.0},
    "clips": [
        {"id": "b", "rank": 1, "title": "Ten minutes", "ranges": [[300, 330], [340, 360]],
         "score": {"total": 83.0, "reasons": [{"text": "opens with a number", "quote": "Ten."}],
                   "kinds": [{"text": "tells a story", "quote": "So I went."}]}},
        {"id": "a", "rank": 2, "ranges": [[100, 150]], "score": {"total": 51.0}},
    ],
    "rejected": [{"start_s": 310, "end_s": 350, "score": 41.2, "reason": "starts mid-thought"}],
    "timeline": {
        "step_s": 2.0,
        "score": [None] * 50 + [51.0] * 25 + [None] * 75 + [83.0] * 30 + [None] * 420,
        "topics": [{"start_s": 0, "end_s": 600, "words": ["habits", "books"]},
                   {"start_s": 600, "end_s": 1200, "words": []}],
        "events": [{"kind": "laughter", "start_s": 355, "end_s": 357}],
    },
}  # fmt: skip


def plot(content: dict[str, Any], width: float = 1000.0, left: float = 70.0) -> Plot:
    found = timeline_plot(content, width, left)
    assert found is not None
    return found


@st.composite
def stretches(draw: st.DrawFn) -> dict[str, Any]:
    start_s, end_s = sorted((draw(SECONDS), draw(SECONDS)))
    return {"start_s": start_s, "end_s": end_s}


@st.composite
def manifests(draw: st.DrawFn) -> dict[str, Any]:
    """Anything a manifest may hold, by whomever."""
    score = st.one_of(st.none(), st.floats(), st.integers(-9, 200))
    clips = [
        {"id": str(n), "rank": n, "ranges": [[s["start_s"], s["end_s"]]],
         "title": draw(st.text(max_size=9)), "score": {"total": draw(score)}}
        for n, s in enumerate(draw(st.lists(stretches(), max_size=30)), 1)
    ]  # fmt: skip
    kinds = st.sampled_from(["laughter", "applause", "cheering", "music", "bell"])
    return {
        "source": {"name": "x", "duration_s": draw(st.one_of(st.none(), st.floats(0, DAY_S)))},
        "clips": clips,
        "rejected": [
            s | {"score": draw(score), "reason": "weak"}
            for s in draw(st.lists(stretches(), max_size=30))
        ],
        "timeline": {
            "step_s": draw(st.floats(0.5, 120)),
            "score": draw(st.lists(score, max_size=40)) * draw(st.integers(1, 40)),
            "topics": [s | {"words": draw(WORDS)} for s in draw(st.lists(stretches(), max_size=5))],
            "events": [s | {"kind": draw(kinds)} for s in draw(st.lists(stretches(), max_size=30))],
        },
    }


def boxes(drawn: Plot) -> list[Box]:
    bars = (*drawn.clips, *drawn.rejected, *drawn.topics)
    curve = [drawn.curve.box] if drawn.curve else []
    columns = [column for bar in bars for column in bar.columns]
    return [*(bar.box for bar in bars), *(mark.box for mark in drawn.marks), *curve, *columns]


def apart(one: Box, other: Box) -> bool:
    side = one.right <= other.x + 0.2 or other.right <= one.x + 0.2
    return side or one.bottom <= other.y or other.bottom <= one.y


def do_not_meet(labels: Sequence[Label]) -> bool:
    return all(a.extent[1] < b.extent[0] for a, b in pairwise(labels))


def numbers(path: str) -> Iterable[tuple[float, float]]:
    """Horizontal and vertical reach of a path of moves, rises and runs."""
    xs = [float(n) for n in re.findall(r"[MH](-?[\d.]+)", path)]
    ys = [float(n) for n in re.findall(r"V(-?[\d.]+)|M[\d.]+ (-?[\d.]+)", path) for n in n if n]
    return [(min(xs), max(xs)), (min(ys), max(ys))]


@given(manifests(), SIZES)
def test_everything_is_inside_the_picture(
    content: dict[str, Any], size: tuple[float, float]
) -> None:
    drawn = timeline_plot(content, *size)
    if drawn is None:
        return
    for box in boxes(drawn):
        assert box.x >= drawn.left - 0.01 and box.right <= drawn.width + 0.01
        assert box.y >= 0 and box.bottom <= drawn.height
    for label in (*drawn.ticks, *drawn.rows):
        assert label.extent[0] >= 0 and label.extent[1] <= drawn.width
        assert 0 <= label.y <= drawn.height


@given(manifests(), SIZES)
def test_the_curve_stays_within_its_row(content: dict[str, Any], size: tuple[float, float]) -> None:
    drawn = timeline_plot(content, *size)
    if drawn is None or drawn.curve is None:
        return
    box = drawn.curve.box
    for path in (drawn.curve.line, drawn.curve.area):
        (left, right), (top, bottom) = numbers(path)
        assert box.x - 0.1 <= left <= right <= box.right + 0.1
        assert box.y - 0.1 <= top <= bottom <= box.bottom + 0.1


@given(manifests(), SIZES)
def test_no_bar_covers_another(content: dict[str, Any], size: tuple[float, float]) -> None:
    drawn = timeline_plot(content, *size)
    if drawn is None:
        return
    for bars in (drawn.clips, drawn.rejected):
        assert all(apart(a.box, b.box) for a, b in combinations(bars, 2))
    assert all(apart(a.box, b.box) for a, b in combinations(drawn.marks, 2))


@given(st.floats(0.2, 40 * DAY_S), SIZES)
def test_ticks_do_not_run_into_each_other(end_s: float, size: tuple[float, float]) -> None:
    clip = {"id": "a", "rank": 1, "ranges": [[0, end_s / 2]]}
    source = {"name": "x", "duration_s": end_s}
    ticks = plot({"source": source, "clips": [clip]}, *size).ticks
    assert do_not_meet(ticks) and ticks[0].text == "0:00" and len(ticks) < 40


@given(manifests(), SIZES)
def test_labels_fit_into_what_they_name(content: dict[str, Any], size: tuple[float, float]) -> None:
    drawn = timeline_plot(content, *size)
    if drawn is not None:
        for bar in (*drawn.clips, *drawn.topics):
            assert text_width(bar.label) <= bar.box.width


@given(st.lists(stretches(), min_size=2, max_size=12))
def test_what_comes_later_stands_further_right(found: list[dict[str, Any]]) -> None:
    found.sort(key=lambda s: float(s["start_s"] + s["end_s"]))
    source = {"name": "x", "duration_s": DAY_S}
    bars = plot({"source": source, "clips": [], "rejected": found}).rejected
    middles = [bar.box.middle[0] for bar in bars]
    assert all(a <= b + 1.5 for a, b in pairwise(middles))


@pytest.mark.parametrize(
    ("end_s", "shown"),
    [(20.0, ("0:00", "0:02", "0:04")), (1200.0, ("0:00", "2:00", "4:00")),
     (43_200.0, ("0:00", "2:00:00", "4:00:00"))],
)  # fmt: skip
def test_ticks_are_round_times(end_s: float, shown: tuple[str, ...]) -> None:
    content = EVERYTHING | {"source": {"name": "x", "duration_s": end_s}}
    assert tuple(tick.text for tick in plot(content).ticks[:3]) == shown


def test_a_bar_stands_where_its_clip_lies_and_leads_to_it() -> None:
    first, second = plot(EVERYTHING).clips
    assert (first.label, first.target) == ("1", "clip-b")
    assert first.box.x == pytest.approx(70 + 930 * 300 / 1200)
    assert first.box.right == pytest.approx(70 + 930 * 360 / 1200)
    assert second.box.right <= first.box.x
    assert len(first.columns) == 2


def test_hints_say_when_how_good_and_why() -> None:
    drawn = plot(EVERYTHING)
    assert drawn.clips[0].hint.splitlines() == [
        "1. Ten minutes", "5:00-6:00, score 83", "tells a story: “So I went.”",
        "opens with a number: “Ten.”",
    ]  # fmt: skip
    assert drawn.rejected[0].hint == "left out: 5:10-5:50, score 41\nstarts mid-thought"
    assert drawn.topics[0].hint == "0:00-10:00\nabout habits, books"
    assert drawn.marks[0].hint == "laughter, 5:55-5:57"
    assert drawn.curve is not None and drawn.curve.hint == "the best begins at 5:00: 83 %"


def test_the_curve_is_broken_where_nothing_lies() -> None:
    curve = plot(EVERYTHING).curve
    assert curve is not None
    assert curve.line.count("M") == curve.area.count("Z") == 2
    assert [level.text for level in curve.levels] == ["50 %", "100 %"]


def test_without_chances_the_curve_tells_ranks() -> None:
    content = EVERYTHING | {"clips": []}
    drawn = plot(content)
    assert not drawn.is_percent
    assert drawn.curve is not None and drawn.curve.levels[0].text == "50"


def test_peaks_survive_where_steps_are_too_fine_to_be_seen() -> None:
    timeline = {"step_s": 1.0, "score": [10.0] * 5000 + [95.0] + [10.0] * 5000}
    curve = plot({"source": {"name": "x"}, "clips": [], "timeline": timeline}, 380.0, 0.0).curve
    assert curve is not None and len(curve.line) < 5000
    (_, _), (top, _) = numbers(curve.line)
    assert top == pytest.approx(curve.box.bottom - 0.95 * curve.box.height, abs=0.1)


def test_sounds_too_close_to_tell_apart_are_one_mark() -> None:
    laughs = [{"kind": "laughter", "start_s": s, "end_s": s + 1} for s in (100, 102, 104, 900)]
    drawn = plot(EVERYTHING | {"timeline": {"events": laughs}})
    assert [mark.hint for mark in drawn.marks] == [
        "laughter, 3 times, 1:40-1:45", "laughter, 15:00-15:01",
    ]  # fmt: skip
    assert drawn.heard == (("circle", "laughter", 4),)


def test_each_kind_of_sound_has_a_shape_of_its_own() -> None:
    kinds = ("laughter", "applause", "cheering", "music", "bell")
    events = [{"kind": kind, "start_s": 9, "end_s": 10} for kind in kinds]
    marks = plot(EVERYTHING | {"timeline": {"events": events}}).marks
    assert len({mark.shape for mark in marks}) == len({mark.box.y for mark in marks}) == len(kinds)


def test_what_makes_no_sense_is_not_drawn() -> None:
    content = EVERYTHING | {
        "rejected": [{}, {"start_s": "x", "end_s": 3}, {"start_s": 9, "end_s": 4},
                     {"start_s": 1, "end_s": 5}],
        "timeline": {"score": ["x", None, True, float("nan")], "topics": [{}], "events": [{}]},
    }  # fmt: skip
    drawn = plot(content)
    assert drawn.curve is None and not drawn.topics and not drawn.marks
    assert [bar.target for bar in drawn.rejected] == ["left-4"]


@pytest.mark.parametrize("timeline", [None, {}])
def test_without_a_timeline_clips_are_drawn_all_the_same(timeline: object) -> None:
    drawn = plot(EVERYTHING | {"timeline": timeline})
    assert drawn.clips and drawn.rejected and drawn.curve is None
    assert not drawn.clips[0].columns


@pytest.mark.parametrize("source", [{"name": "x"}, {"name": "x", "duration_s": 0}])
def test_nothing_makes_no_plot(source: dict[str, Any]) -> None:
    assert timeline_plot({"source": source, "clips": []}, 1000.0, 70.0) is None


def test_a_source_of_unknown_length_lasts_as_long_as_what_is_known_of_it() -> None:
    content = {**EVERYTHING, "source": {"name": "x"}, "timeline": None}
    assert plot(content).clips[0].box.right == pytest.approx(1000.0)
