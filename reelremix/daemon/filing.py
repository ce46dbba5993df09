"""Recordings whose job has ended go into a folder of their own, over nobody's file."""

from __future__ import annotations

import contextlib
from pathlib import Path

from reelremix.daemon.notices import shortened

LONGEST_SUFFIX = 16


def file_away(source: Path, folder: Path) -> Path:
    """Move a recording into a folder beside it, under its name or one like it; returns its place.

    The name is taken first, by an empty file that only we can have made, and then replaced: however
    many move at once, none is lost. A link stays where it is: elsewhere it would lead elsewhere.

    Raises:
        OSError: it cannot be moved.
    """
    if source.is_symlink() or source.parent.resolve() == folder.resolve():
        return source
    folder.mkdir(exist_ok=True)
    target = _taken_name(source.name, folder)
    try:
        return source.replace(target)
    except OSError:
        with contextlib.suppress(OSError):
            target.unlink()
        raise


def _taken_name(name: str, folder: Path) -> Path:
    """A name in a folder that nobody else has, taken."""
    number = 1
    while True:
        path = folder / (name if number == 1 else _numbered(name, number))
        try:
            path.touch(exist_ok=False)
            return path
        except FileExistsError:
            number += 1


def _numbered(name: str, number: int) -> str:
    """`talk (2).mp4`."""
    suffix = Path(name).suffix
    suffix = suffix if len(suffix) <= LONGEST_SUFFIX else ""
    return shortened(name.removesuffix(suffix), f" ({number})", suffix)
