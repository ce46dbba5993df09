"""Final Cut Pro's FCPXML, and the dialect of it that DaVinci Resolve reads.

One event with a project a clip. The lowest layer is the storyline and has the sound; other layers
are connected above it, captions are titles above those. Times are whole frames as fractions.

How the two differ is what people found out by experiment, listed with sources in docs/exports.md:
Final Cut counts keyframes on the source's clock and takes crops in percent of the source's height;
Resolve counts keyframes from the start of the clip, and takes crops and positions relative to the
picture as it fits into the frame.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

from reelremix.engine.export.exporters import FOLDER, PROTOCOL, Document, Material, Recording
from reelremix.engine.export.limits import what_no_sequence_carries
from reelremix.engine.export.placement import Placement, Size
from reelremix.engine.export.sequence import (
    BACKDROP_OPACITY,
    ClipSequence,
    Layer,
    Media,
    Pose,
    Segment,
    Title,
)
from reelremix.engine.export.sidecars import sidecars_of
from reelremix.engine.export.xmltext import document, element, file_url, plain_line

VERSION = "1.10"
"""The newest that Final Cut Pro 10.6 and DaVinci Resolve 18 both read."""
BASIC_TITLE = ".../Titles.localized/Bumper:Opener.localized/Basic Title.localized/Basic Title.moti"
TITLES = "titleEffect"
FACES = frozenset({"thin", "light", "medium", "bold", "black", "heavy", "italic", "regular"})
EDGES = ("left", "top", "right", "bottom")


@dataclass(frozen=True, slots=True)
class FcpXml:
    """Writes one document with all clips."""

    for_resolve: bool
    protocol: int = PROTOCOL
    suffix: str = ".fcpxml"
    recording: Recording = Recording.NEEDED
    gathers: bool = True
    folder: str = FOLDER

    def notes(self, material: Material) -> Iterator[str]:
        """What FCPXML leaves out."""
        yield from what_no_sequence_carries(material)
        if material.has_backdrop:
            yield "the background is the dimmed picture; its blur has to be added by hand"

    def documents(self, material: Material, gathered: str | None) -> Iterator[Document]:
        """The document and the subtitles of each clip."""
        ending = "-resolve" if self.for_resolve else ""
        name = gathered or f"{material.name}{ending}{self.suffix}"
        root = _Writer(self.for_resolve).root(material)
        yield Document(name, document(root, "fcpxml", verbatim=frozenset({"text"})))
        yield from sidecars_of(material, "srt")


FINAL_CUT = FcpXml(for_resolve=False)
RESOLVE = FcpXml(for_resolve=True)


class _Writer:
    """Builds the tree; resources get their ids as they are met."""

    def __init__(self, for_resolve: bool) -> None:
        self._units = _Resolve if for_resolve else _FinalCut
        self._resources: dict[object, tuple[str, list[ET.Element]]] = {}
        self._styles = 0

    def root(self, material: Material) -> ET.Element:
        """The whole document."""
        projects = [self._project(sequence) for sequence in material.sequences]
        event = element("event", {"name": plain_line(material.name)}, *projects)
        kept = [made for _, several in self._resources.values() for made in several]
        resources = element("resources", None, *kept)
        return element("fcpxml", {"version": VERSION}, resources, element("library", None, event))

    def _resource(self, key: object, make: Callable[[str], list[ET.Element]]) -> str:
        if key not in self._resources:
            number = f"r{len(self._resources) + 1}"
            self._resources[key] = number, make(number)
        return self._resources[key][0]

    def _format(self, size: Size, media: Media) -> str:
        def make(number: str) -> list[ET.Element]:
            frame = f"{media.rate.denominator}/{media.rate.numerator}s"
            shape = {"id": number, "frameDuration": frame, "width": size[0], "height": size[1]}
            return [element("format", {**shape, "colorSpace": "1-1-1 (Rec. 709)"})]

        return self._resource((size, media.rate), make)

    def _asset(self, media: Media) -> str:
        picture = self._format(media.size, media)

        def make(number: str) -> list[ET.Element]:
            assert media.path is not None
            sound = {
                "hasAudio": 1, "audioSources": 1, "audioChannels": media.channels,
                "audioRate": media.sound_rate_hz,
            }  # fmt: skip
            about = {
                "id": number, "name": plain_line(media.name), "start": _time(media.start, media),
                "duration": _time(media.frames, media), "hasVideo": 1, "videoSources": 1,
                "format": picture, **(sound if media.channels else {}),
            }  # fmt: skip
            where = {"kind": "original-media", "src": file_url(media.path)}
            return [element("asset", about, element("media-rep", where))]

        return self._resource(media, make)

    def _title_effect(self) -> str:
        def make(number: str) -> list[ET.Element]:
            about = {"id": number, "name": "Basic Title", "uid": BASIC_TITLE}
            return [element("effect", about)]

        return self._resource(TITLES, make)

    def _project(self, sequence: ClipSequence) -> ET.Element:
        media = sequence.media
        spine = [self._storyline(sequence, segment) for segment in sequence.segments]
        about = {
            "format": self._format(sequence.size, media),
            "duration": _time(sequence.frames, media), "tcStart": "0s",
            "tcFormat": _counting(media), "audioLayout": "stereo", "audioRate": "48k",
        }  # fmt: skip
        inside = element("sequence", about, element("spine", None, *spine))
        return element("project", {"name": sequence.name}, inside)

    def _storyline(self, sequence: ClipSequence, segment: Segment) -> ET.Element:
        """The lowest layer with everything that is connected to it."""
        media, lowest = sequence.media, segment.layers[0]
        connected = [
            self._connected(sequence, segment, layer, lane)
            for lane, layer in enumerate(segment.layers[1:], start=1)
        ]
        titles = [
            self._title(sequence, segment, title)
            for title in sequence.titles
            if segment.at <= title.at < segment.end
        ]
        about = {
            "ref": self._asset(media), "offset": _time(segment.at, media),
            "name": plain_line(media.name), "start": self._local(segment, media, 0),
            "duration": _time(segment.frames, media),
            "format": self._format(media.size, media), "tcFormat": _counting(media),
        }  # fmt: skip
        framing = self._framing(sequence, segment, lowest)
        markers = _markers(sequence, segment)
        return element("asset-clip", about, *framing, *connected, *titles, *markers)

    def _connected(
        self, sequence: ClipSequence, segment: Segment, layer: Layer, lane: int
    ) -> ET.Element:
        """A picture without sound above the storyline."""
        media = sequence.media
        start, length = self._local(segment, media, 0), _time(segment.frames, media)
        about = {
            "lane": lane, "offset": start, "name": plain_line(media.name), "start": start,
            "duration": length, "format": self._format(media.size, media),
            "tcFormat": _counting(media),
        }  # fmt: skip
        whole = {"start": _time(media.start, media), "offset": _time(media.start, media)}
        video = {"ref": self._asset(media), **whole, "duration": _time(media.frames, media)}
        framing = self._framing(sequence, segment, layer)
        return element("clip", about, *framing, element("video", video))

    def _local(self, segment: Segment, media: Media, frame: int) -> str:
        """A frame of a segment on the clock of its source."""
        return _time(media.start + segment.source + frame, media)

    def _framing(
        self, sequence: ClipSequence, segment: Segment, layer: Layer
    ) -> Iterator[ET.Element]:
        units = self._units(sequence, segment)
        if any(any(pose.placement.crop) for pose in layer.poses):
            yield element("adjust-crop", {"mode": "trim"}, _trim(layer, units))
        yield element("adjust-conform", {"type": "fit"})
        yield units.transform(layer)
        if layer.is_backdrop:
            yield element("adjust-blend", {"amount": BACKDROP_OPACITY})

    def _title(self, sequence: ClipSequence, segment: Segment, title: Title) -> ET.Element:
        self._styles += 1
        style = f"ts{self._styles}"
        media = sequence.media
        about = {
            "ref": self._title_effect(), "lane": 1 + max(len(s.layers) for s in sequence.segments),
            "offset": self._local(segment, media, title.at - segment.at),
            "name": plain_line(title.text), "start": "0s",
            "duration": _time(title.frames, media), "role": "titles",
        }  # fmt: skip
        shown = _cased(title.text, sequence)
        said = element("text", None, element("text-style", {"ref": style}, text=shown))
        look = element("text-style", _look(sequence))
        inside = [said, element("text-style-def", {"id": style}, look)]
        if title.box is not None:
            x, y, width, height = title.box
            right = x + width / 2 - sequence.size[0] / 2
            down = y + height / 2 - sequence.size[1] / 2
            unit = sequence.size[1] / 100
            position = f"{_number(right / unit)} {_number(-down / unit)}"
            inside.append(element("adjust-transform", {"position": position}))
        return element("title", about, *inside)


def _markers(sequence: ClipSequence, segment: Segment) -> Iterator[ET.Element]:
    media = sequence.media
    for marker in sequence.markers:
        if segment.at <= marker.at < segment.end:
            at = media.start + segment.source + marker.at - segment.at
            about = {
                "start": _time(at, media), "duration": _time(1, media),
                "value": marker.name, "note": marker.note or None,
            }  # fmt: skip
            yield element("chapter-marker" if marker.is_chapter else "marker", about)


def _look(sequence: ClipSequence) -> dict[str, Any]:
    """The style of captions, as near as a plain title gets; its sizes are approximate."""
    captions = sequence.clip.captions
    style: dict[str, Any] = dict(captions.style) if captions is not None else {}
    width, height = sequence.size
    em = float(style.get("size", 0.05)) * (1.2 * height if width > height else height)
    outline = str(style.get("outline", "#000000") or "")
    edge = {"strokeColor": _colour(outline), "strokeWidth": f"{max(1, round(em * 0.07))}"}
    family, face = _family(str(style.get("font", "Helvetica")))
    return {
        "font": family, "fontSize": f"{round(em)}", "fontFace": face,
        "fontColor": _colour(str(style.get("fill", "#FFFFFF"))), **(edge if outline else {}),
        "alignment": "center",
    }  # fmt: skip


def _cased(text: str, sequence: ClipSequence) -> str:
    captions = sequence.clip.captions
    is_upper = captions is not None and captions.style.get("case") == "upper"
    return text.upper() if is_upper else text


def _family(font: str) -> tuple[str, str]:
    """A font's family and face: `Montserrat ExtraBold` is two words of different kinds."""
    family, _, face = font.rpartition(" ")
    is_face = family and re.sub("(semi|extra|ultra|demi)", "", face.lower()) in FACES
    return (family, face) if is_face else (font, "Regular")


def _colour(colour: str) -> str:
    """`#RRGGBBAA` as four shares."""
    digits = colour.removeprefix("#").ljust(8, "F")
    try:
        parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4, 6)]
    except ValueError:
        return "1 1 1 1"
    return " ".join(_number(part) for part in parts)


def _trim(layer: Layer, units: _Units) -> ET.Element:
    """How much is cut off, with keyframes for the edges that move."""
    first = units.trimmed(layer.first.placement)
    about = {edge: _number(value) for edge, value in zip(EDGES, first, strict=True)}
    moving = []
    for number, edge in enumerate(EDGES):
        values = [_number(units.trimmed(pose.placement)[number]) for pose in layer.poses]
        if len(set(values)) > 1:
            moving.append(element("param", {"name": edge}, units.animation(layer.poses, values)))
    return element("trim-rect", about, *moving)


class _Units:
    """A program's numbers for pixels and frames."""

    def __init__(self, sequence: ClipSequence, segment: Segment) -> None:
        self.media, self.segment = sequence.media, segment
        self.picture, self.frame = sequence.media.size, sequence.size
        self.fit = min(self.frame[0] / self.picture[0], self.frame[1] / self.picture[1])
        """The scale at which the whole picture fits into the frame, which is 1 here."""

    def trimmed(self, placed: Placement) -> tuple[float, float, float, float]:
        """The crop's edges."""
        raise NotImplementedError

    def moved(self, placed: Placement) -> tuple[float, float]:
        """The position: percent of the frame's height from the middle, up is positive."""
        unit = self.frame[1] / 100
        return placed.right / unit, -placed.down / unit

    def when(self, frame: int) -> int:
        """The frame that a keyframe is written at."""
        raise NotImplementedError

    def transform(self, layer: Layer) -> ET.Element:
        """Position and scale."""
        raise NotImplementedError

    def scaled(self, placed: Placement) -> str:
        """The scale, for both directions."""
        return " ".join([_number(placed.scale / self.fit)] * 2)

    def animation(self, poses: Sequence[Pose], values: Sequence[str]) -> ET.Element:
        """Keyframes with straight lines between them."""
        keyframes = [
            element("keyframe", {"time": _time(self.when(p.frame), self.media), "value": value,
                                 "curve": "linear"})
            for p, value in zip(poses, values, strict=True)
        ]  # fmt: skip
        return element("keyframeAnimation", None, *keyframes)

    def scale_param(self, layer: Layer) -> Iterator[ET.Element]:
        """Keyframes of the scale, if it changes."""
        values = [self.scaled(pose.placement) for pose in layer.poses]
        if len(set(values)) > 1:
            yield element("param", {"name": "scale"}, self.animation(layer.poses, values))


class _FinalCut(_Units):
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
            return element("adjust-transform", {"position": f"{_number(x)} {_number(y)}", **still})
        places = [self.moved(pose.placement) for pose in layer.poses]
        axes = [
            element("param", {"name": name, "key": key + 1},
                    self.animation(layer.poses, [_number(place[key]) for place in places]))
            for key, name in enumerate("XY")
        ]  # fmt: skip
        position = element("param", {"name": "position"}, *axes)
        scales = list(self.scale_param(layer))
        return element("adjust-transform", {} if scales else still, position, *scales)


class _Resolve(_Units):
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
        values = [" ".join(map(_number, self.moved(pose.placement))) for pose in layer.poses]
        about = {"position": values[0], "scale": self.scaled(layer.first.placement)}
        if not layer.moves:
            return element("adjust-transform", about)
        moving = element("param", {"name": "position"}, self.animation(layer.poses, values))
        return element("adjust-transform", about, moving, *self.scale_param(layer))


def _counting(media: Media) -> str:
    return "DF" if media.drop else "NDF"


def _time(frames: int, media: Media) -> str:
    """Whole frames in seconds: a fraction of the frame rate, or whole seconds."""
    ticks, rate = frames * media.rate.denominator, media.rate.numerator
    return f"{ticks // rate}s" if ticks % rate == 0 else f"{ticks}/{rate}s"


def _number(value: float) -> str:
    """To six decimals, which is under a thousandth of a pixel."""
    return f"{round(value, 6) + 0.0:.6f}".rstrip("0").rstrip(".")
