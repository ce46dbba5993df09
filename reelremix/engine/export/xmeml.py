"""Final Cut Pro 7's XML (xmeml 5), which Premiere Pro reads.

One project with a sequence a clip. A layer is a video track; Basic Motion, Crop and Opacity place
it. Scale is in percent of the picture's own pixels; the centre is measured from the middle of the
frame in widths and heights of the *picture*; crops are percent of it. Keyframes are counted on the
source, like in and out. Sources of these conventions are listed in docs/exports.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from xml.etree import ElementTree as ET

from reelremix.engine.domain.timecode import is_ntsc, timebase, timecode_of
from reelremix.engine.export.exporters import FOLDER, PROTOCOL, Document, Material, Recording
from reelremix.engine.export.limits import what_no_sequence_carries
from reelremix.engine.export.placement import Size
from reelremix.engine.export.sequence import (
    BACKDROP_OPACITY,
    ClipSequence,
    Layer,
    Media,
    Segment,
)
from reelremix.engine.export.sidecars import sidecars_of
from reelremix.engine.export.xmltext import decimal, document, element, file_url, plain_line

EDGES = ("left", "top", "right", "bottom")


@dataclass(frozen=True, slots=True)
class Xmeml:
    """Writes one document with all clips."""

    protocol: int = PROTOCOL
    suffix: str = ".xml"
    recording: Recording = Recording.NEEDED
    gathers: bool = True
    folder: str = FOLDER

    def notes(self, material: Material) -> Iterator[str]:
        """What Premiere does not get."""
        yield from what_no_sequence_carries(material)
        if any(clip.words for clip in material.clips):
            yield "captions are in the .srt files: import them, and drop each on its sequence"
        if material.has_backdrop:
            yield "the background is the dimmed picture; its blur has to be added by hand"

    def documents(self, material: Material, gathered: str | None) -> Iterator[Document]:
        """The document and the subtitles of each clip."""
        name = gathered or f"{material.name}-premiere{self.suffix}"
        yield Document(name, document(_Writer().root(material), "xmeml"))
        yield from sidecars_of(material, "srt")


PREMIERE = Xmeml()


class _Writer:
    """Builds the tree; a media file is described where it is first used."""

    def __init__(self) -> None:
        self._files: dict[Media, str] = {}
        self._items = 0

    def root(self, material: Material) -> ET.Element:
        """The whole document."""
        sequences = (
            self._sequence(number, sequence)
            for number, sequence in enumerate(material.sequences, start=1)
        )
        children = element("children", None, *sequences)
        name = element("name", text=plain_line(material.name))
        return element("xmeml", {"version": "5"}, element("project", None, name, children))

    def _sequence(self, number: int, sequence: ClipSequence) -> ET.Element:
        media, rate = sequence.media, sequence.rate
        layers = max(len(segment.layers) for segment in sequence.segments)
        # Items of a segment are numbered in a row: its layers from below, then its channels.
        row, base = layers + _heard(media), self._items
        self._items += len(sequence.segments) * row
        firsts = range(base, self._items, row)
        video = [self._video_track(sequence, layer, firsts) for layer in range(layers)]
        audio = [
            self._audio_track(sequence, channel, layers, firsts) for channel in range(_heard(media))
        ]
        sound = element("audio", None, _sound_format(media), *audio) if audio else None
        return element(
            "sequence", {"id": f"sequence-{number}"},
            element("name", text=sequence.name),
            element("duration", text=sequence.frames),
            _rate(rate),
            _timecode(0, media),
            element("media", None,
                    element("video", None, _picture_format(sequence.size, rate), *video), sound),
            *(_marker(marker.at, marker.name, marker.note) for marker in sequence.markers),
        )  # fmt: skip

    def _video_track(self, sequence: ClipSequence, layer: int, ids: Sequence[int]) -> ET.Element:
        items = [
            self._video_item(sequence, segment, layer, first)
            for segment, first in zip(sequence.segments, ids, strict=True)
            if layer < len(segment.layers)
        ]
        return element("track", None, *items, element("enabled", text="TRUE"))

    def _video_item(
        self, sequence: ClipSequence, segment: Segment, layer: int, first: int
    ) -> ET.Element:
        shown = segment.layers[layer]
        item = self._item(sequence, segment, f"clipitem-{first + layer + 1}")
        item.extend(_filters(sequence, segment, shown))
        if layer == 0:
            item.extend(_links(sequence, segment, first))
        return item

    def _audio_track(
        self, sequence: ClipSequence, channel: int, layers: int, ids: Sequence[int]
    ) -> ET.Element:
        items = []
        for segment, first in zip(sequence.segments, ids, strict=True):
            item = self._item(sequence, segment, f"clipitem-{first + layers + channel + 1}")
            item.append(
                element("sourcetrack", None, element("mediatype", text="audio"),
                        element("trackindex", text=sequence.media.first_channel + channel))
            )  # fmt: skip
            item.extend(_links(sequence, segment, first))
            items.append(item)
        channel_index = element("outputchannelindex", text=channel % 2 + 1)
        return element("track", None, *items, element("enabled", text="TRUE"), channel_index)

    def _item(self, sequence: ClipSequence, segment: Segment, number: str) -> ET.Element:
        media = sequence.media
        return element(
            "clipitem", {"id": number},
            element("name", text=plain_line(media.name)),
            element("enabled", text="TRUE"),
            element("duration", text=media.frames),
            _rate(media.rate),
            element("start", text=segment.at),
            element("end", text=segment.end),
            element("in", text=segment.source),
            element("out", text=segment.source + segment.frames),
            self._file(media),
        )  # fmt: skip

    def _file(self, media: Media) -> ET.Element:
        if media in self._files:
            return element("file", {"id": self._files[media]})
        number = self._files[media] = f"file-{len(self._files) + 1}"
        assert media.path is not None
        sound = element(
            "audio", None,
            element("samplecharacteristics", None, element("depth", text=16),
                    element("samplerate", text=media.sound_rate_hz)),
            element("channelcount", text=media.first_channel - 1 + media.channels),
        ) if media.channels else None  # fmt: skip
        return element(
            "file", {"id": number},
            element("name", text=plain_line(media.name)),
            element("pathurl", text=file_url(media.path, "localhost")),
            _rate(media.rate),
            element("duration", text=media.frames),
            _timecode(media.start, media),
            element("media", None,
                    element("video", None, _sample(media.size, media.rate)), sound),
        )  # fmt: skip


def _heard(media: Media) -> int:
    """Channels that get a track: a sequence of a short clip has two."""
    return min(media.channels, 2)


def _links(sequence: ClipSequence, segment: Segment, first: int) -> Iterator[ET.Element]:
    """The storyline's picture and its sound move together."""
    index = sequence.segments.index(segment) + 1
    layers = max(len(s.layers) for s in sequence.segments)
    linked = [("video", 1, first + 1)]
    linked += [("audio", c + 1, first + layers + c + 1) for c in range(_heard(sequence.media))]
    if len(linked) > 1:
        for kind, track, number in linked:
            yield element(
                "link", None,
                element("linkclipref", text=f"clipitem-{number}"),
                element("mediatype", text=kind),
                element("trackindex", text=track),
                element("clipindex", text=index),
            )  # fmt: skip


def _filters(sequence: ClipSequence, segment: Segment, layer: Layer) -> Iterator[ET.Element]:
    width, height = sequence.media.size
    at = [segment.source + pose.frame for pose in layer.poses]
    placed = [pose.placement for pose in layer.poses]
    scales = [decimal(p.scale * 100) for p in placed]
    centres = [(decimal(p.right / width), decimal(p.down / height)) for p in placed]
    scale = _parameter("scale", "Scale", at, scales, ("0", "1000"))
    yield _effect("Basic Motion", "basic", scale, _centre(at, centres))
    if any(any(p.crop) for p in placed):
        spans = (width, height, width, height)
        edges = [
            _parameter(edge, edge, at, [decimal(p.crop[n] / spans[n] * 100) for p in placed],
                       ("0", "100"))
            for n, edge in enumerate(EDGES)
        ]  # fmt: skip
        yield _effect("Crop", "crop", *edges)
    if layer.is_backdrop:
        dim = [decimal(BACKDROP_OPACITY * 100)]
        opacity = _parameter("opacity", "opacity", at[:1], dim, ("0", "100"))
        yield _effect("Opacity", "opacity", opacity)


def _effect(name: str, number: str, *parameters: ET.Element) -> ET.Element:
    about = [
        element("name", text=name), element("effectid", text=number),
        element("effectcategory", text="motion"), element("effecttype", text="motion"),
        element("mediatype", text="video"),
    ]  # fmt: skip
    return element("filter", None, element("effect", None, *about, *parameters))


def _parameter(
    number: str, name: str, at: Sequence[int], values: Sequence[str], limits: tuple[str, str]
) -> ET.Element:
    moving = zip(at, values, strict=True) if len(set(values)) > 1 else ()
    return element(
        "parameter", None,
        element("parameterid", text=number), element("name", text=name),
        element("valuemin", text=limits[0]), element("valuemax", text=limits[1]),
        element("value", text=values[0]),
        *(_keyframe(frame, element("value", text=value)) for frame, value in moving),
    )  # fmt: skip


def _centre(at: Sequence[int], values: Sequence[tuple[str, str]]) -> ET.Element:
    def point(value: tuple[str, str]) -> ET.Element:
        return element("value", None, element("horiz", text=value[0]),
                       element("vert", text=value[1]))  # fmt: skip

    moving = zip(at, values, strict=True) if len(set(values)) > 1 else ()
    return element(
        "parameter", None,
        element("parameterid", text="center"), element("name", text="Center"), point(values[0]),
        *(_keyframe(frame, point(value)) for frame, value in moving),
    )  # fmt: skip


def _keyframe(frame: int, value: ET.Element) -> ET.Element:
    straight = element("interpolation", None, element("name", text="linear"))
    return element("keyframe", None, element("when", text=frame), value, straight)


def _rate(rate: Fraction) -> ET.Element:
    return element("rate", None, element("timebase", text=timebase(rate)),
                   element("ntsc", text="TRUE" if is_ntsc(rate) else "FALSE"))  # fmt: skip


def _timecode(frame: int, media: Media) -> ET.Element:
    return element(
        "timecode", None, _rate(media.rate),
        element("string", text=timecode_of(frame, media.rate, drop=media.drop)),
        element("frame", text=frame),
        element("displayformat", text="DF" if media.drop else "NDF"),
    )  # fmt: skip


def _picture_format(size: Size, rate: Fraction) -> ET.Element:
    return element("format", None, _sample(size, rate))


def _sample(size: Size, rate: Fraction) -> ET.Element:
    return element(
        "samplecharacteristics", None, _rate(rate),
        element("width", text=size[0]), element("height", text=size[1]),
        element("anamorphic", text="FALSE"), element("pixelaspectratio", text="square"),
        element("fielddominance", text="none"),
    )  # fmt: skip


def _sound_format(media: Media) -> ET.Element:
    sample = element("samplecharacteristics", None, element("depth", text=16),
                     element("samplerate", text=media.sound_rate_hz))  # fmt: skip
    return element("format", None, sample)


def _marker(at: int, name: str, note: str) -> ET.Element:
    return element("marker", None, element("comment", text=note), element("name", text=name),
                   element("in", text=at), element("out", text=-1))  # fmt: skip
