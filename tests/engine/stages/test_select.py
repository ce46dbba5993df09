"""Which candidates are kept, and what is said about the others."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from reelremix.engine.domain.candidate import Axis, Candidate, Score
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.stages.select import MOST_REJECTIONS, Floor, Variety, select_clips
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
    found = select_clips([candidate(0, 30, 2), candidate(100, 130, -1)], 2, floor=Floor())
    assert starts(found.chosen) == [0]
    assert found.shortfall is not None and "taken anywhere" in found.shortfall
    assert any("taken anywhere" in r.reason for r in found.rejected)


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


def judged(
    start_s: float,
    end_s: float,
    value: float,
    *,
    total: float | None = None,
    cut: float | None = None,
) -> Candidate:
    score = Score(total, dict.fromkeys(Axis), (), value, cut)
    return Candidate(TimeRange.from_seconds(start_s, end_s), "Some words.", 0, 0, score)


def test_auto_takes_as_many_as_are_likelier_kept_than_not() -> None:
    likely = [judged(100 * n, 100 * n + 30, 2, total=total) for n, total in enumerate((70, 55, 50))]
    rest = [judged(100 * n, 100 * n + 30, 1, total=45) for n in range(5, 9)]
    found = select_clips([*likely, *rest], None)
    assert sorted(starts(found.chosen)) == [0, 100, 200]
    assert found.shortfall is None


def test_auto_takes_the_best_one_where_none_is_good() -> None:
    found = select_clips([judged(100 * n, 100 * n + 30, 0.1 * n, total=30) for n in range(4)], None)
    assert len(found.chosen) == 1


def test_auto_without_chances_takes_what_stands_out() -> None:
    values = [0.0, 0.1, -0.1, 0.0, 0.1, -0.1, 3.0, 2.9]
    found = select_clips([judged(100 * n, 100 * n + 30, v) for n, v in enumerate(values)], None)
    assert sorted(starts(found.chosen)) == [600, 700]


def test_what_auto_leaves_out_is_not_called_as_bad_as_any() -> None:
    rest = [judged(100 * n, 100 * n + 30, 1, total=45) for n in range(5, 9)]
    found = select_clips([judged(0, 30, 2, total=60), *rest], None)
    assert {r.reason for r in found.rejected} == {"less likely kept than not"}


def test_auto_of_nothing_is_nothing() -> None:
    assert select_clips([], None).chosen == ()


def test_what_is_no_likelier_than_any_stretch_is_not_kept() -> None:
    likely, unlikely = judged(0, 30, 2, total=40), judged(100, 130, 1, total=19)
    found = select_clips([likely, unlikely], 2, floor=Floor())
    assert starts(found.chosen) == [0]
    assert [r.reason for r in found.rejected] == ["no better than a stretch taken anywhere"]


def test_of_cuts_that_tell_the_same_the_best_one_is_taken_with_the_moments_chance() -> None:
    long = judged(0, 60, 2.0, total=60, cut=0.1)
    tight = judged(8, 55, 1.9, total=58, cut=0.4)
    weak = judged(8, 50, 1.0, total=40, cut=0.9)
    elsewhere = judged(200, 260, 1.95, total=59, cut=5)
    found = select_clips([long, tight, weak], 1)
    assert starts(found.chosen) == [8] and found.chosen[0].range.end_s == 55
    assert found.chosen[0].score is not None and found.chosen[0].score.total == 60
    assert starts(select_clips([long, elsewhere], 1).chosen) == [0]


def test_a_better_cut_never_reaches_into_another_clip() -> None:
    first = judged(0, 60, 3.0, cut=0.1)
    second = judged(60, 120, 2.9, cut=0.5)
    between = judged(10, 70, 2.95, cut=0.9)
    found = select_clips([first, second, between], 2)
    assert all(a.range.overlap_s(b.range) == 0 for a, b in combinations(found.chosen, 2))
    assert sorted(starts(found.chosen)) == [0, 60]


@settings(max_examples=60)
@given(st.lists(st.tuples(spans, st.floats(-3, 3)), max_size=40), st.integers(1, 12))
def test_cuts_never_overlap(listed: list[tuple[tuple[int, int, int], float]], count: int) -> None:
    candidates = [judged(s, s + d, v, cut=cut) for (s, d, v), cut in listed]
    found = select_clips(candidates, count)
    assert all(a.range.overlap_s(b.range) == 0 for a, b in combinations(found.chosen, 2))


def test_an_advertisement_does_not_break_up_the_good_ones() -> None:
    good = [judged(100 * n, 100 * n + 60, 3 - n / 10, total=70 - n) for n in range(3)]
    advert = judged(400, 460, 2.9, total=69)
    assert advert.score is not None
    advert = replace(advert, score=replace(advert.score, excluded="sounds like advertising"))
    found = select_clips([*good, advert], 4)
    assert starts(found.chosen) == [0, 100, 200]
    assert found.shortfall is not None


def test_no_room_is_not_told_as_not_good_enough() -> None:
    good, below = judged(0, 60, 2, total=60), judged(10, 70, -1, total=5)
    found = select_clips([good, below], 2, floor=Floor())
    assert found.shortfall == "there is no room for more clips of the asked length"
