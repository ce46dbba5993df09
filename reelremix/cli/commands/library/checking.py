"""`reelremix library check` and `relink`: what is wrong, and where recordings went."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reelremix.cli import diagnostics, options, output
from reelremix.cli.run import CommandRun, listener_for
from reelremix.config import expanded

if TYPE_CHECKING:
    from reelremix.engine.upkeep.relinking import Relinked


def check(
    full: Annotated[
        bool, typer.Option("--full", help="Read every recording and artifact whole.")
    ] = False,
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Put right what can be; a damaged file is saved and kept."),
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Look for damage, for what is out of step and for recordings that are gone."""
    from reelremix.engine.upkeep.checking import check as found_by

    report = found_by(CommandRun().settings, full=full, repair=repair).to_plain()
    if as_json:
        output.show_json(report)
    else:
        _show_report(report)
    if not report["ok"]:
        if not repair and any(f["kind"] != "source" for f in report["faults"]):
            diagnostics.say("`reelremix library check --repair` puts right what can be")
        if any(f["kind"] == "source" for f in report["faults"]):
            diagnostics.say("`reelremix library relink FOLDER` looks for recordings")
        raise typer.Exit(diagnostics.Exit.PARTIAL)


def relink(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PATH]...",
            help="Folders to look through; else those where recordings were seen.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what is found.")] = False,
    as_json: options.Json = False,
    progress: options.Progress = None,
    quiet: options.QuietFlag = False,
) -> None:
    """Find recordings again that were moved or renamed, by their content."""
    from reelremix.engine.upkeep.relinking import relink as found_by

    run = CommandRun()
    folders = [expanded(path, "PATH") for path in paths or ()]

    def work(**job: Any) -> Relinked:
        def task(ctx: Any) -> Relinked:
            return found_by(folders, ctx, dry_run=dry_run)

        return run.library.look_after("relink", task, **job)

    found = run.job(work, listener_for(progress, quiet=quiet)).to_plain()
    if as_json:
        output.show_json({**found, "dry_run": dry_run})
    else:
        _show_relinked(found)
    if found["missing"]:
        raise typer.Exit(diagnostics.Exit.PARTIAL)


def _show_report(report: dict[str, Any]) -> None:
    lines = [f["message"] + (" (put right)" if f["repaired"] else "") for f in report["faults"]]
    if saved := report["salvaged"]:
        lines.append(f"what could be read is in a new library; the old one is {saved['kept_at']}")
        for own in saved["tables"]:
            if own["lost"] != 0:
                lost = "some rows may be" if own["lost"] is None else f"{own['lost']} are"
                lines.append(f"{own['table']}: {own['rows']} rows saved, {lost} lost")
    output.show_text("\n".join(lines or ["nothing is wrong"]))


def _show_relinked(found: dict[str, Any]) -> None:
    lines = [f"{r['name']} is now {r['path']}" for r in found["found"]]
    lines += [
        f"{r['path']} holds another recording now, no longer {r['name']}" for r in found["replaced"]
    ]
    lines += [
        f"{r['name']} ({r['id'][:12]}) is still missing; last seen at {Path(r['was'] or 'nowhere')}"
        for r in found["missing"]
    ]
    output.show_text("\n".join(lines or ["every recording is where it was"]))
