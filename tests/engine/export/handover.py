"""Clips to hand over: at any rate, with every kind of layout, read from a manifest."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from reelremix.engine.domain.caption import Captions, Cue
from reelremix.engine.domain.clip import Clip, OutputFormat
from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.layout import Keyframe, Layout, LayoutKind, LayoutPiece, Region
from reelremix.engine.domain.request import ExportRequest
from reelremix.engine.domain.subject import Subject
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Box
from reelremix.engine.domain.transcript import Word
from reelremix.engine.export.clip_entry import clip_to_dict
from reelremix.engine.export.clip_reading import clips_from_dict
from reelremix.engine.export.exporters import find_exporter
from reelremix.engine.exporting import Chosen, ExportResult, export
from tests.engine.examples import SCORE
from tests.fakes import presented, run_context
from tests.media_factory import Film, Paint, plain, sound_of, tone, write_media

NTSC_FILM = Fraction(24000, 1001)
PAL = Fraction(25)
NTSC = Fraction(30000, 1001)
NTSC_FAST = Fraction(60000, 1001)
RATES = (NTSC_FILM, PAL, NTSC, NTSC_FAST)
SIZE = (320, 180)
OUTPUT = (180, 320)
TALL = Box(100, 0, 101.25, 180)
Range = tuple[int, int]


def recording(
    path: Path, rate: Fraction = PAL, seconds: float = 40, paint: Paint = plain, **film: Any
) -> Subject:
    """A recording with sound."""
    picture = Film(round(seconds * rate), paint, SIZE, rate, **film)
    write_media(path, picture, sound_of(tone(seconds)))
    return Subject(path, presented(path))


def ten_clips(
    rate: Fraction, first: Fraction = Fraction(0)
) -> tuple[list[list[Range]], list[Clip]]:
    """Ten clips of two to four ranges each, in frames and as a manifest tells them."""
    chance = random.Random(7)
    frames, clips = [], []
    for rank in range(1, 11):
        stops = sorted(chance.sample(range(0, int(38 * rate), 3), 2 * chance.randint(2, 4)))
        ranges = [(a, b + 1) for a, b in zip(stops[::2], stops[1::2], strict=True)]
        frames.append(ranges)
        clips.append(clip_on(ranges, rate, rank, first))
    return frames, clips


def clip_on(
    ranges: Sequence[Range],
    rate: Fraction,
    rank: int = 1,
    first: Fraction = Fraction(0),
    layout: Layout | None = None,
    **more: Any,
) -> Clip:
    """A clip on whole frames, rounded to microseconds; a layout of its own for each range."""
    spans = tuple(span_of(a, b, rate, first) for a, b in ranges)
    kinds = (moving, split, grid, fitted, inset)
    pieces = (kinds[(rank + n) % len(kinds)](span) for n, span in enumerate(spans))
    words = tuple(
        Word(f"word{n}", TimeRange.from_seconds(span.start_s + 0.02, span.start_s + 0.4))
        for n, span in enumerate(spans)
    )
    cues = tuple(Cue(word.range, ((n,),), (20, 240, 140, 40)) for n, word in enumerate(words))
    reasons = tuple(replace(r, range=words[-1].range) for r in SCORE.reasons)
    made = Clip(
        id=f"c0ffee{rank:06d}", rank=rank, ranges=spans, text="", words=words,
        title=f"Clip number {rank}", description="", hashtags=(), slug=f"clip-{rank}",
        score=replace(SCORE, reasons=reasons), output=OutputFormat(*OUTPUT, rate),
        layout=layout or Layout(tuple(pieces)),
        captions=Captions("bold", {"size": 0.05, "font": "Montserrat ExtraBold"}, cues),
    )  # fmt: skip
    return replace(made, **more)


def span_of(start: int, end: int, rate: Fraction, first: Fraction = Fraction(0)) -> TimeRange:
    """Frames as a manifest tells their time."""
    return TimeRange.from_seconds(
        *(Timestamp.from_seconds(first + frame / rate).seconds for frame in (start, end))
    )


def moving(span: TimeRange) -> LayoutPiece:
    """A camera that pans and zooms."""
    half = Timestamp.from_seconds((span.start.exact + span.end.exact) / 2)
    path = (
        Keyframe(span.start, Box(10, 0, 101.25, 180)),
        Keyframe(half, Box(150, 0, 101.25, 180)),
        Keyframe(span.end, Box(200, 40, 67.5, 120)),
    )
    return LayoutPiece(span, LayoutKind.SINGLE, (Region((0, 0, *OUTPUT), path, 1),))


def split(span: TimeRange) -> LayoutPiece:
    """Two people, one above the other."""
    upper = (
        Keyframe(span.start, Box(20, 10, 112.5, 100)),
        Keyframe(span.end, Box(60, 40, 112.5, 100)),
    )
    lower = (Keyframe(span.start, Box(190, 30, 118, 105)),)
    regions = Region((0, 0, 180, 160), upper, 1), Region((0, 160, 180, 160), lower, 2)
    return LayoutPiece(span, LayoutKind.SPLIT, regions)


def grid(span: TimeRange) -> LayoutPiece:
    """Four people."""
    corners = [(x, y) for y in (0, 90) for x in (0, 160)]
    regions = tuple(
        Region((x // 160 * 90, y // 90 * 160, 90, 160),
               (Keyframe(span.start, Box(x + 30.0, y + 5.0, 45.0, 80.0)),))
        for x, y in corners
    )  # fmt: skip
    return LayoutPiece(span, LayoutKind.GRID, regions)


def fitted(span: TimeRange) -> LayoutPiece:
    """The whole picture, on a background."""
    region = Region((0, 110, 180, 100), (Keyframe(span.start, Box(0, 0, 320, 178)),))
    return LayoutPiece(span, LayoutKind.FIT, (region,))


def inset(span: TimeRange) -> LayoutPiece:
    """A face over a screen."""
    whole = Region((0, 0, *OUTPUT), (Keyframe(span.start, TALL),))
    face = Region((90, 220, 80, 80), (Keyframe(span.start, Box(200, 60, 60, 60)),), 2)
    return LayoutPiece(span, LayoutKind.SCREEN, (whole, face), inset=True)


def as_read(clips: Sequence[Clip], **more: Any) -> dict[str, Any]:
    """A manifest with these clips."""
    source = {"name": "My talk.mp4", "id": "ab", "duration_s": 41.0, "width_px": 320,
              "height_px": 180, "frame_rate": "25/1", "audio_stream": 1}  # fmt: skip
    entries = [{**clip_to_dict(clip), "edits": []} for clip in clips]
    return {"version": 1, "options": {}, "source": source, "clips": entries} | more


def chosen(clips: Sequence[Clip], folder: Path, **more: Any) -> Chosen:
    """The clips as they are read from a manifest in a folder."""
    content, path = as_read(clips, **more), folder / "clips.json"
    return Chosen(path, content, clips_from_dict(content, path))


def exported(
    to: str,
    clips: Sequence[Clip],
    subject: Subject | None,
    folder: Path,
    ctx: RunContext | None = None,
    **request: Any,
) -> ExportResult:
    """Clips handed over."""
    asked = ExportRequest(str(folder), to, **request)
    return export(asked, find_exporter(to), chosen(clips, folder), subject, ctx or run_context())
