"""The command tree and the way in.

Importing this module loads no model, no FFmpeg and no numpy: `--version`, `--help` and completion
answer at once.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
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
from reelremix.errors import Cancelled, ConfigError, ReelRemixError

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


def main() -> None:
    """Run the command line; failures become one line, a hint and an exit code."""
    _mend_streams()
    try:
        if sys.argv[1:] == ["--version"]:  # an answer without building the command tree
            typer.echo(f"reelremix {__version__}")
            return
        _run_and_flush()
    except ReelRemixError as exc:
        diagnostics.say_error(exc)
        sys.exit(diagnostics.exit_code(exc))
    except (Cancelled, KeyboardInterrupt) as exc:
        diagnostics.say_cancelled(exc)
        sys.exit(diagnostics.Exit.CANCELLED)
    except BrokenPipeError:  # the reader of the result has gone: nothing is left to say
        _forget_output()
        sys.exit(diagnostics.Exit.OK)
    except OSError as exc:
        _forget_output()
        if exc.errno == errno.ENOSPC and exc.filename is None:
            full = ConfigError("the result cannot be written: no space left on device")
            diagnostics.say_error(full)
            sys.exit(diagnostics.Exit.USAGE)
        sys.exit(diagnostics.say_unexpected(exc))
    except Exception as exc:
        sys.exit(diagnostics.say_unexpected(exc))


def _mend_streams() -> None:
    """Streams that were closed swallow what is said; letters they cannot show are spelled out."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _forget_output() -> None:
    """What is still buffered cannot be written; ending must not try again."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)


def _run_and_flush() -> None:
    """Run, and write what is still buffered here, where a lost reader can be handled."""
    try:
        app()
    except SystemExit:
        if type(sys.stdout).__name__ == "PacifyFlushWrapper":
            raise BrokenPipeError from None  # the reader has gone: Typer would end with 1
        raise
    finally:
        sys.stdout.flush()
