"""Speech as text with times."""

from __future__ import annotations

from dataclasses import dataclass

from reelremix.engine.domain.time import TimeRange


@dataclass(frozen=True, slots=True)
class Word:
    """One spoken word."""

    text: str
    """Without surrounding spaces; punctuation stays attached."""
    range: TimeRange
    probability: float | None = None
    speaker: str | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of speech as the recogniser cut it."""

    range: TimeRange
    text: str
    words: tuple[Word, ...] = ()
    """Empty when the transcript has no word times."""
    speaker: str | None = None


@dataclass(frozen=True, slots=True)
class SoundEvent:
    """Something heard that is not speech."""

    kind: str
    """`laughter`, `applause`, `music`, `silence`, ..."""
    range: TimeRange
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said, in order of time."""

    language: str | None
    language_probability: float | None
    segments: tuple[Segment, ...]
    events: tuple[SoundEvent, ...] = ()
    model: str | None = None
    """Name of the model; None for a supplied transcript that does not say."""

    @property
    def words(self) -> tuple[Word, ...]:
        """Every timed word, in order."""
        return tuple(w for s in self.segments for w in s.words)
