"""The command tree and the way in.

Importing this module loads no model, no FFmpeg and no numpy: `--version`, `--help` and completion
answer at once.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from reelremix import __version__
from reelremix.cli import diagnostics
from reelremix.cli.commands.clip import clip
from reelremix.cli.commands.config import config_app
from reelremix.cli.commands.doctor import doctor
from reelremix.cli.commands.library import library_app
from reelremix.cli.commands.models import models_app
from reelremix.cli.commands.probe import probe
from reelremix.cli.commands.render import render
from reelremix.cli.commands.score import score
from reelremix.cli.commands.transcribe import transcribe
from reelremix.errors import Cancelled, ReelRemixError

app = typer.Typer(
    name="reelremix",
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


for command in (clip, transcribe, score, render, probe, doctor):
    app.command(epilog=diagnostics.EPILOG)(command)
app.add_typer(models_app, name="models")
app.add_typer(library_app, name="library")
app.add_typer(config_app, name="config")


def main() -> None:
    """Run the command line; failures become one line, a hint and an exit code."""
    if sys.argv[1:] == ["--version"]:  # an answer without building the command tree
        typer.echo(f"reelremix {__version__}")
        return
    try:
        _run_and_flush()
    except ReelRemixError as exc:
        diagnostics.say_error(exc)
        sys.exit(diagnostics.exit_code(exc))
    except (Cancelled, KeyboardInterrupt):
        diagnostics.say("cancelled; finished work is kept, the same command goes on from there")
        sys.exit(diagnostics.Exit.CANCELLED)
    except BrokenPipeError:  # the reader of the result has gone: nothing is left to say
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(diagnostics.Exit.OK)
    except Exception as exc:
        sys.exit(diagnostics.say_unexpected(exc))


def _run_and_flush() -> None:
    """Run, and write what is still buffered here, where a lost reader can be handled."""
    try:
        app()
    finally:
        sys.stdout.flush()
