"""`reelremix config`: settings, and where each value comes from."""

from __future__ import annotations

import os
from dataclasses import fields

import typer

from reelremix.cli import diagnostics, options, output
from reelremix.cli.run import CommandRun
from reelremix.config import Settings, describe_settings, user_file

config_app = typer.Typer(
    help="Show settings and where they come from.",
    no_args_is_help=True,
    epilog=diagnostics.EPILOG,
)


@config_app.command()
def show(as_json: options.Json = False) -> None:
    """Show every setting, its value and its origin."""
    loaded = CommandRun().loaded
    names = [field.name for field in fields(Settings)]
    if as_json:
        settings = {
            name: {"value": getattr(loaded.settings, name), "origin": loaded.origins[name]}
            for name in names
        }
        output.show_json({"version": 1, "settings": settings})
        return
    explained = describe_settings()
    columns = [("setting", "left"), ("value", "left"), ("from", "wrap"), ("meaning", "wrap")]
    output.show_table(columns, [
        (name, str(getattr(loaded.settings, name)), loaded.origins[name], explained[name])
        for name in names
    ])  # fmt: skip


@config_app.command()
def path(as_json: options.Json = False) -> None:
    """Print the path of the user's settings file."""
    file = str(user_file(os.environ))
    if as_json:
        output.show_json({"version": 1, "path": file})
        return
    output.show_text(file)
