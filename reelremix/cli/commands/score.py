"""`reelremix score`: the best moments, with reasons, without making clips."""

from __future__ import annotations

from functools import partial
from typing import Any

import typer

from reelremix.cli import diagnostics, options, output
from reelremix.cli.output import clock, percent
from reelremix.cli.reporters import listener_for
from reelremix.cli.run import CommandRun
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
    install_models: options.InstallModels = False,
    as_json: options.Json = False,
    progress: options.Progress = None,
    quiet: options.QuietFlag = False,
) -> None:
    """Rank the moments of SOURCE, a recording or a transcript file, and say why."""
    run = CommandRun(options.typed(locals()))
    request = ScoreRequest(
        str(source),
        audio_stream,
        options.transcribe_options(run.settings, transcript),
        options.select_options(run.settings, about=about),
    )
    listener = listener_for(progress, quiet=quiet)
    ranking = run.with_models(partial(run.library.score, request), listener, install_models)
    if as_json:
        output.show_json(ranking)
    else:
        _show(ranking)
    if ranking["notice"]:
        diagnostics.say(diagnostics.one_line(ranking["notice"]))
    if not ranking["candidates"]:
        raise typer.Exit(diagnostics.Exit.PARTIAL)


def _show(ranking: dict[str, Any]) -> None:
    columns = [("#", "right"), ("score", "right"), ("from", "right"), ("to", "right"),
               ("why", "wrap"), ("text", "wrap")]  # fmt: skip
    rows = []
    for c in ranking["candidates"]:
        why = "; ".join(r["text"] for r in c["reasons"][:2]) or "–"
        if match := c.get("match"):
            why = f'says "{match["quote"]}"; {why}'
        text = c["text"] if len(c["text"]) <= 120 else c["text"][:117] + "..."
        rows.append((str(c["rank"]), percent(c["score"]), clock(c["start_s"]), clock(c["end_s"]),
                     why, text))  # fmt: skip
    output.show_table(columns, rows)
