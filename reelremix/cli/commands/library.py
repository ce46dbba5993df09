"""`reelremix library`: what is kept on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from reelremix.cli import diagnostics, options, output
from reelremix.cli.run import CommandRun

library_app = typer.Typer(
    help="Show and tidy what is kept on this machine.",
    no_args_is_help=True,
    epilog=diagnostics.EPILOG,
)


@library_app.command("list")
def list_sources(as_json: options.Json = False) -> None:
    """Show the recordings seen so far, the latest first."""
    library = CommandRun().library
    rows = [
        {
            "id": source.id,
            "name": source.name,
            "duration_s": source.duration.seconds,
            "clips": len(library.catalogue.clips(source.id)),
            "locations": list(library.catalogue.locations(source.id)),
        }
        for source in library.catalogue.sources()
    ]
    if as_json:
        output.show_json({"version": 1, "sources": rows})
        return
    columns = [("source", "wrap"), ("length", "right"), ("clips", "right"), ("id", "left")]
    output.show_table(columns, [
        (str(r["name"]), output.clock(float(str(r["duration_s"]))), str(r["clips"]),
         str(r["id"])[:12]) for r in rows
    ])  # fmt: skip


@library_app.command()
def gc(
    keep_mb: Annotated[
        int | None, typer.Option(min=0, help="Keep at most this much; else the setting.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what is held.")] = False,
    as_json: options.Json = False,
) -> None:
    """Drop the least recently used artifacts beyond the cap. Clips are never touched."""
    run = CommandRun()
    cap = (run.settings.artifact_cap_mb if keep_mb is None else keep_mb) * 1_000_000
    held = run.library.artifacts.size_bytes()
    freed = 0 if dry_run else run.library.collect_artifacts(cap)
    if as_json:
        output.show_json({"version": 1, "held_bytes": held, "cap_bytes": cap, "freed_bytes": freed})
        return
    output.show_text(
        f"{held / 1e6:.1f} MB of artifacts held, {freed / 1e6:.1f} MB freed, cap {cap / 1e6:.0f} MB"
    )
