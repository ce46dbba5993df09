"""Where a rectangle of the source puts the picture in a sequence, free of any program's units.

Editors scale the whole picture about its middle, move that, and cut off what is too much. They do
so with one scale for both directions: where a box has nearly the shape of its output, the output is
filled. Each format turns these pixels into its own units.
"""

from __future__ import annotations

from dataclasses import dataclass

from reelremix.engine.domain.track import Box

Rectangle = tuple[int, int, int, int]
"""x, y, width, height in pixels of the sequence."""
Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Placement:
    """How a picture lies in a sequence at a moment."""

    scale: float
    """Pixels of the sequence for one of the picture."""
    right: float
    """How far the picture's middle is right of the sequence's, in pixels of the sequence."""
    down: float
    """How far it is below."""
    crop: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    """Cut off at the left, top, right and bottom, in pixels of the picture."""


def placement(box: Box, output: Rectangle, picture: Size, frame: Size) -> Placement:
    """The placement that shows a box of the picture in a rectangle of the sequence.

    Nothing is cut off where the rectangle is all of the sequence: its edge does that.
    """
    x, y, width, height = output
    scale = max(width / box.width, height / box.height)
    middle_x, middle_y = box.center
    right = x + width / 2 - frame[0] / 2 + (picture[0] / 2 - middle_x) * scale
    down = y + height / 2 - frame[1] / 2 + (picture[1] / 2 - middle_y) * scale
    if output == (0, 0, *frame):
        return Placement(scale, right, down)
    half_width, half_height = width / scale / 2, height / scale / 2
    left, top = middle_x - half_width, middle_y - half_height
    ends = picture[0] - middle_x - half_width, picture[1] - middle_y - half_height
    crop = tuple(max(0.0, edge) for edge in (left, top, *ends))
    return Placement(scale, right, down, (crop[0], crop[1], crop[2], crop[3]))


def between(before: Placement, after: Placement, share: float) -> Placement:
    """What an editor shows between two keyframes: every number on its own straight line."""

    def mixed(a: float, b: float) -> float:
        return a + share * (b - a)

    left, top, right, bottom = (mixed(a, b) for a, b in zip(before.crop, after.crop, strict=True))
    return Placement(
        mixed(before.scale, after.scale),
        mixed(before.right, after.right),
        mixed(before.down, after.down),
        (left, top, right, bottom),
    )


def strays_px(shown: Placement, wanted: Placement, picture: Size) -> float:
    """How far apart two placements put any point of the picture, in pixels of the sequence."""
    grown = abs(shown.scale - wanted.scale) / 2
    across = abs(shown.right - wanted.right) + grown * picture[0]
    along = abs(shown.down - wanted.down) + grown * picture[1]
    edges = zip(shown.crop, wanted.crop, strict=True)
    return max(across, along, *(abs(a - b) * wanted.scale for a, b in edges))
