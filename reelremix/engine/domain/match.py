"""How a stretch of speech answers a question, with the words that say so."""

from __future__ import annotations

from dataclasses import dataclass

from reelremix.engine.domain.time import TimeRange


@dataclass(frozen=True, slots=True)
class Match:
    """What speaks for a stretch being about what was asked for."""

    score: float
    """0 to 100: chance in percent that it is, beside the nearest stretch of an unrelated source."""
    quote: str
    """The sentence that is nearest to the question, as it was said."""
    range: TimeRange
    """When that was said."""
    words: tuple[str, ...]
    """The words of the quote that the question has too, as they were said."""
