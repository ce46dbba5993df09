"""Speech as text with times.

`extra` holds what a given transcript says beyond the published keys: JSON that is carried along and
written out again, and that nothing here looks at. None where there is nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from reelremix.engine.domain.spacing import split_words
from reelremix.engine.domain.time import TimeRange


@dataclass(frozen=True, slots=True)
class Word:
    """One spoken word."""

    text: str
    """Without surrounding spaces; punctuation stays attached."""
    range: TimeRange
    probability: float | None = None
    speaker: str | None = None
    extra: dict[str, Any] | None = field(default=None, hash=False)


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of speech as the recogniser cut it."""

    range: TimeRange
    text: str
    words: tuple[Word, ...] = ()
    """Empty when the transcript has no word times."""
    speaker: str | None = None
    extra: dict[str, Any] | None = field(default=None, hash=False)

    @property
    def timed_words(self) -> tuple[Word, ...]:
        """Its words; where it has none, those of its text, spread evenly by their letters."""
        return self.words or tuple(_spread(self))


def _spread(segment: Segment) -> Iterator[Word]:
    texts = split_words(segment.text)
    letters = sum(len(text) + 1 for text in texts)
    begin, length = segment.range.start.exact, (segment.range.end - segment.range.start).exact
    done = 0
    for text in texts:
        start, done = done, done + len(text) + 1
        span = TimeRange.from_seconds(
            begin + length * Fraction(start, letters), begin + length * Fraction(done, letters)
        )
        yield Word(text, span, None, segment.speaker)


@dataclass(frozen=True, slots=True)
class SoundEvent:
    """Something heard that is not speech."""

    kind: str
    """`laughter`, `applause`, `music`, `silence`, ..."""
    range: TimeRange
    probability: float | None = None
    extra: dict[str, Any] | None = field(default=None, hash=False)


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said, in order of time."""

    language: str | None
    language_probability: float | None
    segments: tuple[Segment, ...]
    events: tuple[SoundEvent, ...] = ()
    model: str | None = None
    """Name of the model; None for a supplied transcript that does not say."""
    extra: dict[str, Any] | None = field(default=None, hash=False)

    @property
    def words(self) -> tuple[Word, ...]:
        """Every word that came with a time, in order."""
        return tuple(w for s in self.segments for w in s.words)

    @property
    def timed_words(self) -> tuple[Word, ...]:
        """Every word, in order, with times spread evenly where none came."""
        return tuple(w for s in self.segments for w in s.timed_words)
