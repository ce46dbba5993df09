"""Words that a person wrote in place of what a recogniser heard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from reelremix.engine.domain.edit import Correct, Correction
from reelremix.engine.domain.kept import is_heard
from reelremix.engine.domain.spacing import join_words, split_words
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Segment, Transcript, Word


def correction_of(operation: Correct) -> Correction:
    """What an operation says of the recording."""
    span = TimeRange.from_seconds(operation.start_s, operation.end_s)
    return Correction(span, tuple(split_words(operation.text)))


def corrected(transcript: Transcript, corrections: Sequence[Correction]) -> Transcript:
    """The transcript with what a person says is said; where words have no times nothing changes.

    Each of `corrections` is made in what those before it led to.
    """
    segments = list(transcript.segments)
    timed = [(n, *_hull_s(s.words)) for n, s in enumerate(segments) if s.words]
    for correction in corrections:
        start_s, end_s = correction.range.start_s, correction.range.end_s
        near = [n for n, begin, end in timed if begin < end_s and end > start_s]
        meant = {n: own for n in near if (own := _meant(segments[n].words, correction))}
        for n, segment in _written(meant, segments, correction).items():
            segments[n] = segment
    return replace(transcript, segments=tuple(segments)) if corrections else transcript


def _hull_s(words: Sequence[Word]) -> tuple[float, float]:
    return min(w.range.start_s for w in words), max(w.range.end_s for w in words)


def _meant(words: Sequence[Word], correction: Correction) -> slice | None:
    """The words that are corrected, from the first to the last."""
    found = [n for n, word in enumerate(words) if is_heard(word.range, correction.range)]
    return slice(found[0], found[-1] + 1) if found else None


def _written(
    meant: Mapping[int, slice], segments: Sequence[Segment], correction: Correction
) -> dict[int, Segment]:
    """Segments with other words; each has those that begin before its own replaced ones ended."""
    replaced = [word for n, own in meant.items() for word in segments[n].words[own]]
    fresh = written(replaced, correction.words) if replaced else []
    found = {}
    for n, own in meant.items():
        words = list(segments[n].words)
        until = max(word.range.end for word in words[own])
        here = [w for w in fresh if n == max(meant) or w.range.start < until]
        fresh = fresh[len(here) :]
        words[own] = here
        text = join_words(word.text for word in words)
        found[n] = replace(segments[n], words=tuple(words), text=text)
    return found


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
