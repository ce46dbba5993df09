"""Who speaks when."""

from __future__ import annotations

from dataclasses import dataclass

from reelremix.engine.domain.time import TimeRange


@dataclass(frozen=True, slots=True)
class SpeechTurn:
    """A stretch in which one speaker has the floor; turns of two speakers may overlap."""

    range: TimeRange
    speaker: str
    """`S1`, `S2`, ... in the order in which they are first heard."""


@dataclass(frozen=True, slots=True)
class Diarization:
    """All turns of a recording, in order of their starts."""

    turns: tuple[SpeechTurn, ...]
    model: str
    """Name of the speaker embedding."""

    @property
    def speakers(self) -> tuple[str, ...]:
        """Everyone heard, in order of first appearance."""
        return tuple(dict.fromkeys(turn.speaker for turn in self.turns))
