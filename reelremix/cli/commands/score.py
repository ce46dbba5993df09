"""`reelremix score`: the best moments, with reasons, without making clips."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from reelremix.cli import diagnostics, options, output, rankings
from reelremix.cli.run import CommandRun, listener_for
from reelremix.engine import requesting
from reelremix.engine.domain.request import ScoreRequest


def score(
    source: options.Source,
    count: options.Count = None,
    minimum: options.MinLength = None,
    maximum: options.MaxLength = None,
    about: options.About = None,
    judge: options.Judge = None,
    judge_model: options.JudgeModel = None,
    model: options.Model = None,
    language: options.Language = None,
    device: options.Device = None,
    speakers: options.Speakers = None,
    audio_stream: options.AudioStream = None,
    transcript: options.TranscriptFile = None,
    align: options.Align = None,
    install_models: options.InstallModels = False,
    html: Annotated[
        Path | None,
        typer.Option(
            help="Also write a page: a timeline, and every moment with its reasons.",
            show_default=False,
            rich_help_panel=options.FILES,
        ),
    ] = None,
    overwrite: options.Overwrite = False,
    as_json: options.Json = False,
    progress: options.Progress = None,
    quiet: options.QuietFlag = False,
) -> None:
    """Rank the moments of SOURCE, a recording or a transcript file, and say why."""
    run = CommandRun(options.typed(locals()))
    request = ScoreRequest(
        source,
        audio_stream,
        requesting.transcribe_options(run.settings, transcript),
        requesting.select_options(run.settings, about=about),
    )
    page = None if html is None else str(html)
    output.check_target(page, overwrite=overwrite, option="--html")
    listener = listener_for(progress, quiet=quiet)
    ranking = run.with_models(partial(run.library.score, request), listener, install_models)
    if page is not None:
        from reelremix.engine.export.report import ranking_sheet

        sheet = ranking_sheet(ranking, Path(source).name)
        output.deliver(sheet, page, overwrite=overwrite, option="--html")
    if as_json:
        output.show_json(ranking)
    else:
        rankings.show(ranking)
        if page is not None:
            output.show_text(page)
    if ranking["notice"]:
        diagnostics.say(diagnostics.one_line(ranking["notice"]))
    if not ranking["candidates"]:
        raise typer.Exit(diagnostics.Exit.PARTIAL)
