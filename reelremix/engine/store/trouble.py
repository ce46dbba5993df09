"""What is wrong with a library file, in words, and what to type."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from reelremix.errors import ConfigError, DiskFull, LibraryHeld

WAIT = "try again when the other program is done with it"
REPAIR = (
    "`reelremix library check --repair` saves what can be read and keeps the damaged file;"
    " finished clips are not touched"
)
MOST_NAMED = 3
_KINDS: dict[int, type[ConfigError]] = {
    sqlite3.SQLITE_BUSY: LibraryHeld,
    sqlite3.SQLITE_LOCKED: LibraryHeld,
    sqlite3.SQLITE_FULL: DiskFull,
}


def trouble(doing: str, path: Path, exc: sqlite3.Error) -> ConfigError:
    """The error for what SQLite says of a library; `doing` begins the sentence."""
    said = str(exc)
    if _code(exc) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        said = f"another program holds it{named_holders(path)}"
    kind = _KINDS.get(_code(exc), ConfigError)
    return kind(f"{doing} the library {path}: {said}", hint=what_to_do(exc, path))


def what_to_do(exc: sqlite3.Error, path: Path) -> str:
    """Only a library that is damaged is to be repaired."""
    code = _code(exc)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return WAIT
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN):
        return f"see who may write to {path.parent}, or set REELREMIX_DATA_DIR to another folder"
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return (
            f"free some space where {path.parent} lies, or set REELREMIX_DATA_DIR to another folder"
        )
    return REPAIR


def is_damage(exc: sqlite3.Error) -> bool:
    """Whether the file itself is broken, not the way to it."""
    return _code(exc) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def named_holders(path: Path) -> str:
    """` (python, process 123)` for the programs that have a file open, as far as one may see."""
    found = holders(path)
    listed = ", ".join(f"{name}, process {pid}" for name, pid in found[:MOST_NAMED])
    return f" ({listed})" if listed else ""


def holders(path: Path) -> list[tuple[str, int]]:
    """Name and process id of the other programs that have a library open."""
    import psutil  # deferred: only where something is wrong

    files = {str(path.resolve()) + ending for ending in ("", "-wal", ".lock")}
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):  # gone meanwhile, or another user's
            if process.pid != os.getpid() and any(f.path in files for f in process.open_files()):
                found.append((process.name(), process.pid))
    return found


def _code(exc: sqlite3.Error) -> int:
    return int(getattr(exc, "sqlite_errorcode", 0)) & 0xFF
