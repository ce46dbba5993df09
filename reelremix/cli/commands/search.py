"""`reelremix search`: where something is said, in every recording that was transcribed."""

from __future__ import annotations

import shlex
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from reelremix.cli import diagnostics, options, output
from reelremix.cli.run import CommandRun, listener_for
from reelremix.engine.domain.request import SearchRequest


def search(
    query: Annotated[
        str, typer.Argument(help="What to look for, in plain words.", show_default=False)
    ],
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SOURCE]...",
            help="Recordings, transcript files, ids or names; else everything transcribed so far.",
            show_default=False,
        ),
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=100, help="Most results to show.")] = 10,
    as_json: options.Json = False,
    progress: options.Progress = None,
    quiet: options.QuietFlag = False,
) -> None:
    """Find where QUERY is said or talked about, by words and by meaning."""
    run = CommandRun()
    request = SearchRequest(query, tuple(sources or ()), count)
    found = run.job(partial(run.library.search, request), listener_for(progress, quiet=quiet))
    if as_json:
        output.show_json(found)
    elif found["results"]:
        _show(found["results"])
    if found["notice"]:
        diagnostics.say(diagnostics.one_line(found["notice"]))
    if not found["results"]:
        raise typer.Exit(diagnostics.Exit.PARTIAL)


def _show(results: list[dict[str, Any]]) -> None:
    columns = [("#", "right"), ("score", "right"), ("source", "wrap"), ("from", "right"),
               ("to", "right"), ("says", "wrap")]  # fmt: skip
    rows = [
        (str(r["rank"]), output.percent(r["score"]), r["source"]["name"],
         output.clock(r["start_s"]), output.clock(r["end_s"]), r["match"]["quote"])
        for r in results
    ]  # fmt: skip
    output.show_table(columns, rows, [r["match"]["words"] for r in results])
    for path in dict.fromkeys(r["source"]["path"] for r in results if r["source"]["path"]):
        output.show_text(path)
    if line := next((line for r in results if (line := _next(r))), None):
        output.show_text(f"\nto clip it: {line}")


def _next(result: dict[str, Any]) -> str | None:
    """What to type to clip a result; None where its recording is not at hand."""
    path = result["source"]["path"]
    if path is None or result["source"]["id"] is None:
        return None
    named = shlex.quote(str(Path(path)))
    return f"reelremix clip {named} --range {result['start_s']:.2f}-{result['end_s']:.2f}"
