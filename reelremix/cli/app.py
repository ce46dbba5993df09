"""The command tree.

Importing this module loads no model, no FFmpeg and no numpy: `--version`, `--help` and completion
answer at once.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from reelremix import __version__
from reelremix.cli import diagnostics
from reelremix.cli.commands.add import add
from reelremix.cli.commands.clip import clip
from reelremix.cli.commands.clip_edit import clip_edit
from reelremix.cli.commands.config import config_app
from reelremix.cli.commands.doctor import doctor
from reelremix.cli.commands.export import export
from reelremix.cli.commands.feedback import feedback_app
from reelremix.cli.commands.library import library_app
from reelremix.cli.commands.models import models_app
from reelremix.cli.commands.package import package
from reelremix.cli.commands.preset import preset_app
from reelremix.cli.commands.probe import probe
from reelremix.cli.commands.render import render
from reelremix.cli.commands.review import review
from reelremix.cli.commands.score import score
from reelremix.cli.commands.search import search
from reelremix.cli.commands.transcribe import transcribe

CLIP_EDIT = "clip edit"


class _Commands(TyperGroup):
    """The commands; `clip edit` is one of its own, beside `clip SOURCE`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args[:2] == CLIP_EDIT.split():
            return super().resolve_command(ctx, [CLIP_EDIT, *args[2:]])
        return super().resolve_command(ctx, args)


app = typer.Typer(
    name="reelremix",
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog=diagnostics.EPILOG,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"reelremix {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Turn long videos into short vertical captioned clips, on your own machine."""


app.command(CLIP_EDIT, epilog=diagnostics.EPILOG)(clip_edit)
for command in (
    add, clip, review, search, transcribe, score, render, export, package, probe, doctor,
):  # fmt: skip
    app.command(epilog=diagnostics.EPILOG)(command)
app.add_typer(models_app, name="models")
app.add_typer(preset_app, name="preset")
app.add_typer(library_app, name="library")
app.add_typer(feedback_app, name="feedback")
app.add_typer(config_app, name="config")


def run() -> None:
    """Run the command that was typed, and write what is still buffered, where a lost reader can be
    handled."""
    try:
        app()
    except SystemExit:
        if type(sys.stdout).__name__ == "PacifyFlushWrapper":
            raise BrokenPipeError from None  # the reader has gone: Typer would end with 1
        raise
    finally:
        sys.stdout.flush()
