from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from reelremix.engine.domain.time import Timestamp
from reelremix.engine.media.decode import Frame, Picture, planes
from reelremix.engine.stages.watched import Watched

RATE = Fraction(25)


def frame(luma: int) -> Frame:
    made = av.VideoFrame(320, 180, "yuv420p")
    y, u, v = planes(made)
    y[:], u[:], v[:] = luma, 128, 128
    return made


def watched(lumas: list[int], source_frame: list[int] | None = None) -> Watched:
    """A film whose frames are this bright, and made from these frames of the source."""
    seen = Watched(RATE)
    for number, luma in enumerate(lumas):
        at = Timestamp(source_frame[number] if source_frame else number, 1 / RATE)
        made = frame(luma)
        seen.see(number, Picture(at, made), made)
    return seen


def test_a_bright_film_has_no_faults() -> None:
    assert watched([120] * 100).faults == ()


def test_a_black_stretch_is_told_with_its_times() -> None:
    assert watched([120] * 50 + [16] * 40 + [120] * 50).faults == ("is black from 2.0 to 3.6 s",)


def test_a_film_that_ends_black_is_told() -> None:
    assert watched([120] * 50 + [16] * 50).faults == ("is black from 2.0 to 4.0 s",)


def test_a_short_fade_is_no_fault() -> None:
    assert watched([120] * 50 + [16] * 20 + [120] * 50).faults == ()


def test_a_picture_that_stands_is_told() -> None:
    frames = [*range(25), *[25] * 50, *range(26, 51)]
    assert watched([120] * 100, frames).faults == ("stands still from 1.0 to 3.0 s",)


def test_a_picture_that_stands_to_the_end_is_told() -> None:
    assert watched([120] * 75, [*range(25), *[25] * 50]).faults == (
        "stands still from 1.0 to 3.0 s",
    )


def test_a_slow_source_does_not_stand() -> None:
    assert watched([120] * 100, [n // 5 for n in range(100)]).faults == ()


def test_lights_in_the_night_are_a_picture() -> None:
    made = frame(16)
    planes(made)[0][::16, ::32] = 235
    seen = Watched(RATE)
    for number in range(60):
        seen.see(number, Picture(Timestamp(number, 1 / RATE), made), made)
    assert seen.faults == ()


@pytest.mark.parametrize("luma", [16, 120])
def test_a_film_written_anew_is_judged_anew(luma: int) -> None:
    seen = watched([luma] * 60, [0] * 60)
    seen.restart()
    assert seen.faults == ()
    assert np.isfinite(float(seen.rate))
