"""Whether a library file is sound, and what of it can be made anew."""

from __future__ import annotations

import hashlib
import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reelremix.engine.store.database import Database
from reelremix.engine.store.trouble import REPAIR, is_damage, trouble
from reelremix.errors import ConfigError

FULL_TEXT = {"window_words": "what is said", "clip_words": "clips"}
"""Full-text tables and what is found in them."""
MOST_LISTED = 20
SAMPLED = 200
"""Artifacts that are read where not all are."""

_log = logging.getLogger("reelremix")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong."""

    kind: str
    """`file`, `reference`, `search`, `vectors`, `artifact` or `source`."""
    message: str
    can_repair: bool
    """Whether it can be made anew from the rest."""


def file_faults(database: Database, *, full: bool) -> Iterator[Fault]:
    """What SQLite finds in the file; `full` also compares every index with its table."""
    check = "integrity_check" if full else "quick_check"
    for (said,) in database.rows(f"PRAGMA {check}({MOST_LISTED})"):
        if said != "ok":
            yield Fault("file", f"the file is damaged: {said}", True)
    for table, row, parent, _ in database.rows("PRAGMA foreign_key_check"):
        yield Fault("reference", f"{table} {row} belongs to no {parent}", True)


def set_aside_if_damaged(file: Path) -> None:
    """Rename a SQLite file that is damaged, where what is in it can be made anew from elsewhere.

    Raises LibraryHeld, or ConfigError where it cannot be read for another reason.
    """
    if not file.exists():
        return
    try:
        with closing(sqlite3.connect(file)) as connection:
            found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.DatabaseError as exc:
        if not is_damage(exc):
            raise trouble("cannot read", file, exc) from exc
        found = str(exc)
    if found == "ok":
        return
    aside = file.with_name(f"{file.name}.damaged-{int(time.time())}")
    _log.error("%s is damaged (%s); it is kept as %s", file, found, aside.name)
    for ending in ("", "-wal", "-shm"):
        part = file.with_name(file.name + ending)
        if part.exists():
            part.rename(aside.with_name(aside.name + ending))


def require_sound(database: Database) -> None:
    """Raise ConfigError for a file that is damaged: nobody wants a copy of that."""
    for fault in file_faults(database, full=False):
        if fault.kind == "file":
            raise ConfigError(f"{database.path}: {fault.message}", hint=REPAIR)


def search_faults(database: Database) -> Iterator[Fault]:
    """Full-text tables that are not in step with their texts."""
    for table, what in FULL_TEXT.items():
        try:
            database.connection().execute(
                f"INSERT INTO {table} ({table}, rank) VALUES ('integrity-check', 1)"
            )
        except sqlite3.OperationalError as exc:  # held, full, or not to be written to
            raise trouble("cannot compare the full text of", database.path, exc) from exc
        except sqlite3.DatabaseError:
            yield Fault("search", f"the full text of {what} is not in step with its texts", True)


def artifact_faults(database: Database, folder: Path, *, full: bool) -> Iterator[Fault]:
    """Artifacts whose file is gone or another; a sample unless `full`."""
    rows: list[Any] = database.rows(
        "SELECT owner, stage, digest, sha256 FROM artifacts ORDER BY used_at DESC LIMIT ?",
        (-1 if full else SAMPLED,),
    )
    for owner, stage, digest, sha256 in rows:
        path = folder / owner / stage / digest[:2] / digest
        try:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            found = "gone"
        if found != sha256:
            said = "is gone" if found == "gone" else "is damaged"
            yield Fault("artifact", f"{stage} {digest[:12]} {said}", True)


def mend(database: Database) -> None:
    """Make anew what the library can make from its own rows: indexes, full text, lost rows."""
    with database.transaction() as connection:
        for table, row, _, _ in connection.execute("PRAGMA foreign_key_check").fetchall():
            connection.execute(f'DELETE FROM "{table}" WHERE rowid = ?', (row,))
        for table in FULL_TEXT:
            connection.execute(f"INSERT INTO {table} ({table}) VALUES ('rebuild')")
        connection.execute("REINDEX")


def forget_artifacts(database: Database, folder: Path) -> int:
    """Forget every artifact whose file is gone or another; returns how many."""
    rows: list[Any] = database.rows("SELECT owner, stage, digest, sha256 FROM artifacts")
    gone = []
    for owner, stage, digest, sha256 in rows:
        path = folder / owner / stage / digest[:2] / digest
        try:
            with path.open("rb") as file:
                is_whole = hashlib.file_digest(file, "sha256").hexdigest() == sha256
        except OSError:
            is_whole = False
        if not is_whole:
            gone.append((owner, stage, digest))
    with database.transaction() as connection:
        connection.executemany(
            "DELETE FROM artifacts WHERE owner = ? AND stage = ? AND digest = ?", gone
        )
    return len(gone)


def free_share(database: Database) -> float:
    """The share of the file that holds nothing."""
    [(pages,)] = database.rows("PRAGMA page_count")
    [(free,)] = database.rows("PRAGMA freelist_count")
    return int(str(free)) / max(1, int(str(pages)))


def compact(database: Database) -> None:
    """Write the file anew without what holds nothing. Raises ConfigError where it cannot be."""
    try:
        database.connection().execute("VACUUM")
    except sqlite3.Error as exc:
        raise trouble("cannot compact", database.path, exc) from exc
