"""What is heard in a recording: words, who says them, and what there is besides.

Words come from a transcript that was given, or from listening; given words without times get those
at which they are heard. Sounds and voices need models that
a run can do without: where one is missing, that is told.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

from reelremix.engine.domain.context import ArtifactKey, RunContext
from reelremix.engine.domain.corrections import corrected
from reelremix.engine.domain.events import StageFinished, StageStarted, Warned
from reelremix.engine.domain.request import AUTO, OFF, TranscribeOptions, check_speakers
from reelremix.engine.domain.sound import SoundTrack
from reelremix.engine.domain.source import Chapter, Presentation
from reelremix.engine.domain.speech_turn import Diarization
from reelremix.engine.domain.subject import Subject
from reelremix.engine.domain.time import ZERO, TimeRange, Timestamp
from reelremix.engine.domain.transcript import Transcript
from reelremix.engine.export.transcript import read_transcript
from reelremix.engine.memory import give_back_freed_memory
from reelremix.engine.models.sounds import YAMNET, Yamnet
from reelremix.engine.models.speaker_embedding import CAMPPLUS, CamPlusPlus
from reelremix.engine.models.whisper import ModelChoice, choose_whisper
from reelremix.engine.options import require_audio
from reelremix.engine.stages import diarize, listen
from reelremix.engine.stages.align import STAGE as ALIGN
from reelremix.engine.stages.align import Alignment, align, align_key, is_timed
from reelremix.engine.stages.artifact import load, save, staged
from reelremix.engine.stages.diarize import diarization_key, diarize_within
from reelremix.engine.stages.hints import hints_of, listening_for
from reelremix.engine.stages.listen import track_key
from reelremix.engine.stages.sound_pass import Ear, EarFailed, SoundPass
from reelremix.engine.stages.speaker_attribution import assign_speakers, names_speakers
from reelremix.engine.stages.transcribe import transcribe, transcript_key
from reelremix.errors import ModelError, ModelNotInstalled, SourceError

T = TypeVar("T")

UNHEARD = f"laughter, applause and delivery are unknown: model '{YAMNET}' is not installed"
NOTHING_TO_HEAR = "{} has no sound: the given ranges become clips without words"
AROUND_S = 10
"""Voices are compared on so much sound around ranges that are given, too."""
MOST_BEHIND_S = 5.0
"""A transcript may end so much behind its recording."""
LEAST_HEARD = 0.3
"""A transcript of which less is heard belongs to something else: by chance next to nothing is."""
MOSTLY_HEARD = 0.7
"""From here on a transcript is that of its recording, written down more or less as it is said."""
UNALIGNED = "the words of {} have no times of their own, and {}: they are spread over their lines"
NAMED = "the transcript names its speakers itself, so `--speakers {}` has nothing to add"
UNNAMED = f"who says what is unknown: model '{CAMPPLUS}' is not installed"


@dataclass(frozen=True, slots=True)
class Heard:
    """What is said, and where that was found out."""

    transcript: Transcript
    """With speakers and events, where they are known."""
    device: str
    """`cpu` or `cuda`: what the model ran on, in this run or in the one that is repeated."""
    track: SoundTrack | None = None
    """None where nobody listened to more than words."""
    chapters: tuple[Chapter, ...] = ()
    """What it is parted into already."""


def hear(
    subject: Subject,
    options: TranscribeOptions,
    ctx: RunContext,
    *,
    with_sounds: bool = True,
    ranges: Sequence[TimeRange] = (),
) -> Heard:
    """What is said and heard.

    Args:
        subject: the recording.
        options: how speech becomes text.
        ctx: the run's surroundings.
        with_sounds: whether anything is asked of it besides words.
        ranges: where it matters who speaks; everywhere if there are none.

    Raises:
        NoAudioStream: there is nothing to listen to.
        ModelNotInstalled: the recogniser's model is not on this machine.
    """
    check_speakers(options.speakers)
    given = read_given(options) if options.transcript is not None else None
    hints = hints_of(subject, ctx, is_given=given is not None)
    if given is None and subject.presentation.audio is None and ranges:
        ctx.reporter.emit(Warned(NOTHING_TO_HEAR.format(subject.source.name)))
        return Heard(Transcript(None, None, ()), "cpu")
    if given is None:
        require_audio(subject)
    elif subject.presentation.audio is None:
        given = _within(given, subject, ctx)
        return Heard(_remembered(given, subject, ctx), "cpu", None, hints.chapters)
    sounds = _sounds(subject.presentation, ctx, with_sounds)
    voices = _voices(subject, given, options.speakers, _around(ranges, subject.presentation), ctx)
    ears = [part.ear for part in (sounds, voices) if part is not None and part.ear is not None]
    try:
        with SoundPass(subject.path, subject.presentation, ears, ctx) as sound:
            if given is None:
                wanted = listening_for(options, hints.names)
                transcript, device = _words(subject, wanted, sound, ctx)
            else:
                transcript, device = _timed(given, subject, options, sound, ctx)
                transcript = _within(transcript, subject, ctx)
            track = sounds.result(sound, ctx) if sounds is not None else None
            turns = voices.result(sound, ctx) if voices is not None else None
    except EarFailed as exc:
        raise exc.cause from exc
    if turns is not None:
        transcript = assign_speakers(transcript, turns)
    if track is not None and not transcript.events:
        transcript = replace(transcript, events=track.events)
    transcript = _remembered(transcript, subject, ctx)
    return Heard(transcript, device, track, hints.chapters)


def _remembered(heard: Transcript, subject: Subject, ctx: RunContext) -> Transcript:
    """Keep a transcript; what a person corrected in it is what it says."""
    ctx.catalogue.save_transcript(subject.source.id, heard)
    return corrected(heard, ctx.catalogue.corrections(subject.source.id))


@dataclass(frozen=True, slots=True)
class _Listening(Generic[T]):
    """A stage whose ear hears along with the recogniser."""

    stage: str
    key: ArtifactKey
    ear: Ear | None
    """None where nobody needs to hear along."""
    conclude: Callable[[], T | None]
    """The result, once the ear has heard everything."""
    is_known: bool = False
    """Whether the result is there from an earlier run."""

    def result(self, sound: SoundPass, ctx: RunContext) -> T | None:
        """What came of it, with the stage's events; the time it took includes the hearing."""
        ctx.cancel.raise_if_set()
        ctx.reporter.emit(StageStarted(self.stage))
        if self.ear is not None:
            sound.finish()
        began = time.monotonic()
        found = self.conclude()
        if not self.is_known:
            save(ctx, self.key, found)
        wall_s = round(time.monotonic() - began + sound.seconds.get(self.stage, 0.0), 3)
        ctx.reporter.emit(StageFinished(self.stage, wall_s, self.is_known))
        return found


def _sounds(
    presentation: Presentation, ctx: RunContext, is_asked: bool
) -> _Listening[SoundTrack] | None:
    """What there is besides words; None where nobody asks and it is not known anyway, or where the
    model is missing, which is told."""
    key = track_key(ctx, presentation, Yamnet.identity)
    if (known := load(ctx, key, SoundTrack)) is not None:
        return _Listening(listen.STAGE, key, None, lambda: known, is_known=True)
    if not is_asked:
        return None
    try:
        folder = ctx.models.folder(YAMNET)
        listener = listen.Listener(ctx.models.loaded(YAMNET, folder, lambda: Yamnet(folder)))
    except ModelNotInstalled as exc:
        ctx.reporter.emit(Warned(UNHEARD, exc.hint))
        return None
    return _Listening(listen.STAGE, key, listener, listener.finish)


def _around(ranges: Sequence[TimeRange], presentation: Presentation) -> tuple[TimeRange, ...]:
    """The ranges with what is around them, in order, those that meet joined."""
    margin, end = Timestamp.from_seconds(AROUND_S), presentation.duration
    wide = sorted((max(r.start - margin, ZERO), min(r.end + margin, end)) for r in ranges)
    joined: list[tuple[Timestamp, Timestamp]] = []
    for start, stop in wide:
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], stop)
        else:
            joined.append((start, stop))
    return tuple(TimeRange(start, stop) for start, stop in joined if start < stop)


def _voices(
    subject: Subject,
    given: Transcript | None,
    speakers: str,
    within: Sequence[TimeRange],
    ctx: RunContext,
) -> _Listening[Diarization] | None:
    """Who speaks when; None where nobody asks, or the model is missing, which is told."""
    if given is not None and names_speakers(given):
        if speakers not in (AUTO, OFF):
            ctx.reporter.emit(Warned(NAMED.format(speakers), "take the names out of it first"))
        return None
    if speakers == OFF:
        return None
    number = None if speakers == AUTO else int(speakers)
    presentation, model = subject.presentation, CamPlusPlus.identity
    key = diarization_key(ctx, presentation, model, number)
    if (known := load(ctx, key, Diarization)) is not None:
        return _Listening(diarize.STAGE, key, None, lambda: known, is_known=True)
    if within:
        key = diarization_key(ctx, presentation, model, number, within)
        if (known_there := load(ctx, key, Diarization)) is not None:
            return _Listening(diarize.STAGE, key, None, lambda: known_there, is_known=True)
    try:
        folder = ctx.models.folder(CAMPPLUS)
        embedder = ctx.models.loaded(CAMPPLUS, folder, lambda: CamPlusPlus(folder))
    except ModelNotInstalled as exc:
        ctx.reporter.emit(Warned(UNNAMED, exc.hint))
        return None
    if within:
        return _Listening(
            diarize.STAGE,
            key,
            None,
            lambda: diarize_within(subject.path, presentation, within, embedder, ctx, number),
        )
    listener = diarize.VoiceListener(embedder, ctx.cancel)
    return _Listening(diarize.STAGE, key, listener, lambda: listener.diarization(number))


def _words(
    subject: Subject, options: TranscribeOptions, sound: SoundPass, ctx: RunContext
) -> tuple[Transcript, str]:
    """The transcript, and the device that it was made on."""
    choice = choose_whisper(options.model, options.device, ctx.models)
    try:
        transcript = _recognised(choice, subject, options, sound, ctx)
    except ModelError as exc:
        if options.device != "auto" or choice.transcriber.device == "cpu":
            raise
        ctx.reporter.emit(Warned(f"{exc.message}; going on with the CPU", exc.hint))
        choice = choose_whisper(options.model, "cpu", ctx.models)
        transcript = _recognised(choice, subject, options, sound, ctx)
    device = choice.transcriber.device
    del choice  # the weights, before what they took is given back
    give_back_freed_memory()
    return transcript, device


def _recognised(
    choice: ModelChoice,
    subject: Subject,
    options: TranscribeOptions,
    sound: SoundPass,
    ctx: RunContext,
) -> Transcript:
    if choice.notice:
        ctx.reporter.emit(Warned(choice.notice, "`reelremix models list` shows what can be added"))
    transcriber = choice.transcriber
    return staged(
        ctx,
        "transcribe",
        transcript_key(ctx, subject.presentation, options, transcriber.identity),
        Transcript,
        lambda: transcribe(sound, subject.presentation, options, transcriber, ctx),
        detail=choice.detail,
        aside=lambda: sum(sound.seconds.values()),
    )


def _timed(
    given: Transcript,
    subject: Subject,
    options: TranscribeOptions,
    sound: SoundPass,
    ctx: RunContext,
) -> tuple[Transcript, str]:
    """Given words with times of their own, as far as they are heard, and the device that heard."""
    assert options.transcript is not None
    if is_timed(given) or not options.align:
        return given, "cpu"
    try:
        choice = choose_whisper(options.model, options.device, ctx.models)
    except ModelNotInstalled as exc:
        name = Path(options.transcript).name
        ctx.reporter.emit(Warned(UNALIGNED.format(name, exc.message), exc.hint))
        return given, "cpu"
    transcriber = choice.transcriber
    heard_key = transcript_key(ctx, subject.presentation, options, transcriber.identity)
    key, device = align_key(ctx, given, heard_key), transcriber.device
    heard = Transcript(None, None, ())
    if load(ctx, key, Alignment) is None:
        heard, device = _words(subject, options, sound, ctx)
    end_s = subject.presentation.duration.seconds
    found = staged(ctx, ALIGN, key, Alignment, lambda: align(given, heard, end_s))
    return _believed(found, given, Path(options.transcript).name, subject.source.name, ctx), device


def _believed(
    found: Alignment, given: Transcript, name: str, recording: str, ctx: RunContext
) -> Transcript:
    """The words with the times that were found; as they came where too few of them are heard."""
    share = f"{100 * found.heard:.0f} % of the words of {name} are heard in {recording}"
    if found.heard < LEAST_HEARD:
        told = f"only {share}, so its lines keep the times that it gives them"
        hint = "is it a translation, or the transcript of another recording?"
        ctx.reporter.emit(Warned(told, hint))
        return given
    if found.heard < MOSTLY_HEARD:
        told = f"only {share}; the others were given times between those"
        ctx.reporter.emit(Warned(told, f"`reelremix transcribe {recording}` shows what is heard"))
    if found.left_out:
        told = f"{found.left_out} lines of {name} are left out: nobody says them in {recording}"
        hint = "`--no-align` keeps every line, with the times that the file gives"
        ctx.reporter.emit(Warned(told, hint))
    return found.transcript


def _within(given: Transcript, subject: Subject, ctx: RunContext) -> Transcript:
    """A given transcript as far as the recording goes. Raises SourceError where it does not."""
    end_s = subject.presentation.duration.seconds
    said_s = max((s.range.end_s for s in given.segments), default=0.0)
    if said_s <= end_s + MOST_BEHIND_S:
        return given
    if all(segment.range.start_s >= end_s for segment in given.segments):
        raise SourceError(
            f"nothing of the transcript lies within the {end_s:.0f} s of {subject.source.name}",
            hint="is it the transcript of another recording?",
        )
    ctx.reporter.emit(
        Warned(
            f"the transcript goes on {said_s - end_s:.0f} s behind the end of"
            f" {subject.source.name}",
            "what lies there is left out; is it the transcript of another recording?",
        )
    )
    return replace(
        given,
        segments=tuple(s for s in given.segments if s.range.start_s < end_s),
        events=tuple(e for e in given.events if e.range.start_s < end_s),
    )


def read_given(options: TranscribeOptions) -> Transcript:
    """The transcript a user supplied. Raises SourceError."""
    assert options.transcript is not None
    return read_transcript(Path(options.transcript))


def no_speech(name: str) -> str:
    """The reason for a source in which nobody speaks."""
    return f"no speech was found in {name}"
