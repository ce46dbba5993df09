"""The way in: what was typed is run, and failures become one line, a hint and an exit code.

The version, and a review without options, are there without the command tree, which takes a tenth
of a second to build.
"""

from __future__ import annotations

import _thread
import contextlib
import errno
import io
import os
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from reelremix import __version__
from reelremix.cli import diagnostics
from reelremix.errors import Cancelled, ConfigError, ReelRemixError

LEAVES_AFTER_S = 0.8
"""How long Ctrl-C may take to unwind what is under way outside of jobs."""


def main() -> None:
    """Run the command line."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # as it is behind `nohup` and `&`
        signal.signal(signal.SIGINT, _interrupt)
    _mend_streams()
    try:
        _meant(sys.argv[1:])()
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


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    """Ctrl-C, where no job takes it: unwinds, and ends the process if that comes to nothing.

    An interrupt is an exception in whatever runs just then, and Python drops those that are raised
    in some places, as while something is thrown away.
    """
    _thread.start_new_thread(_leave, ())
    raise KeyboardInterrupt


def _leave() -> NoReturn:
    time.sleep(LEAVES_AFTER_S)
    diagnostics.say_cancelled()
    os._exit(diagnostics.Exit.CANCELLED)


def _meant(arguments: list[str]) -> Callable[[], None]:
    """What was typed, with as little loaded as it needs."""
    match arguments:
        case ["--version"]:
            return _print_version
        case ["review"]:
            return lambda: _review(None)
        case ["review", named] if not named.startswith("-"):
            return lambda: _review(named)
        case _:
            from reelremix.cli.app import run

            return run


def _print_version() -> None:
    """One line."""
    sys.stdout.write(f"reelremix {__version__}\n")
    sys.stdout.flush()


def _review(named: str | None) -> None:
    from reelremix.cli.tui.start import start

    start(named)


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
