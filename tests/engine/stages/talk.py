"""Small talks for the tests of this folder."""

from __future__ import annotations

from collections.abc import Sequence

from reelremix.engine.domain.candidate import Candidate
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Segment, SoundEvent, Transcript, Word
from reelremix.engine.stages.propose import propose_candidates, split_sentences
from reelremix.engine.stages.score import score_candidates

SENTENCE_S = 5.0
DULL = (
    "The report covers the second quarter and its appendix lists the regional offices by size.",
    "The committee reviewed the schedule and moved the item to a later meeting in the spring.",
    "The form has four parts and each part goes to a separate department for its signature.",
    "The table shows the values by month and the column on the left holds the reference codes.",
)


def talk(
    lines: Sequence[str],
    *,
    language: str | None = "en",
    events: Sequence[SoundEvent] = (),
    speakers: Sequence[str] = (),
) -> Transcript:
    """A transcript with a sentence every five seconds, without word times."""
    segments = tuple(
        Segment(
            TimeRange.from_seconds(i * SENTENCE_S, i * SENTENCE_S + 4.8),
            line,
            (),
            speakers[i] if speakers else None,
        )
        for i, line in enumerate(lines)
    )
    return Transcript(language, None, segments, tuple(events))


def timed_talk(lines: Sequence[str], paces: Sequence[float]) -> Transcript:
    """The same with word times; a pace of 2 says a line twice as fast."""
    segments = []
    for i, line in enumerate(lines):
        step = 4.0 / len(line.split()) / paces[i]
        words = tuple(
            Word(w, TimeRange.from_seconds(i * 5 + k * step, i * 5 + k * step + step * 0.8))
            for k, w in enumerate(line.split())
        )
        bounds = TimeRange(words[0].range.start, words[-1].range.end)
        segments.append(Segment(bounds, line, words))
    return Transcript("en", None, tuple(segments))


def dull(count: int) -> list[str]:
    """Sentences nobody would clip, no two the same."""
    return [DULL[i % len(DULL)].replace("The ", f"The {i + 10}th ", 1) for i in range(count)]


def scored(transcript: Transcript, min_s: float = 9, max_s: float = 21) -> list[Candidate]:
    """Every candidate of the talk with its score."""
    sentences = split_sentences(transcript)
    return score_candidates(propose_candidates(sentences, min_s, max_s), sentences, transcript)


def covering(candidates: Sequence[Candidate], first: int, last: int) -> Candidate:
    """The candidate of exactly these sentences."""
    return next(c for c in candidates if (c.first_sentence, c.last_sentence) == (first, last))
