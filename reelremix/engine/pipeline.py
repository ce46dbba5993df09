"""The order of stages for one source, from recording to finished clips.

Each function is one step of a run: it takes what the steps before it made, looks for its own
artifact first, and leaves one behind. `library` strings them together for the faces.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from reelremix.engine.captions.brand import with_own_font
from reelremix.engine.captions.shaping import missing_glyphs
from reelremix.engine.captions.style import from_dict
from reelremix.engine.choosing import Chosen, Draft
from reelremix.engine.domain.clip import Clip, OutputFormat
from reelremix.engine.domain.context import Decision, RunContext
from reelremix.engine.domain.events import (
    ClipPlanned,
    Waiting,
    Warned,
)
from reelremix.engine.domain.layout import Framing, Layout
from reelremix.engine.domain.request import (
    ClipRequest,
)
from reelremix.engine.domain.subject import Subject
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.track import Box, Track
from reelremix.engine.domain.transcript import Transcript, Word
from reelremix.engine.export.manifest import renumbered
from reelremix.engine.export.names import slug
from reelremix.engine.media.compose import box_at
from reelremix.engine.media.decode import FrameReader
from reelremix.engine.media.probe import choose_streams
from reelremix.engine.options import output_format
from reelremix.engine.seeing import Framed, framed, see
from reelremix.engine.stages.artifact import stage
from reelremix.engine.stages.branding import Dress, check_platform, dress_of, title_card_of
from reelremix.engine.stages.caption import legible, plan_captions
from reelremix.engine.stages.ingest import ingest
from reelremix.engine.stages.look import Look
from reelremix.engine.stages.place import place_captions
from reelremix.errors import (
    ConfigError,
    NoVideoStream,
    UnreadableMedia,
)

MOST_LOOKERS = 4
"""Ranges looked at side by side."""
PROPOSED = "proposed"
"""The kind of a clip's first decision."""
LETTERS_NAMED = 8
FONT_HINT = "install a font that has these letters, such as Debian's fonts-noto-cjk"
SPEAKER_SHOWN = 0.75
"""Share of a face that must be inside a region for its owner to count as shown."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Clips with everything decided."""

    clips: tuple[Clip, ...]
    tracks: tuple[Track, ...]
    speaker_in_frame: dict[str, float | None]
    """By clip id."""


@contextmanager
def prepared(source: str, audio_stream: str | None, ctx: RunContext) -> Iterator[Subject]:
    """The recording with its streams chosen, and its bytes within reach while the block runs.

    Raises:
        UnreadableMedia: it cannot be read.
        ConfigError: it has no such audio stream.
    """
    described = ingest(Path(source), ctx)
    with ctx.sources.open(described.id) as path:
        yield Subject(path, choose_streams(described, audio_stream))


@contextmanager
def reopened(source_id: str, audio_stream: str | None, ctx: RunContext) -> Iterator[Subject]:
    """The same for a recording that is known by its content.

    Raises:
        UnreadableMedia: it is not known here, or no longer where it was.
        ConfigError: it has no such audio stream.
    """
    described = ctx.catalogue.source(source_id)
    if described is None:
        raise UnreadableMedia(f"the source {source_id[:12]} is not known here")
    with ctx.sources.open(source_id) as path:
        yield Subject(path, choose_streams(described, audio_stream))


def alone_on(source_id: str, ctx: RunContext) -> AbstractContextManager[None]:
    """Hold the source for this run; a second run waits, and says so."""
    reason = "another run is working on this source"
    return _alone(f"{ctx.owner}-{source_id[:32]}", reason, ctx)


def alone_in(folder: Path, ctx: RunContext) -> AbstractContextManager[None]:
    """Hold the choice of folders inside an output folder, for the moment that it takes."""
    name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:32]
    return _alone(f"folder-{name}", f"another run is choosing its folder in {folder}", ctx)


@contextmanager
def _alone(name: str, reason: str, ctx: RunContext) -> Iterator[None]:
    if ctx.lock_dir is None:
        yield
        return
    ctx.lock_dir.mkdir(parents=True, exist_ok=True)
    lock = FileLock(ctx.lock_dir / f"{name}.lock")
    told = False
    while True:
        try:
            lock.acquire(timeout=0.1)
            break
        except Timeout:
            if not told:
                ctx.reporter.emit(Waiting(reason))
                told = True
            ctx.cancel.raise_if_set()
    try:
        yield
    finally:
        lock.release()


def plan(
    chosen: Chosen, transcript: Transcript, request: ClipRequest, subject: Subject, ctx: RunContext
) -> Plan:
    """Decide picture and captions of every chosen moment."""
    output = output_format(request.frame, request.encode, subject.presentation.picture)
    dress = asked_dress(request, ctx)
    spans = _on_frames([draft.range for draft in chosen.drafts], subject)
    looks = see(spans, request.frame, subject, ctx)
    clips: list[Clip] = []
    tracks: list[Track] = []
    shown: dict[str, float | None] = {}
    with stage(ctx, "frame"):
        for number, (draft, span, seen) in enumerate(
            zip(chosen.drafts, spans, looks, strict=True), start=1
        ):
            ctx.cancel.raise_if_set()
            clip, own = _decided(
                number, draft, span, seen, transcript, request, subject, output, dress
            )
            shown[clip.id] = speaker_in_frame(clip.layout, own)
            clip, own = renumbered(clip, own, len(tracks))
            clips.append(clip)
            tracks += own
            ctx.reporter.emit(ClipPlanned(clip.id, clip.rank, clip.title, clip.duration_s))
    ctx.catalogue.save_clips(subject.source.id, clips)
    _record_proposals(clips, ctx)
    _warn_of_missing_letters(clips, ctx)
    return Plan(tuple(clips), tuple(tracks), shown)


def asked_dress(request: ClipRequest, ctx: RunContext) -> Dress:
    """Captions and brand kit that a request asks for. Raises ConfigError."""
    check_platform(request.platform)
    return dress_of(
        request.captions,
        request.brand,
        ctx.presets_dir,
        emoji=request.emoji,
        platform=request.platform,
    )


def _record_proposals(clips: Sequence[Clip], ctx: RunContext) -> None:
    """Begin the list of decisions about each clip that is proposed for the first time."""
    for clip in clips:
        if not ctx.catalogue.decisions(clip.id):
            detail = {"rank": clip.rank, "total": clip.score.total if clip.score else None}
            ctx.catalogue.record(Decision(clip.id, PROPOSED, detail, round(time.time(), 3)))


def _warn_of_missing_letters(clips: Sequence[Clip], ctx: RunContext) -> None:
    texts = {
        (word.text, _font_of(clip))
        for clip in clips
        if clip.captions is not None
        for word in clip.words
        if word.text
    }
    missing = sorted({letter for text, font in texts for letter in missing_glyphs(text, font)})
    if missing:
        shown = " ".join(missing[:LETTERS_NAMED]) + (" ..." if missing[LETTERS_NAMED:] else "")
        ctx.reporter.emit(Warned(f"no font here has {shown}; captions leave that out", FONT_HINT))


def _font_of(clip: Clip) -> str:
    """The captions' font, as its place where it is a file."""
    assert clip.captions is not None
    style = from_dict(clip.captions.style)
    return with_own_font(style, clip.brand.assets if clip.brand else ()).font


def speaker_in_frame(layout: Layout, tracks: Sequence[Track]) -> float | None:
    """Share of the speaker's sightings that a region shows; None when nobody was seen."""
    by_id = {track.id: track for track in tracks}
    seen = shown = 0
    for entry in layout.speaking:
        if entry.track is None:
            continue
        track = by_id.get(entry.track)
        for sighting in track.sightings if track is not None else ():
            if not entry.range.contains(sighting.at):
                continue
            pieces = (p for p in layout.pieces if p.range.contains(sighting.at))
            boxes = [box_at(r.path, sighting.at) for p in pieces for r in p.regions]
            seen += 1
            shown += any(_is_shown(sighting.box, box) for box in boxes)
    return round(shown / seen, 3) if seen else None


def require_video(subject: Subject) -> None:
    """Raise NoVideoStream for a recording that has only sound."""
    if subject.presentation.video is None or subject.presentation.video.video is None:
        raise NoVideoStream(
            f"{subject.source.name} has no video stream, so there is nothing to frame",
            hint="`reelremix transcribe` and `reelremix score` work with sound alone",
        )


def _decided(
    number: int,
    draft: Draft,
    span: TimeRange,
    seen: Look | None,
    transcript: Transcript,
    request: ClipRequest,
    subject: Subject,
    output: OutputFormat,
    dress: Dress,
) -> tuple[Clip, tuple[Track, ...]]:
    picture = subject.presentation.picture
    words = legible(words_within(transcript, span))
    shown = framed(seen, span, words, picture, output, request.frame.layout)
    captions = None
    if dress.preset is not None:
        captions = plan_captions(words, (span,), output, dress.preset, style=dress.style)
    title = draft.description.title or f"{Path(subject.source.name).stem} {number}"
    clip = Clip(
        id=clip_id(subject.source.id, (span,)),
        rank=number,
        ranges=(span,),
        text=draft.text,
        words=words,
        title=title,
        description=draft.description.text,
        hashtags=draft.description.hashtags,
        slug=slug(title),
        score=draft.score,
        output=output,
        layout=shown.layout,
        framing=Framing(request.frame.layout, request.frame.layout),
        captions=captions,
        judge=draft.judge,
        match=draft.match,
        brand=dress.brand,
        subtitles=request.subtitles,
    )
    return _placed(clip, shown), shown.tracks


def _placed(clip: Clip, shown: Framed) -> Clip:
    """The clip with its captions off faces, off text in the picture and off its title card."""
    if clip.captions is None:
        return clip
    captions = place_captions(
        clip.captions,
        clip.layout,
        shown.tracks,
        clip.output,
        clip.layout.occupied,
        drawn=title_card_of(clip),
    )
    return replace(clip, captions=captions)


def clip_id(source_id: str, ranges: Sequence[TimeRange]) -> str:
    """Twelve hexadecimal digits that depend on the source and the kept ranges alone."""
    spans = ";".join(f"{r.start.exact}-{r.end.exact}" for r in ranges)
    return hashlib.sha256(f"{source_id}:{spans}".encode()).hexdigest()[:12]


def words_within(transcript: Transcript, span: TimeRange) -> tuple[Word, ...]:
    """The words whose middle is heard in the range."""
    return tuple(
        word
        for word in transcript.timed_words
        if span.start_s <= (word.range.start_s + word.range.end_s) / 2 < span.end_s
    )


def _on_frames(ranges: Sequence[TimeRange], subject: Subject) -> list[TimeRange]:
    """The ranges with their ends on the nearest frame boundaries of the source."""
    if not ranges:
        return []
    with FrameReader(subject.path, subject.presentation) as reader:
        spans = [TimeRange(reader.snap(r.start), reader.snap(r.end)) for r in ranges]
    for asked, span in zip(ranges, spans, strict=True):
        if span.end <= span.start:
            raise ConfigError(
                f"the range {asked.start_s:g}-{asked.end_s:g} is shorter than a frame"
            )
        if spans.count(span) > 1:
            raise ConfigError(f"the range {asked.start_s:g}-{asked.end_s:g} is given twice")
    return spans


def _is_shown(face: Box, region: Box) -> bool:
    return face.overlap(region) >= SPEAKER_SHOWN * face.area
