from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from reelremix.engine.domain.layout import Keyframe, Layout, LayoutKind, LayoutPiece, Region
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Box, Sighting, Track
from reelremix.engine.stages.stills import best_still, still_quality
from tests.fakes import clip_of, presented
from tests.media_factory import Film, write_media

FACE = Box(60, 40, 120, 120)
EYES = ((95.0, 80.0), (145.0, 80.0))
SPAN = TimeRange.from_seconds(0, 10)


def portrait(*, opened: bool, blurred: bool = False) -> npt.NDArray[np.uint8]:
    luma = np.full((240, 320), 90, np.uint8)
    rows, columns = np.mgrid[40:160, 60:180]
    luma[40:160, 60:180] = (150 + 20 * np.sin(columns / 3) + 10 * np.sin(rows / 4)).astype(np.uint8)
    for x, y in EYES:
        eye = slice(int(y) - 6, int(y) + 6), slice(int(x) - 10, int(x) + 10)
        luma[eye] = 150
        if opened:
            luma[eye] = 230
            luma[int(y) - 5 : int(y) + 5, int(x) - 5 : int(x) + 5] = 20
        else:
            luma[int(y) - 1 : int(y) + 1, int(x) - 10 : int(x) + 10] = 110
    if blurred:
        padded = np.pad(luma.astype(np.float32), 4, mode="edge")
        luma = np.mean(
            [padded[a : a + 240, b : b + 320] for a in range(9) for b in range(9)], axis=0
        ).astype(np.uint8)
    return luma


def test_open_eyes_make_a_better_still_than_closed_ones() -> None:
    opened, closed = (still_quality(portrait(opened=o), FACE, EYES) for o in (True, False))
    assert opened > 1.5 * closed


def test_a_sharp_face_makes_a_better_still_than_a_blurred_one() -> None:
    sharp, blurred = (
        still_quality(portrait(opened=True, blurred=b), FACE, EYES) for b in (False, True)
    )
    assert sharp > 1.5 * blurred


def test_a_face_outside_the_picture_is_no_still() -> None:
    assert still_quality(portrait(opened=True), Box(400, 300, 50, 50), EYES) == 0.0


def track(stills: list[float | None], x: float = 100, number: int = 0) -> Track:
    sightings = tuple(
        Sighting(Timestamp.from_seconds(n), Box(x, 100, 80, 80), 0.9, still)
        for n, still in enumerate(stills)
    )
    return Track(number, 0, sightings)


def chosen(tmp_path: Path, *tracks: Track, ranges: tuple[TimeRange, ...] = (SPAN,)) -> float | None:
    presentation = presented(write_media(tmp_path / "a.mp4", Film(5)))
    region = Region((0, 0, 1080, 1920), (Keyframe(SPAN.start, Box(0, 0, 405, 720)),), 0)
    layout = Layout((LayoutPiece(SPAN, LayoutKind.SINGLE, (region,)),))
    clip = replace(clip_of(presentation, 0, 0.2), ranges=ranges, layout=layout)
    still = best_still(clip, tracks)
    return None if still is None else still.seconds


def test_the_best_sighting_is_chosen(tmp_path: Path) -> None:
    assert chosen(tmp_path, track([0.1, 0.2, 0.9, 0.3, 0.2])) == 2.0


def test_the_end_is_not_given_away(tmp_path: Path) -> None:
    assert chosen(tmp_path, track([0.1, 0.5, *[0.2] * 7, 0.9])) == 1.0


@pytest.mark.parametrize(("kept", "best"), [((0, 5, 9, 10), 4.0), ((0, 6, 7, 10), 8.0)])
def test_the_end_is_that_of_the_film_not_of_its_last_range(
    tmp_path: Path, kept: tuple[float, float, float, float], best: float
) -> None:
    ranges = TimeRange.from_seconds(*kept[:2]), TimeRange.from_seconds(*kept[2:])
    rising = track([0.1 * n for n in range(1, 11)])
    assert chosen(tmp_path, rising, ranges=ranges) == best


def test_a_face_outside_the_crop_is_not_chosen(tmp_path: Path) -> None:
    assert chosen(tmp_path, track([0.9, 0.9], x=900)) is None


def test_without_faces_nothing_is_chosen(tmp_path: Path) -> None:
    assert chosen(tmp_path) is None
    assert chosen(tmp_path, track([None, None])) is None
