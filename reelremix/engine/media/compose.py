"""Drawing a layout: rectangles of the source scaled into rectangles of the output.

A still camera costs one copy and one scale. A moving one is scaled a little too large and then
windowed, so that it moves by two output pixels instead of two source pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from reelremix.engine.domain.clip import OutputFormat
from reelremix.engine.domain.layout import LayoutPiece, Region
from reelremix.engine.domain.layout import box_at as box_at
from reelremix.engine.domain.time import Timestamp
from reelremix.engine.domain.track import Box
from reelremix.engine.media.decode import planes

BACKDROP_SHRINK = 20
"""The blurred background is made at this fraction of the output and scaled up."""
BACKDROP_DIM = 0.55
SCALING = Interpolation.BILINEAR


@dataclass(frozen=True, slots=True)
class _Window:
    """An even source rectangle, the size it is scaled to, and what to keep of that."""

    x: int
    y: int
    width: int
    height: int
    scaled_width: int
    scaled_height: int
    left: int
    top: int


class Composer:
    """Draws pieces of a layout onto frames of the output's size."""

    def __init__(self, output: OutputFormat) -> None:
        self._size = (output.width_px, output.height_px)
        self._cutouts: dict[tuple[int, int], av.VideoFrame] = {}
        self._reformatter = VideoReformatter()

    def draw(self, piece: LayoutPiece, picture: av.VideoFrame, at: Timestamp) -> av.VideoFrame:
        """The output frame for an upright source picture shown at `at`."""
        whole = (0, 0, *self._size)
        if len(piece.regions) == 1 and piece.regions[0].output == whole:
            return self._region(piece.regions[0], picture, at)
        covered = sum(r.output[2] * r.output[3] for r in piece.regions)
        if covered >= self._size[0] * self._size[1]:
            canvas = av.VideoFrame(*self._size, "yuv420p")
        else:
            canvas = self._backdrop(picture)
        for region in piece.regions:
            _paste(self._region(region, picture, at), canvas, region.output)
        return canvas

    def _region(self, region: Region, picture: av.VideoFrame, at: Timestamp) -> av.VideoFrame:
        wanted = (region.output[2], region.output[3])
        window = _window(box_at(region.path, at), (picture.width, picture.height), wanted)
        scaled = self._scaled(
            self._cutout(picture, window.x, window.y, window.width, window.height),
            (window.scaled_width, window.scaled_height),
        )
        if (scaled.width, scaled.height) == wanted:
            return scaled
        out = av.VideoFrame(*wanted, "yuv420p")
        _copy(scaled, out, window.left, window.top)
        return out

    def _cutout(
        self, picture: av.VideoFrame, x: int, y: int, width: int, height: int
    ) -> av.VideoFrame:
        if (width, height) == (picture.width, picture.height):
            return picture
        if (width, height) not in self._cutouts:
            self._cutouts = {(width, height): av.VideoFrame(width, height, "yuv420p")}
        cutout = self._cutouts[width, height]
        _copy(picture, cutout, x, y)
        return cutout

    def _scaled(self, picture: av.VideoFrame, size: tuple[int, int]) -> av.VideoFrame:
        # A frame of the right size is copied all the same: what comes back will be drawn on.
        if (picture.width, picture.height) == size:
            out = av.VideoFrame(*size, "yuv420p")
            _copy(picture, out, 0, 0)
            return out
        return self._reformatter.reformat(
            picture, width=size[0], height=size[1], interpolation=SCALING, threads=1
        )

    def _backdrop(self, picture: av.VideoFrame) -> av.VideoFrame:
        """The middle of the picture, filling the output, blurred and dimmed."""
        width, height = self._size
        crop_width = min(picture.width, picture.height * width / height)
        crop_height = crop_width * height / width
        x, y = (picture.width - crop_width) / 2, (picture.height - crop_height) / 2
        x, y, crop_width, crop_height = map(_even_floor, (x, y, crop_width, crop_height))
        cutout = self._cutout(picture, x, y, crop_width, crop_height)
        small = self._reformatter.reformat(
            cutout,
            width=_even(width / BACKDROP_SHRINK),
            height=_even(height / BACKDROP_SHRINK),
            interpolation=Interpolation.AREA,
        )
        y_plane, _, _ = planes(small)
        y_plane[:] = (16 + (y_plane.astype(np.float32) - 16) * BACKDROP_DIM).astype(np.uint8)
        return self._reformatter.reformat(
            small, width=width, height=height, interpolation=Interpolation.BILINEAR, threads=1
        )


def _window(box: Box, picture: tuple[int, int], wanted: tuple[int, int]) -> _Window:
    scale_x, scale_y = wanted[0] / box.width, wanted[1] / box.height
    x0, y0 = max(0, _even_floor(box.x)), max(0, _even_floor(box.y))
    x1 = min(_even_floor(picture[0]), _even_ceil(box.x + box.width))
    y1 = min(_even_floor(picture[1]), _even_ceil(box.y + box.height))
    if (x1 - x0, y1 - y0) == (round(box.width), round(box.height)):
        return _Window(x0, y0, x1 - x0, y1 - y0, *wanted, 0, 0)
    scaled_width = max(wanted[0], _even_ceil((x1 - x0) * scale_x))
    scaled_height = max(wanted[1], _even_ceil((y1 - y0) * scale_y))
    left = min(_even((box.x - x0) * scale_x), scaled_width - wanted[0])
    top = min(_even((box.y - y0) * scale_y), scaled_height - wanted[1])
    return _Window(x0, y0, x1 - x0, y1 - y0, scaled_width, scaled_height, left, top)


def _copy(source: av.VideoFrame, target: av.VideoFrame, x: int, y: int) -> None:
    """Fill `target` with the rectangle of `source` at even x, y."""
    for number, (from_plane, to_plane) in enumerate(
        zip(planes(source), planes(target), strict=True)
    ):
        half = 2 if number else 1
        top, left = y // half, x // half
        height, width = to_plane.shape
        to_plane[:] = from_plane[top : top + height, left : left + width]


def _paste(
    picture: av.VideoFrame, canvas: av.VideoFrame, output: tuple[int, int, int, int]
) -> None:
    """Put `picture` onto `canvas` at the even position of `output`."""
    for number, (from_plane, to_plane) in enumerate(
        zip(planes(picture), planes(canvas), strict=True)
    ):
        half = 2 if number else 1
        top, left = output[1] // half, output[0] // half
        height, width = from_plane.shape
        to_plane[top : top + height, left : left + width] = from_plane


def _even(value: float) -> int:
    return round(value / 2) * 2


def _even_floor(value: float) -> int:
    return floor(value / 2 + 1e-6) * 2


def _even_ceil(value: float) -> int:
    return ceil(value / 2 - 1e-6) * 2
