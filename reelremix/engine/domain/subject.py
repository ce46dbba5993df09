"""The recording a run is about, and where its bytes are for the length of a step."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reelremix.engine.domain.source import Presentation, Source


@dataclass(frozen=True, slots=True)
class Subject:
    """The recording a run is about."""

    path: Path
    presentation: Presentation

    @property
    def source(self) -> Source:
        """The recording."""
        return self.presentation.source
