"""The published form of a source: `reelremix probe --json`, version 1."""

from __future__ import annotations

from typing import Any

from reelremix.engine.domain.source import Chapter, Source, Stream
from reelremix.engine.export.times import range_to_dict, rate_to_text


def source_to_dict(source: Source) -> dict[str, Any]:
    """Times in seconds on the container's own clock."""
    return {
        "version": 1,
        "id": source.id,
        "name": source.name,
        "size_bytes": source.size_bytes,
        "container": source.container,
        "start_s": source.start.seconds,
        "duration_s": source.duration.seconds,
        "streams": [_stream(stream) for stream in source.streams],
        "chapters": [chapter_to_dict(chapter) for chapter in source.chapters],
    }


def chapter_to_dict(chapter: Chapter) -> dict[str, Any]:
    """A stretch with its title."""
    return {**range_to_dict(chapter.range), "title": chapter.title}


def _stream(stream: Stream) -> dict[str, Any]:
    described: dict[str, Any] = {
        "index": stream.index,
        "kind": stream.kind.value,
        "codec": stream.codec,
        "language": stream.language,
        "title": stream.title,
        "default": stream.is_default,
        "attached_picture": stream.is_attached_picture,
        "start_s": stream.start.seconds if stream.start else None,
        "duration_s": stream.duration.seconds if stream.duration else None,
    }
    if stream.video is not None:
        v = stream.video
        described |= {
            "width_px": v.width_px,
            "height_px": v.height_px,
            "frame_rate": rate_to_text(v.frame_rate),
            "variable_rate": v.is_variable_rate,
            "rotation_deg": v.rotation_deg,
            "hdr": v.is_hdr,
            "pixel_format": v.pixel_format,
        }
    if stream.audio is not None:
        a = stream.audio
        described |= {"rate_hz": a.rate_hz, "channels": a.channels, "layout": a.layout}
    return described
