"""Everything on stderr, and the exit codes.

stdout belongs to `output`. One plain line a failure, then a hint; the stack goes to the log.
"""

from __future__ import annotations

import contextlib
import sys
from enum import IntEnum
from pathlib import Path

from reelremix import errors


class Exit(IntEnum):
    """Exit codes, as listed in `--help` and the docs."""

    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    PARTIAL = 3
    SOURCE = 4
    MODEL = 5
    MEMORY = 6
    DAEMON = 7
    CLOUD = 8
    CANCELLED = 130


CODES: tuple[tuple[type[errors.ReelRemixError], Exit], ...] = (
    (errors.ConfigError, Exit.USAGE),
    (errors.EditConflict, Exit.USAGE),
    (errors.NothingToClip, Exit.PARTIAL),
    (errors.RenderError, Exit.USAGE),
    (errors.SourceError, Exit.SOURCE),
    (errors.OutOfMemory, Exit.MEMORY),
    (errors.ModelError, Exit.MODEL),
    (errors.JobNotFound, Exit.USAGE),
    (errors.DaemonError, Exit.DAEMON),
    (errors.CloudError, Exit.CLOUD),
)

EPILOG = (
    "Exit codes: 0 ok, 1 unexpected, 2 usage or configuration, 3 finished but something failed or"
    " nothing was found, 4 source unreadable, 5 model or tool missing, 6 out of memory,"
    " 7 daemon unreachable, 8 cloud refused, 130 cancelled."
)


def exit_code(error: errors.ReelRemixError) -> Exit:
    """The code for an error: that of the first class in the table it belongs to."""
    return next((code for kind, code in CODES if isinstance(error, kind)), Exit.UNEXPECTED)


def combined(codes: list[Exit]) -> Exit:
    """One code for several sources: their common one, else `PARTIAL`."""
    return codes[0] if len(set(codes)) == 1 else Exit.PARTIAL


_told: list[BaseException] = []


def consider_told(error: BaseException) -> None:
    """An event has said so already: nothing else about this error may reach stderr."""
    _told.append(error)


def is_told(error: BaseException) -> bool:
    """Whether an event has said so already."""
    return any(error is told for told in _told)


def say_error(error: errors.ReelRemixError) -> None:
    """One line and a hint, unless it is told already."""
    if is_told(error):
        return
    say(f"reelremix: error: {one_line(error.message)}")
    if error.hint:
        say(f"hint: {one_line(error.hint)}")


def say_warning(message: str, hint: str | None = None) -> None:
    """Something was not as asked."""
    say(f"reelremix: warning: {one_line(message)}")
    if hint:
        say(f"hint: {one_line(hint)}")


def say_nothing_found(error: errors.NothingToClip) -> None:
    """Why there is no clip, unless it is told already."""
    if not is_told(error):
        say_warning(error.message, error.hint)


def say_cancelled(error: BaseException | None = None) -> None:
    """That the user's wish to stop was followed, unless it is told already."""
    if error is None or not is_told(error):
        say("cancelled; finished work is kept, the same command goes on from there")


def say(line: str) -> None:
    """A line for people; nobody may be left to read it."""
    with contextlib.suppress(BrokenPipeError):
        print(line, file=sys.stderr, flush=True)


def one_line(text: str) -> str:
    """The text with line breaks and control characters of hostile names made visible."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def say_unexpected(error: Exception) -> Exit:
    """A failure nobody foresaw: one line here, the stack in a log file."""
    import traceback

    from reelremix.config import load_settings
    from reelremix.errors import ReelRemixError

    try:
        folder = load_settings().settings.log_path
        advice = log_stack(folder, "".join(traceback.format_exception(error)))
    except ReelRemixError as exc:
        advice = f"its stack could not be logged: {exc}"
    say(f"reelremix: error: unexpected {type(error).__name__}: {one_line(str(error))}")
    say(f"hint: {advice}")
    return Exit.UNEXPECTED


def log_stack(folder: Path, stack: str) -> str:
    """Append a stack to the log of errors; returns what to tell the user."""
    log = folder / "errors.log"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(stack + "\n")
    except OSError as exc:
        return f"its stack could not be logged: {exc}"
    return f"please report it with the stack in {log}"
