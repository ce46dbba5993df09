from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.stages.cuts import gaps_of, joined, step, trimmed, without
from tests.engine.reviewed import RATE, SOURCE, SPOKEN

moments = st.floats(0, SOURCE.duration.seconds)


def spans(*bounds: tuple[float, float]) -> list[TimeRange]:
    """Ranges in seconds."""
    return [TimeRange.from_seconds(*bound) for bound in bounds]


@given(moments)
def test_no_cut_is_inside_a_word_or_between_frames(at_s: float) -> None:
    cut = SPOKEN.free(Timestamp.from_seconds(at_s))
    assert cut.exact * RATE % 1 == 0
    assert not any(
        w.range.start.exact + 1 / RATE < cut.exact < w.range.end.exact - 1 / RATE
        for w in SPOKEN.words
    )


@given(moments)
def test_a_cut_that_was_made_stays_where_it_is(at_s: float) -> None:
    once = SPOKEN.free(Timestamp.from_seconds(at_s))
    assert SPOKEN.free(once) == once


def test_a_word_is_left_its_breath_and_no_more_than_half_of_the_silence() -> None:
    for index in range(1, len(SPOKEN.words) - 1):
        before = SPOKEN.words[index - 1].range.end.exact
        assert SPOKEN.before(index).exact >= before - 1 / RATE
        assert SPOKEN.before(index) <= SPOKEN.after(index)


def test_touching_ranges_are_one_and_slivers_are_left_out() -> None:
    assert joined(spans((5, 9), (1, 3), (3, 5), (20, 20.1))) == tuple(spans((1, 9)))


def test_a_stretch_is_cut_out_of_every_range_it_touches() -> None:
    kept = spans((0, 10), (20, 30))
    assert without(kept, TimeRange.from_seconds(5, 25)) == tuple(spans((0, 5), (25, 30)))
    assert without(kept, TimeRange.from_seconds(0, 30)) == ()
    assert gaps_of(without(kept, TimeRange.from_seconds(4, 6)))[0] == spans((4, 6))[0]


def test_ends_move_inwards_outwards_and_past_each_other() -> None:
    kept = spans((10, 20), (30, 40))
    at = Timestamp.from_seconds
    assert trimmed(kept, at(15), at(35)) == tuple(spans((15, 20), (30, 35)))
    assert trimmed(kept, at(5), at(50)) == tuple(spans((5, 20), (30, 50)))
    assert trimmed(kept, at(50), at(60)) == tuple(spans((50, 60)))
    assert trimmed(kept, at(35), at(15)) == ()


def test_a_step_back_first_reaches_the_beginning_of_where_one_is() -> None:
    places = [0, 10, 20]
    assert [step(places, 15, by) for by in (-2, -1, 0, 1, 9)] == [0, 10, 10, 20, 20]
    assert step(places, 10, -1) == 0
