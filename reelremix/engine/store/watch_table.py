"""Watched folders in SQLite, and what was taken from them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from reelremix.engine import codec
from reelremix.engine.domain.owner import LOCAL_OWNER
from reelremix.engine.domain.watch import Watch, Watched
from reelremix.engine.store.database import Database

TAKEN = "SELECT watch_id, source_id, path, job_id, at FROM watched WHERE owner = ? AND watch_id = ?"


class SqliteWatchStore:
    """`WatchStore` over the library file."""

    def __init__(self, database: Database, owner: str = LOCAL_OWNER) -> None:
        self._db = database
        self._owner = owner

    def add(self, watch: Watch) -> None:
        """Keep a new watch."""
        with self._db.transaction() as connection:
            connection.execute(
                "INSERT INTO watches (owner, id, detail, created_at) VALUES (?, ?, ?, ?)",
                (self._owner, watch.id, _text(watch), watch.created_at),
            )

    def remove(self, watch_id: str) -> bool:
        """Forget a watch and what was taken from it; returns whether it was there."""
        with self._db.transaction() as connection:
            connection.execute(
                "DELETE FROM watched WHERE owner = ? AND watch_id = ?", (self._owner, watch_id)
            )
            done = connection.execute(
                "DELETE FROM watches WHERE owner = ? AND id = ?", (self._owner, watch_id)
            )
            return bool(done.rowcount)

    def watches(self) -> Sequence[Watch]:
        """All, the oldest first."""
        rows = self._db.rows(
            "SELECT detail FROM watches WHERE owner = ? ORDER BY created_at, id", (self._owner,)
        )
        return [codec.from_plain(json.loads(str(detail)), Watch) for (detail,) in rows]

    def save(self, watch: Watch) -> None:
        """Keep a watch as it is now; one that was removed stays so."""
        with self._db.transaction() as connection:
            connection.execute(
                "UPDATE watches SET detail = ? WHERE owner = ? AND id = ?",
                (_text(watch), self._owner, watch.id),
            )

    def seen(self, watch_id: str, source_id: str) -> Watched | None:
        """What was taken of that content, or None."""
        rows = self._db.rows(f"{TAKEN} AND source_id = ?", (self._owner, watch_id, source_id))
        return _watched(rows[0]) if rows else None

    def of_job(self, watch_id: str, job_id: str) -> Watched | None:
        """What that job was queued for, or None."""
        rows = self._db.rows(f"{TAKEN} AND job_id = ?", (self._owner, watch_id, job_id))
        return _watched(rows[0]) if rows else None

    def remember(self, watched: Watched) -> None:
        """Keep what was taken, replacing what was known of the same content."""
        values = (watched.watch_id, watched.source_id, watched.path, watched.job_id, watched.at)
        with self._db.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO watched (owner, watch_id, source_id, path, job_id, at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (self._owner, *values),
            )

    def forget(self, watch_id: str, source_id: str) -> None:
        """Let that content be taken again."""
        with self._db.transaction() as connection:
            connection.execute(
                "DELETE FROM watched WHERE owner = ? AND watch_id = ? AND source_id = ?",
                (self._owner, watch_id, source_id),
            )

    def count(self, watch_id: str) -> int:
        """How many recordings were taken."""
        rows = self._db.rows(
            "SELECT COUNT(*) FROM watched WHERE owner = ? AND watch_id = ?", (self._owner, watch_id)
        )
        return int(str(rows[0][0]))


def _text(watch: Watch) -> str:
    return json.dumps(codec.to_plain(watch))  # ASCII: a path need not be Unicode


def _watched(row: tuple[object, ...]) -> Watched:
    watch_id, source_id, path, job_id, at = row
    job = None if job_id is None else str(job_id)
    return Watched(str(watch_id), str(source_id), str(path), job, float(str(at)))
