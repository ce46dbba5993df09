"""What a source is about, stretch by stretch."""

from __future__ import annotations

from dataclasses import dataclass

from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import SoundEvent


@dataclass(frozen=True, slots=True)
class Topic:
    """A stretch of whole sentences about one thing."""

    range: TimeRange
    first_sentence: int
    """Index into the source's sentences."""
    last_sentence: int
    """Inclusive."""
    words: tuple[str, ...] = ()
    """What it says that the rest of the source does not, the most telling first."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """A source at a glance: how its moments were judged, what it is about, what is heard."""

    step_s: float
    score: tuple[float | None, ...]
    """For each step how good its best candidate is, as a chance in percent where that is known,
    else as a rank in the source, 0 to 100; None where no candidate lies."""
    topics: tuple[Topic, ...] = ()
    """Empty where what is said is not understood."""
    events: tuple[SoundEvent, ...] = ()
    """What is heard besides words; silence is left out."""
