"""How regions of the source fill the output frame."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from reelremix.engine.domain.choice import LayoutChoice, Zoom
from reelremix.engine.domain.occupied import Occupied
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Box


class LayoutKind(StrEnum):
    """The closed set of layouts."""

    SINGLE = "single"
    SPLIT = "split"
    GRID = "grid"
    SCREEN = "screen"
    """A slide or screen above whoever speaks over it."""
    FIT = "fit"


@dataclass(frozen=True, slots=True)
class Pin:
    """Somebody is to be shown for a while, whoever speaks: the one whose face is at a point."""

    range: TimeRange
    at: Timestamp
    """When the face is there; its person is shown through the whole range, where it is seen."""
    x: float
    """In upright source pixels, as is `y`."""
    y: float


@dataclass(frozen=True, slots=True)
class Framing:
    """What is wanted of a clip's layout, and what it was made for."""

    wanted: LayoutChoice = LayoutChoice.AUTO
    made: LayoutChoice | None = LayoutChoice.AUTO
    """Where it differs from `wanted`, the next render frames the clip anew; None where something
    else was changed that it depends on."""
    zoom: Zoom = Zoom.CUTS
    repaired: str | None = None
    """What was wrong with the first layout and what was taken instead, where this is the second."""
    pins: tuple[Pin, ...] = ()
    """In order of time; none overlap."""

    @property
    def is_due(self) -> bool:
        """Whether the layout is not what is wanted."""
        return self.made is not self.wanted


@dataclass(frozen=True, slots=True)
class Keyframe:
    """Where the camera is at a moment; linear between keyframes."""

    at: Timestamp
    box: Box
    """Upright source pixels, same shape as the region's output."""


@dataclass(frozen=True, slots=True)
class Region:
    """A moving rectangle of the source shown in a rectangle of the output."""

    output: tuple[int, int, int, int]
    """x, y, width, height in output pixels."""
    path: tuple[Keyframe, ...]
    track: int | None = None
    """Track this region follows; None when it follows nobody."""


@dataclass(frozen=True, slots=True)
class LayoutPiece:
    """One arrangement, on one side of every cut. What no region covers is background."""

    range: TimeRange
    kind: LayoutKind
    regions: tuple[Region, ...]
    inset: bool = False
    """Whether regions may overlap, later ones on top."""


@dataclass(frozen=True, slots=True)
class Speaking:
    """Who is believed to speak, and how surely."""

    range: TimeRange
    track: int | None
    speaker: str | None
    confidence: float


@dataclass(frozen=True, slots=True)
class Layout:
    """The arrangement of one clip, covering its kept ranges without gaps."""

    pieces: tuple[LayoutPiece, ...]
    speaking: tuple[Speaking, ...] = ()
    occupied: tuple[Occupied, ...] = ()
    """Text that is in the source's picture already."""


class PiecesByTime:
    """Pieces of a layout by their time, whatever their order; they hardly overlap."""

    def __init__(self, pieces: Sequence[LayoutPiece]) -> None:
        self._order = sorted(range(len(pieces)), key=lambda n: pieces[n].range.start)
        self._pieces = pieces
        self._starts = [pieces[n].range.start for n in self._order]

    def during(self, span: TimeRange) -> list[int]:
        """The numbers of those that are shown in a stretch, or may be."""
        first = bisect_right(self._starts, span.start) - 1
        return sorted(self._order[max(0, first) : bisect_left(self._starts, span.end)])

    def at(self, moment: Timestamp) -> LayoutPiece | None:
        """The last that has begun, if it still goes on."""
        index = bisect_right(self._starts, moment) - 1
        piece = self._pieces[self._order[index]] if index >= 0 else None
        return piece if piece is not None and piece.range.contains(moment) else None


def box_at(path: Sequence[Keyframe], moment: Timestamp) -> Box:
    """Where the camera is: linear between keyframes, still before the first and after the last."""
    if len(path) == 1 or moment <= path[0].at:
        return path[0].box
    index = bisect_right(path, moment, key=lambda keyframe: keyframe.at)
    if index == len(path):
        return path[-1].box
    before, after = path[index - 1], path[index]
    span = (after.at - before.at).exact
    share = float((moment - before.at).exact / span) if span else 0.0
    return before.box.towards(after.box, share)
