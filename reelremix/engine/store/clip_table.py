"""Clips in SQLite: what lists show, what renders need, and the words and meaning they are found by.

What a list shows is a short row; the rest, a hundred times as much, lies apart and compressed. The
text of a clip is indexed in the transaction that saves it; its meaning when a search first needs
it. Numpy is loaded only where vectors are compared.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from reelremix.engine import codec
from reelremix.engine.domain.clip import Clip, ClipEntry
from reelremix.engine.domain.rows import (
    ClipDue,
    ClipFilter,
    ClipHit,
    ClipRow,
    FoundClip,
    Order,
    Standing,
)
from reelremix.engine.domain.terms import terms_of
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.store.database import Database
from reelremix.engine.store.packing import packed, unpacked
from reelremix.engine.store.rows import anywhere
from reelremix.engine.store.words import SPARE, Words

if TYPE_CHECKING:
    from reelremix.engine.store.vector_file import VectorFile

LAST = chr(0x10FFFF)
"""Sorts behind every letter of an id."""
ROW = (
    "id, source_id, (SELECT name FROM sources WHERE sources.owner = clips.owner"
    " AND sources.id = clips.source_id), rank, title, status, total, start_s, length_s, saved_at"
)
ORDERS = {
    Order.TIME: "saved_at DESC, status, title, number",
    Order.SCORE: "total DESC, status, title, number",
}


INDEXES = {Order.TIME: "clips_by_time", Order.SCORE: "clips_by_score"}
"""SQLite would else choose by statistics that it does not have."""


class ClipTable:
    """The clips of one owner."""

    def __init__(self, database: Database, owner: str) -> None:
        self._db = database
        self._owner = owner
        self._words = Words(database, "clip_words")

    @cached_property
    def _vectors(self) -> VectorFile:
        from reelremix.engine.store.vector_file import VectorFile  # deferred: numpy, 150 ms

        return VectorFile(self._db, self._owner, "clips")

    def save(self, source_id: str, clips: Sequence[Clip]) -> None:
        """Add clips, or refresh those with the same id."""
        texts = [text_of(clip) for clip in clips]
        details = [packed(codec.to_bytes(clip)) for clip in clips]
        with self._db.transaction() as connection:
            for clip, text, detail in zip(clips, texts, details, strict=True):
                number = self._save(connection, source_id, clip)
                connection.execute(
                    "INSERT OR REPLACE INTO clip_details VALUES (?, ?)", (number, detail)
                )
                self._index(connection, number, text)

    def _save(self, connection: sqlite3.Connection, source_id: str, clip: Clip) -> int:
        """The short row of a clip; returns its number. What was decided about it stays."""
        [number] = connection.execute(
            "INSERT INTO clips (owner, id, source_id, rank, title, slug, ranges, start_s, length_s,"
            " total, status, saved_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
            " (SELECT NULLIF(kind, 'reopened') FROM decisions WHERE owner = ? AND clip_id = ?"
            "  AND kind IN ('kept', 'dropped', 'reopened') ORDER BY number DESC LIMIT 1), ?)"
            " ON CONFLICT (owner, id) DO UPDATE SET source_id = excluded.source_id,"
            " rank = excluded.rank, title = excluded.title, slug = excluded.slug,"
            " ranges = excluded.ranges, start_s = excluded.start_s, length_s = excluded.length_s,"
            " total = excluded.total, saved_at = excluded.saved_at RETURNING number",
            (
                self._owner,
                clip.id,
                source_id,
                clip.rank,
                clip.title,
                clip.slug,
                _ranges_to_text(clip.ranges),
                clip.ranges[0].start_s if clip.ranges else None,
                clip.duration_s,
                clip.score.total if clip.score is not None else None,
                self._owner,
                clip.id,
                time.time(),
            ),
        ).fetchone()
        return int(number)

    def _index(self, connection: sqlite3.Connection, number: int, text: str) -> None:
        """Index a text unless it is indexed as it is."""
        known = connection.execute(
            "SELECT text FROM clip_texts WHERE clip = ?", (number,)
        ).fetchone()
        if known == (text,):
            return
        connection.execute("DELETE FROM clip_texts WHERE clip = ?", (number,))
        connection.execute(
            "INSERT INTO clip_texts (clip, owner, text, terms) VALUES (?, ?, ?, ?)",
            (number, self._owner, text, " ".join(terms_of(text))),
        )

    def remove(self, ids: Sequence[str]) -> None:
        """Forget clips."""
        with self._db.transaction() as connection:
            connection.executemany(
                "DELETE FROM clips WHERE owner = ? AND id = ?", [(self._owner, id) for id in ids]
            )

    def clips(self, source_id: str) -> list[Clip]:
        """The clips of a source by rank; those that another version wrote count as absent."""
        rows = self._db.rows(
            "SELECT detail FROM clips JOIN clip_details USING (number)"
            " WHERE owner = ? AND source_id = ? ORDER BY rank, id",
            (self._owner, source_id),
        )
        return [clip for (detail,) in rows if (clip := _clip(detail)) is not None]

    def clip(self, id: str) -> Clip | None:
        """The clip of that id, or None."""
        rows = self._db.rows(
            "SELECT detail FROM clips JOIN clip_details USING (number) WHERE owner = ? AND id = ?",
            (self._owner, id),
        )
        return _clip(rows[0][0]) if rows else None

    def find(self, id_prefix: str) -> list[ClipEntry]:
        """The clips whose id begins so, by id."""
        rows = self._db.rows(
            "SELECT id, source_id, title, slug, ranges FROM clips"
            " WHERE owner = ? AND id >= ? AND id < ? AND ranges <> '[]' ORDER BY id",
            (self._owner, id_prefix, id_prefix + LAST),
        )
        return [
            ClipEntry(str(id), str(source), str(title), str(slug), _ranges_of(str(ranges)))
            for id, source, title, slug, ranges in rows
        ]

    def rows(self, wanted: ClipFilter, limit: int, offset: int) -> list[ClipRow]:
        """A page of a list."""
        where, values = self._where(wanted)
        index = INDEXES[wanted.order] if wanted.source_id is None else "clips_by_source"
        rows: list[Any] = self._db.rows(
            f"SELECT {ROW} FROM clips INDEXED BY {index} WHERE {where}"
            f" ORDER BY {ORDERS[wanted.order]} LIMIT ? OFFSET ?",
            (*values, limit, offset),
        )
        return [_row(*row) for row in rows]

    def count(self, wanted: ClipFilter) -> int:
        """How many a list would show."""
        where, values = self._where(wanted)
        rows = self._db.rows(f"SELECT COUNT(*) FROM clips WHERE {where}", values)
        return int(str(rows[0][0]))

    def _where(self, wanted: ClipFilter) -> tuple[str, tuple[object, ...]]:
        parts: list[str] = ["owner = ?"]
        values: list[object] = [self._owner]
        if wanted.source_id is not None:
            parts.append("source_id = ?")
            values.append(wanted.source_id)
        if wanted.standing is not None:
            parts.append("status IS ?")
            values.append(None if wanted.standing is Standing.OPEN else str(wanted.standing))
        if wanted.text:
            parts.append("title LIKE ? ESCAPE '\\'")
            values.append(anywhere(wanted.text))
        return " AND ".join(parts), tuple(values)

    def due(self, model: str) -> list[ClipDue]:
        """Clips whose meaning that model has not told as they read now."""
        self._put_off(model)
        rows = self._db.rows(
            "SELECT number, clip_texts.text FROM clips_due JOIN clip_texts"
            " ON clip_texts.number = clips_due.text WHERE clips_due.owner = ? ORDER BY number",
            (self._owner,),
        )
        return [ClipDue(int(str(number)), str(text)) for number, text in rows]

    def _put_off(self, model: str) -> None:
        """Make those due whose meaning another model told."""
        known = {
            str(row[0])
            for least in ("MIN", "MAX")
            for row in self._db.rows(
                f"SELECT {least}(model) FROM clip_vectors WHERE owner = ?", (self._owner,)
            )
            if row[0] is not None
        }
        if known - {model}:
            with self._db.transaction() as connection:
                connection.execute(
                    "INSERT OR IGNORE INTO clips_due SELECT text, owner FROM clip_vectors"
                    " WHERE owner = ? AND model <> ?",
                    (self._owner, model),
                )
                connection.execute(
                    "DELETE FROM clip_vectors WHERE owner = ? AND model <> ?", (self._owner, model)
                )

    def save_meanings(self, model: str, vectors: Mapping[int, bytes | None]) -> None:
        """Keep what texts mean, None for one whose language is not known to the model.

        A text that was changed meanwhile stays due.
        """
        with self._db.transaction() as connection:
            for number, vector in vectors.items():
                struck = connection.execute(
                    "DELETE FROM clips_due WHERE text = ? AND owner = ?", (number, self._owner)
                )
                if struck.rowcount:
                    connection.execute(
                        "INSERT OR REPLACE INTO clip_vectors (text, owner, model, vector)"
                        " VALUES (?, ?, ?, ?)",
                        (number, self._owner, model, vector),
                    )

    def saying(self, terms: Sequence[str], limit: int) -> list[ClipHit]:
        """Clips with any of the terms, by BM25."""
        [(total,)] = self._db.rows("SELECT COUNT(*) FROM clip_texts")
        query = self._words.query(terms, float(str(total))) if limit > 0 else None
        if query is None:
            return []
        asked = limit
        while True:
            asked *= SPARE
            best = self._words.best(query, asked)
            ids = self._ids_of_texts([row[0] for row in best])
            found = [ClipHit(ids[n], float(str(score))) for n, score in best if n in ids]
            if len(found) >= limit or len(best) < asked:
                return found[:limit]

    def _ids_of_texts(self, numbers: Sequence[object]) -> dict[object, str]:
        rows = self._db.rows(
            "SELECT clip_texts.number, id FROM clip_texts JOIN clips ON clips.number = clip"
            " WHERE +clip_texts.owner = ? AND clip_texts.number IN"
            " (SELECT value FROM json_each(?))",
            (self._owner, json.dumps(numbers)),
        )
        return {number: str(id) for number, id in rows}

    def meaning(self, vector: Sequence[float], limit: int) -> list[ClipHit]:
        """The clips whose meaning is nearest to a vector, by cosine."""
        found = self._vectors.nearest(vector, limit)
        rows = self._db.rows(
            "SELECT clip_vectors.number, id FROM clip_vectors"
            " JOIN clip_texts ON clip_texts.number = clip_vectors.text"
            " JOIN clips ON clips.number = clip"
            " WHERE clip_vectors.number IN (SELECT value FROM json_each(?))",
            (json.dumps([number for number, _ in found]),),
        )
        ids = {number: str(id) for number, id in rows}
        return [ClipHit(ids[number], score) for number, score in found if number in ids]

    def read(self, ids: Sequence[str]) -> list[FoundClip | None]:
        """The clips of these ids, in the same order; None for one that is gone."""
        rows: list[Any] = self._db.rows(
            f"SELECT {ROW}, clip_texts.text, terms,"
            " (SELECT vector FROM clip_vectors WHERE clip_vectors.text = clip_texts.number)"
            " FROM clips JOIN clip_texts ON clip = clips.number"
            " WHERE clips.owner = ? AND id IN (SELECT value FROM json_each(?))",
            (self._owner, json.dumps(list(ids))),
        )
        found = {
            row[0]: FoundClip(_row(*row[:-3]), text, frozenset(terms.split()), vector)
            for row in rows
            for text, terms, vector in [row[-3:]]
        }
        return [found.get(id) for id in ids]


def text_of(clip: Clip) -> str:
    """What a clip is found by: its title, its description and what is said, a line each."""
    return "\n".join((clip.title, clip.description, clip.text))


def _clip(detail: object) -> Clip | None:
    """None where another version wrote it in another form."""
    if not isinstance(detail, bytes):
        return None
    try:
        return codec.from_bytes(unpacked(detail), Clip)
    except ValueError:
        return None


def _row(
    id: str,
    source_id: str,
    source: str | None,
    rank: int,
    title: str,
    status: str | None,
    total: float | None,
    start_s: float | None,
    length_s: float | None,
    saved_at: float,
) -> ClipRow:
    standing = Standing(status) if status in ("kept", "dropped") else Standing.OPEN
    return ClipRow(id, source_id, source, rank, title, standing, total, start_s, length_s, saved_at)


def _ranges_to_text(ranges: Sequence[TimeRange]) -> str:
    """Ticks and time base of both ends of each."""
    return json.dumps([[*_ends(r.start), *_ends(r.end)] for r in ranges])


def _ends(moment: Timestamp) -> Iterator[object]:
    yield moment.ticks
    yield str(moment.time_base)


def _ranges_of(text: str) -> tuple[TimeRange, ...]:
    return tuple(
        TimeRange(Timestamp(start, _base(start_base)), Timestamp(end, _base(end_base)))
        for start, start_base, end, end_base in json.loads(text)
    )


@lru_cache(maxsize=1000)
def _base(text: str) -> Fraction:
    return Fraction(text)
