"""Final Cut Pro's FCPXML, and the dialect of it that DaVinci Resolve reads.

One event with a project a clip. The lowest layer is the storyline and has the sound; other layers
are connected above it, captions are titles above those. Times are whole frames as fractions.

What numbers mean differs between the two: see `fcpxml_units`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

from reelremix.engine.domain.caption import letter_size
from reelremix.engine.export.exporters import FOLDER, PROTOCOL, Document, Material, Recording
from reelremix.engine.export.fcpxml_units import FinalCut, Resolve, time_of, trim_rect
from reelremix.engine.export.limits import what_no_sequence_carries
from reelremix.engine.export.placement import Size
from reelremix.engine.export.sequence import (
    BACKDROP_OPACITY,
    ClipSequence,
    Layer,
    Media,
    Segment,
    Title,
)
from reelremix.engine.export.sidecars import sidecars_of
from reelremix.engine.export.xmltext import decimal, document, element, file_url, plain_line

VERSION = "1.10"
"""The newest that Final Cut Pro 10.6 and DaVinci Resolve 18 both read."""
BASIC_TITLE = ".../Titles.localized/Bumper:Opener.localized/Basic Title.localized/Basic Title.moti"
TITLES = "titleEffect"
FACES = frozenset({"thin", "light", "medium", "bold", "black", "heavy", "italic", "regular"})


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
        self._units = Resolve if for_resolve else FinalCut
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
                "id": number, "name": plain_line(media.name), "start": time_of(media.start, media),
                "duration": time_of(media.frames, media), "hasVideo": 1, "videoSources": 1,
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
            "duration": time_of(sequence.frames, media), "tcStart": "0s",
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
            "ref": self._asset(media), "offset": time_of(segment.at, media),
            "name": plain_line(media.name), "start": self._local(segment, media, 0),
            "duration": time_of(segment.frames, media),
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
        start, length = self._local(segment, media, 0), time_of(segment.frames, media)
        about = {
            "lane": lane, "offset": start, "name": plain_line(media.name), "start": start,
            "duration": length, "format": self._format(media.size, media),
            "tcFormat": _counting(media),
        }  # fmt: skip
        whole = {"start": time_of(media.start, media), "offset": time_of(media.start, media)}
        video = {"ref": self._asset(media), **whole, "duration": time_of(media.frames, media)}
        framing = self._framing(sequence, segment, layer)
        return element("clip", about, *framing, element("video", video))

    def _local(self, segment: Segment, media: Media, frame: int) -> str:
        """A frame of a segment on the clock of its source."""
        return time_of(media.start + segment.source + frame, media)

    def _framing(
        self, sequence: ClipSequence, segment: Segment, layer: Layer
    ) -> Iterator[ET.Element]:
        units = self._units(sequence, segment)
        if any(any(pose.placement.crop) for pose in layer.poses):
            yield element("adjust-crop", {"mode": "trim"}, trim_rect(layer, units))
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
            "duration": time_of(title.frames, media), "role": "titles",
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
            position = f"{decimal(right / unit)} {decimal(-down / unit)}"
            inside.append(element("adjust-transform", {"position": position}))
        return element("title", about, *inside)


def _markers(sequence: ClipSequence, segment: Segment) -> Iterator[ET.Element]:
    media = sequence.media
    for marker in sequence.markers:
        if segment.at <= marker.at < segment.end:
            at = media.start + segment.source + marker.at - segment.at
            about = {
                "start": time_of(at, media), "duration": time_of(1, media),
                "value": marker.name, "note": marker.note or None,
            }  # fmt: skip
            yield element("chapter-marker" if marker.is_chapter else "marker", about)


def _look(sequence: ClipSequence) -> dict[str, Any]:
    """The style of captions, as near as a plain title gets; its sizes are approximate."""
    captions = sequence.clip.captions
    style: dict[str, Any] = dict(captions.style) if captions is not None else {}
    em = letter_size(float(style.get("size", 0.05)), *sequence.size)
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
    return " ".join(decimal(part) for part in parts)


def _counting(media: Media) -> str:
    return "DF" if media.drop else "NDF"
