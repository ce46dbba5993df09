"""FCPXML's numbers for pixels and frames, as Final Cut Pro and as DaVinci Resolve take them.

How the two differ is what people found out by experiment, listed with sources in docs/exports.md.
Final Cut counts keyframes on the source's clock and takes crops in percent of the source's height;
Resolve counts keyframes from the start of the clip, and takes crops and positions relative to the
picture as it fits into the frame.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree as ET

from reelremix.engine.export.placement import Placement
from reelremix.engine.export.sequence import ClipSequence, Layer, Media, Pose, Segment
from reelremix.engine.export.xmltext import decimal, element

EDGES = ("left", "top", "right", "bottom")


def trim_rect(layer: Layer, units: Units) -> ET.Element:
    """How much is cut off, with keyframes for the edges that move."""
    first = units.trimmed(layer.first.placement)
    about = {edge: decimal(value) for edge, value in zip(EDGES, first, strict=True)}
    moving = []
    for number, edge in enumerate(EDGES):
        values = [decimal(units.trimmed(pose.placement)[number]) for pose in layer.poses]
        if len(set(values)) > 1:
            moving.append(element("param", {"name": edge}, units.animation(layer.poses, values)))
    return element("trim-rect", about, *moving)


class Units(ABC):
    """A program's numbers for pixels and frames."""

    def __init__(self, sequence: ClipSequence, segment: Segment) -> None:
        self.media, self.segment = sequence.media, segment
        self.picture, self.frame = sequence.media.size, sequence.size
        self.fit = min(self.frame[0] / self.picture[0], self.frame[1] / self.picture[1])
        """The scale at which the whole picture fits into the frame, which is 1 here."""

    @abstractmethod
    def trimmed(self, placed: Placement) -> tuple[float, float, float, float]:
        """The crop's edges."""

    def moved(self, placed: Placement) -> tuple[float, float]:
        """The position: percent of the frame's height from the middle, up is positive."""
        unit = self.frame[1] / 100
        return placed.right / unit, -placed.down / unit

    @abstractmethod
    def when(self, frame: int) -> int:
        """The frame that a keyframe is written at."""

    @abstractmethod
    def transform(self, layer: Layer) -> ET.Element:
        """Position and scale."""

    def scaled(self, placed: Placement) -> str:
        """The scale, for both directions."""
        return " ".join([decimal(placed.scale / self.fit)] * 2)

    def animation(self, poses: Sequence[Pose], values: Sequence[str]) -> ET.Element:
        """Keyframes with straight lines between them."""
        keyframes = [
            element("keyframe", {"time": time_of(self.when(p.frame), self.media), "value": value,
                                 "curve": "linear"})
            for p, value in zip(poses, values, strict=True)
        ]  # fmt: skip
        return element("keyframeAnimation", None, *keyframes)

    def scale_param(self, layer: Layer) -> Iterator[ET.Element]:
        """Keyframes of the scale, if it changes."""
        values = [self.scaled(pose.placement) for pose in layer.poses]
        if len(set(values)) > 1:
            yield element("param", {"name": "scale"}, self.animation(layer.poses, values))


class FinalCut(Units):
    """Final Cut Pro's."""

    def trimmed(self, placed: Placement) -> tuple[float, float, float, float]:
        unit = self.picture[1] / 100
        left, top, right, bottom = (edge / unit for edge in placed.crop)
        return left, top, right, bottom

    def when(self, frame: int) -> int:
        return self.media.start + self.segment.source + frame

    def transform(self, layer: Layer) -> ET.Element:
        """Final Cut animates the two directions of a position apart."""
        still = {"scale": self.scaled(layer.first.placement)}
        x, y = self.moved(layer.first.placement)
        if not layer.moves:
            return element("adjust-transform", {"position": f"{decimal(x)} {decimal(y)}", **still})
        places = [self.moved(pose.placement) for pose in layer.poses]
        axes = [
            element("param", {"name": name, "key": key + 1},
                    self.animation(layer.poses, [decimal(place[key]) for place in places]))
            for key, name in enumerate("XY")
        ]  # fmt: skip
        position = element("param", {"name": "position"}, *axes)
        scales = list(self.scale_param(layer))
        return element("adjust-transform", {} if scales else still, position, *scales)


class Resolve(Units):
    """DaVinci Resolve's."""

    def trimmed(self, placed: Placement) -> tuple[float, float, float, float]:
        across, along = self.frame[1] / 100, self.picture[1] / 100 * self.fit
        left, top, right, bottom = placed.crop
        return left / across, top / along, right / across, bottom / along

    def moved(self, placed: Placement) -> tuple[float, float]:
        x, y = super().moved(placed)
        width, height = (p * self.fit / f for p, f in zip(self.picture, self.frame, strict=True))
        return x / width, y / height

    def when(self, frame: int) -> int:
        return frame

    def transform(self, layer: Layer) -> ET.Element:
        """Resolve reads a position's two numbers together."""
        values = [" ".join(map(decimal, self.moved(pose.placement))) for pose in layer.poses]
        about = {"position": values[0], "scale": self.scaled(layer.first.placement)}
        if not layer.moves:
            return element("adjust-transform", about)
        moving = element("param", {"name": "position"}, self.animation(layer.poses, values))
        return element("adjust-transform", about, moving, *self.scale_param(layer))


def time_of(frames: int, media: Media) -> str:
    """Whole frames in seconds: a fraction of the frame rate, or whole seconds."""
    ticks, rate = frames * media.rate.denominator, media.rate.numerator
    return f"{ticks // rate}s" if ticks % rate == 0 else f"{ticks}/{rate}s"
