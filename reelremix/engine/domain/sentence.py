"""What was said, cut where a listener hears a thought end.

How sentences are found lives in `stages.propose`; here is only what one is.
"""

from __future__ import annotations

from dataclasses import dataclass

from reelremix.engine.domain.time import TimeRange


@dataclass(frozen=True, slots=True)
class Sentence:
    """A stretch of one speaker's speech that can open or close a clip."""

    text: str
    range: TimeRange
    """From the start of its first word to the end of its last, no silence around it."""
    speaker: str | None = None
    """None when nobody told the speakers apart."""
    first_word: int | None = None
    """Index into `Transcript.words`; None when the transcript has no word times here."""
    last_word: int | None = None
    """Inclusive."""

    @property
    def has_word_times(self) -> bool:
        """Whether its bounds are those of words rather than of a subtitle or segment."""
        return self.first_word is not None and self.last_word is not None
