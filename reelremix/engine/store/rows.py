"""Lists out of SQLite, a page at a time.

Imports little, so that a list can be on the screen before anything else is loaded.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from reelremix.engine.domain.rows import Order, SourceRow
from reelremix.engine.store.database import Database

COLUMNS = (
    "id, name, length_s, seen_at,"
    " (SELECT path FROM manifests WHERE manifests.owner = sources.owner"
    "  AND source_id = sources.id ORDER BY manifests.seen_at DESC LIMIT 1),"
    " (SELECT json_array(COUNT(*), TOTAL(status = 'kept'), TOTAL(status = 'dropped'))"
    "  FROM clips WHERE clips.owner = sources.owner AND source_id = sources.id)"
)
ORDERS = {Order.TIME: "seen_at DESC", Order.NAME: "name COLLATE NOCASE"}
LAST = chr(0x10FFFF)
"""Sorts behind every letter of an id."""
MOST_FOUND = 100
FEWEST_LETTERS = 4
"""Of an id, to name a source by its beginning."""


def source_rows(
    database: Database,
    owner: str,
    text: str,
    limit: int,
    offset: int,
    order: Order = Order.TIME,
) -> list[SourceRow]:
    """Sources whose name has a text in it, with what became of them."""
    rows: list[Any] = database.rows(
        f"SELECT {COLUMNS} FROM sources"
        " WHERE owner = ? AND (? = '' OR name LIKE ? ESCAPE '\\')"
        f" ORDER BY {ORDERS[order]} LIMIT ? OFFSET ?",
        (owner, text, anywhere(text), limit, offset),
    )
    return [_source_row(*row) for row in rows]


def anywhere(text: str) -> str:
    """A pattern for what has a text in it, whatever the case of its ASCII letters; half the time of
    comparing lower letters."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def find_sources(database: Database, owner: str, text: str) -> list[SourceRow]:
    """Sources of that name, with or without its ending, or else whose id begins so."""
    named: list[Any] = database.rows(
        f"SELECT {COLUMNS} FROM sources WHERE owner = ? AND name COLLATE NOCASE >= ?"
        " AND name COLLATE NOCASE < ? ORDER BY name COLLATE NOCASE",
        (owner, text, text + LAST),
    )
    wanted = text.lower()
    rows = [row for row in named if wanted in _names(row[1])]
    if not rows and len(text) >= FEWEST_LETTERS:
        rows = database.rows(
            f"SELECT {COLUMNS} FROM sources WHERE owner = ? AND id >= ? AND id < ? LIMIT ?",
            (owner, wanted, wanted + LAST, MOST_FOUND),
        )
    return [_source_row(*row) for row in rows]


def places(
    database: Database, owner: str, ids: Sequence[str]
) -> dict[str, tuple[str | None, Sequence[str]]]:
    """For each source its name, None where it is not known, and where it was, the latest first."""
    listed = json.dumps(list(ids))
    named = database.rows(
        "SELECT id, name FROM sources WHERE owner = ? AND id IN (SELECT value FROM json_each(?))",
        (owner, listed),
    )
    seen: dict[str, list[str]] = {id: [] for id in ids}
    for id, path in database.rows(
        "SELECT source_id, path FROM files WHERE owner = ?"
        " AND source_id IN (SELECT value FROM json_each(?)) ORDER BY source_id, seen_at DESC",
        (owner, listed),
    ):
        seen[str(id)].append(str(path))
    names = {str(id): str(name) for id, name in named}
    return {id: (names.get(id), paths) for id, paths in seen.items()}


def _names(name: str) -> tuple[str, str]:
    """What a recording may be called."""
    return name.lower(), PurePath(name).stem.lower()


def _source_row(
    id: str, name: str, length_s: float | None, seen_at: float, path: str | None, counts: str
) -> SourceRow:
    clips, kept, dropped = (int(float(n)) for n in counts.strip("[]").split(","))
    return SourceRow(id, name, length_s, clips, kept, dropped, seen_at, path)
