"""A manifest on disk whose clips can be edited: a talk that is known word by word, no recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

from reelremix.engine.captions.preset import load_preset
from reelremix.engine.domain.clip import Clip, OutputFormat
from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.layout import LayoutKind
from reelremix.engine.domain.source import Presentation, Source, Stream, StreamKind, VideoFormat
from reelremix.engine.domain.time import ZERO, TimeRange, Timestamp
from reelremix.engine.domain.track import Box, Sighting, Track
from reelremix.engine.domain.transcript import Transcript
from reelremix.engine.export.manifest import (
    FILE_NAME,
    Manifest,
    RunRecord,
    TranscriptRecord,
    manifest_to_bytes,
)
from reelremix.engine.export.names import slug
from reelremix.engine.framing import captions_of
from reelremix.engine.planning import clip_id, words_within
from reelremix.engine.stages.cuts import Spoken
from reelremix.engine.stages.frame import center_layout
from tests.engine.examples import SCORE
from tests.engine.stages.talk import dull, timed_talk

RATE = Fraction(25)
PICTURE = VideoFormat(1280, 720, RATE, False, 0, False, "yuv420p", 1280, 720)
OUTPUT = OutputFormat(1080, 1920, RATE)
LINES = 40
"""Sentences of the talk, one every five seconds."""
SOURCE = Source(
    id="ed" * 32,
    name="talk.mp4",
    size_bytes=1,
    container="mov,mp4",
    duration=Timestamp.from_seconds(5 * LINES),
    start=ZERO,
    streams=(
        Stream(0, StreamKind.VIDEO, "h264", None, None, True, ZERO, None, video=PICTURE),
        Stream(1, StreamKind.AUDIO, "aac", None, None, True, ZERO, None),
    ),
)
PRESENTATION = Presentation(SOURCE, SOURCE.streams[0], SOURCE.streams[1], ZERO, SOURCE.duration)
TALK: Transcript = timed_talk(dull(LINES), [1.0] * LINES)
SPANS = ((10.0, 30.0), (50.0, 75.0), (100.0, 120.0))
TRACKS = (
    Track(0, 0, (Sighting(Timestamp.from_seconds(10), Box(300, 200, 90, 120), 1.0),
                 Sighting(Timestamp.from_seconds(29), Box(300, 200, 90, 120), 1.0))),
    Track(1, 0, (Sighting(Timestamp.from_seconds(10), Box(900, 200, 90, 120), 1.0),
                 Sighting(Timestamp.from_seconds(29), Box(900, 200, 90, 120), 1.0))),
)  # fmt: skip


def nearest_frame(moment: Timestamp) -> Timestamp:
    """On the frames of a recording of 25 a second."""
    return Timestamp(round(moment.exact * RATE), 1 / RATE)


SPOKEN = Spoken(TALK.words, nearest_frame, SOURCE.duration)


@cache
def clip_of(rank: int, start_s: float, end_s: float, *, captions: bool = True) -> Clip:
    """A clip of the talk as `reelremix clip` would make it, the middle of the picture shown."""
    first = SPOKEN.first_from(Timestamp.from_seconds(start_s))
    last = SPOKEN.first_from(Timestamp.from_seconds(end_s)) - 1
    span = TimeRange(SPOKEN.before(first), SPOKEN.after(last))
    words = words_within(TALK, span)
    title = f"Clip number {rank}"
    layout = center_layout(span, PICTURE, OUTPUT)
    [piece] = layout.pieces
    clip = Clip(
        id=clip_id(SOURCE.id, (span,)), rank=rank, ranges=(span,),
        text=" ".join(w.text for w in words), words=words, title=title, description="",
        hashtags=("#talk",), slug=slug(title), score=SCORE, output=OUTPUT,
        layout=replace(layout, pieces=(replace(piece, kind=LayoutKind.SINGLE),)),
    )  # fmt: skip
    if not captions:
        return clip
    return replace(clip, captions=captions_of(clip, (), "bold", load_preset("bold")))


def reviewed(
    folder: Path,
    ctx: RunContext,
    spans: Sequence[tuple[float, float]] = SPANS,
    *,
    captions: bool = True,
) -> Path:
    """Write a manifest with such clips and tell the library of it; returns its path."""
    clips = tuple(clip_of(n, *span, captions=captions) for n, span in enumerate(spans, start=1))
    ctx.catalogue.save_source(SOURCE)
    ctx.catalogue.save_transcript(SOURCE.id, TALK)
    ctx.catalogue.save_clips(SOURCE.id, clips)
    run = RunRecord(0.0, (), None, "cpu", ())
    manifest = Manifest(
        "feed" * 8, {}, PRESENTATION, TranscriptRecord.of(TALK), run, clips, {}, TRACKS
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE_NAME
    path.write_bytes(manifest_to_bytes(manifest))
    return path
