"""An input recording and the streams inside it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from reelremix.engine.domain.time import ZERO, TimeRange, Timestamp

VIDEO_SUFFIXES = "mp4 mov m4v mkv webm avi mpg mpeg ts mts m2ts wmv flv 3gp ogv mxf"
AUDIO_SUFFIXES = "mp3 m4a wav flac ogg opus aac wma"
MEDIA_SUFFIXES = frozenset(f".{name}" for name in f"{VIDEO_SUFFIXES} {AUDIO_SUFFIXES}".split())
"""How the names of files end that are taken for recordings where a folder is named."""


class StreamKind(StrEnum):
    """What a container's stream carries."""

    VIDEO = "video"
    AUDIO = "audio"
    SUBTITLE = "subtitle"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class VideoFormat:
    """What a video stream looks like once upright."""

    width_px: int
    """Upright width, after `rotation_deg` is applied and pixels are square."""
    height_px: int
    frame_rate: Fraction
    """Average frames a second over the stream; exact for constant rates."""
    is_variable_rate: bool
    rotation_deg: int
    """Clockwise turn a player applies: 0, 90, 180 or 270."""
    is_hdr: bool
    """PQ or HLG transfer, to be mapped to bt709 before anything looks at it."""
    pixel_format: str
    coded_width_px: int
    coded_height_px: int
    sample_aspect_ratio: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """How an audio stream is sampled."""

    rate_hz: int
    channels: int
    layout: str


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream of a container."""

    index: int
    kind: StreamKind
    codec: str
    language: str | None
    """ISO 639 tag as the container states it; None when it does not."""
    title: str | None
    is_default: bool
    start: Timestamp | None
    """First presentation time on the container's own clock; None when unknown."""
    duration: Timestamp | None
    video: VideoFormat | None = None
    audio: AudioFormat | None = None
    is_attached_picture: bool = False


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter mark of the container."""

    range: TimeRange
    title: str


@dataclass(frozen=True, slots=True)
class Source:
    """A recording, identified by the SHA-256 of the whole file."""

    id: str
    name: str
    """File name without folders."""
    size_bytes: int
    container: str
    """The demuxer's name, such as `mov,mp4,m4a,3gp,3g2,mj2`."""
    duration: Timestamp
    start: Timestamp
    """The container's start on its own clock."""
    streams: tuple[Stream, ...]
    chapters: tuple[Chapter, ...] = ()
    probe_version: int = 0
    """Which way of looking described it, so that a later one looks again; 0 is unknown."""

    def of_kind(self, kind: StreamKind) -> tuple[Stream, ...]:
        """The streams of one kind, attached pictures left out."""
        return tuple(s for s in self.streams if s.kind is kind and not s.is_attached_picture)


@dataclass(frozen=True, slots=True)
class Presentation:
    """The streams chosen from a source and the clock all stages share.

    `origin` is the container time that every stage, file and API calls zero.
    """

    source: Source
    video: Stream | None
    audio: Stream | None
    origin: Timestamp
    duration: Timestamp
    """From `origin` to the last end among the chosen streams."""

    @property
    def picture_start(self) -> Timestamp:
        """When the first picture is shown; the beginning of all where that is not known."""
        start = self.video.start if self.video is not None else None
        return ZERO if start is None else start - self.origin

    @property
    def picture_end(self) -> Timestamp:
        """Where the picture ends; the end of all where that is not known."""
        video = self.video
        if video is None or video.start is None or video.duration is None:
            return self.duration
        return min(self.duration, video.start + video.duration - self.origin)

    @property
    def picture(self) -> VideoFormat:
        """The video format; only for callers that have checked there is video."""
        assert self.video is not None and self.video.video is not None
        return self.video.video
