"""The published form of a source: `reelremix probe --json`, version 1."""

from __future__ import annotations

from typing import Any

from reelremix.engine.domain.source import Source, Stream


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
        "chapters": [
            {"start_s": c.range.start_s, "end_s": c.range.end_s, "title": c.title}
            for c in source.chapters
        ],
    }


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
            "frame_rate": f"{v.frame_rate.numerator}/{v.frame_rate.denominator}",
            "variable_rate": v.is_variable_rate,
            "rotation_deg": v.rotation_deg,
            "hdr": v.is_hdr,
            "pixel_format": v.pixel_format,
        }
    if stream.audio is not None:
        a = stream.audio
        described |= {"rate_hz": a.rate_hz, "channels": a.channels, "layout": a.layout}
    return described
