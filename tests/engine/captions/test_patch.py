from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from reelremix.engine.captions.patch import Patch, blend, patch_from_rgba

Planes = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]


def picture(height: int = 40, width: int = 60) -> NDArray[np.uint8]:
    return np.zeros((height, width, 4), np.uint8)


def planes(y: int, u: int, v: int) -> Planes:
    return (
        np.full((100, 120), y, np.uint8),
        np.full((50, 60), u, np.uint8),
        np.full((50, 60), v, np.uint8),
    )


def patch_of(pixels: NDArray[np.uint8], x: int = 20, y: int = 30) -> Patch:
    patch = patch_from_rgba(pixels, x, y)
    assert patch is not None
    return patch


def test_an_empty_picture_is_no_patch() -> None:
    assert patch_from_rgba(picture(), 0, 0) is None


def test_a_patch_is_tight_and_even() -> None:
    pixels = picture()
    pixels[7:10, 13:20] = 255
    patch = patch_of(pixels)
    assert (patch.x, patch.y, patch.width, patch.height) == (32, 36, 8, 4)


@pytest.mark.parametrize(
    ("rgb", "yuv"),
    [
        ((255, 255, 255), (235, 128, 128)),
        ((0, 0, 0), (16, 128, 128)),
        ((255, 0, 0), (63, 102, 240)),
        ((0, 255, 0), (173, 42, 26)),
        ((0, 0, 255), (32, 240, 118)),
    ],
)
def test_opaque_colours_become_bt709_limited_range(
    rgb: tuple[int, int, int], yuv: tuple[int, int, int]
) -> None:
    pixels = picture()
    pixels[...] = (*rgb, 255)
    y, u, v = planes(99, 77, 55)
    blend(y, u, v, patch_of(pixels))
    assert [int(p[40 // s, 40 // s]) for p, s in ((y, 1), (u, 2), (v, 2))] == pytest.approx(
        list(yuv), abs=1
    )


def test_half_transparent_white_is_halfway() -> None:
    pixels = picture()
    pixels[...] = 128  # premultiplied
    y, u, v = planes(35, 128, 128)
    blend(y, u, v, patch_of(pixels))
    assert int(y[40, 40]) == pytest.approx(135, abs=1)
    assert int(u[20, 20]) == 128


def test_pixels_outside_the_patch_are_left_alone() -> None:
    rng = np.random.default_rng(1)
    y, u, v = (rng.integers(0, 256, s, dtype=np.uint8) for s in ((100, 120), (50, 60), (50, 60)))
    before = [p.copy() for p in (y, u, v)]
    pixels = picture()
    pixels[10:20, 10:30] = 255
    blend(y, u, v, patch_of(pixels))
    for plane, old, scale in zip((y, u, v), before, (1, 2, 2), strict=True):
        changed = np.argwhere(plane != old) * scale
        assert changed[:, 0].min() >= 40 and changed[:, 0].max() < 50
        assert changed[:, 1].min() >= 30 and changed[:, 1].max() < 50


def test_transparent_pixels_inside_the_patch_keep_every_value() -> None:
    pixels = picture()
    pixels[0, 0] = pixels[-1, -1] = 255
    values = np.arange(256, dtype=np.uint8).repeat(47)[:12000].reshape(100, 120)
    y, u, v = values.copy(), values[:50, :60].copy(), values[:50, :60].copy()
    blend(y, u, v, patch_of(pixels))
    assert np.array_equal(y[32:68, 22:78], values[32:68, 22:78])


def test_no_colour_over_any_picture_wraps_around() -> None:
    rng = np.random.default_rng(2)
    pixels = picture()
    pixels[..., 3] = rng.integers(0, 256, pixels.shape[:2])
    pixels[..., :3] = pixels[..., 3:]  # premultiplied white
    y, u, v = planes(255, 255, 255)
    blend(y, u, v, patch_of(pixels))
    assert y.min() >= 234 and u.min() >= 127 and v.min() >= 127


def test_planes_with_padding_at_the_end_of_rows_are_written_through() -> None:
    store = np.full((100, 160), 50, np.uint8)
    pixels = picture()
    pixels[...] = 255
    _, u, v = planes(0, 128, 128)
    blend(store[:, :120], u, v, patch_of(pixels))
    assert store[40, 40] == 235 and (store[:, 120:] == 50).all()
