"""Words in a full-text table, ranked by BM25 (Robertson & Zaragoza, "The Probabilistic Relevance
Framework", 2009) as FTS5 computes it.
"""

from __future__ import annotations

from collections.abc import Sequence

from reelremix.engine.store.database import Database

COMMON_SHARE = 0.1
"""A word in more than this share of texts tells little, and takes long to look for."""
FEWEST_COMMON = 1000
"""A word in fewer texts counts in any case: they are quickly weighed."""
MOST_WEIGHED = 10_000
"""Texts with one of the words, the last indexed ones: BM25 takes two microseconds for each."""
SPARE = 4
"""Times as many hits are asked for as are wanted, before it is known whose they are."""


class Words:
    """One full-text table, whoever its texts belong to."""

    def __init__(self, database: Database, table: str) -> None:
        self._db = database
        self._table = table

    def query(self, terms: Sequence[str], total: float) -> tuple[str, int] | None:
        """What to match, and the text from which on; None where no term is said anywhere.

        Terms in more than a tenth of `total` texts do not count beside rarer ones.
        """
        asked = list(dict.fromkeys(terms))
        if len(asked) == 1:  # counts however common it is
            return any_of(asked), self._earliest(asked)
        most = most_of(total)
        counts = [(term, self._count(term, most + 1)) for term in asked]
        if counts and all(count > most for _, count in counts):
            counts = [(term, self._count(term, -1)) for term in asked]
        found = telling([(term, count) for term, count in counts if count], most)
        return (any_of(found), self._earliest(found)) if found else None

    def best(self, query: tuple[str, int], limit: int) -> list[tuple[object, ...]]:
        """Number and score of the texts that match, the best first."""
        return self._db.rows(
            f"SELECT rowid, -rank FROM {self._table} WHERE {self._table} MATCH ? AND rowid >= ?"
            " ORDER BY rank, rowid LIMIT ?",
            (*query, limit),
        )

    def _earliest(self, terms: Sequence[str]) -> int:
        """The text from which on texts are weighed, so that a word that is everywhere does not take
        long to look for."""
        rows = self._db.rows(
            f"SELECT rowid FROM {self._table} WHERE {self._table} MATCH ?"
            " ORDER BY rowid DESC LIMIT 1 OFFSET ?",
            (any_of(terms), MOST_WEIGHED),
        )
        return int(str(rows[0][0])) if rows else 0

    def _count(self, term: str, most: int) -> int:
        """Texts with a term; stops counting at `most`, unless that is negative."""
        rows = self._db.rows(
            f"SELECT COUNT(*) FROM (SELECT 1 FROM {self._table} WHERE {self._table} MATCH ?"
            " LIMIT ?)",
            (any_of([term]), most),
        )
        return int(str(rows[0][0]))


def any_of(terms: Sequence[str]) -> str:
    """A full-text query for any of the terms: each quoted, so that none is an operator."""
    return " OR ".join('"' + term.replace('"', '""').replace("\0", "") + '"' for term in terms)


def most_of(total: float) -> int:
    """Texts that a word may be in and still count beside others, of so many."""
    return max(FEWEST_COMMON, int(COMMON_SHARE * total))


def telling(counts: Sequence[tuple[str, int]], most: int) -> list[str]:
    """The terms that are in at most so many texts; the rarest where none is."""
    rare = [term for term, count in counts if count <= most]
    return rare or [term for term, _ in sorted(counts, key=lambda pair: pair[1])[:1]]
