"""The order of stages for one source, from recording to finished clips.

Each function is one step of a run: it takes what the steps before it made, looks for its own
artifact first, and leaves one behind. `library` strings them together for the faces.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from reelremix.engine.domain.candidate import Candidate, Rejection, Score
from reelremix.engine.domain.caption import Captions
from reelremix.engine.domain.clip import Clip, OutputFormat
from reelremix.engine.domain.context import RunContext
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
    Aspect,
    ClipRequest,
    EncodeOptions,
    FrameOptions,
    RenderRequest,
    SelectOptions,
    TranscribeOptions,
)
from reelremix.engine.domain.sentence import Sentence
from reelremix.engine.domain.source import VideoFormat
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
from reelremix.engine.models.faces import BlazeFace, FaceDetector
from reelremix.engine.models.whisper import ModelChoice, choose_whisper
from reelremix.engine.rendering import file_sha256
from reelremix.engine.stages.artifact import load, save, staged
from reelremix.engine.stages.caption import plan_captions
from reelremix.engine.stages.describe import Description, describe_candidates
from reelremix.engine.stages.frame import center_layout, frame_range, merge_layouts
from reelremix.engine.stages.ingest import ingest
from reelremix.engine.stages.look import Look, look, look_key
from reelremix.engine.stages.place import place_captions
from reelremix.engine.stages.propose import propose_candidates, split_sentences
from reelremix.engine.stages.score import score_candidates
from reelremix.engine.stages.select import Selection, Variety, select_clips
from reelremix.engine.stages.transcribe import transcribe, transcript_key
from reelremix.errors import ConfigError, ModelError, NoAudioStream, NothingToClip, NoVideoStream

FACE_MODEL = "blazeface"
NO_CAPTIONS = "none"
AVERAGE = 0.0
"""The rank value of a source's average stretch: `clip` keeps nothing below."""
COMMON_RATES = tuple(
    Fraction(text)
    for text in ("24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60")
)
MAX_RATE = Fraction(60)
SCORED_MAX_IOU = 0.3
END_SLACK_S = 0.5
"""Transcripts may be this much longer than their recording: times are rounded, streams differ."""
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


def prepare(source: str, audio_stream: str | None, ctx: RunContext) -> Subject:
    """Identify the recording and choose its streams.

    Raises:
        UnreadableMedia: it cannot be read.
        ConfigError: it has no such audio stream.
    """
    path = Path(source)
    return Subject(path, choose_streams(ingest(path, ctx), audio_stream))


@contextmanager
def alone_on(source_id: str, ctx: RunContext) -> Iterator[None]:
    """Hold the source for this run; a second run waits, and says so."""
    if ctx.lock_dir is None:
        yield
        return
    ctx.lock_dir.mkdir(parents=True, exist_ok=True)
    lock = FileLock(ctx.lock_dir / f"{ctx.owner}-{source_id[:32]}.lock")
    told = False
    while True:
        try:
            lock.acquire(timeout=0.1)
            break
        except Timeout:
            if not told:
                ctx.reporter.emit(Waiting("another run is working on this source"))
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
    name = subject.source.name
    if subject.presentation.audio is None:
        raise NoAudioStream(
            f"{name} has no audio stream, so there is nothing to transcribe",
            hint=f"`reelremix probe {name}` lists its streams;"
            " `--transcript FILE` supplies the words",
        )
    choice = choose_whisper(options.model, options.device, ctx.models)
    try:
        transcript = _listened(choice, subject, options, ctx)
    except ModelError as exc:
        if options.device != "auto" or choice.transcriber.device == "cpu":
            raise
        ctx.reporter.emit(Warned(f"{exc.message}; going on with the CPU", exc.hint))
        choice = choose_whisper(options.model, "cpu", ctx.models)
        transcript = _listened(choice, subject, options, ctx)
    ctx.catalogue.save_transcript(subject.source.id, transcript)
    return Heard(transcript, choice.transcriber.device)


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
    with stage(ctx, "score"):
        scored = score_candidates(candidates, sentences, transcript)
    return sentences, scored


def select_scored(candidates: Sequence[Candidate], count: int, language: str | None) -> Selection:
    """The ranking that `score` shows: as many as asked, nearly the same moment only once."""
    return select_clips(
        candidates, count, variety=Variety(max_iou=SCORED_MAX_IOU), language=language
    )


def choose(
    transcript: Transcript, options: SelectOptions, subject: Subject, ctx: RunContext
) -> Chosen:
    """The moments to clip: the given ranges, or the best set above the floor."""
    if options.ranges:
        return _given(transcript, options.ranges, subject)
    sentences, candidates = rank(transcript, options, subject.presentation.duration.seconds, ctx)
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
        notice = _why_nothing(transcript, options, subject)
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
    return Plan(tuple(clips), tuple(tracks), shown)


def see(
    spans: Sequence[TimeRange], options: FrameOptions, subject: Subject, ctx: RunContext
) -> list[Look | None]:
    """Shots and faces of each range; None throughout when faces are switched off."""
    if not options.faces or not spans:
        return [None] * len(spans)
    began = time.monotonic()
    ctx.reporter.emit(StageStarted("look"))
    detector: FaceDetector | None = None
    looks: list[Look | None] = []
    cached = True
    for number, span in enumerate(spans):
        ctx.cancel.raise_if_set()
        key = look_key(ctx, subject.presentation, span, FACE_MODEL)
        seen = load(ctx, key, Look)
        if seen is None:
            detector = detector or BlazeFace(ctx.models.folder(FACE_MODEL))
            seen = look(subject.path, subject.presentation, span, detector, ctx)
            save(ctx, key, seen)
            cached = False
        looks.append(seen)
        ctx.reporter.emit(StageProgress("look", number + 1, len(spans), "clips"))
    ctx.reporter.emit(StageFinished("look", round(time.monotonic() - began, 3), cached))
    return looks


def output_format(frame: FrameOptions, encode: EncodeOptions, picture: VideoFormat) -> OutputFormat:
    """Size and rate of the output. Raises ConfigError for a rate that is not one."""
    width, height = frame.aspect.size_px
    return OutputFormat(width, height, _output_rate(encode.fps, picture))


def speaker_in_frame(layout: Layout, tracks: Sequence[Track]) -> float | None:
    """Share of the speaker's sightings that a region shows; None when nobody was seen."""
    by_id = {track.id: track for track in tracks}
    seen = shown = 0
    for entry in layout.speaking:
        if entry.track is None:
            continue
        track = by_id.get(entry.track)
        for sighting in track.sightings if track is not None else ():
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


def options_of(request: ClipRequest) -> dict[str, Any]:
    """Every effective option, as the manifest lists them."""
    heard, selected, encode = request.transcribe, request.select, request.encode
    given = Path(heard.transcript) if heard.transcript else None
    return {
        "model": heard.model,
        "language": heard.language,
        "initial_prompt": heard.initial_prompt,
        "vocabulary": list(heard.vocabulary),
        "device": heard.device,
        "transcript": given.name if given else None,
        "transcript_sha256": file_sha256(given) if given and given.is_file() else None,
        "audio_stream": request.audio_stream,
        "count": selected.count,
        "min_s": selected.min_s,
        "max_s": selected.max_s,
        "ranges": [[r.start_s, r.end_s] for r in selected.ranges],
        "aspect": request.frame.aspect.value,
        "faces": request.frame.faces,
        "captions": request.captions or "none",
        "encoder": encode.encoder,
        "encoder_preset": encode.preset,
        "crf": encode.crf,
        "fps": encode.fps,
        "jobs": encode.jobs,
        "plan": request.plan_only,
    }


def _given(transcript: Transcript, ranges: Sequence[TimeRange], subject: Subject) -> Chosen:
    end_s = subject.presentation.duration.seconds
    sentences = split_sentences(transcript)
    drafts = []
    for span in ranges:
        if span.start_s >= end_s:
            raise ConfigError(
                f"--range {span.start_s:g}-{span.end_s:g} begins after the end of"
                f" {subject.source.name} ({end_s:.2f} s)"
            )
        span = TimeRange(span.start, min(span.end, subject.presentation.duration))
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


def _why_nothing(transcript: Transcript, options: SelectOptions, subject: Subject) -> str:
    name = subject.source.name
    if not transcript.segments:
        return f"no speech was found in {name}"
    length = subject.presentation.duration.seconds
    if length < options.min_s:
        return f"{name} lasts {length:.1f} s, less than --min {options.min_s:g}"
    return (
        f"no stretch of whole sentences in {name} lasts between {options.min_s:g}"
        f" and {options.max_s:g} s"
    )


def nothing_to_clip(notice: str, folder: Path) -> NothingToClip:
    """The error for a run that ends without a clip; its manifest is already written."""
    return NothingToClip(
        notice, hint=f"the reason is in {folder / 'clips.json'}; `--range START-END` clips anyway"
    )


def _output_rate(wanted: str, picture: VideoFormat) -> Fraction:
    if wanted != "source":
        try:
            rate = Fraction(wanted)
        except (ValueError, ZeroDivisionError) as exc:
            raise ConfigError(f"--fps must be `source` or a number (got {wanted!r})") from exc
        if not 1 <= rate <= 120:
            raise ConfigError(f"--fps must be between 1 and 120 (got {wanted})")
        return rate.limit_denominator(1001)
    rate = picture.frame_rate
    if picture.is_variable_rate:
        rate = min(COMMON_RATES, key=lambda common: abs(common - rate))
    return min(rate, MAX_RATE)


def _is_shown(face: Box, region: Box) -> bool:
    return face.overlap(region) >= SPEAKER_SHOWN * face.area


def read_given(options: TranscribeOptions) -> Transcript:
    """The transcript a user supplied. Raises SourceError."""
    assert options.transcript is not None
    return read_transcript(Path(options.transcript))


def changed(
    clips: Sequence[Clip],
    tracks: Sequence[Track],
    request: RenderRequest,
    subject: Subject,
    ctx: RunContext,
) -> tuple[Clip, ...]:
    """The clips with the picture, rate or captions that a render request asks for instead.

    `tracks` are the manifest's; captions keep off their faces.
    """
    if "fps" in request.encoding:
        rate = _output_rate(str(request.encoding["fps"]), subject.presentation.picture)
        clips = [replace(c, output=replace(c.output, frame_rate=rate)) for c in clips]
    if request.aspect is not None:
        clips = [_reshaped(clip, request.aspect, subject, ctx) for clip in clips]
    if request.aspect is None and request.captions is None:
        return tuple(clips)
    return tuple(
        replace(clip, captions=_captions_for(clip, tracks, request.captions)) for clip in clips
    )


def _reshaped(clip: Clip, aspect: Aspect, subject: Subject, ctx: RunContext) -> Clip:
    require_video(subject)
    width, height = aspect.size_px
    output = replace(clip.output, width_px=width, height_px=height)
    looks = see(clip.ranges, FrameOptions(aspect), subject, ctx)
    picture = subject.presentation.picture
    layout = merge_layouts([frame_range(seen, picture, output) for seen in looks if seen])
    reshaped = replace(clip, output=output, layout=layout)
    return renumbered(reshaped, (), _first_track(clip.layout, layout))[0]


def _first_track(before: Layout, now: Layout) -> int:
    """By how much a manifest has shifted the track ids of a clip: who speaks has not changed."""
    pairs = zip(before.speaking, now.speaking, strict=False)
    return next(
        (a.track - b.track for a, b in pairs if a.track is not None and b.track is not None), 0
    )


def _captions_for(clip: Clip, tracks: Sequence[Track], preset: str | None) -> Captions | None:
    """Captions set anew: in `preset`, in the clip's own without one, or none at all."""
    if preset == NO_CAPTIONS or (preset is None and clip.captions is None):
        return None
    wanted = preset or (clip.captions.preset if clip.captions else "")
    captions = plan_captions(clip.words, clip.ranges, clip.output, wanted)
    return place_captions(captions, clip.layout, tracks, clip.output)


def encode_options(options: Mapping[str, Any]) -> EncodeOptions:
    """The encoding a manifest's options ask for; defaults where it does not say."""
    default = EncodeOptions()
    return EncodeOptions(
        encoder=str(options.get("encoder", default.encoder)),
        preset=str(options.get("encoder_preset", default.preset)),
        crf=int(options.get("crf", default.crf)),
        fps=str(options.get("fps", default.fps)),
        jobs=int(options.get("jobs", default.jobs)),
    )
