"""Copies of the library file: complete or absent, made while others write."""

from __future__ import annotations

import re
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path

from reelremix.engine.store.files import part_beside
from reelremix.errors import ConfigError

_DATED = re.compile(r"library-\d{8}-\d{6}\.sqlite3")
"""Names of copies that make room for later ones; those made before an upgrade have others."""


def backups_folder(library: Path) -> Path:
    """Where copies are kept unless somebody names a place."""
    return library.with_name("backups")


def dated(library: Path, why: str = "") -> Path:
    """A name for a copy that is made now."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    return backups_folder(library) / f"library-{stamp}{why and '-' + why}.sqlite3"


def copy_library(connection: sqlite3.Connection, target: Path) -> None:
    """Copy a library as it is at one moment; whoever writes meanwhile need not wait.

    Raises ConfigError where the copy cannot be written.
    """
    part = part_beside(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(part, isolation_level=None)) as copy:
            connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, wherever it is carried
        part.replace(target)
    except (OSError, sqlite3.Error) as exc:
        raise ConfigError(
            f"cannot write the copy {target} of the library: {exc}",
            hint="free some space, or name another place: `reelremix library backup FILE`",
        ) from exc
    finally:
        for ending in ("", "-journal", "-wal", "-shm"):
            with suppress(OSError):  # what could not be written cannot be removed either
                part.with_name(part.name + ending).unlink(missing_ok=True)


def prune(library: Path, keep: int) -> list[Path]:
    """Remove the oldest dated copies beyond so many; returns which."""
    folder = backups_folder(library)
    copies = sorted(p for p in folder.glob("library-*.sqlite3") if _DATED.fullmatch(p.name))
    old = copies[: max(0, len(copies) - keep)]
    for path in old:
        path.unlink(missing_ok=True)
    return old
