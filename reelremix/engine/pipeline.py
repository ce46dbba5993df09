"""The order of stages for one source, from recording to finished clips.

Each function is one step of a run: it takes what the steps before it made, looks for its own
artifact first, and leaves one behind. `library` strings them together for the faces.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Queue

import numpy as np
import psutil
from filelock import FileLock, Timeout

from reelremix.engine.captions.shaping import missing_glyphs
from reelremix.engine.choosing import Chosen, Draft
from reelremix.engine.domain.clip import Clip, OutputFormat
from reelremix.engine.domain.context import Decision, RunContext
from reelremix.engine.domain.events import (
    ClipPlanned,
    StageFinished,
    StageProgress,
    StageStarted,
    Waiting,
    Warned,
)
from reelremix.engine.domain.layout import Layout
from reelremix.engine.domain.mix import Censor, Mix, Music
from reelremix.engine.domain.request import (
    ClipRequest,
    FrameOptions,
    SoundOptions,
)
from reelremix.engine.domain.spacing import join_words
from reelremix.engine.domain.subject import Subject
from reelremix.engine.domain.tightening import Tighten
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.track import Box, Track
from reelremix.engine.domain.transcript import Transcript, Word
from reelremix.engine.export.manifest import renumbered
from reelremix.engine.export.names import slug
from reelremix.engine.media.audio import SPEECH, read_pcm
from reelremix.engine.media.compose import box_at
from reelremix.engine.media.decode import FrameReader
from reelremix.engine.media.probe import choose_streams
from reelremix.engine.models.faces import BlazeFace, FaceDetector
from reelremix.engine.music import music_of, remember
from reelremix.engine.options import FACE_MODEL, output_format, own_words
from reelremix.engine.stages.artifact import load, save, stage
from reelremix.engine.stages.caption import plan_captions
from reelremix.engine.stages.censor import WordList, censored, word_list
from reelremix.engine.stages.frame import center_layout, frame_range
from reelremix.engine.stages.hesitations import listened
from reelremix.engine.stages.ingest import ingest
from reelremix.engine.stages.joins import kept_layout
from reelremix.engine.stages.look import Look, look, look_key
from reelremix.engine.stages.mixing import fades_for
from reelremix.engine.stages.place import place_captions
from reelremix.engine.stages.tighten import Tight, tighten
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


@dataclass(frozen=True, slots=True)
class Finishing:
    """What is done to the sound of every clip, and which words are kept from it."""

    options: SoundOptions
    music: Music | None
    words: WordList

    @classmethod
    def of(cls, options: SoundOptions, language: str | None, ctx: RunContext) -> Finishing:
        """Read the files that the options name. Raises ConfigError and UnreadableMedia."""
        found = music_of(options)
        if found is not None:
            remember(*found, ctx)
        heard = options.censor is not Censor.OFF
        words = word_list(language, own_words(options)) if heard else WordList()
        return cls(options, found[0] if found is not None else None, words)

    def applied(self, clip: Clip) -> Clip:
        """The clip with its sound decided and its words masked."""
        options = self.options
        mix = Mix(options.denoise, options.voice_level, self.music, fades_for(clip))
        return censored(replace(clip, mix=mix), options.censor, self.words)


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
    spans = _on_frames([draft.range for draft in chosen.drafts], subject)
    kept = shortened(spans, transcript, request.tighten, subject, ctx)
    hulls = [TimeRange(tight.ranges[0].start, tight.ranges[-1].end) for tight in kept]
    looks = see(hulls, request.frame, subject, ctx)
    finishing = Finishing.of(request.sound, transcript.language, ctx)
    clips: list[Clip] = []
    tracks: list[Track] = []
    shown: dict[str, float | None] = {}
    with stage(ctx, "frame"):
        for number, (draft, tight, seen) in enumerate(
            zip(chosen.drafts, kept, looks, strict=True), start=1
        ):
            ctx.cancel.raise_if_set()
            clip = _decided(number, draft, tight, seen, request, subject, output, finishing)
            shown[clip.id] = speaker_in_frame(clip.layout, seen.tracks if seen else ())
            clip, own = renumbered(clip, seen.tracks if seen else (), len(tracks))
            clips.append(clip)
            tracks += own
            ctx.reporter.emit(ClipPlanned(clip.id, clip.rank, clip.title, clip.duration_s))
    ctx.catalogue.save_clips(subject.source.id, clips)
    _record_proposals(clips, ctx)
    _warn_of_missing_letters(clips, ctx)
    return Plan(tuple(clips), tuple(tracks), shown)


def _record_proposals(clips: Sequence[Clip], ctx: RunContext) -> None:
    """Begin the list of decisions about each clip that is proposed for the first time."""
    for clip in clips:
        if not ctx.catalogue.decisions(clip.id):
            detail = {"rank": clip.rank, "total": clip.score.total if clip.score else None}
            ctx.catalogue.record(Decision(clip.id, PROPOSED, detail, round(time.time(), 3)))


def _warn_of_missing_letters(clips: Sequence[Clip], ctx: RunContext) -> None:
    texts = {
        (word.text, str(clip.captions.style["font"]))
        for clip in clips
        if clip.captions is not None
        for word in clip.words
    }
    missing = sorted({letter for text, font in texts for letter in missing_glyphs(text, font)})
    if missing:
        shown = " ".join(missing[:LETTERS_NAMED]) + (" ..." if missing[LETTERS_NAMED:] else "")
        ctx.reporter.emit(Warned(f"no font here has {shown}; captions leave that out", FONT_HINT))


def see(
    spans: Sequence[TimeRange], options: FrameOptions, subject: Subject, ctx: RunContext
) -> list[Look | None]:
    """Shots and faces of each range; None throughout when faces are switched off."""
    if not options.faces or not spans:
        return [None] * len(spans)
    began = time.monotonic()
    ctx.reporter.emit(StageStarted("look"))
    keys = [look_key(ctx, subject.presentation, span, FACE_MODEL) for span in spans]
    looks = [load(ctx, key, Look) for key in keys]
    missing = [number for number, seen in enumerate(looks) if seen is None]
    for number, seen in _looked([spans[n] for n in missing], subject, ctx):
        looks[missing[number]] = seen
        save(ctx, keys[missing[number]], seen)
        done = len(spans) - looks.count(None)
        ctx.reporter.emit(StageProgress("look", done, len(spans), "clips"))
    ctx.reporter.emit(StageFinished("look", round(time.monotonic() - began, 3), not missing))
    return looks


def _looked(
    spans: Sequence[TimeRange], subject: Subject, ctx: RunContext
) -> Iterator[tuple[int, Look]]:
    """Looks at ranges side by side, in no order: one decoder alone leaves cores idle."""
    if not spans:
        return
    workers = min(len(spans), MOST_LOOKERS, psutil.cpu_count(logical=False) or 1)
    detectors: Queue[FaceDetector] = Queue()
    for _ in range(workers):  # here, because loading one hides this process's stderr for a moment
        detectors.put(BlazeFace(ctx.models.folder(FACE_MODEL)))

    def look_at(span: TimeRange) -> Look:
        detector = detectors.get()
        try:
            return look(subject.path, subject.presentation, span, detector, ctx)
        finally:
            detectors.put(detector)

    with ThreadPoolExecutor(workers, "look") as pool:
        waiting = {pool.submit(look_at, span): number for number, span in enumerate(spans)}
        try:
            for finished in as_completed(waiting):
                yield waiting[finished], finished.result()
        finally:
            pool.shutdown(cancel_futures=True)


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
    tight: Tight,
    seen: Look | None,
    request: ClipRequest,
    subject: Subject,
    output: OutputFormat,
    finishing: Finishing,
) -> Clip:
    picture = subject.presentation.picture
    hull = TimeRange(tight.ranges[0].start, tight.ranges[-1].end)
    layout = frame_range(seen, picture, output) if seen else center_layout(hull, picture, output)
    layout = kept_layout(layout, tight.ranges)
    title = draft.description.title or f"{Path(subject.source.name).stem} {number}"
    is_shorter = tight.tightened is not None and any(r.text for r in tight.tightened.removed)
    clip = Clip(
        id=clip_id(subject.source.id, tight.ranges),
        rank=number,
        ranges=tight.ranges,
        text=join_words(w.text for w in tight.words) if is_shorter else draft.text,
        words=tight.words,
        title=title,
        description=draft.description.text,
        hashtags=draft.description.hashtags,
        slug=slug(title),
        score=draft.score,
        output=output,
        layout=layout,
        judge=draft.judge,
        match=draft.match,
        tightened=tight.tightened,
    )
    clip = finishing.applied(clip)
    if not request.captions:
        return clip
    captions = plan_captions(clip.words, clip.ranges, output, request.captions)
    tracks = seen.tracks if seen else ()
    return replace(clip, captions=place_captions(captions, layout, tracks, output))


def shortened(
    spans: Sequence[TimeRange],
    transcript: Transcript,
    level: Tighten,
    subject: Subject,
    ctx: RunContext,
) -> list[Tight]:
    """What is kept of each span; all of it where nothing is to be cut out or nothing is heard."""
    presentation = subject.presentation
    if level is Tighten.OFF or presentation.audio is None:
        return [Tight((span,), words_within(transcript, span), None) for span in spans]
    kept = []
    with stage(ctx, "tighten"), FrameReader(subject.path, presentation) as reader:
        for span in spans:
            ctx.cancel.raise_if_set()
            pieces = list(read_pcm(subject.path, presentation, span, SPEECH))
            words = words_within(transcript, span)
            stretch = listened(span, words, np.concatenate(pieces, axis=1), transcript)
            kept.append(tighten(stretch, level, reader.snap))
    return kept


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
