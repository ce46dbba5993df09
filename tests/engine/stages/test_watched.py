from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from reelremix.engine.domain.layout import Keyframe, LayoutKind, LayoutPiece, Region
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.track import Box
from reelremix.engine.media.decode import Frame, planes
from reelremix.engine.stages.watched import Watched

RATE = Fraction(25)


def frame(luma: int, grain: int | None = None) -> Frame:
    """A picture this bright, with a camera's grain unless it is black."""
    made = av.VideoFrame(320, 180, "yuv420p")
    y, u, v = planes(made)
    y[:], u[:], v[:] = luma, 128, 128
    if luma > 20:
        y[:] = luma + np.random.default_rng(grain).integers(-8, 9, y.shape)
    return made


def shown_in(kind: LayoutKind, track: int | None = 0) -> LayoutPiece:
    span = TimeRange.from_seconds(0, 10)
    region = Region((0, 0, 320, 180), (Keyframe(span.start, Box(0, 0, 320, 180)),), track)
    return LayoutPiece(span, kind, (region,))


def watched(
    lumas: list[int],
    grains: list[int] | None = None,
    kind: LayoutKind = LayoutKind.SINGLE,
    track: int | None = 0,
) -> Watched:
    """A film whose frames are this bright and have this grain."""
    seen, piece = Watched(RATE), shown_in(kind, track)
    for number, luma in enumerate(lumas):
        made = frame(luma, grains[number] if grains else number)
        seen.see(number, made, piece, made)
    return seen


def test_a_bright_film_has_no_faults() -> None:
    assert watched([120] * 100).faults == ()


def test_a_black_stretch_is_told_with_its_times() -> None:
    assert watched([120] * 50 + [16] * 40 + [120] * 50).faults == ("is black from 2.0 to 3.6 s",)


def test_a_black_first_second_is_told() -> None:
    assert watched([16] * 25 + [120] * 50).faults == ("is black from 0.0 to 1.0 s",)


def test_a_film_that_ends_black_is_told() -> None:
    assert watched([120] * 50 + [16] * 50).faults == ("is black from 2.0 to 4.0 s",)


def test_a_short_fade_is_no_fault() -> None:
    assert watched([120] * 50 + [16] * 20 + [120] * 50).faults == ()


FROZEN = [*range(50), *[50] * 80, *range(51, 71)]


def test_people_who_stand_frozen_are_told() -> None:
    assert watched([120] * 150, FROZEN).faults == ("stands still from 2.2 to 5.2 s",)


def test_a_film_that_ends_frozen_is_told() -> None:
    assert watched([120] * 130, FROZEN[:130]).faults == ("stands still from 2.2 to 5.2 s",)


def test_a_slide_may_stand_still() -> None:
    assert watched([120] * 150, FROZEN, LayoutKind.SCREEN).faults == ()


def test_a_picture_that_follows_nobody_may_stand_still() -> None:
    assert watched([120] * 150, FROZEN, track=None).faults == ()


def test_a_slow_source_does_not_stand() -> None:
    assert watched([120] * 100, [n // 5 for n in range(100)]).faults == ()


def test_lights_in_the_night_are_a_picture() -> None:
    seen = Watched(RATE)
    for number in range(60):
        made = frame(16)
        planes(made)[0][::16, ::32] = 200 + number % 2 * 20
        seen.see(number, made, shown_in(LayoutKind.SINGLE), made)
    assert seen.faults == ()


@pytest.mark.parametrize("luma", [16, 120])
def test_a_film_written_anew_is_judged_anew(luma: int) -> None:
    seen = watched([luma] * 80, [0] * 80)
    assert seen.faults
    seen.restart()
    assert seen.faults == ()
