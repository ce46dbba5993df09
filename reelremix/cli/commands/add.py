"""`reelremix add`: recordings become known, without being clipped."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reelremix.cli import diagnostics, options, output
from reelremix.cli.run import CommandRun, listener_for
from reelremix.engine import requesting
from reelremix.engine.domain.request import AddRequest

if TYPE_CHECKING:
    from reelremix.engine.adding import Added, Outcome


def add(
    sources: options.Sources,
    playlist: Annotated[
        bool,
        typer.Option("--playlist", help="Take every recording of a list on the web."),
    ] = False,
    cookies: Annotated[
        Path | None,
        typer.Option(
            help="cookies.txt for a site that wants you to sign in.", show_default="none sent"
        ),
    ] = None,
    transcript: options.TranscriptFile = None,
    align: options.Align = None,
    model: options.Model = None,
    language: options.Language = None,
    device: options.Device = None,
    audio_stream: options.AudioStream = None,
    install_models: options.InstallModels = False,
    as_json: options.Json = False,
    progress: options.Progress = None,
    quiet: options.QuietFlag = False,
) -> None:
    """Add SOURCE to the library: files, folders with all in them, web addresses.

    What is on the web is fetched by yt-dlp (pip install 'reelremix[url]').
    """
    run = CommandRun(options.typed(locals()))
    request = AddRequest(
        sources=tuple(sources),
        playlist=playlist,
        cookies=str(cookies) if cookies else None,
        audio_stream=audio_stream,
        transcribe=requesting.transcribe_options(run.settings, transcript),
    )
    listener = listener_for(progress, quiet=quiet)
    outcomes = run.with_models(partial(run.library.add, request), listener, install_models)
    if as_json:
        output.show_json(_document(outcomes))
    else:
        _show(outcomes)
    raise typer.Exit(_code(outcomes))


def _code(outcomes: tuple[Outcome, ...]) -> diagnostics.Exit:
    """The common code of all that count; files that are no recordings do not."""
    from reelremix.engine.adding import Failed, Skipped

    counted = [item for item in outcomes if not isinstance(item, Skipped)]
    codes = [
        diagnostics.exit_code(item.error) if isinstance(item, Failed) else diagnostics.Exit.OK
        for item in counted
    ]
    return diagnostics.combined(codes)


def _show(outcomes: tuple[Outcome, ...]) -> None:
    from reelremix.engine.adding import Added, Failed

    rows = [
        (
            item.recording.name,
            output.clock(item.recording.duration.seconds),
            str(len(item.chapters)),
            "new" if item.is_new else "known",
            item.recording.id[:12],
        )
        for item in outcomes
        if isinstance(item, Added)
    ]
    if rows:
        columns = [("recording", "wrap"), ("length", "right"), ("chapters", "right"),
                   ("", "left"), ("id", "left")]  # fmt: skip
        output.show_table(columns, rows)
    for item in outcomes:
        if isinstance(item, Failed):
            diagnostics.say_error(item.error)
        elif not isinstance(item, Added):
            diagnostics.say(diagnostics.one_line(f"skipped {item.path}: {item.reason}"))


def _document(outcomes: tuple[Outcome, ...]) -> dict[str, Any]:
    from reelremix.engine.adding import Added, Failed, Skipped

    return {
        "version": 1,
        "added": [_entry(item) for item in outcomes if isinstance(item, Added)],
        "skipped": [
            {"path": str(item.path), "reason": item.reason}
            for item in outcomes
            if isinstance(item, Skipped)
        ],
        "failed": [
            {
                "source": item.source,
                "exit_code": int(diagnostics.exit_code(item.error)),
                "error": {"message": item.error.message, "hint": item.error.hint},
            }
            for item in outcomes
            if isinstance(item, Failed)
        ],
    }


def _entry(added: Added) -> dict[str, Any]:
    from reelremix.engine.export.source import chapter_to_dict

    origin = added.origin
    return {
        "source": added.source,
        "path": str(added.path),
        "id": added.recording.id,
        "name": added.recording.name,
        "duration_s": added.recording.duration.seconds,
        "new": added.is_new,
        "title": origin.title if origin else None,
        "url": origin.url if origin else None,
        "chapters": [chapter_to_dict(chapter) for chapter in added.chapters],
        "subtitles": origin.subtitles.file if origin and origin.subtitles else None,
        "words": added.words,
    }
