from __future__ import annotations

import numpy as np
import numpy.typing as npt

from reelremix.engine.domain.time import Timestamp
from reelremix.engine.domain.track import Box, Sighting, Track
from reelremix.engine.stages.persons import Portraits

SIDE = 96


def head(seed: int) -> npt.NDArray[np.uint8]:
    """Blotches that are always the same for one person."""
    coarse = np.random.default_rng(seed).integers(30, 220, (8, 8)).astype(np.uint8)
    return np.kron(coarse, np.ones((SIDE // 8, SIDE // 8), np.uint8))


def picture(seed: int, x: int, brightness: int = 0) -> npt.NDArray[np.uint8]:
    luma = np.full((240, 600), 128, np.uint8)
    luma[60 : 60 + SIDE, x : x + SIDE] = (head(seed) * 0.8 + brightness).astype(np.uint8)
    return luma


def track(shot: int, start_s: float, x: float) -> Track:
    sightings = tuple(
        Sighting(Timestamp.from_seconds(start_s + n), Box(x, 60, SIDE, SIDE), 0.9) for n in range(2)
    )
    return Track(shot, shot, sightings)


def persons(*faces: tuple[int, int, int]) -> list[int]:
    """Of faces given as (who, x, shot)."""
    portraits, tracks = Portraits(), []
    for number, (seed, x, shot) in enumerate(faces):
        at, box = Timestamp.from_seconds(10 * shot), Box(x, 60, SIDE, SIDE)
        portraits.add(number, at, picture(seed, x, 20 * shot), box, is_new=False)
        tracks.append(track(shot, 10 * shot, x))
    return portraits.persons(tracks, list(range(len(faces))))


def test_a_person_who_comes_back_elsewhere_and_brighter_is_the_same() -> None:
    assert persons((1, 40, 0), (2, 300, 1), (1, 400, 2)) == [0, 1, 0]


def test_two_who_look_alike_at_once_are_two() -> None:
    assert persons((1, 40, 0), (1, 300, 0)) == [0, 1]


def test_nobody_at_all_is_no_person() -> None:
    assert Portraits().persons([], []) == []


def test_a_face_half_outside_the_picture_has_a_portrait() -> None:
    portraits = Portraits()
    portraits.add(0, Timestamp(0), picture(1, 40), Box(-50, -50, SIDE, SIDE), is_new=False)
    assert portraits.persons([track(0, 0, 0)], [0]) == [0]
