"""`reelremix library export`, `import` and `backup`: a library elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from reelremix.cli import diagnostics, options, output
from reelremix.cli.run import CommandRun
from reelremix.config import expanded
from reelremix.errors import ConfigError

MOST_LISTED = 5


def export(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="Where to write it.", show_default=False)
    ],
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a file that is there.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Write everything a person made as one document, to be imported on another machine.

    Recordings, films and presets are not in it.
    """
    from reelremix.engine.upkeep.shelf import open_shelf
    from reelremix.engine.upkeep.transfer import counted, export_library

    output.check_target(file, overwrite=overwrite, option="FILE")
    target = expanded(file, "FILE")
    with open_shelf(CommandRun().settings) as shelf:
        counts = export_library(shelf.catalogue, target)
    if as_json:
        output.show_json({"version": 1, "path": str(target), "counts": counts})
        return
    output.show_text(f"{target}: {counted(counts.items()) or 'nothing yet'}")


def import_(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="An exported library.", show_default=False)
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be added.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Add what an exported library has and this one has not. Twice is the same as once."""
    from reelremix.engine.upkeep.shelf import open_shelf
    from reelremix.engine.upkeep.transfer import counted, import_library

    path = expanded(file, "FILE")
    with open_shelf(CommandRun().settings) as shelf:
        merged = import_library(shelf.catalogue, path, dry_run=dry_run)
    if as_json:
        output.show_json({**merged.to_plain(), "dry_run": dry_run})
    else:
        added = counted(sorted(merged.added.items())) or "nothing"
        output.show_text(f"{'would add' if dry_run else 'added'} {added}")
    if merged.conflicts:
        diagnostics.say_warning(
            f"changed in another way there, and left as it is here: {_listed(merged.conflicts)}",
            "their edits are in the exported file",
        )
    if merged.unread:
        diagnostics.say_warning(
            f"not understood: {counted(sorted(merged.unread.items()))}",
            "another version of ReelRemix wrote them",
        )
    if merged.conflicts or merged.unread:
        raise typer.Exit(diagnostics.Exit.PARTIAL)


def _listed(conflicts: Sequence[str]) -> str:
    more = len(conflicts) - MOST_LISTED
    return ", ".join(conflicts[:MOST_LISTED]) + (f" and {more} more" if more > 0 else "")


def backup(
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE]", help="Where to write it; else a dated file.", show_default=False
        ),
    ] = None,
    keep: Annotated[int, typer.Option(min=1, help="Dated copies to keep.")] = 5,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a file that is there.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Copy the library as it is at one moment, while others may use it."""
    from reelremix.engine.store.backups import copy_library, dated, prune
    from reelremix.engine.store.integrity import require_sound
    from reelremix.engine.upkeep.shelf import open_shelf

    output.check_target(file, overwrite=overwrite, option="FILE")
    with open_shelf(CommandRun().settings) as shelf:
        library = shelf.database.path
        target = dated(library) if file is None else expanded(file, "FILE")
        if target.resolve() == library.resolve():
            raise ConfigError(f"{target} is the library itself", hint="name another file")
        require_sound(shelf.database)
        copy_library(shelf.database.connection(), target)
        removed = prune(library, keep) if file is None else []
    if as_json:
        size = Path(target).stat().st_size
        listed = [str(path) for path in removed]
        output.show_json({"version": 1, "path": str(target), "size_bytes": size, "removed": listed})
        return
    output.show_text(str(target))
