from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelremix.engine.domain.time import MICROSECONDS, ZERO, TimeRange, Timestamp

BASES = st.sampled_from([MICROSECONDS, Fraction(1, 90_000), Fraction(1, 48_000), Fraction(1, 1000),
                         Fraction(1001, 30_000), Fraction(1, 25)])  # fmt: skip
TICKS = st.integers(-(10**9), 10**9)
TIMESTAMPS = st.builds(Timestamp, TICKS, BASES)
SECONDS = st.floats(0, 1e5, allow_nan=False)
RANGES = st.tuples(SECONDS, SECONDS).map(lambda pair: TimeRange.from_seconds(*sorted(pair)))


@given(TIMESTAMPS, TIMESTAMPS)
def test_sums_and_differences_are_exact(a: Timestamp, b: Timestamp) -> None:
    assert (a + b).exact == a.exact + b.exact
    assert (a - b).exact == a.exact - b.exact
    assert (a + b) - b == a


@given(TIMESTAMPS, TIMESTAMPS)
def test_order_and_equality_do_not_depend_on_the_time_base(a: Timestamp, b: Timestamp) -> None:
    assert (a < b) == (a.exact < b.exact)
    assert (a == b) == (a.exact == b.exact)
    assert a != b or hash(a) == hash(b)


@given(st.decimals(0, 100_000, places=6))
def test_seconds_with_six_decimals_survive(seconds: float) -> None:
    value = float(seconds)
    assert Timestamp.from_seconds(value).seconds == value


@given(TICKS, BASES)
def test_seconds_are_rounded_to_the_microsecond(ticks: int, base: Fraction) -> None:
    stamp = Timestamp(ticks, base)
    assert abs(Fraction(stamp.seconds) - stamp.exact) <= Fraction(6, 10_000_000)
    assert round(stamp.seconds, 6) == stamp.seconds


def test_a_timestamp_is_not_a_number() -> None:
    assert ZERO != 0
    assert Timestamp(25, Fraction(1, 25)) == Timestamp(1_000_000)


@pytest.mark.parametrize(("moment_s", "inside"), [(0.9, False), (1.0, True), (1.5, True),
                                                  (2.0, False)])  # fmt: skip
def test_ranges_are_half_open(moment_s: float, inside: bool) -> None:
    span = TimeRange.from_seconds(1, 2)
    assert span.contains(Timestamp.from_seconds(moment_s)) is inside


@given(RANGES, RANGES)
def test_overlap_is_symmetric_and_bounded(a: TimeRange, b: TimeRange) -> None:
    assert a.overlap_s(b) == b.overlap_s(a)
    assert 0 <= a.overlap_s(b) <= min(a.duration_s, b.duration_s) + 1e-5
    assert 0 <= a.iou(b) <= 1 + 1e-6


@given(RANGES)
def test_a_range_overlaps_itself_completely(span: TimeRange) -> None:
    assert span.iou(span) == pytest.approx(1.0 if span.duration_s else 0.0)


def test_neighbours_share_nothing() -> None:
    a, b = TimeRange.from_seconds(0, 1), TimeRange.from_seconds(1, 2)
    assert (a.overlap_s(b), a.iou(b)) == (0.0, 0.0)
    assert a.iou(TimeRange.from_seconds(0, 2)) == 0.5
