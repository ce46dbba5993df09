"""Streams that came in several files, in one: copied as they are, nothing is encoded anew."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import av

from reelremix.engine.domain.context import CancelToken
from reelremix.engine.media.faults import encoding, reading
from reelremix.engine.media.probe import open_input

IN_MP4 = frozenset({"h264", "hevc", "av1", "vp9", "aac", "mp3", "opus", "ac3", "eac3", "flac"})
"""What players expect in an MP4 file; anything else goes into Matroska."""


def suffix_for(parts: Sequence[Path]) -> str:
    """The kind of file that holds all streams of the parts. Raises UnreadableMedia."""
    codecs = set()
    for part in parts:
        with open_input(part) as container, reading(part):
            codecs |= {stream.codec_context.name for stream in _timed(container)}
    return ".mp4" if codecs <= IN_MP4 else ".mkv"


def remux(parts: Sequence[Path], target: Path, form: str, cancel: CancelToken) -> None:
    """Write the first picture and the first sound of the parts into one file.

    Args:
        parts: where the streams are; what an earlier part has is not taken from a later one.
        target: the file to write.
        form: `.mp4` or `.mkv`.
        cancel: looked at before every packet.

    Raises:
        UnreadableMedia: a part cannot be read.
        RenderError: the streams do not fit the file.
        Cancelled: the user asked to stop.
    """
    name = {".mp4": "mp4", ".mkv": "matroska"}[form]
    options = {"movflags": "faststart"} if name == "mp4" else {}
    with ExitStack() as stack:
        inputs = [(part, stack.enter_context(open_input(part))) for part in parts]
        output = stack.enter_context(av.open(str(target), "w", format=name, options=options))
        taken: dict[str, tuple[Path, Any]] = {}
        for part, container in inputs:
            for stream in _timed(container):
                taken.setdefault(stream.type, (part, stream))
        with encoding(target.name):
            sources = [
                _packets(part, stream, output.add_stream_from_template(stream))
                for part, stream in taken.values()
            ]
            for _, _, packet in heapq.merge(*sources, key=lambda found: found[:2]):
                cancel.raise_if_set()
                output.mux(packet)


def _timed(container: Any) -> list[Any]:
    return [s for s in container.streams if s.type in ("video", "audio")]


def _packets(part: Path, stream: Any, target: Any) -> Iterator[tuple[float, int, Any]]:
    """The packets of a stream with their times, on their way into another."""
    with reading(part):
        for packet in stream.container.demux(stream):
            if packet.dts is None:
                continue
            at = float(packet.dts * packet.time_base)
            packet.stream = target
            yield at, target.index, packet
