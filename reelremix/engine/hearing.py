"""What is said in a recording: from a transcript that was given, or by listening."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.events import Warned
from reelremix.engine.domain.request import TranscribeOptions
from reelremix.engine.domain.subject import Subject
from reelremix.engine.domain.transcript import Transcript
from reelremix.engine.export.transcript import read_transcript
from reelremix.engine.memory import give_back_freed_memory
from reelremix.engine.models.whisper import ModelChoice, choose_whisper
from reelremix.engine.options import require_audio
from reelremix.engine.stages.artifact import staged
from reelremix.engine.stages.transcribe import transcribe, transcript_key
from reelremix.errors import ModelError


@dataclass(frozen=True, slots=True)
class Heard:
    """What is said, and where that was found out."""

    transcript: Transcript
    device: str
    """`cpu` or `cuda`: what the model ran on, in this run or in the one that is repeated."""


def hear(subject: Subject, options: TranscribeOptions, ctx: RunContext) -> Heard:
    """What is said: from the transcript that was given, or by listening.

    Raises:
        NoAudioStream: there is nothing to listen to.
        ModelNotInstalled: the model is not on this machine.
    """
    if options.transcript is not None:
        given = read_given(options)
        ctx.catalogue.save_transcript(subject.source.id, given)
        return Heard(given, "cpu")
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


def read_given(options: TranscribeOptions) -> Transcript:
    """The transcript a user supplied. Raises SourceError."""
    assert options.transcript is not None
    return read_transcript(Path(options.transcript))


def no_speech(name: str) -> str:
    """The reason for a source in which nobody speaks."""
    return f"no speech was found in {name}"
