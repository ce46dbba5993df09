"""Models that stay loaded from one job to the next, in a process that does many."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from reelremix.engine.models.registry import InstalledModels

T = TypeVar("T")


class WarmModels(InstalledModels):
    """`ModelProvider` that keeps the last model of each kind; for one job at a time."""

    def __init__(self, roots: Sequence[Path]) -> None:
        super().__init__(roots)
        self._kept: dict[str, tuple[Hashable, Any]] = {}

    def loaded(self, kind: str, key: Hashable, load: Callable[[], T]) -> T:
        """The model that is kept, if it has that key; else it goes and another one is loaded."""
        if kind in self._kept and self._kept[kind][0] == key:
            model: T = self._kept[kind][1]
            return model
        self._kept.pop(kind, None)  # before the other one needs room
        model = load()
        self._kept[kind] = (key, model)
        return model
