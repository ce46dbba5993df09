"""What was taken out of a clip so that it says the same in less time."""

from __future__ import annotations

from dataclasses import dataclass

from reelremix.engine.domain.choice import Tighten
from reelremix.engine.domain.time import TimeRange

FILLER, FALSE_START, SILENCE = "filler", "false start", "silence"


@dataclass(frozen=True, slots=True)
class Removal:
    """One cut: a stretch of the source that the clip leaves out."""

    range: TimeRange
    reason: str
    """`filler`, `false start` or `silence`."""
    text: str = ""
    """The words that go with it."""


@dataclass(frozen=True, slots=True)
class Tightened:
    """How far a clip was tightened, and every cut that was made."""

    level: Tighten
    removed: tuple[Removal, ...] = ()

    @property
    def removed_s(self) -> float:
        """By how much the clip is shorter."""
        return round(sum(cut.range.duration_s for cut in self.removed), 6)
