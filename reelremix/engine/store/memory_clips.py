"""Clips held in memory, listed and found as SQLite lists and finds them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

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
from reelremix.engine.store.clip_table import text_of
from reelremix.engine.store.memory_windows import by_words
from reelremix.engine.store.nearest import VectorRows


@dataclass
class _Held:
    """A clip and what is known of its text."""

    source_id: str
    clip: Clip
    saved_at: float
    order: int
    number: int
    """Of its text."""
    model: str | None = None
    vector: bytes | None = None


class MemoryClips:
    """Clips of one owner, in dicts."""

    def __init__(
        self, standing: Callable[[str], Standing], name: Callable[[str], str | None]
    ) -> None:
        """Tell `standing` of a clip and the `name` of a source by asking whoever knows."""
        self._standing = standing
        self._name = name
        self._held: dict[str, _Held] = {}
        self._last = 0

    def save(self, source_id: str, clips: Sequence[Clip]) -> None:
        """Add clips, or refresh those with the same id."""
        for clip in clips:
            known = self._held.get(clip.id)
            self._last += 1
            if known is None:
                order = number = self._last
                self._held[clip.id] = _Held(source_id, clip, time.time(), order, number)
                continue
            if text_of(known.clip) != text_of(clip):
                known.number, known.model, known.vector = self._last, None, None
            known.source_id, known.clip, known.saved_at = source_id, clip, time.time()

    def remove(self, ids: Sequence[str]) -> None:
        """Forget clips."""
        for id in ids:
            self._held.pop(id, None)

    def clips(self, source_id: str) -> list[Clip]:
        """The clips of a source by rank."""
        own = [held.clip for held in self._held.values() if held.source_id == source_id]
        return sorted(own, key=lambda clip: (clip.rank, clip.id))

    def clip(self, id: str) -> Clip | None:
        """The clip of that id, or None."""
        held = self._held.get(id)
        return held.clip if held is not None else None

    def find(self, id_prefix: str) -> list[ClipEntry]:
        """The clips whose id begins so, by id."""
        return [
            ClipEntry(id, held.source_id, held.clip.title, held.clip.slug, held.clip.ranges)
            for id, held in sorted(self._held.items())
            if id.startswith(id_prefix)
        ]

    def listed(self, wanted: ClipFilter) -> list[ClipRow]:
        """All that a list shows, in its order."""
        held = sorted(self._held.values(), key=lambda own: -own.order)
        if wanted.order is Order.SCORE:
            held.sort(key=lambda own: -_total(own.clip))
        else:
            held.sort(key=lambda own: -own.saved_at)
        rows = [self._row(own) for own in held]
        return [row for row in rows if _is_wanted(row, wanted)]

    def due(self, model: str) -> list[ClipDue]:
        """Clips whose meaning that model has not told as they read now."""
        due = [ClipDue(h.number, text_of(h.clip)) for h in self._held.values() if h.model != model]
        return sorted(due, key=lambda own: own.number)

    def save_meanings(self, model: str, vectors: Mapping[int, bytes | None]) -> None:
        """Keep what texts mean; a text that was changed meanwhile stays due."""
        for held in self._held.values():
            if held.number in vectors:
                held.model, held.vector = model, vectors[held.number]

    def saying(self, terms: Sequence[str], limit: int) -> list[ClipHit]:
        """Clips with any of the terms, by BM25."""
        ids = {held.number: id for id, held in self._held.items()}
        bags = {h.number: Counter(terms_of(text_of(h.clip))) for h in self._held.values()}
        found = by_words(bags, terms)[: max(0, limit)]
        return [ClipHit(ids[number], score) for number, score in found]

    def meaning(self, vector: Sequence[float], limit: int) -> list[ClipHit]:
        """The clips whose meaning is nearest to a vector, by cosine."""
        ids = {held.number: id for id, held in self._held.items()}
        known = [(held.number, held.vector) for held in self._held.values() if held.vector]
        return [ClipHit(ids[n], score) for n, score in VectorRows.of(known).nearest(vector, limit)]

    def read(self, ids: Sequence[str]) -> list[FoundClip | None]:
        """The clips of these ids, in the same order."""
        held = [self._held.get(id) for id in ids]
        return [
            None
            if own is None
            else FoundClip(self._row(own), text, frozenset(terms_of(text)), own.vector)
            for own in held
            for text in ["" if own is None else text_of(own.clip)]
        ]

    def _row(self, held: _Held) -> ClipRow:
        clip = held.clip
        return ClipRow(
            clip.id,
            held.source_id,
            self._name(held.source_id),
            clip.rank,
            clip.title,
            self._standing(clip.id),
            clip.score.total if clip.score is not None else None,
            clip.ranges[0].start_s if clip.ranges else None,
            clip.duration_s,
            held.saved_at,
        )


def _total(clip: Clip) -> float:
    total = clip.score.total if clip.score is not None else None
    return -1.0 if total is None else total


def _is_wanted(row: ClipRow, wanted: ClipFilter) -> bool:
    return (
        wanted.source_id in (None, row.source_id)
        and wanted.standing in (None, row.standing)
        and wanted.text.lower() in row.title.lower()
    )
