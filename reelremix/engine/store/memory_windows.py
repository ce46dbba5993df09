"""Windows held in memory, found as SQLite finds them: the same words, order and scores."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from reelremix.engine.domain.window import Due, FoundWindow, WindowHit, WindowIndex
from reelremix.engine.store.nearest import VectorRows
from reelremix.engine.store.words import most_of, telling

_K1, _B, _LOWEST_IDF = 1.2, 0.75, 1e-6
"""As FTS5 has them."""


class MemoryWindows:
    """Windows of one owner, in dicts."""

    def __init__(self) -> None:
        self._tickets: dict[str, int] = {}
        self._indexes: dict[str, WindowIndex] = {}
        self._windows: dict[int, FoundWindow] = {}
        self._bags: dict[int, Counter[str]] = {}
        self._last_ticket = self._last_number = 0

    def become_due(self, source_id: str) -> None:
        """A transcript was saved."""
        self._tickets.pop(source_id, None)
        self._last_ticket += 1
        self._tickets[source_id] = self._last_ticket

    def due(self, model: str | None) -> list[Due]:
        """Sources whose transcript is not indexed as it is now, or not by that model."""
        if model is not None:
            for source_id, index in self._indexes.items():
                if index.model != model and source_id not in self._tickets:
                    self.become_due(source_id)
        return [Due(source_id, ticket) for source_id, ticket in self._tickets.items()]

    def save(self, due: Due, index: WindowIndex) -> None:
        """Index a source anew, and strike it off those that are due."""
        if self._tickets.get(due.source_id) == due.ticket:
            del self._tickets[due.source_id]
        known = self._indexes.pop(index.source_id, None)
        self._indexes[index.source_id] = replace(index, windows=())
        if known is not None and known.digest == index.digest:
            self._indexes[index.source_id] = known
            return
        self._drop(index.source_id)
        for window in index.windows:
            self._last_number += 1
            self._windows[self._last_number] = FoundWindow(index.source_id, window)
            self._bags[self._last_number] = Counter(window.terms)

    def forget(self, source_id: str) -> int:
        """Remove all of a source; returns how many windows it had."""
        self._tickets.pop(source_id, None)
        self._indexes.pop(source_id, None)
        return self._drop(source_id)

    def _drop(self, source_id: str) -> int:
        gone = [n for n, found in self._windows.items() if found.source_id == source_id]
        for number in gone:
            del self._windows[number], self._bags[number]
        return len(gone)

    def saying(
        self, terms: Sequence[str], limit: int, sources: Collection[str] | None
    ) -> list[WindowHit]:
        """Windows with any of the terms, by BM25."""
        hits = [
            WindowHit(number, score)
            for number, score in by_words(self._bags, terms)
            if self._is_in(number, sources)
        ]
        return hits[: max(0, limit)]

    def meaning(
        self, vector: Sequence[float], limit: int, sources: Collection[str] | None
    ) -> list[WindowHit]:
        """The windows nearest to a vector, by cosine."""
        known = {n: f.window.meaning for n, f in self._windows.items() if self._is_in(n, sources)}
        rows = [(number, meaning.window) for number, meaning in known.items() if meaning]
        return [WindowHit(*found) for found in VectorRows.of(rows).nearest(vector, limit)]

    def read(self, numbers: Sequence[int]) -> list[FoundWindow | None]:
        """The windows of these numbers, in the same order."""
        return [self._windows.get(number) for number in numbers]

    def _is_in(self, number: int, sources: Collection[str] | None) -> bool:
        return sources is None or self._windows[number].source_id in sources


def by_words(bags: Mapping[int, Counter[str]], terms: Sequence[str]) -> list[tuple[int, float]]:
    """Number and score of the texts with any of the terms, by BM25, the best first."""
    counts = [(t, sum(t in bag for bag in bags.values())) for t in dict.fromkeys(terms)]
    total = len(bags)
    asked = telling([(term, count) for term, count in counts if count], most_of(total))
    known, mean = dict(counts), sum(bag.total() for bag in bags.values()) / max(1, total)
    found = []
    for number, bag in bags.items():
        if any(term in bag for term in asked):
            length = _K1 * (1 - _B + _B * bag.total() / mean)
            parts = [
                _idf(total, known[term]) * bag[term] * (_K1 + 1) / (bag[term] + length)
                for term in asked
            ]
            found.append((number, sum(parts)))
    return sorted(found, key=lambda pair: (-pair[1], pair[0]))


def _idf(total: int, count: int) -> float:
    return max(_LOWEST_IDF, math.log((total - count + 0.5) / (count + 0.5)))
