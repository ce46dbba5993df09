"""Words that a person wrote in place of what a recogniser heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from reelremix.engine.domain.edit import Correction
from reelremix.engine.domain.kept import is_heard
from reelremix.engine.domain.spacing import join_words
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Segment, Transcript, Word


def corrected(transcript: Transcript, corrections: Sequence[Correction]) -> Transcript:
    """The transcript with what a person says is said; where words have no times nothing changes."""
    if not corrections:
        return transcript
    segments = tuple(_corrected(segment, corrections) for segment in transcript.segments)
    return replace(transcript, segments=segments)


def _corrected(segment: Segment, corrections: Sequence[Correction]) -> Segment:
    words = list(segment.words)
    for correction in corrections:
        meant = [n for n, word in enumerate(words) if is_heard(word.range, correction.range)]
        if meant:
            first, last = meant[0], meant[-1] + 1
            words[first:last] = written(words[first:last], correction.words)
    if tuple(words) == segment.words:
        return segment
    return replace(segment, words=tuple(words), text=join_words(w.text for w in words))


def written(words: Sequence[Word], texts: Sequence[str]) -> list[Word]:
    """Words that are said in place of others: one for one, or sharing their time by letters."""
    if len(texts) == len(words):
        return [replace(word, text=text) for word, text in zip(words, texts, strict=True)]
    begin, end = words[0].range.start.exact, max(w.range.end for w in words).exact
    letters, done, fresh = sum(map(len, texts)), 0, []
    for text in texts:
        first, done = done, done + len(text)
        span = TimeRange.from_seconds(
            begin + (end - begin) * Fraction(first, letters),
            begin + (end - begin) * Fraction(done, letters),
        )
        fresh.append(replace(words[0], text=text, range=span))
    return fresh
