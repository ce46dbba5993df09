"""`reelremix library gc` and `rm`: what goes."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from reelremix.cli import diagnostics, options, output
from reelremix.cli.run import CommandRun
from reelremix.errors import ConfigError


def gc(
    keep_mb: Annotated[
        int | None, typer.Option(min=0, help="Keep at most this much; else the setting.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: options.Json = False,
) -> None:
    """Drop artifacts beyond the cap, and edits whose manifest has been gone for 90 days.

    Clips and files of yours are never touched.
    """
    from reelremix.engine.upkeep.shelf import open_shelf
    from reelremix.engine.upkeep.tidying import tidy

    settings = CommandRun().settings
    cap = (settings.artifact_cap_mb if keep_mb is None else keep_mb) * 1_000_000
    with open_shelf(settings) as shelf:
        tidied = tidy(shelf, cap, dry_run=True)
        if not dry_run:
            edits = f"{tidied.edits} edits of {len(tidied.manifests)} manifests that are gone"
            if tidied.manifests and not (yes or _agrees(edits)):
                raise typer.Exit(diagnostics.Exit.OK)
            tidied = tidy(shelf, cap, dry_run=False)
    if as_json:
        output.show_json({**tidied.to_plain(), "dry_run": dry_run})
        return
    lines = [
        f"{tidied.held_bytes / 1e6:.1f} MB of artifacts held, {tidied.freed_bytes / 1e6:.1f} MB"
        f" {'would be freed' if dry_run else 'freed'}, cap {cap / 1e6:.0f} MB"
    ]
    if tidied.manifests:
        done = "would be forgotten" if dry_run else "forgotten"
        lines.append(
            f"{tidied.edits} edits of {len(tidied.manifests)} manifests that are gone: {done}"
        )
    if tidied.is_compacted:
        lines.append("the library file was written anew without what held nothing")
    output.show_text("\n".join(lines))


def rm(
    named: Annotated[
        list[str],
        typer.Argument(
            metavar="ID...",
            help="Recordings: ids or their beginnings, paths or names.",
            show_default=False,
        ),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: options.Json = False,
) -> None:
    """Forget recordings with their transcripts, search index and clips. No file is touched."""
    from reelremix.engine.upkeep.shelf import open_shelf
    from reelremix.engine.upkeep.tidying import find_all, forget

    with open_shelf(CommandRun().settings) as shelf:
        rows = find_all(shelf.catalogue, named)
        about = ", ".join(f"{row.name} ({row.clips} clips)" for row in rows)
        if not (dry_run or yes or _agrees(about)):
            raise typer.Exit(diagnostics.Exit.OK)
        gone = [] if dry_run else forget(shelf.catalogue, rows)
    if as_json:
        removed = {row.id: own for row, own in gone}
        listed = [
            {
                "id": row.id,
                "name": row.name,
                "clips": removed[row.id].clips if row.id in removed else row.clips,
                "windows": removed[row.id].windows if row.id in removed else None,
            }
            for row in rows
        ]
        output.show_json({"version": 1, "dry_run": dry_run, "sources": listed})
        return
    output.show_text(f"{'would forget' if dry_run else 'forgot'} {about}")


def _agrees(about: str) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ConfigError(f"this forgets {about}", hint="`--yes` does so without asking")
    diagnostics.say(f"This forgets {diagnostics.one_line(about)}. Files stay. Go on? [y/N]")
    return sys.stdin.readline().strip().lower() in ("y", "yes")
