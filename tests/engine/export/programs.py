"""What editing programs show of exported files, worked out anew from how each reads its format.

Nothing here comes from the exporters: files are read with lxml, and the numbers in them are given
the meaning that docs/exports.md lists with its sources.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from lxml import etree

Picture = npt.NDArray[np.float64]
EDGES = ("left", "top", "right", "bottom")


@dataclass(frozen=True)
class Shown:
    """The source's picture as a program lays it into its frame."""

    source: int
    """The frame of the media file, from its first picture on."""
    scale: float
    middle: tuple[float, float]
    """Where its middle comes to lie, in pixels of the frame."""
    crop: tuple[float, float, float, float]
    """Pixels of the picture that are cut off: left, top, right, bottom."""
    opacity: float = 1.0


def paint(layers: Sequence[Shown], picture: Picture, size: tuple[int, int]) -> Picture:
    """The frame with these layers on black, the nearest pixel of the picture for each."""
    frame = np.zeros((size[1], size[0], picture.shape[2]))
    high, wide = picture.shape[:2]
    y, x = np.mgrid[0 : size[1], 0 : size[0]] + 0.5
    for layer in layers:
        u = (x - layer.middle[0]) / layer.scale + wide / 2
        v = (y - layer.middle[1]) / layer.scale + high / 2
        left, top, right, bottom = layer.crop
        inside = (u >= left) & (u < wide - right) & (v >= top) & (v < high - bottom)
        rows, columns = v[inside].astype(int), u[inside].astype(int)
        frame[inside] += layer.opacity * (picture[rows, columns] - frame[inside])
    return frame


def read(path: Path) -> Any:
    """The root of an XML file."""
    return etree.parse(str(path)).getroot()


def seconds(text: str | None) -> Fraction:
    """A time of FCPXML."""
    assert text is not None and text.endswith("s")
    return Fraction(text[:-1])


@dataclass(frozen=True)
class FcpXmlFile:
    """A document that Final Cut Pro or Resolve has opened."""

    root: Any
    is_resolve: bool = False

    @property
    def rate(self) -> Fraction:
        """Frames a second of its first sequence."""
        return 1 / seconds(
            self._by_id(self.root.find(".//sequence").get("format")).get("frameDuration")
        )

    def frames(self, text: str | None) -> int:
        """A time, which has to be on a frame."""
        exact = seconds(text) * self.rate
        assert exact.denominator == 1, text
        return int(exact)

    @property
    def projects(self) -> list[Any]:
        """One for each clip."""
        return list(self.root.iter("project"))

    def asset_start(self) -> int:
        """What the first picture of the file is counted as."""
        return self.frames(self.root.find(".//asset").get("start"))

    def storyline(self, project: Any) -> Iterator[tuple[int, int, int]]:
        """First frame, first frame of the source and length of each clip of the storyline."""
        for clip in project.find("sequence/spine"):
            at, start, length = (self.frames(clip.get(n)) for n in ("offset", "start", "duration"))
            yield at, start - self.asset_start(), length

    def shown(self, project: Any, frame: int) -> list[Shown]:
        """The layers of a frame, the lowest first."""
        for clip in project.find("sequence/spine"):
            begins = self.frames(clip.get("offset"))
            if begins <= frame < begins + self.frames(clip.get("duration")):
                lanes = sorted(clip.findall("clip"), key=lambda c: int(c.get("lane")))
                return [self._layer(project, c, frame - begins) for c in (clip, *lanes)]
        raise AssertionError(f"nothing is shown at {frame}")

    def _layer(self, project: Any, clip: Any, frame: int) -> Shown:
        start = self.frames(clip.get("start"))
        width, height = self._size(project.find("sequence").get("format"))
        wide, high = self._size(clip.get("format"))
        fit = min(width / wide, height / high)
        clock = frame if self.is_resolve else start + frame
        transform = clip.find("adjust-transform")
        scale = self._value(transform, "scale", clock, 2)[0] * fit
        x, y = self._value(transform, "position", clock, 2)
        if self.is_resolve:  # positions are of the picture as it fits, of each direction apart
            x, y = x * wide * fit / width, y * high * fit / height
        unit = height / 100
        middle = width / 2 + x * unit, height / 2 - y * unit
        rect = clip.find("adjust-crop/trim-rect")
        crop = [self._value(rect, edge, clock, 1)[0] if rect is not None else 0.0 for edge in EDGES]
        parts = [unit, high / 100 * fit] * 2 if self.is_resolve else [high / 100] * 4
        left, top, right, bottom = (c * p for c, p in zip(crop, parts, strict=True))
        blend = clip.find("adjust-blend")
        opacity = 1.0 if blend is None else float(blend.get("amount"))
        source = start - self.asset_start() + frame
        return Shown(source, scale, middle, (left, top, right, bottom), opacity)

    def _value(self, parent: Any, name: str, clock: int, parts: int) -> list[float]:
        param = parent.find(f"param[@name='{name}']")
        if param is None:
            default = "1 1" if name == "scale" else "0 0"
            return [float(v) for v in parent.get(name, default).split()][:parts]
        inner = param.findall("param")
        if inner:
            assert not self.is_resolve and [p.get("key") for p in inner] == ["1", "2"]
            return [self._animated(axis, clock)[0] for axis in inner]
        return self._animated(param, clock)

    def _animated(self, param: Any, clock: int) -> list[float]:
        keys = [(self.frames(k.get("time")), k.get("value")) for k in param.iter("keyframe")]
        return between(keys, clock)

    def _size(self, number: str) -> tuple[int, int]:
        shape = self._by_id(number)
        return int(shape.get("width")), int(shape.get("height"))

    def _by_id(self, number: str | None) -> Any:
        return self.root.find(f".//*[@id='{number}']")


def between(keys: Sequence[tuple[int, str]], clock: int) -> list[float]:
    """Linear between keyframes, still before the first and after the last."""
    values = [(at, [float(v) for v in text.split()]) for at, text in keys]
    if clock <= values[0][0]:
        return values[0][1]
    for (before, a), (after, b) in pairwise(values):
        if before <= clock < after:
            share = (clock - before) / (after - before)
            return [p + share * (q - p) for p, q in zip(a, b, strict=True)]
    return values[-1][1]


@dataclass(frozen=True)
class PremiereFile:
    """An xmeml document that Premiere Pro has opened."""

    root: Any

    @property
    def sequences(self) -> list[Any]:
        """One for each clip."""
        return list(self.root.iter("sequence"))

    def storyline(self, sequence: Any) -> Iterator[tuple[int, int, int]]:
        """First frame, first frame of the source and length of each item of the first track."""
        for item in sequence.find("media/video/track").findall("clipitem"):
            start, end, first, out = (int(item.findtext(n)) for n in ("start", "end", "in", "out"))
            assert out - first == end - start
            yield start, first, end - start

    def shown(self, sequence: Any, frame: int) -> list[Shown]:
        """The layers of a frame, the lowest first."""
        layers = []
        for track in sequence.findall("media/video/track"):
            for item in track.findall("clipitem"):
                if int(item.findtext("start")) <= frame < int(item.findtext("end")):
                    layers.append(self._layer(sequence, item, frame))
        return layers

    def _layer(self, sequence: Any, item: Any, frame: int) -> Shown:
        clock = int(item.findtext("in")) + frame - int(item.findtext("start"))
        shape = "media/video/format/samplecharacteristics"
        width, height = (int(sequence.findtext(f"{shape}/{n}")) for n in ("width", "height"))
        number = item.find("file").get("id")
        file = next(f for f in self.root.iter("file") if f.get("id") == number and len(f))
        wide, high = (int(file.findtext(f"media/video/samplecharacteristics/{n}"))
                      for n in ("width", "height"))  # fmt: skip
        scale = self._value(item, "scale", clock, 100.0)[0] / 100
        right, down = self._value(item, "center", clock, 0.0)
        middle = width / 2 + right * wide, height / 2 + down * high
        spans = (wide, high, wide, high)
        crop = [
            self._value(item, e, clock, 0.0)[0] / 100 * s for e, s in zip(EDGES, spans, strict=True)
        ]
        opacity = self._value(item, "opacity", clock, 100.0)[0] / 100
        return Shown(clock, scale, middle, (crop[0], crop[1], crop[2], crop[3]), opacity)

    def _value(self, item: Any, number: str, clock: int, default: float) -> list[float]:
        for parameter in item.iter("parameter"):
            if parameter.findtext("parameterid") == number:
                keys = [(int(k.findtext("when")), self._numbers(k.find("value")))
                        for k in parameter.findall("keyframe")]  # fmt: skip
                return between(keys or [(clock, self._numbers(parameter.find("value")))], clock)
        return [default]

    def _numbers(self, value: Any) -> str:
        parts = [part.text for part in value] or [value.text]
        return " ".join(parts)
