"""Rectangles of the source with the output's shape: how large, and where the face sits in them."""

from __future__ import annotations

from reelremix.engine.domain.clip import OutputFormat
from reelremix.engine.domain.source import VideoFormat
from reelremix.engine.domain.track import Box
from reelremix.engine.stages.people import Person

FACE_IN_SINGLE = 0.26
"""Wanted height of a face in the output when one person fills it."""
FACE_IN_CELL = 0.42
"""Wanted height of a face in its cell when several people share the output: with hair, half as much
again above it."""
MAX_UPSCALE = 4.0
"""Source pixels are never enlarged more."""
EYE_LINE = 0.42
"""Where the middle of the face sits in its rectangle, from the top: eyes on the upper third."""
CELL_EYE_LINE = 0.46
"""The same in a cell, whose face is larger: there is room for hair above it."""

Cell = tuple[int, int, int, int]
"""x, y, width, height in output pixels, all even."""


def single_height(face_px: float, picture: VideoFormat, output: OutputFormat) -> float:
    """Height of a crop in which a face has its wanted share, within the picture and the upscale."""
    return min(picture.height_px, max(face_px / FACE_IN_SINGLE, output.height_px / MAX_UPSCALE))


def fitted_width(height: float, picture: VideoFormat, output: OutputFormat) -> float:
    """Width of a crop of this height and the output's shape, at most the picture's."""
    return min(picture.width_px, height * output.width_px / output.height_px)


def around(x: float, y: float, height: float, picture: VideoFormat, output: OutputFormat) -> Box:
    """A crop of the output's shape with the face on the eye line."""
    return fitted(x, y + height * (0.5 - EYE_LINE), height, picture, output)


def fitted(x: float, y: float, height: float, picture: VideoFormat, output: OutputFormat) -> Box:
    """A crop of the output's shape centred at x, y as far as the picture allows."""
    aspect = output.width_px / output.height_px
    height = min(height, picture.width_px / aspect, picture.height_px)
    width = height * aspect
    left = min(max(x - width / 2, 0.0), picture.width_px - width)
    top = min(max(y - height / 2, 0.0), picture.height_px - height)
    return even_box(Box(left, top, width, height), picture)


def cell_crop(person: Person, cell: Cell, picture: VideoFormat) -> Box:
    """A rectangle of the cell's shape around a person, inside their territory."""
    territory = person.territory
    aspect = cell[2] / cell[3]
    height = max(person.box.height / FACE_IN_CELL, cell[3] / MAX_UPSCALE)
    height = min(height, territory.height, territory.width / aspect)
    width = height * aspect
    x, y = person.box.center
    left = min(max(x - width / 2, territory.x), territory.x + territory.width - width)
    top = min(max(y - height * CELL_EYE_LINE, territory.y), territory.y + territory.height - height)
    return even_box(Box(left, top, width, height), picture)


def even_box(box: Box, picture: VideoFormat) -> Box:
    """Nearest rectangle on even pixels inside the picture: still crops then need no resampling."""
    width, height = even_below(box.width), even_below(box.height)
    left = min(even(box.x), even_below(picture.width_px - width))
    top = min(even(box.y), even_below(picture.height_px - height))
    return Box(max(0, left), max(0, top), width, height)


def even(value: float) -> int:
    """The nearest even number."""
    return round(value / 2) * 2


def even_below(value: float) -> int:
    """The largest even number that is not larger."""
    return int(value // 2) * 2
