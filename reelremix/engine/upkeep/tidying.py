"""What goes when somebody says so: sources with what was made from them, and what nobody needs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reelremix.engine.domain.context import Catalogue
from reelremix.engine.domain.rows import Forgotten, SourceRow
from reelremix.engine.store.forgetting import forget_manifests, stale_manifests
from reelremix.engine.store.integrity import compact, free_share
from reelremix.engine.upkeep.listing import sources_named, unknown
from reelremix.engine.upkeep.shelf import Shelf
from reelremix.errors import ConfigError

LONG_GONE_S = 90 * 86400.0
"""A manifest may lie on a disk that is seldom there."""
FREE_SHARE = 0.25
"""Of the file that holds nothing, for which it is worth being written anew."""


@dataclass(frozen=True, slots=True)
class Tidied:
    """What was dropped, or would be."""

    held_bytes: int
    cap_bytes: int
    freed_bytes: int
    manifests: tuple[str, ...]
    """Paths of those that are gone for long; empty for one whose place was forgotten before."""
    edits: int
    is_compacted: bool

    def to_plain(self) -> dict[str, Any]:
        """As published."""
        return {
            "version": 1,
            "held_bytes": self.held_bytes,
            "cap_bytes": self.cap_bytes,
            "freed_bytes": self.freed_bytes,
            "manifests": list(self.manifests),
            "edits": self.edits,
            "compacted": self.is_compacted,
        }


def tidy(shelf: Shelf, cap_bytes: int, *, dry_run: bool) -> Tidied:
    """Drop artifacts beyond a cap, edits whose manifest is gone for long, and empty pages."""
    held = shelf.artifacts.size_bytes()
    before = time.time() - LONG_GONE_S
    places, unnamed = stale_manifests(shelf.database, shelf.owner, before)
    gone = [place for place in places if not Path(place.path).is_file()]
    ids = [*(place.id for place in gone), *unnamed]
    edits = sum(len(shelf.catalogue.edits(id)) for id in ids)
    freed, is_compacted = shelf.artifacts.collect(cap_bytes, dry_run=dry_run), False
    if not dry_run:
        forget_manifests(shelf.database, shelf.owner, ids)
        if free_share(shelf.database) > FREE_SHARE:
            compact(shelf.database)
            is_compacted = True
    paths = (*(place.path for place in gone), *("" for _ in unnamed))
    return Tidied(held, cap_bytes, freed, paths, edits, is_compacted)


def find_all(catalogue: Catalogue, named: Sequence[str]) -> list[SourceRow]:
    """The source that each name stands for. Raises ConfigError where there is none, or several."""
    found: dict[str, SourceRow] = {}
    for text in named:
        rows = sources_named(catalogue, text)
        if not rows:
            raise unknown(text)
        if len(rows) > 1:
            listed = ", ".join(f"{row.id[:12]} ({row.name})" for row in rows[:5])
            raise ConfigError(
                f"{text!r} stands for {len(rows)} recordings: {listed}", hint="name one by its id"
            )
        found[rows[0].id] = rows[0]
    return list(found.values())


def forget(catalogue: Catalogue, rows: Sequence[SourceRow]) -> list[tuple[SourceRow, Forgotten]]:
    """Forget sources; their files, and what a person decided, stay."""
    return [(row, catalogue.forget_source(row.id)) for row in rows]
