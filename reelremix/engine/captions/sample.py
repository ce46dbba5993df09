"""A picture of what a preset looks like, over a background that is made here."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reelremix.engine.captions.drawing import Drawing
from reelremix.engine.captions.patch import blend
from reelremix.engine.domain.clip import Clip, OutputFormat
from reelremix.engine.domain.time import Timestamp

PORTRAIT = OutputFormat(1080, 1920, Fraction(30))
DUSK = ((38, 30, 66), (196, 104, 78))
"""Colours of the background, at the top and at the bottom."""


@dataclass(frozen=True, slots=True)
class Planes:
    """A picture in YUV 4:2:0, bt709, limited range."""

    y: NDArray[np.uint8]
    u: NDArray[np.uint8]
    v: NDArray[np.uint8]


def sample_picture(clip: Clip, at: Timestamp) -> NDArray[np.uint8]:
    """The clip's captions and brand kit at a source time, height x width x RGB."""
    planes = background(clip.output.width_px, clip.output.height_px)
    shown = (at - clip.ranges[0].start).exact
    for patch in Drawing(clip).patches_at(at, shown):
        blend(planes.y, planes.u, planes.v, patch)
    return _rgb(planes)


def write_sample(path: Path, clip: Clip, at: Timestamp) -> None:
    """Write the picture as PNG. Raises OSError."""
    from reelremix.engine.captions.skia_canvas import png_of

    path.write_bytes(png_of(sample_picture(clip, at)))


def background(width: int, height: int) -> Planes:
    """An evening sky with a soft sun: light and dark, warm and cold places to read over."""
    across, down = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    sun = np.exp(-((across - 0.68) ** 2 + ((down - 0.42) * height / width) ** 2) / 0.045)
    top, bottom = (np.array(colour, np.float32) for colour in DUSK)
    sky = top + (bottom - top) * (down**0.9)[..., None]
    rgb = sky + (np.array((255, 214, 150), np.float32) - sky) * (0.9 * sun)[..., None]
    y = 16 + rgb @ np.array((0.1826, 0.6142, 0.0620))
    u = 128 + rgb @ np.array((-0.1006, -0.3386, 0.4392))
    v = 128 + rgb @ np.array((0.4392, -0.3989, -0.0403))
    noise = np.random.default_rng(7).normal(0, 0.6, y.shape)  # no bands in the sky
    return Planes(
        (y + noise).astype(np.uint8), u[::2, ::2].astype(np.uint8), v[::2, ::2].astype(np.uint8)
    )


def _rgb(planes: Planes) -> NDArray[np.uint8]:
    y = (planes.y.astype(np.float32) - 16) * np.float32(255 / 219)
    u, v = (
        plane.repeat(2, axis=0).repeat(2, axis=1).astype(np.float32) - 128
        for plane in (planes.u, planes.v)
    )
    rgb = np.stack([y + 1.793 * v, y - 0.213 * u - 0.533 * v, y + 2.112 * u], axis=-1)
    whole: NDArray[np.uint8] = np.clip(rgb, 0, 255).astype(np.uint8)
    return whole
