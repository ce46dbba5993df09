from __future__ import annotations

import numpy as np
import pytest

from reelremix.engine.models.shots import THUMBNAIL_SIZE, CutFinder, Thumbnail

WIDTH, HEIGHT = THUMBNAIL_SIZE
CHANCE = np.random.default_rng(1)
SCENES = [CHANCE.integers(30, 220, (HEIGHT, WIDTH, 3)).astype(np.uint8) for _ in range(3)]


def noisy(picture: Thumbnail, amount: int = 3) -> Thumbnail:
    """The same picture as a camera would give it again."""
    noise = CHANCE.integers(-amount, amount + 1, picture.shape)
    return np.asarray((picture.astype(int) + noise).clip(0, 255), np.uint8)


def cuts_of(pictures: list[Thumbnail]) -> list[int]:
    """Where new shots begin."""
    finder = CutFinder()
    for picture in pictures:
        finder.add(picture)
    return finder.cuts()


def test_cuts_are_found_to_the_frame() -> None:
    shots = [noisy(SCENES[0]) for _ in range(10)] + [noisy(SCENES[1]) for _ in range(7)]
    assert cuts_of([*shots, *(noisy(SCENES[2]) for _ in range(5))]) == [10, 17]


def test_a_still_picture_has_no_cut() -> None:
    assert cuts_of([SCENES[0]] * 20) == []
    assert cuts_of([noisy(SCENES[0]) for _ in range(20)]) == []


def test_a_moving_camera_is_no_cut() -> None:
    wide = np.concatenate(SCENES, axis=1)
    assert cuts_of([wide[:, 2 * n : 2 * n + WIDTH] for n in range(30)]) == []


def test_a_slow_change_of_light_is_no_cut() -> None:
    fade = [np.asarray(SCENES[0] * (0.3 + 0.03 * n), np.uint8) for n in range(20)]
    assert cuts_of(fade) == []


def test_the_next_slide_in_a_corner_of_a_still_picture_is_a_cut() -> None:
    after = SCENES[0].copy()
    after[:9, :16] = 255 - after[:9, :16]
    assert cuts_of([SCENES[0]] * 8 + [after] * 8) == [8]


@pytest.mark.parametrize("pictures", [0, 1])
def test_too_few_frames_have_no_cut(pictures: int) -> None:
    assert cuts_of([SCENES[0]] * pictures) == []


def test_the_first_frame_of_a_shot_is_suspected_before_its_future_is_known() -> None:
    finder = CutFinder()
    suspected = []
    for picture in [SCENES[0]] * 6 + [SCENES[1]] * 3:
        finder.add(noisy(picture))
        suspected.append(finder.may_be_cut())
    assert suspected[0] and suspected[6]
    assert not any(suspected[2:6]) and not any(suspected[7:])
