"""Watched folders held in memory, and what was taken from them."""

from __future__ import annotations

from collections.abc import Sequence

from reelremix.engine.domain.watch import Watch, Watched


class MemoryWatchStore:
    """`WatchStore` in dicts."""

    def __init__(self) -> None:
        self._watches: dict[str, Watch] = {}
        self._taken: dict[tuple[str, str], Watched] = {}

    def add(self, watch: Watch) -> None:
        """Keep a new watch."""
        self._watches[watch.id] = watch

    def remove(self, watch_id: str) -> bool:
        """Forget a watch and what was taken from it; returns whether it was there."""
        for key in [key for key in list(self._taken) if key[0] == watch_id]:
            del self._taken[key]
        return self._watches.pop(watch_id, None) is not None

    def watches(self) -> Sequence[Watch]:
        """All, the oldest first."""
        return sorted(list(self._watches.values()), key=lambda watch: (watch.created_at, watch.id))

    def save(self, watch: Watch) -> None:
        """Keep a watch as it is now; one that was removed stays so."""
        if watch.id in self._watches:
            self._watches[watch.id] = watch

    def seen(self, watch_id: str, source_id: str) -> Watched | None:
        """What was taken of that content, or None."""
        return self._taken.get((watch_id, source_id))

    def of_job(self, watch_id: str, job_id: str) -> Watched | None:
        """What that job was queued for, or None."""
        return next((own for own in self._of(watch_id) if own.job_id == job_id), None)

    def remember(self, watched: Watched) -> None:
        """Keep what was taken, replacing what was known of the same content."""
        self._taken[watched.watch_id, watched.source_id] = watched

    def forget(self, watch_id: str, source_id: str) -> None:
        """Let that content be taken again."""
        self._taken.pop((watch_id, source_id), None)

    def count(self, watch_id: str) -> int:
        """How many recordings were taken."""
        return len(self._of(watch_id))

    def _of(self, watch_id: str) -> list[Watched]:
        return [own for own in list(self._taken.values()) if own.watch_id == watch_id]
