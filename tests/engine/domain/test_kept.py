"""The source's clock and the film's."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from reelremix.engine.domain.kept import Squeezed, first_of, neighbouring, on_film
from reelremix.engine.domain.time import TimeRange, Timestamp


def span(start: float, end: float) -> TimeRange:
    return TimeRange.from_seconds(start, end)


KEPT = (span(1, 2), span(3, 5), span(6, 7))


def test_a_stretch_is_heard_where_its_range_is() -> None:
    assert on_film(span(3.5, 4), KEPT) == [(Fraction(3, 2), Fraction(2))]
    assert on_film(span(2, 3), KEPT) == []


def test_a_stretch_over_a_join_is_one_piece_of_the_film() -> None:
    assert on_film(span(1.5, 6.5), KEPT) == [(Fraction(1, 2), Fraction(7, 2))]


def test_a_stretch_in_ranges_out_of_order_is_heard_twice() -> None:
    assert on_film(span(1.5, 3.5), (KEPT[1], KEPT[2], KEPT[0])) == [
        (Fraction(0), Fraction(1, 2)), (Fraction(7, 2), Fraction(4))]  # fmt: skip


def test_the_first_seconds_of_the_film_are_the_begins_of_its_ranges() -> None:
    def first(length_s: float) -> list[TimeRange]:
        return list(first_of(KEPT, Timestamp.from_seconds(length_s)))

    assert first(0.5) == [span(1, 1.5)]
    assert first(1) == [span(1, 2)]
    assert first(1.5) == [span(1, 2), span(3, 3.5)]
    assert first(9) == list(KEPT)
    assert first(0) == []


def test_ranges_that_follow_each_other_closely_are_neighbours() -> None:
    assert neighbouring(KEPT) == [(0, 1, 2)]
    assert neighbouring((KEPT[1], KEPT[0])) == [(0,), (1,)]
    assert neighbouring((span(0, 1), span(20, 21), span(22, 23))) == [(0,), (1, 2)]
    assert neighbouring(()) == []


def test_one_range_has_the_sources_clock() -> None:
    clock = Squeezed(KEPT[1:2])
    assert clock.span == KEPT[1]
    for some in (span(3, 4), span(2.5, 5.5)):
        assert clock.squeeze(some) == some and clock.restore(some) == some


def test_what_is_left_out_has_no_length() -> None:
    clock = Squeezed(KEPT)
    assert clock.span == span(1, 5)
    assert clock.squeeze(span(2.2, 2.9)) == span(2, 2)
    assert clock.squeeze(span(1.5, 3.5)) == span(1.5, 2.5)
    assert clock.squeeze(span(6, 7)) == span(4, 5)


def test_what_ends_at_a_join_ends_before_it_and_what_begins_there_begins_after_it() -> None:
    clock = Squeezed(KEPT)
    assert clock.restore(span(1, 2)) == span(1, 2)
    assert clock.restore(span(2, 4)) == span(3, 5)
    assert clock.restore(span(4, 5)) == span(6, 7)


@given(st.integers(0, 3999), st.integers(1, 4000))
def test_there_and_back_is_where_it_was(start_ms: int, length_ms: int) -> None:
    clock = Squeezed(KEPT)
    end_ms = min(4000, start_ms + length_ms)
    some = TimeRange.from_seconds(1 + Fraction(start_ms, 1000), 1 + Fraction(end_ms, 1000))
    assert clock.squeeze(clock.restore(some)) == some
