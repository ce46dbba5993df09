"""FFmpeg's errors in our words, mapped in this one place."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av

from reelremix.errors import ReelRemixError, RenderError, UnreadableMedia

DAMAGED = (av.error.InvalidDataError, av.error.EOFError, av.error.PermissionError)
"""What FFmpeg says of files without a usable beginning; EPERM there is not about permissions."""


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Map what goes wrong while reading `path` to UnreadableMedia."""
    try:
        yield
    except av.error.FFmpegError as exc:
        raise unreadable(path, exc) from exc
    except OSError as exc:
        raise unreadable(path, exc) from exc


@contextmanager
def encoding(what: str) -> Iterator[None]:
    """Map what an encoder or muxer says of `what` to RenderError; faults of files stay OSError."""
    try:
        yield
    except av.error.FFmpegError as exc:
        if isinstance(exc, OSError):
            raise
        raise RenderError(f"could not write {what}: {exc.strerror}") from exc


def unreadable(path: Path, exc: Exception) -> ReelRemixError:
    """One plain line about a file that cannot be read."""
    number = getattr(exc, "errno", None)
    if number == errno.ENOENT:
        return UnreadableMedia(f"{path.name}: no such file", hint=f"looked in {path.parent}")
    if number == errno.EACCES:
        return UnreadableMedia(
            f"{path.name} cannot be opened: permission denied",
            hint="check who may read the file with `ls -l`",
        )
    if isinstance(exc, DAMAGED):
        return UnreadableMedia(
            f"{path.name} is not media ReelRemix can read: damaged, truncated or another kind"
            " of file",
            hint="play it in a media player; if it plays there, please report it",
        )
    reason = getattr(exc, "strerror", None) or str(exc)
    return UnreadableMedia(f"{path.name} cannot be read: {reason}")
