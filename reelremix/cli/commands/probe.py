"""`reelremix probe`: what a recording holds."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from reelremix.cli import options, output
from reelremix.cli.run import CommandRun, listener_for

if TYPE_CHECKING:
    from reelremix.engine.domain.source import Stream


def probe(source: options.Source, as_json: options.Json = False) -> None:
    """Show the streams, rates and chapters of SOURCE."""
    run = CommandRun()
    found = run.job(partial(run.library.probe, source), listener_for(None, quiet=True))
    if as_json:
        from reelremix.engine.export.source import source_to_dict

        output.show_json(source_to_dict(found))
        return
    output.show_text(f"{found.name}  {output.clock(found.duration.seconds)}  {found.container}")
    output.show_text(f"id {found.id}")
    columns = [("stream", "right"), ("kind", "left"), ("codec", "left"), ("language", "left"),
               ("start", "right"), ("detail", "wrap")]  # fmt: skip
    output.show_table(columns, [_row(stream) for stream in found.streams])
    for chapter in found.chapters:
        start = output.clock(chapter.range.start_s)
        output.show_text(f"chapter {start}  {chapter.title}")


def _row(stream: Stream) -> tuple[str, ...]:
    start = f"{stream.start.seconds:.3f} s" if stream.start else "–"
    kind = stream.kind.value + (" (default)" if stream.is_default else "")
    return (
        str(stream.index), kind, stream.codec, stream.language or "–", start, _detail(stream)
    )  # fmt: skip


def _detail(stream: Stream) -> str:
    if stream.video is not None:
        v = stream.video
        rate = f"{float(v.frame_rate):.3f} fps" + (" (variable)" if v.is_variable_rate else "")
        extras = [f"rotated {v.rotation_deg}°"] if v.rotation_deg else []
        extras += ["HDR"] if v.is_hdr else []
        return ", ".join([f"{v.width_px}x{v.height_px}", rate, v.pixel_format, *extras])
    if stream.audio is not None:
        return f"{stream.audio.rate_hz} Hz, {stream.audio.layout}"
    return stream.title or ""
