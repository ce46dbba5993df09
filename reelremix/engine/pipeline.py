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
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

import psutil
from filelock import FileLock, Timeout

from reelremix.engine.captions.shaping import missing_glyphs
from reelremix.engine.domain.candidate import Candidate, Rejection, Score
from reelremix.engine.domain.clip import Clip, OutputFormat
from reelremix.engine.domain.context import Decision, RunContext
from reelremix.engine.domain.events import (
    CandidateScored,
    ClipPlanned,
    StageFinished,
    StageProgress,
    StageStarted,
    Waiting,
    Warned,
)
from reelremix.engine.domain.layout import Layout
from reelremix.engine.domain.request import (
    ClipRequest,
    FrameOptions,
    SelectOptions,
    TranscribeOptions,
)
from reelremix.engine.domain.sentence import Sentence
from reelremix.engine.domain.subject import Subject
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.track import Box, Track
from reelremix.engine.domain.transcript import Transcript, Word
from reelremix.engine.export.manifest import renumbered
from reelremix.engine.export.names import slug
from reelremix.engine.export.transcript import read_transcript
from reelremix.engine.media.compose import box_at
from reelremix.engine.media.decode import FrameReader
from reelremix.engine.media.probe import choose_streams
from reelremix.engine.memory import give_back_freed_memory
from reelremix.engine.models.faces import BlazeFace, FaceDetector
from reelremix.engine.models.sentences import MINILM, MiniLm, Vectors
from reelremix.engine.models.whisper import ModelChoice, choose_whisper
from reelremix.engine.options import FACE_MODEL, output_format, require_audio
from reelremix.engine.stages.artifact import load, save, staged
from reelremix.engine.stages.caption import plan_captions
from reelremix.engine.stages.describe import Description, describe_candidates
from reelremix.engine.stages.frame import center_layout, frame_range
from reelremix.engine.stages.ingest import ingest
from reelremix.engine.stages.lexicon import tokenize
from reelremix.engine.stages.look import Look, look, look_key
from reelremix.engine.stages.meaning import sentence_vectors
from reelremix.engine.stages.place import place_captions
from reelremix.engine.stages.propose import propose_candidates, split_sentences
from reelremix.engine.stages.score import may_use_meaning, score_candidates
from reelremix.engine.stages.select import Selection, select_clips
from reelremix.engine.stages.signals import choose_lexicon
from reelremix.engine.stages.transcribe import transcribe, transcript_key
from reelremix.errors import (
    ConfigError,
    ModelError,
    ModelNotInstalled,
    NothingToClip,
    NoVideoStream,
    UnreadableMedia,
)

AVERAGE = 0.0
"""The rank value of a source's average stretch: `clip` keeps nothing below."""
UNRANKED = "moments are chosen by wording alone, not by meaning: model 'minilm' is not installed"
END_SLACK_S = 0.5
"""Transcripts may be this much longer than their recording: times are rounded, streams differ."""
MOST_LOOKERS = 4
"""Ranges looked at side by side."""
PROPOSED = "proposed"
"""The kind of a clip's first decision."""
LETTERS_NAMED = 8
FONT_HINT = "install a font that has these letters, such as Debian's fonts-noto-cjk"
SPEAKER_SHOWN = 0.75
"""Share of a face that must be inside a region for its owner to count as shown."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What is said, and where that was found out."""

    transcript: Transcript
    device: str
    """`cpu` or `cuda`: what the model ran on, in this run or in the one that is repeated."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A chosen moment before anything is known of its picture."""

    range: TimeRange
    text: str
    description: Description
    score: Score | None


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which moments become clips."""

    drafts: tuple[Draft, ...]
    rejected: tuple[Rejection, ...]
    notice: str | None


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


def hear(subject: Subject, options: TranscribeOptions, ctx: RunContext) -> Heard:
    """What is said: from the transcript that was given, or by listening.

    Raises:
        NoAudioStream: there is nothing to listen to.
        ModelNotInstalled: the model is not on this machine.
    """
    if options.transcript is not None:
        return Heard(read_given(options), "cpu")
    require_audio(subject)
    choice = choose_whisper(options.model, options.device, ctx.models)
    try:
        transcript = _listened(choice, subject, options, ctx)
    except ModelError as exc:
        if options.device != "auto" or choice.transcriber.device == "cpu":
            raise
        ctx.reporter.emit(Warned(f"{exc.message}; going on with the CPU", exc.hint))
        choice = choose_whisper(options.model, "cpu", ctx.models)
        transcript = _listened(choice, subject, options, ctx)
    device = choice.transcriber.device
    del choice  # the weights, before what they took is given back
    give_back_freed_memory()
    ctx.catalogue.save_transcript(subject.source.id, transcript)
    return Heard(transcript, device)


def _listened(
    choice: ModelChoice, subject: Subject, options: TranscribeOptions, ctx: RunContext
) -> Transcript:
    if choice.notice:
        ctx.reporter.emit(Warned(choice.notice, "`reelremix models list` shows what can be added"))
    transcriber = choice.transcriber
    return staged(
        ctx,
        "transcribe",
        transcript_key(ctx, subject.presentation, options, transcriber.identity),
        Transcript,
        lambda: transcribe(subject.path, subject.presentation, options, transcriber, ctx),
        detail=choice.detail,
    )


def rank(
    transcript: Transcript, options: SelectOptions, duration_s: float | None, ctx: RunContext
) -> tuple[tuple[Sentence, ...], list[Candidate]]:
    """Every stretch that could be a clip, scored."""
    with stage(ctx, "propose"):
        sentences = split_sentences(transcript)
        candidates = propose_candidates(
            sentences, options.min_s, options.max_s, duration_s=duration_s
        )
        if duration_s is not None:  # a transcript that was given may go on behind the end
            candidates = [c for c in candidates if c.range.end_s <= duration_s + END_SLACK_S]
    vectors = _meaning(sentences, transcript.language, ctx) if candidates else None
    with stage(ctx, "score"):
        scored = score_candidates(candidates, sentences, transcript, vectors)
    return sentences, scored


def _meaning(
    sentences: Sequence[Sentence], language: str | None, ctx: RunContext
) -> Vectors | None:
    """What each sentence means; None where the ranking cannot use it."""
    lexicon = choose_lexicon(language, (tokenize(s.text) for s in sentences))
    if not may_use_meaning(sentences, lexicon):
        return None
    try:
        folder = ctx.models.folder(MINILM)
    except ModelNotInstalled:
        ctx.reporter.emit(
            Warned(UNRANKED, f"`reelremix models install {MINILM}` finds better ones")
        )
        return None
    return sentence_vectors(sentences, MiniLm(folder), ctx)


def select_scored(candidates: Sequence[Candidate], count: int, language: str | None) -> Selection:
    """The ranking that `score` shows: as many as asked where the material allows."""
    return select_clips(candidates, count, language=language)


def choose(
    transcript: Transcript, options: SelectOptions, subject: Subject, ctx: RunContext
) -> Chosen:
    """The moments to clip: the given ranges, or the best set above the floor."""
    if options.ranges:
        return _given(transcript, options.ranges, subject)
    end_s = subject.presentation.picture_end.seconds
    sentences, candidates = rank(transcript, options, end_s, ctx)
    with stage(ctx, "select"):
        selection = select_clips(
            candidates, options.count, floor=AVERAGE, language=transcript.language
        )
    described = describe_candidates(selection.chosen, sentences, transcript)
    for candidate in selection.chosen:
        total = candidate.score.total if candidate.score else None
        ctx.reporter.emit(CandidateScored(candidate.range.start_s, candidate.range.end_s, total))
    drafts = tuple(
        Draft(candidate.range, candidate.text, description, candidate.score)
        for candidate, description in zip(selection.chosen, described, strict=True)
    )
    notice = selection.shortfall
    if not drafts:
        length_s = subject.presentation.duration.seconds
        notice = why_nothing(transcript, options, subject.source.name, length_s)
    return Chosen(drafts, selection.rejected, notice)


def plan(
    chosen: Chosen, transcript: Transcript, request: ClipRequest, subject: Subject, ctx: RunContext
) -> Plan:
    """Decide picture and captions of every chosen moment."""
    output = output_format(request.frame, request.encode, subject.presentation.picture)
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
            clip = _decided(number, draft, span, seen, transcript, request, subject, output)
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


@contextmanager
def stage(ctx: RunContext, name: str) -> Iterator[None]:
    """Tell when a stage that keeps no artifact starts and ends."""
    ctx.cancel.raise_if_set()
    began = time.monotonic()
    ctx.reporter.emit(StageStarted(name))
    yield
    ctx.reporter.emit(StageFinished(name, round(time.monotonic() - began, 3), False))


def require_video(subject: Subject) -> None:
    """Raise NoVideoStream for a recording that has only sound."""
    if subject.presentation.video is None or subject.presentation.video.video is None:
        raise NoVideoStream(
            f"{subject.source.name} has no video stream, so there is nothing to frame",
            hint="`reelremix transcribe` and `reelremix score` work with sound alone",
        )


def _given(transcript: Transcript, ranges: Sequence[TimeRange], subject: Subject) -> Chosen:
    end = subject.presentation.picture_end
    sentences = split_sentences(transcript)
    drafts = []
    for span in ranges:
        span = TimeRange(span.start, min(span.end, end))
        inside = [
            i for i, s in enumerate(sentences) if s.range.overlap_s(span) > s.range.duration_s / 2
        ]
        text = " ".join(sentences[i].text for i in inside)
        first, last = (inside[0], inside[-1]) if inside else (0, -1)
        candidate = Candidate(span, text, first, last)
        drafts.append((candidate, inside))
    described = describe_candidates([c for c, _ in drafts], sentences, transcript)
    return Chosen(
        tuple(
            Draft(candidate.range, candidate.text, description, None)
            for (candidate, _), description in zip(drafts, described, strict=True)
        ),
        (),
        None,
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
) -> Clip:
    picture = subject.presentation.picture
    words = words_within(transcript, span)
    layout = frame_range(seen, picture, output) if seen else center_layout(span, picture, output)
    captions = None
    if request.captions:
        captions = plan_captions(words, (span,), output, request.captions)
        captions = place_captions(captions, layout, seen.tracks if seen else (), output)
    title = draft.description.title or f"{Path(subject.source.name).stem} {number}"
    return Clip(
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
        layout=layout,
        captions=captions,
    )


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


def why_nothing(
    transcript: Transcript, options: SelectOptions, name: str, length_s: float | None
) -> str:
    """The reason for a source without candidates; its length is None when only words are known."""
    if not transcript.segments:
        return no_speech(name)
    if length_s is not None and length_s < options.min_s:
        return f"{name} lasts {length_s:.1f} s, less than --min {options.min_s:g}"
    return (
        f"no stretch of whole sentences in {name} lasts between {options.min_s:g}"
        f" and {options.max_s:g} s"
    )


def no_speech(name: str) -> str:
    """The reason for a source in which nobody speaks."""
    return f"no speech was found in {name}"


def nothing_to_clip(notice: str, folder: Path) -> NothingToClip:
    """The error for a run that ends without a clip; its manifest is already written."""
    return NothingToClip(
        notice,
        hint=f"the reason is in {folder / 'clips.json'}; `--range START-END` clips anyway",
        folder=folder,
    )


def _is_shown(face: Box, region: Box) -> bool:
    return face.overlap(region) >= SPEAKER_SHOWN * face.area


def read_given(options: TranscribeOptions) -> Transcript:
    """The transcript a user supplied. Raises SourceError."""
    assert options.transcript is not None
    return read_transcript(Path(options.transcript))
