"""What can be read of a damaged library, in a new one.

Row by row: a page that cannot be read costs the rows on it, not the table. Rows are asked for by
their number, upwards and, from the first that cannot be read, downwards from the end; in between,
stretches are halved until single rows are lost. Tables that follow from others (full text, vectors
of a file) are made anew. The damaged file is kept beside it.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from reelremix.engine.store.files import part_beside
from reelremix.engine.store.integrity import FULL_TEXT
from reelremix.engine.store.migrations import STEPS, count_vectors, migrate
from reelremix.errors import ConfigError

COUNTED = (
    "sources", "files", "transcripts", "clips", "clip_details", "decisions", "manifests", "edits",
    "renders", "corrections", "rankings", "events", "jobs", "watches",
    "watched", "artifacts", "window_sources", "windows", "window_texts", "windows_due",
    "clip_texts", "clip_vectors", "clips_due",
)  # fmt: skip
"""Tables that are copied, those that others refer to first."""
STRETCH = 256
"""Rows that are asked for at once."""
LOCK_TIMEOUT_S = 30.0
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Saved:
    """What came of one table."""

    table: str
    rows: int
    lost: int | None
    """Rows that are known to be gone; None where nobody can tell how many there were."""


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What came of a library."""

    kept_at: Path
    """Where the damaged file is now."""
    tables: tuple[Saved, ...]

    @property
    def lost(self) -> tuple[Saved, ...]:
        """Tables that are not whole."""
        return tuple(own for own in self.tables if own.lost != 0)


def salvage(path: Path) -> Salvaged:
    """Replace a damaged library by what can be read of it.

    Raises ConfigError where nothing in the file is of a library, or no new one can be written.
    """
    part, kept = part_beside(path), _corrupt_name(path)
    try:
        with FileLock(f"{path}.lock", timeout=LOCK_TIMEOUT_S):
            with (
                closing(sqlite3.connect(path, isolation_level=None)) as old,
                closing(sqlite3.connect(part, isolation_level=None)) as new,
            ):
                tables = _copied(old, new, path)
            for ending in ("-wal", "-shm"):  # what they held was read through them
                beside = path.with_name(path.name + ending)
                if beside.exists():
                    beside.replace(kept.with_name(kept.name + ending))
            path.replace(kept)
            part.replace(path)
    except (OSError, sqlite3.Error) as exc:
        raise ConfigError(
            f"cannot save what is in {path}: {exc}",
            hint=f"put a copy back from {path.with_name('backups')}, or move {path} away to start"
            " a new library; finished clips are not touched",
        ) from exc
    finally:
        part.unlink(missing_ok=True)
    return Salvaged(kept, tables)


def _corrupt_name(path: Path) -> Path:
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    return path.with_name(f"{path.stem}-{stamp}.corrupt")


def _copied(old: sqlite3.Connection, new: sqlite3.Connection, path: Path) -> tuple[Saved, ...]:
    old.execute("PRAGMA writable_schema = ON")  # what is cut off is read as far as it goes
    known = _tables(old)
    if not known & set(COUNTED):
        raise ConfigError(
            f"{path} holds nothing of a library",
            hint=f"move {path} away to start a new one; finished clips are not touched",
        )
    migrate(new, _steps(old))
    there = _tables(new)
    new.execute("BEGIN")
    triggers = _without_triggers(new)
    tables = tuple(_copy(old, new, table) for table in COUNTED if table in known & there)
    _without_strays(new)
    for table in FULL_TEXT.keys() & there:
        new.execute(f"INSERT INTO {table} ({table}) VALUES ('rebuild')")
    for statement in triggers:
        new.execute(statement)
    if "vectors" in there:
        count_vectors(new)
    new.execute("COMMIT")
    migrate(new)  # an older library goes on as any other of its age
    return tables


def _steps(old: sqlite3.Connection) -> frozenset[str]:
    """The steps of the schema that a library had gone through; all where that cannot be read."""
    rows = _until_damage(old, "SELECT name FROM _sqlite_migrations")
    return frozenset(str(name) for (name,) in rows) & STEPS.keys() or frozenset(STEPS)


def _tables(connection: sqlite3.Connection) -> set[str]:
    try:
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {str(name) for (name,) in rows}
    except sqlite3.DatabaseError:  # the first page is gone, and with it where everything is
        return set()


def _without_triggers(new: sqlite3.Connection) -> list[str]:
    """Drop every trigger; returns what makes them again."""
    rows = new.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in rows:
        new.execute(f"DROP TRIGGER {name}")
    return [str(sql) for _, sql in rows]


def _copy(old: sqlite3.Connection, new: sqlite3.Connection, table: str) -> Saved:
    columns = [c for c in _columns(new, table) if c in set(_columns(old, table))]
    if not columns:
        return Saved(table, 0, None)
    listed, marks = ", ".join(columns), ", ".join("?" * len(columns))
    saved = 0
    for row in _rows(old, table, listed):
        saved += new.execute(
            f"INSERT OR IGNORE INTO {table} ({listed}) VALUES ({marks})", row
        ).rowcount
    return Saved(table, saved, _lost(old, table, saved))


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    try:
        rows = connection.execute(f"PRAGMA table_info({table})").fetchall()
    except sqlite3.DatabaseError:
        return []
    return [str(row[1]) for row in rows]


def _rows(old: sqlite3.Connection, table: str, listed: str) -> Iterator[Row]:
    """Every row that can be read."""
    try:
        low, high = old.execute(f"SELECT MIN(rowid), MAX(rowid) FROM {table}").fetchone()
    except sqlite3.DatabaseError as exc:
        if "no such column" in str(exc):  # it has no numbers: read as far as can be
            yield from _until_damage(old, f"SELECT {listed} FROM {table}")
            return
        low, high = _ends(old, table)
    if low is None or high is None:
        return
    yield from _between(old, f"SELECT {listed} FROM {table}", int(low), int(high))


def _ends(old: sqlite3.Connection, table: str) -> tuple[int | None, int | None]:
    """The numbers of the first and last row, each as far as it can be read."""
    found: list[int | None] = []
    for order in ("ASC", "DESC"):
        row = next(
            _until_damage(old, f"SELECT rowid FROM {table} ORDER BY rowid {order} LIMIT 1"), None
        )
        found.append(None if row is None else int(row[0]))
    low, high = found
    return low if low is not None else 1, high if high is not None else _largest(old, table)


def _largest(old: sqlite3.Connection, table: str) -> int | None:
    """The number that a table gave last, as it is noted elsewhere."""
    row = next(_until_damage(old, f"SELECT seq FROM sqlite_sequence WHERE name = '{table}'"), None)
    return int(row[0]) if row is not None else None


def _between(old: sqlite3.Connection, query: str, low: int, high: int) -> Iterator[Row]:
    """Rows of a stretch of numbers; one that cannot be read whole is halved."""
    pending = [(low, high)]
    while pending:
        first, last = pending.pop()
        rows, is_whole = _stretch(old, query, first, last)
        if is_whole:
            yield from rows
        elif first < last:
            middle = (first + last) // 2
            pending += [(middle + 1, last), (first, middle)]


def _stretch(old: sqlite3.Connection, query: str, first: int, last: int) -> tuple[list[Row], bool]:
    """The rows of a stretch, and whether it could be read to its end."""
    try:
        asked = f"{query} WHERE rowid BETWEEN ? AND ? ORDER BY rowid LIMIT ?"
        rows = old.execute(asked, (first, last, STRETCH)).fetchall()
    except sqlite3.DatabaseError:
        return [], False
    except (UnicodeDecodeError, OverflowError):  # a row that is there but not what it was
        return [], False
    return rows, len(rows) < STRETCH or first == last


def _until_damage(old: sqlite3.Connection, query: str) -> Iterator[Row]:
    try:
        yield from old.execute(query)
    except sqlite3.DatabaseError:
        return


def _lost(old: sqlite3.Connection, table: str, saved: int) -> int | None:
    """How many rows are gone, by what an index of the table counts."""
    try:
        [(total,)] = old.execute(f"SELECT COUNT(*) FROM {table}").fetchall()
    except sqlite3.DatabaseError:
        return None
    return max(0, int(total) - saved)


def _without_strays(new: sqlite3.Connection) -> None:
    """Remove rows whose other half could not be read, until none is left."""
    while strays := new.execute("PRAGMA foreign_key_check").fetchall():
        for table, row, _, _ in strays:
            new.execute(f'DELETE FROM "{table}" WHERE rowid = ?', (row,))
