"""What a file holds: streams, exact rates, rotation, HDR, chapters; and which streams to use."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from reelremix.engine.domain.source import (
    AudioFormat,
    Chapter,
    Presentation,
    Source,
    Stream,
    StreamKind,
    VideoFormat,
)
from reelremix.engine.domain.time import MICROSECONDS, ZERO, TimeRange, Timestamp
from reelremix.engine.media.faults import reading
from reelremix.errors import ConfigError, UnreadableMedia

HDR_TRANSFERS = frozenset({16, 18})
"""SMPTE 2084 (PQ) and ARIB STD-B67 (HLG), as numbered in ITU-T H.273."""
STILL = ("_pipe", "image2", "mjpeg")
"""How the names of formats of one picture end; the last may hold many."""
MOST_FRAMES = Fraction(6, 10)
"""Where so many frames are there, a recording of a screen or a call lost some of its rate."""
ONE_PICTURE = Timestamp.from_seconds(Fraction(1, 25))
"""The length of a picture in a format that has no rate of its own."""
NOT_MEDIA = frozenset({"tty", "srt", "webvtt", "ass", "lrc", "sami", "subviewer", "microdvd"})
"""Demuxers that accept plain text."""
PLAYLISTS = (b"#EXTM3U", b"ffconcat")
"""How files begin that only name others; FFmpeg would wait minutes for what it may not open."""
TIMING_PACKETS = 240
"""Packets looked at to tell variable from constant frame rate."""
MEAN_RATE_TOLERANCE = Fraction(1, 50)
"""Mean and nominal rate of a constant-rate file differ by less: a short tail, a dropped frame."""
TIMED = (StreamKind.VIDEO, StreamKind.AUDIO)
"""Kinds of streams that have a length of their own."""


def open_input(path: Path) -> InputContainer:
    """Open a local file, and nothing but local files: playlists cannot reach the network.

    Raises:
        UnreadableMedia: see `faults`.
    """
    if path.is_dir():
        raise UnreadableMedia(f"{path} is a folder", hint="name the recordings inside it")
    with reading(path):
        if path.stat().st_size == 0:
            raise UnreadableMedia(f"{path.name} is empty (0 bytes)", hint="copy the file again")
        if _is_playlist(path):
            raise UnreadableMedia(
                f"{path.name} is a playlist, not media", hint="name the recordings it lists"
            )
        return av.open(
            f"file:{path}", options={"protocol_whitelist": "file"}, metadata_errors="replace"
        )


def _is_playlist(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(16).removeprefix(b"\xef\xbb\xbf").startswith(PLAYLISTS)


def probe(path: Path, source_id: str) -> Source:
    """Describe the file's streams.

    Raises:
        UnreadableMedia: it cannot be opened, holds neither video nor audio, or has no length.
    """
    with open_input(path) as container, reading(path):
        if container.format.name in NOT_MEDIA:
            raise UnreadableMedia(
                f"{path.name} is text, not media",
                hint=f"a transcript goes beside its recording: `--transcript {path.name}`",
            )
        streams = tuple(_describe(stream) for stream in container.streams)
        streams = _with_lengths(container, _with_pictures(container, streams))
        source = Source(
            id=source_id,
            name=path.name,
            size_bytes=path.stat().st_size,
            container=container.format.name,
            duration=_duration(container, streams),
            start=Timestamp(container.start_time or 0),
            streams=streams,
            chapters=_chapters(container),
        )
    if not source.of_kind(StreamKind.VIDEO) and not source.of_kind(StreamKind.AUDIO):
        raise UnreadableMedia(f"{path.name} holds neither video nor audio")
    if source.duration <= ONE_PICTURE and source.container.endswith(STILL):
        raise UnreadableMedia(f"{path.name} is a picture, not a recording", hint="name a video")
    if source.duration <= ZERO:
        raise UnreadableMedia(
            f"{path.name} has no length: it holds no complete picture or sound",
            hint="the recording may have been cut off; copy or export it again",
        )
    return source


def last_packet_ends(path: Path, presentation: Presentation) -> Timestamp:
    """Where the last picture that is really in the file ends; nothing is decoded.

    Raises:
        UnreadableMedia: the file cannot be opened.
    """
    assert presentation.video is not None
    with open_input(path) as container, reading(path):
        stream = container.streams[presentation.video.index]
        ends = [
            Timestamp(packet.pts + (packet.duration or 0), packet.time_base)
            for packet in container.demux(stream)
            if packet.pts is not None and packet.size
        ]
    return max(ends, default=presentation.origin) - presentation.origin


def choose_streams(source: Source, audio_stream: str | None = None) -> Presentation:
    """Pick the video stream and the audio stream, and set the clock's zero.

    Args:
        source: the recording.
        audio_stream: a container index, a language tag, or None for the default stream.

    Raises:
        ConfigError: no audio stream matches `audio_stream`.
    """
    video = _preferred(source.of_kind(StreamKind.VIDEO))
    audio = _choose_audio(source, audio_stream)
    chosen = [stream for stream in (video, audio) if stream is not None]
    starts = [stream.start for stream in chosen if stream.start is not None]
    origin = min(starts, default=source.start)
    ends = [s.start + s.duration for s in chosen if s.start is not None and s.duration is not None]
    end = max(ends, default=origin + source.duration)
    return Presentation(source, video, audio, origin, end - origin)


def _choose_audio(source: Source, wanted: str | None) -> Stream | None:
    # Without a format FFmpeg has no decoder for it, as for the spatial tracks of some phones.
    candidates = tuple(s for s in source.of_kind(StreamKind.AUDIO) if s.audio is not None)
    if wanted is None:
        return _preferred(candidates)
    for stream in candidates:
        if wanted == str(stream.index):
            return stream
        if stream.language is not None and wanted.lower() == stream.language.lower():
            return stream
    listed = ", ".join(f"{s.index} ({s.language or 'no language'})" for s in candidates) or "none"
    raise ConfigError(
        f"{source.name} has no audio stream {wanted!r}; it has: {listed}",
        hint=f"`reelremix probe {source.name}` lists all streams",
    )


def _preferred(streams: Sequence[Stream]) -> Stream | None:
    return next((s for s in streams if s.is_default), streams[0] if streams else None)


def _describe(stream: Any) -> Stream:
    kind = StreamKind(stream.type) if stream.type in set(StreamKind) else StreamKind.OTHER
    audio = None
    if kind is StreamKind.AUDIO and stream.codec_context is not None:
        context = stream.codec_context
        audio = AudioFormat(context.sample_rate, context.channels, context.layout.name)
    context = getattr(stream, "codec_context", None)
    return Stream(
        index=stream.index,
        kind=kind,
        codec=context.name if context is not None else "unknown",
        language=_known_language(stream.language),
        title=stream.metadata.get("title"),
        is_default=bool(stream.disposition & Disposition.default),
        start=_moment(stream.start_time, stream.time_base),
        duration=_moment(stream.duration, stream.time_base),
        audio=audio,
        is_attached_picture=bool(stream.disposition & Disposition.attached_pic),
    )


def _known_language(tag: str | None) -> str | None:
    return None if tag in (None, "", "und") else tag


def _moment(ticks: int | None, time_base: Fraction | None) -> Timestamp | None:
    return None if ticks is None or time_base is None else Timestamp(ticks, time_base)


def _with_pictures(container: InputContainer, streams: tuple[Stream, ...]) -> tuple[Stream, ...]:
    """Add the facts about pictures that only a decoded frame tells."""
    completed = []
    for stream in streams:
        if stream.kind is StreamKind.VIDEO and not stream.is_attached_picture:
            described = _picture(container, container.streams[stream.index])
            stream = replace(stream, video=described)
        completed.append(stream)
    return tuple(completed)


def _picture(container: InputContainer, stream: Any) -> VideoFormat | None:
    rate = stream.guessed_rate or stream.average_rate or Fraction(25)
    irregular = _has_irregular_times(container, stream, rate)
    frame = _first_frame(container, stream)
    if frame is None:
        return None
    rotation = round(-frame.rotation) % 360
    ratio = stream.sample_aspect_ratio or Fraction(1)
    width, height = round(frame.width * ratio), frame.height
    if rotation % 180:
        width, height = height, width
    return VideoFormat(
        width_px=width,
        height_px=height,
        frame_rate=_nominal_rate(rate, stream.average_rate or rate) if irregular else rate,
        is_variable_rate=irregular,
        rotation_deg=rotation,
        is_hdr=frame.color_trc in HDR_TRANSFERS,
        pixel_format=frame.format.name,
        coded_width_px=frame.width,
        coded_height_px=frame.height,
        sample_aspect_ratio=ratio,
    )


def _nominal_rate(rate: Fraction, average: Fraction) -> Fraction:
    """The rate of a recording with irregular times: that of its pictures where most are there."""
    return rate if rate * MOST_FRAMES <= average <= rate else average


def _first_frame(container: InputContainer, stream: VideoStream) -> av.VideoFrame | None:
    container.seek(0)
    try:
        return next(container.decode(stream), None)
    except av.error.InvalidDataError:
        return None


def _has_irregular_times(container: InputContainer, stream: VideoStream, rate: Fraction) -> bool:
    """Whether frame spacing differs by more than the time base can explain."""
    times: list[int] = []
    for packet in container.demux(stream):
        if packet.pts is not None:
            times.append(packet.pts)
        if len(times) >= TIMING_PACKETS:
            break
    if len(times) < 3 or stream.time_base is None:
        return False
    average = stream.average_rate or rate
    if abs(average - rate) > rate * MEAN_RATE_TOLERANCE:
        return True  # regular at first, not later on
    times.sort()
    times = times[: max(3, len(times) - 8)]  # reordered frames may miss neighbours at the end
    tick = 1 / (rate * stream.time_base)
    steps = [later - earlier for earlier, later in itertools.pairwise(times)]
    return any(abs(step - tick) > max(Fraction(1), tick / 10) for step in steps)


def _duration(container: InputContainer, streams: Sequence[Stream]) -> Timestamp:
    """From the container's start to the last end of a stream."""
    begins = Timestamp(container.start_time or 0)
    ends = [(s.start or begins) + s.duration for s in streams if s.duration is not None]
    return max(ends) - begins if ends else Timestamp(container.duration or 0)


def _with_lengths(container: InputContainer, streams: tuple[Stream, ...]) -> tuple[Stream, ...]:
    """Lengths of streams that the container does not tell, from their last packets.

    Matroska tells one length for all, and muxers disagree on whether it includes the start.
    """
    unknown = {s.index for s in streams if s.duration is None and s.kind in TIMED}
    if not unknown or not container.duration:
        return streams
    container.seek((container.start_time or 0) + container.duration)
    ends: dict[int, Timestamp] = {}
    for packet in container.demux():
        if packet.pts is not None and packet.time_base is not None:
            end = Timestamp(packet.pts + (packet.duration or 0), packet.time_base)
            ends[packet.stream.index] = max(end, ends.get(packet.stream.index, end))
    begins = Timestamp(container.start_time or 0)
    return tuple(
        replace(s, duration=ends[s.index] - (s.start or begins))
        if s.index in unknown and s.index in ends
        else s
        for s in streams
    )


def _chapters(container: InputContainer) -> tuple[Chapter, ...]:
    found = []
    for chapter in container.chapters():
        base = Fraction(chapter["time_base"] or MICROSECONDS)
        found.append(
            Chapter(
                TimeRange(Timestamp(chapter["start"], base), Timestamp(chapter["end"], base)),
                chapter["metadata"].get("title", ""),
            )
        )
    return tuple(found)
