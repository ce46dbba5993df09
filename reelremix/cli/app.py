"""The command tree.

Importing this module loads no model, no FFmpeg and no numpy: `--version`, `--help` and completion
answer at once.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from reelremix import __version__
from reelremix.cli import diagnostics

CLIP_EDIT = "clip edit"
COMMANDS = {
    CLIP_EDIT: "clip_edit:clip_edit", "add": "add:add", "clip": "clip:clip",
    "review": "review:review", "search": "search:search", "transcribe": "transcribe:transcribe",
    "score": "score:score", "render": "render:render", "export": "export:export",
    "package": "package:package", "probe": "probe:probe", "doctor": "doctor:doctor",
    "models": "models:models_app", "preset": "preset:preset_app", "library": "library:library_app",
    "feedback": "feedback:feedback_app", "config": "config:config_app",
    "daemon": "daemon:daemon_app", "jobs": "jobs:jobs_app", "watch": "watch:watch_app",
    "stats": "stats:stats",
}  # fmt: skip
"""Where each is, in `reelremix.cli.commands`."""


class _Commands(TyperGroup):
    """The commands; `clip edit` is one of its own, beside `clip SOURCE`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args[:2] == CLIP_EDIT.split():
            return super().resolve_command(ctx, [CLIP_EDIT, *args[2:]])
        return super().resolve_command(ctx, args)


def command_tree(names: Iterable[str] = COMMANDS, *, is_list: bool = False) -> typer.Typer:
    """The program with some of its commands; in a list they have names and say what they do."""
    app = typer.Typer(
        name="reelremix",
        cls=_Commands,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        epilog=diagnostics.EPILOG,
    )
    app.callback()(_root)
    for name in names:
        module, found = COMMANDS[name].split(":")
        command = getattr(importlib.import_module(f"reelremix.cli.commands.{module}"), found)
        if isinstance(command, typer.Typer):
            app.add_typer(_bare_group(command) if is_list else command, name=name)
        else:
            register = app.command(name, epilog=diagnostics.EPILOG)
            register(_bare_command(command) if is_list else command)
    return app


def _bare_command(command: Any) -> Any:
    def bare() -> None:
        raise AssertionError("a list of commands runs none")

    bare.__doc__ = command.__doc__
    return bare


def _bare_group(group: typer.Typer) -> typer.Typer:
    return typer.Typer(help=group.info.help)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"reelremix {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Turn long videos into short vertical captioned clips, on your own machine."""


def _typed(arguments: list[str]) -> typer.Typer:
    """As much of the tree as what was typed needs: building all of it takes a tenth of a second."""
    if "_REELREMIX_COMPLETE" in os.environ:
        return command_tree()
    match arguments:
        case [] | ["--help"]:
            return command_tree(is_list=True)
        case ["clip", *_]:
            return command_tree([CLIP_EDIT, "clip"])
        case [name, *_] if name in COMMANDS:
            return command_tree([name])
        case _:
            return command_tree()


def run() -> None:
    """Run the command that was typed, and write what is still buffered, where a lost reader can be
    handled."""
    try:
        _typed(sys.argv[1:])()
    except SystemExit:
        if type(sys.stdout).__name__ == "PacifyFlushWrapper":
            raise BrokenPipeError from None  # the reader has gone: Typer would end with 1
        raise
    finally:
        sys.stdout.flush()
