"""OpenTimelineIO: a timeline a clip, with everything ReelRemix knows in its metadata.

OpenTimelineIO has no schema for framing or captions. So layers are tracks whose clips carry their
placement under `metadata["reelremix"]` (see docs/exports.md), and the same goes for captions.
Timelines lie in a file each, since editors import one; a named file holds all as a collection.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reelremix.engine.export.exporters import FOLDER, PROTOCOL, Document, Material, Recording
from reelremix.engine.export.limits import what_no_sequence_carries
from reelremix.engine.export.ranking import score_to_dict
from reelremix.engine.export.sequence import ClipSequence, Layer, Media, Segment
from reelremix.engine.export.sidecars import sidecars_of
from reelremix.engine.export.times import rate_to_text
from reelremix.engine.export.xmltext import file_url, plain_line
from reelremix.errors import ModelError

if TYPE_CHECKING:
    from opentimelineio import opentime, schema

OURS = "reelremix"
"""Our key in metadata."""
VERSION = 1
"""Of what is under it."""


@dataclass(frozen=True, slots=True)
class Otio:
    """Writes timelines."""

    protocol: int = PROTOCOL
    suffix: str = ".otio"
    recording: Recording = Recording.NEEDED
    gathers: bool = False
    folder: str = FOLDER

    def notes(self, material: Material) -> Iterator[str]:
        """What programs that read OTIO do not take from it."""
        yield "framing and captions are in OTIO's metadata, which editors keep but do not apply"
        yield from what_no_sequence_carries(material)

    def documents(self, material: Material, gathered: str | None) -> Iterator[Document]:
        """A timeline for each clip and its subtitles, or all timelines in one file."""
        otio = _library()
        timelines = [_Builder(otio, sequence).timeline() for sequence in material.sequences]
        if gathered is not None:
            yield Document(gathered, _text(otio, _gathered(otio, material.name, timelines)))
        else:
            for sequence, timeline in zip(material.sequences, timelines, strict=True):
                yield Document(f"{sequence.stem}{self.suffix}", _text(otio, timeline))
        yield from sidecars_of(material, "srt")


OTIO = Otio()


def _library() -> Any:
    """OpenTimelineIO, which takes a moment to load and need not be there."""
    try:
        import opentimelineio
    except ImportError as exc:
        raise ModelError(
            "`--to otio` needs the library OpenTimelineIO, which is not installed",
            hint="`pip install 'reelremix[editors]'` installs it; other formats do without",
        ) from exc
    return opentimelineio


def _gathered(otio: Any, name: str, timelines: Sequence[Any]) -> Any:
    """One timeline alone, several in a collection."""
    if len(timelines) == 1:
        return timelines[0]
    return otio.schema.SerializableCollection(name=plain_line(name), children=timelines)


def _text(otio: Any, whole: Any) -> bytes:
    return str(otio.adapters.write_to_string(whole, "otio_json")).encode()


class _Builder:
    """Builds the timeline of one clip."""

    def __init__(self, otio: Any, sequence: ClipSequence) -> None:
        self._otio = otio
        self._sequence = sequence
        self._rate = float(sequence.rate)

    def timeline(self) -> schema.Timeline:
        """Everything."""
        sequence, schema = self._sequence, self._otio.schema
        timeline = schema.Timeline(name=sequence.name, global_start_time=self._time(0))
        timeline.metadata[OURS] = _about(sequence)
        layers = max(len(segment.layers) for segment in sequence.segments)
        timeline.tracks.extend(self._video(layer) for layer in range(layers))
        if sequence.media.channels:
            timeline.tracks.append(self._audio())
        timeline.tracks.markers.extend(
            schema.Marker(
                name=marker.name,
                comment=marker.note,
                color="GREEN" if marker.is_chapter else "YELLOW",
                marked_range=self._range(marker.at, 1),
            )
            for marker in sequence.markers
        )
        timeline.tracks.name = sequence.name
        return timeline

    def _video(self, layer: int) -> schema.Track:
        track = self._otio.schema.Track(name=f"V{layer + 1}", kind="Video")
        for segment in self._sequence.segments:
            if layer < len(segment.layers):
                clip = self._clip(segment)
                clip.metadata[OURS] = _framing(segment.layers[layer])
                track.append(clip)
            else:
                track.append(self._otio.schema.Gap(source_range=self._range(0, segment.frames)))
        return track

    def _audio(self) -> schema.Track:
        track = self._otio.schema.Track(name="A1", kind="Audio")
        track.extend(self._clip(segment) for segment in self._sequence.segments)
        return track

    def _clip(self, segment: Segment) -> schema.Clip:
        media = self._sequence.media
        return self._otio.schema.Clip(
            name=plain_line(media.name),
            media_reference=self._reference(media),
            source_range=self._range(media.start + segment.source, segment.frames),
        )

    def _reference(self, media: Media) -> schema.ExternalReference:
        assert media.path is not None
        bounds = self._otio.schema.Box2d(
            self._otio.schema.V2d(0.0, 0.0), self._otio.schema.V2d(*map(float, media.size))
        )
        reference = self._otio.schema.ExternalReference(
            target_url=file_url(media.path),
            available_range=self._range(media.start, media.frames),
            available_image_bounds=bounds,
        )
        reference.name = plain_line(media.name)
        return reference

    def _time(self, frame: int) -> opentime.RationalTime:
        return self._otio.opentime.RationalTime(frame, self._rate)

    def _range(self, first: int, frames: int) -> opentime.TimeRange:
        return self._otio.opentime.TimeRange(self._time(first), self._time(frames))


def _about(sequence: ClipSequence) -> dict[str, Any]:
    """What a timeline says of its clip."""
    clip, rate = sequence.clip, sequence.rate
    return {
        "version": VERSION,
        "id": clip.id,
        "rank": clip.rank,
        "title": clip.title,
        "description": clip.description,
        "hashtags": list(clip.hashtags),
        "score": score_to_dict(clip.score),
        "frame_rate": rate_to_text(rate),
        "drop_frame": sequence.media.drop,
        "size": list(sequence.size),
        "captions": [
            {
                "frame": title.at,
                "frames": title.frames,
                "lines": list(title.lines),
                "box": None if title.box is None else list(title.box),
                "speaker": title.speaker,
            }
            for title in sequence.titles
        ],
        "captions_style": dict(clip.captions.style) if clip.captions is not None else None,
    }


def _framing(layer: Layer) -> dict[str, Any]:
    """How a layer lies: boxes of the source, and what they come to for its whole picture."""
    return {
        "version": VERSION,
        "output": list(layer.output),
        "background": layer.is_backdrop,
        "track": layer.track,
        "keyframes": [
            {
                "frame": pose.frame,
                "box": _rounded((pose.box.x, pose.box.y, pose.box.width, pose.box.height)),
                "scale": round(pose.placement.scale, 6),
                "position": _rounded((pose.placement.right, pose.placement.down)),
                "crop": _rounded(pose.placement.crop),
            }
            for pose in layer.poses
        ],
    }


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(float(value), 4) for value in values]
