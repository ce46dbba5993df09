"""Frames are counted as editors count them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelremix.engine.domain.timecode import (
    COMMON_RATES,
    editing_rate,
    frame_of,
    is_ntsc,
    may_drop,
    nearest_rate,
    timebase,
    timecode_of,
)

NTSC = Fraction(30000, 1001)
FAST = Fraction(60000, 1001)
DAY_H = 24


@pytest.mark.parametrize(
    ("frame", "rate", "told"),
    [
        (0, NTSC, "00:00:00;00"),
        (1799, NTSC, "00:00:59;29"),
        (1800, NTSC, "00:01:00;02"),
        (17982, NTSC, "00:10:00;00"),
        (107892, NTSC, "01:00:00;00"),
        (3600, FAST, "00:01:00;04"),
        (215784, FAST, "01:00:00;00"),
        (1500, Fraction(25), "00:01:00:00"),
        (1440, Fraction(24000, 1001), "00:01:00:00"),
    ],
)
def test_a_frame_has_the_timecode_that_broadcasters_give_it(
    frame: int, rate: Fraction, told: str
) -> None:
    assert timecode_of(frame, rate, drop=may_drop(rate)) == told
    assert frame_of(told, rate) == frame


@given(st.sampled_from(COMMON_RATES), st.integers(0, 10**7), st.booleans())
def test_a_timecode_tells_its_frame(rate: Fraction, frame: int, drop: bool) -> None:
    told = timecode_of(frame, rate, drop=drop and may_drop(rate))
    assert frame_of(told, rate) == frame


@given(st.sampled_from(COMMON_RATES), st.integers(0, 10**7), st.booleans())
def test_opentimelineio_counts_alike(rate: Fraction, frame: int, drop: bool) -> None:
    opentime = pytest.importorskip("opentimelineio").opentime
    frame %= DAY_H * 3600 * timebase(rate) - 100 * DAY_H * 60
    drop = drop and may_drop(rate)
    moment = opentime.RationalTime(frame, float(rate))
    told = opentime.to_timecode(moment, float(rate), drop_frame=drop)
    assert timecode_of(frame, rate, drop=drop) == told


def test_dropping_keeps_up_with_the_clock() -> None:
    for rate in (NTSC, FAST):
        frame = frame_of("10:00:00;00", rate)
        assert frame is not None and abs(float(frame / rate) - 36000) < 0.05


@pytest.mark.parametrize("text", ["", "1:2:3", "00:00:61:00", "00:00:00:30", "ab:cd:ef:gh", "12"])
def test_what_is_no_timecode_is_none(text: str) -> None:
    assert frame_of(text, NTSC) is None


def test_rates_that_containers_round_are_the_editors() -> None:
    assert editing_rate(Fraction(2997, 100)) == NTSC
    assert editing_rate(Fraction(23976, 1000)) == Fraction(24000, 1001)
    assert editing_rate(Fraction(87169000, 2905633)) == 30
    assert editing_rate(Fraction(15)) == 15


def test_a_rate_that_no_editor_has_gives_way_to_the_nearest() -> None:
    assert editing_rate(Fraction(287, 10)) is None
    assert nearest_rate(Fraction(287, 10)) == NTSC
    assert [is_ntsc(rate) for rate in (NTSC, Fraction(30))] == [True, False]
