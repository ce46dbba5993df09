"""`reelremix transcribe`: what is said, with times."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeGuard

import typer

from reelremix.cli import diagnostics, options, output
from reelremix.cli.run import CommandRun, listener_for
from reelremix.engine import requesting
from reelremix.engine.domain.request import TranscribeRequest
from reelremix.errors import ConfigError

if TYPE_CHECKING:
    from reelremix.engine.export.transcript import TranscriptFormat

FORMATS = ("txt", "srt", "vtt", "json")


def transcribe(
    source: options.Source,
    form: Annotated[str, typer.Option("--format", help="txt, srt, vtt or json.")] = "txt",
    out: Annotated[
        str | None, typer.Option(help="File to write; standard output without it.")
    ] = None,
    model: options.Model = None,
    language: options.Language = None,
    initial_prompt: options.Prompt = None,
    vocabulary: options.Vocabulary = None,
    device: options.Device = None,
    speakers: options.Speakers = None,
    audio_stream: options.AudioStream = None,
    transcript: options.TranscriptFile = None,
    align: options.Align = None,
    install_models: options.InstallModels = False,
    overwrite: options.Overwrite = False,
    as_json: options.Json = False,
    progress: options.Progress = None,
    quiet: options.QuietFlag = False,
) -> None:
    """Write down what is said in SOURCE.

    With --transcript the given words are written in the form asked for, each with the time at which
    it is heard.
    """
    form = "json" if as_json else form
    if not _is_format(form):
        raise ConfigError(f"--format must be one of {', '.join(FORMATS)} (got {form!r})")
    flags = options.typed(locals()) | {"out": None}
    run = CommandRun(flags)
    request = TranscribeRequest(
        source, audio_stream, requesting.transcribe_options(run.settings, transcript)
    )
    listener = listener_for(progress, quiet=quiet)
    output.check_target(out, overwrite=overwrite)
    heard = run.with_models(partial(run.library.transcribe, request), listener, install_models)
    from reelremix.engine.export.transcript import format_transcript

    text = format_transcript(heard, form)
    output.deliver(text, out, overwrite=overwrite)
    if not heard.segments:
        from reelremix.engine.hearing import no_speech

        diagnostics.say(diagnostics.one_line(no_speech(Path(source).name)))
        raise typer.Exit(diagnostics.Exit.PARTIAL)


def _is_format(text: str) -> TypeGuard[TranscriptFormat]:
    return text in FORMATS
