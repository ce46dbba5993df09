"""Rows that go: those of a source somebody has no more use for, and those nothing leads to.

What a person did stays when a source goes: decisions teach the ranking, and the edits of a
manifest are what its file is compared with when it is opened again. Edits go only when their
manifest has been gone for long.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from reelremix.engine.domain.edit import ManifestPlace
from reelremix.engine.domain.rows import Forgotten
from reelremix.engine.store.database import Database

COUNTED = {
    "transcripts": "transcripts",
    "windows": "windows",
    "clips": "clips",
    "manifests": "manifests",
    "corrections": "corrections",
}
OTHERS = ("window_sources", "windows_due", "files")


def forget_source(database: Database, owner: str, source_id: str) -> Forgotten:
    """Remove a source and what was made from it; files, decisions and edits stay."""
    about = (owner, source_id)
    with database.transaction() as connection:
        counts = {
            name: _remove(connection, f"{table} WHERE owner = ? AND source_id = ?", about)
            for name, table in COUNTED.items()
        }
        for table in OTHERS:
            _remove(connection, f"{table} WHERE owner = ? AND source_id = ?", about)
        _remove(connection, "sources WHERE owner = ? AND id = ?", about)
    return Forgotten(**counts)


def stale_manifests(
    database: Database, owner: str, before: float
) -> tuple[list[ManifestPlace], list[str]]:
    """Manifests not seen since then, and ids of those whose edits are older and that nothing names.

    Whether the former are still there is for the caller to see.
    """
    rows = database.rows(
        "SELECT id, source_id, path FROM manifests WHERE owner = ? AND seen_at < ? ORDER BY id",
        (owner, before),
    )
    unnamed = database.rows(
        "SELECT manifest_id FROM edits WHERE owner = ? AND manifest_id NOT IN"
        " (SELECT id FROM manifests WHERE manifests.owner = edits.owner)"
        " GROUP BY manifest_id HAVING MAX(at) < ? ORDER BY manifest_id",
        (owner, before),
    )
    places = [ManifestPlace(*(str(value) for value in row)) for row in rows]
    return places, [str(row[0]) for row in unnamed]


def forget_manifests(database: Database, owner: str, ids: Sequence[str]) -> int:
    """Remove manifests, their edits and what is known of their films; returns how many edits."""
    edits = 0
    with database.transaction() as connection:
        for id in ids:
            _remove(connection, "manifests WHERE owner = ? AND id = ?", (owner, id))
            _remove(connection, "renders WHERE owner = ? AND manifest_id = ?", (owner, id))
            edits += _remove(connection, "edits WHERE owner = ? AND manifest_id = ?", (owner, id))
    return edits


def _remove(connection: sqlite3.Connection, what: str, values: tuple[str, str]) -> int:
    return connection.execute(f"DELETE FROM {what}", values).rowcount
