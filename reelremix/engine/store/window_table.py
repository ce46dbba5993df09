"""Windows in SQLite: their words in a full-text table, their vectors in one of their own.

Words are found by `words`, vectors compared exactly by `vector_file`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.window import (
    Due,
    FoundWindow,
    Line,
    Meaning,
    Window,
    WindowHit,
    WindowIndex,
)
from reelremix.engine.store.database import Database
from reelremix.engine.store.nearest import Numbers
from reelremix.engine.store.vector_file import VectorFile
from reelremix.engine.store.words import SPARE, Words


class WindowTable:
    """The windows of one owner."""

    def __init__(self, database: Database, owner: str) -> None:
        self._db = database
        self._owner = owner
        self._words = Words(database, "window_words")
        self._vectors = VectorFile(database, owner, "windows")

    def due(self, model: str | None) -> list[Due]:
        """Sources whose transcript is not indexed as it is now, or not by that model."""
        if model is not None:
            self._put_off(model)
        rows = self._db.rows(
            "SELECT source_id, ticket FROM windows_due WHERE owner = ? ORDER BY ticket",
            (self._owner,),
        )
        return [Due(str(source_id), int(str(ticket))) for source_id, ticket in rows]

    def _put_off(self, model: str) -> None:
        """Make those due that were indexed by another model or none."""
        other = "FROM window_sources WHERE owner = ? AND model IS NOT ?"
        if self._db.rows(f"SELECT 1 {other} LIMIT 1", (self._owner, model)):
            with self._db.transaction() as connection:
                connection.execute(
                    f"INSERT OR IGNORE INTO windows_due (owner, source_id) SELECT owner, source_id"
                    f" {other} ORDER BY version",
                    (self._owner, model),
                )

    def save(self, due: Due, index: WindowIndex) -> None:
        """Index a source anew, and strike it off those that are due."""
        with self._db.transaction() as connection:
            about = (self._owner, index.source_id)
            connection.execute(
                "DELETE FROM windows_due WHERE owner = ? AND source_id = ? AND ticket = ?",
                (self._owner, due.source_id, due.ticket),
            )
            known = connection.execute(
                "SELECT digest FROM window_sources WHERE owner = ? AND source_id = ?", about
            ).fetchone()
            if known == (index.digest,):
                return
            connection.execute("DELETE FROM windows WHERE owner = ? AND source_id = ?", about)
            connection.execute(
                "INSERT OR REPLACE INTO window_sources"
                " (owner, source_id, digest, model, windows, indexed_at) VALUES (?, ?, ?, ?, ?, ?)",
                (*about, index.digest, index.model, len(index.windows), time.time()),
            )
            for window in index.windows:
                place, text = _columns(window)
                number = connection.execute(
                    "INSERT INTO windows (owner, source_id, start_ticks, end_ticks, time_base,"
                    " vector) VALUES (?, ?, ?, ?, ?, ?)",
                    (*about, *place),
                ).lastrowid
                connection.execute("INSERT INTO window_texts VALUES (?, ?, ?, ?)", (number, *text))

    def saying(
        self, terms: Sequence[str], limit: int, sources: Collection[str] | None
    ) -> list[WindowHit]:
        """Windows with any of the terms, by BM25."""
        query = self._words.query(terms, self._total()) if limit > 0 else None
        if query is None:
            return []
        rows = self._words.best(query, limit * SPARE)
        allowed = set(self._numbers(sources, [row[0] for row in rows]).tolist())
        found = [row for row in rows if row[0] in allowed]
        if len(found) < limit and len(rows) == limit * SPARE:
            found = self._saying_within(query, limit, sources)
        return [WindowHit(int(str(row[0])), float(str(row[1]))) for row in found[:limit]]

    def _total(self) -> float:
        [(total,)] = self._db.rows("SELECT TOTAL(windows) FROM window_sources")
        return float(str(total))

    def _saying_within(
        self, asked: tuple[str, int], limit: int, sources: Collection[str] | None
    ) -> list[tuple[object, ...]]:
        """The same where most hits belong to others: asks of each whose it is, which takes long."""
        within, named = self._within(sources)
        return self._db.rows(
            "SELECT window_words.rowid, -bm25(window_words) AS score FROM window_words"
            " JOIN windows ON windows.number = window_words.rowid"
            f" WHERE window_words MATCH ? AND window_words.rowid >= ? AND windows.owner = ?{within}"
            " ORDER BY score DESC, window_words.rowid LIMIT ?",
            (*asked, self._owner, *named, limit),
        )

    def meaning(
        self, vector: Sequence[float], limit: int, sources: Collection[str] | None
    ) -> list[WindowHit]:
        """The windows nearest to a vector, by cosine."""
        allowed = None if sources is None else self._numbers(sources)
        found = self._vectors.nearest(vector, limit, allowed)
        return [WindowHit(number, score) for number, score in found]

    def _numbers(
        self, sources: Collection[str] | None, among: Sequence[object] | None = None
    ) -> Numbers:
        """The windows of these sources, or of all; of those `among`, unless None."""
        owner, (within, named) = "owner", self._within(sources)
        if among is not None:
            owner = "+owner"  # keeps SQLite from reading all windows of the owner
            within += " AND number IN (SELECT value FROM json_each(?))"
            named = (*named, json.dumps(among))
        rows = self._db.rows(
            f"SELECT number FROM windows WHERE {owner} = ?{within}", (self._owner, *named)
        )
        return np.array([row[0] for row in rows], np.int64)

    def _within(self, sources: Collection[str] | None) -> tuple[str, tuple[str, ...]]:
        """A condition for sources, and its variable: a list of any length."""
        if sources is None:
            return "", ()
        listed = json.dumps(sorted(sources))
        return " AND windows.source_id IN (SELECT value FROM json_each(?))", (listed,)

    def read(self, numbers: Sequence[int]) -> list[FoundWindow | None]:
        """The windows of these numbers, in the same order."""
        rows = self._db.rows(
            "SELECT windows.number, source_id, start_ticks, end_ticks, time_base, terms, lines,"
            " line_vectors, vector FROM windows JOIN window_texts USING (number)"
            " WHERE +windows.owner = ? AND windows.number IN (SELECT value FROM json_each(?))",
            (self._owner, json.dumps(list(numbers))),
        )
        found = {int(str(row[0])): FoundWindow(str(row[1]), _window(row[2:])) for row in rows}
        return [found.get(number) for number in numbers]


def _columns(window: Window) -> tuple[tuple[object, ...], tuple[object, ...]]:
    """The rows of a window: its place and meaning, and its text."""
    base, meaning = window.range.start.time_base, window.meaning
    lines = [[line.text, *_ticks(line.range, base)] for line in window.lines]
    return (
        (*_ticks(window.range, base), str(base), meaning.window if meaning else None),
        (
            "\n".join(" ".join(line.terms) for line in window.lines),
            json.dumps(lines).encode(),
            meaning.lines if meaning else None,
        ),
    )


def _ticks(span: TimeRange, base: Fraction) -> tuple[int, int]:
    return round(span.start.exact / base), round(span.end.exact / base)


def _window(row: Sequence[Any]) -> Window:
    start, end, base, terms, lines, line_vectors, vector = row
    unit = Fraction(base)

    def span(first: int, last: int) -> TimeRange:
        return TimeRange(Timestamp(first, unit), Timestamp(last, unit))

    spoken = tuple(
        Line(text, span(first, last), tuple(own.split()))
        for (text, first, last), own in zip(json.loads(lines), terms.split("\n"), strict=True)
    )
    meaning = None if vector is None else Meaning(vector, line_vectors)
    return Window(span(start, end), spoken, meaning)
