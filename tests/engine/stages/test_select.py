"""Which candidates are kept, and what is said about the others."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from reelremix.engine.domain.candidate import Axis, Candidate, Score
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.stages.select import MOST_REJECTIONS, Variety, select_clips
from tests.engine.stages.talk import dull, scored, talk


def candidate(
    start_s: float, end_s: float, value: float, text: str = "Some words were said here."
) -> Candidate:
    score = Score(None, dict.fromkeys(Axis), (), value)
    return Candidate(TimeRange.from_seconds(start_s, end_s), text, 0, 0, score)


def starts(candidates: tuple[Candidate, ...]) -> list[float]:
    return [c.range.start_s for c in candidates]


def test_the_strongest_come_first() -> None:
    found = select_clips([candidate(i * 500, i * 500 + 30, i) for i in range(5)], 3)
    assert starts(found.chosen) == [2000, 1500, 1000]


spans = st.tuples(st.integers(0, 600), st.integers(15, 90), st.integers(-5, 5))


@settings(max_examples=80)
@given(st.lists(spans, max_size=40), st.integers(1, 12))
def test_no_two_chosen_clips_overlap(listed: list[tuple[int, int, int]], count: int) -> None:
    found = select_clips([candidate(s, s + d, v) for s, d, v in listed], count)
    assert len(found.chosen) <= count
    assert all(a.range.overlap_s(b.range) == 0 for a, b in combinations(found.chosen, 2))


@settings(max_examples=80)
@given(st.lists(spans, max_size=40))
def test_ranked_candidates_stay_under_the_allowed_iou(listed: list[tuple[int, int, int]]) -> None:
    candidates = [candidate(s, s + d, v) for s, d, v in listed]
    found = select_clips(candidates, 10, variety=Variety(max_iou=0.3))
    assert all(a.range.iou(b.range) < 0.3 for a, b in combinations(found.chosen, 2))


def test_shorter_clips_make_room_for_the_count_asked_for() -> None:
    long = [candidate(s, s + 60, 5) for s in range(0, 60, 5)]
    short = [candidate(s, s + 15, 1) for s in range(0, 105, 5)]
    assert len(select_clips(long + short, 6).chosen) == 6


def test_below_the_floor_nothing_is_kept_and_it_says_so() -> None:
    found = select_clips([candidate(0, 30, 2), candidate(100, 130, -1)], 2, floor=0.0)
    assert starts(found.chosen) == [0]
    assert found.shortfall is not None and "average" in found.shortfall
    assert any("average" in r.reason for r in found.rejected)


def test_enough_clips_have_no_shortfall() -> None:
    assert select_clips([candidate(0, 30, 1)], 1).shortfall is None


def test_nothing_to_choose_from_is_said() -> None:
    found = select_clips([], 5)
    assert found.chosen == () and found.shortfall == "nothing to choose"


def test_equal_values_are_taken_in_order_of_time() -> None:
    candidates = [candidate(s, s + 30, 1) for s in (900, 300, 600)]
    assert starts(select_clips(candidates, 3).chosen) == [300, 600, 900]


def test_the_order_of_the_input_does_not_matter() -> None:
    candidates = scored(talk(dull(60)), 15, 40)
    assert select_clips(candidates, 5) == select_clips(candidates[::-1], 5)


def test_a_clip_from_another_minute_beats_a_slightly_better_neighbour() -> None:
    candidates = [candidate(0, 30, 3), candidate(32, 62, 1.05), candidate(900, 930, 1.0)]
    assert starts(select_clips(candidates, 2).chosen) == [0, 900]


def test_a_clip_on_another_subject_beats_a_slightly_better_repetition() -> None:
    boats, bread = "Boats sail harbour wind", "Bread flour oven crust"
    filler = [
        candidate(5000 + i * 200, 5030 + i * 200, -3, f"Filler{i} other{i}") for i in range(12)
    ]
    same = [candidate(0, 30, 3, boats), candidate(900, 930, 1.1, boats)]
    found = select_clips([*same, candidate(1800, 1830, 1.0, bread), *filler], 2)
    assert starts(found.chosen) == [0, 1800]


def test_rejections_are_few_and_tell_why() -> None:
    found = select_clips(scored(talk(dull(200)), 15, 40), 5)
    assert 0 < len(found.rejected) <= MOST_REJECTIONS
    assert all(r.reason for r in found.rejected)


def test_advertising_is_called_by_its_name() -> None:
    advert = "Go to our website, use the code for a discount and sign up for the newsletter."
    found = select_clips([candidate(0, 30, 3), candidate(100, 130, 1, advert)], 1, language="en")
    assert [r.reason for r in found.rejected] == ["sounds like advertising"]


def test_overlapping_a_stronger_clip_is_a_reason() -> None:
    found = select_clips([candidate(0, 30, 3), candidate(20, 60, 1)], 1)
    assert [r.reason for r in found.rejected] == ["overlaps a stronger clip"]
