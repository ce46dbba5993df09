"""Lists out of SQLite, a page at a time.

Imports little, so that a list can be on the screen before anything else is loaded.
"""

from __future__ import annotations

from typing import Any

from reelremix.engine.domain.rows import SourceRow
from reelremix.engine.store.database import Database


def source_rows(
    database: Database, owner: str, text: str, limit: int, offset: int
) -> list[SourceRow]:
    """Sources whose name has a text in it, the latest seen first."""
    rows: list[Any] = database.rows(
        "SELECT id, name, length_s, seen_at,"
        " (SELECT path FROM manifests WHERE manifests.owner = sources.owner"
        "  AND source_id = sources.id ORDER BY manifests.seen_at DESC LIMIT 1),"
        " (SELECT json_array(COUNT(*), TOTAL(status = 'kept'), TOTAL(status = 'dropped'))"
        "  FROM clips WHERE clips.owner = sources.owner AND source_id = sources.id)"
        " FROM sources WHERE owner = ? AND (? = '' OR instr(lower(name), lower(?)) > 0)"
        " ORDER BY seen_at DESC LIMIT ? OFFSET ?",
        (owner, text, text, limit, offset),
    )
    return [_source_row(*row) for row in rows]


def _source_row(
    id: str, name: str, length_s: float | None, seen_at: float, path: str | None, counts: str
) -> SourceRow:
    clips, kept, dropped = (int(float(n)) for n in counts.strip("[]").split(","))
    return SourceRow(id, name, length_s, clips, kept, dropped, seen_at, path)
