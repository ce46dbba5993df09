"""The edits of one manifest, in the order they were made."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from reelremix.engine.domain.context import Catalogue
from reelremix.engine.domain.edit import (
    Begin,
    Changed,
    Edit,
    Operation,
    Standing,
    Step,
    entries_after,
    standing_of,
)
from reelremix.engine.domain.track import Track


class EditLog:
    """What was done as the library knows it, and what is being done; for one thread at a time."""

    def __init__(self, manifest_id: str, catalogue: Catalogue) -> None:
        self.manifest_id = manifest_id
        self._catalogue = catalogue
        self._kept = list(catalogue.edits(manifest_id))
        self._theirs: set[int] = set()
        self._batch: list[Edit] | None = None

    @property
    def edits(self) -> list[Edit]:
        """All of them, those included that are being made."""
        return [*self._kept, *(self._batch or ())]

    @property
    def kept(self) -> list[Edit]:
        """Those that are in the library."""
        return list(self._kept)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever done."""
        return not (self._kept or self._batch)

    @property
    def number(self) -> int:
        """Of the last edit; 0 where there is none."""
        last = self._batch or self._kept
        return last[-1].number if last else 0

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing in it, as far as what is left of it tells."""
        try:
            entries = entries_after(self.standing.done)
        except IndexError:  # more was undone than done
            return False
        begins = self.is_empty or isinstance(self.edits[0].operation, Begin)
        return begins and all({"id", "rank", "ranges"} <= own.keys() for own in entries.values())

    @property
    def standing(self) -> Standing:
        """What counts."""
        return standing_of(self.edits)

    @property
    def is_open(self) -> bool:
        """Whether a batch is being made."""
        return self._batch is not None

    @contextmanager
    def batch(self, keep: Callable[[Sequence[Edit]], None]) -> Iterator[list[Edit]]:
        """What is appended meanwhile is kept at the end, all at once; nothing of it on an error.

        `keep` writes it to the library.
        """
        if self.is_open:
            raise AssertionError("a batch is being made already")
        batch: list[Edit] = []
        self._batch = batch
        try:
            yield batch
            keep(batch)
            self._kept += batch
        finally:
            self._batch = None

    def append(
        self,
        operation: Operation,
        changed: Mapping[str, Changed | None],
        *,
        above: int,
        faces: Mapping[str, Sequence[Track]] | None = None,
    ) -> None:
        """Add an edit to the batch, numbered above all others and above a number."""
        if self._batch is None:
            raise AssertionError("edits are appended in a batch")
        number = max(self.number, above) + 1
        at = round(time.time(), 3)
        self._batch.append(Edit(number, at, operation, changed, faces or {}))

    def is_theirs(self, step: Step) -> bool:
        """Whether somebody else took a step since this log was opened."""
        return step.edit.number in self._theirs

    def take_news(self) -> bool:
        """Take over what others appended; says whether there was anything."""
        news = list(self._catalogue.edits(self.manifest_id, self.number))
        self._kept += news
        self._theirs |= {edit.number for edit in news}
        return bool(news)
