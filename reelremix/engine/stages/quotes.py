"""A cut out of quoted words: a judge says which words, the transcript says where they are.

What is not in the transcript moves nothing. Quotes match letter for letter but for case, spaces and
punctuation, which recognisers and language models set as they please.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

from reelremix.engine.domain.candidate import Candidate
from reelremix.engine.domain.sentence import Sentence
from reelremix.engine.domain.spacing import join_words
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.transcript import Transcript, Word
from reelremix.engine.stages.propose import LEAD_IN_S, LEAD_OUT_S

FEWEST_WORDS = 3


class CutRefused(Exception):
    """The cut stays; says why."""


@dataclass(frozen=True)
class Spoken:
    """Everything that is said in a source."""

    sentences: Sequence[Sentence]
    transcript: Transcript
    end_s: float | None
    """Where the source ends; None keeps to the last word."""

    @cached_property
    def words(self) -> tuple[Word, ...]:
        """Every word that came with a time, in order."""
        return self.transcript.words

    @cached_property
    def ends(self) -> list[Timestamp]:
        """For each word, where the last of those up to it ends."""
        return list(itertools.accumulate((w.range.end for w in self.words), max))

    @cached_property
    def starts(self) -> list[Timestamp]:
        """For each word, where the first of those from it on begins."""
        backwards = (w.range.start for w in reversed(self.words))
        return list(itertools.accumulate(backwards, min))[::-1]

    @cached_property
    def untimed(self) -> tuple[Sentence, ...]:
        """Sentences whose words have no times of their own."""
        return tuple(s for s in self.sentences if not s.has_word_times)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a cut has to keep to."""

    min_s: float
    max_s: float
    others: tuple[TimeRange, ...]
    """The other chosen clips."""


@dataclass(frozen=True, slots=True)
class _Heard:
    """A word near a candidate."""

    index: int
    """Into `Transcript.words`."""
    sentence: int
    letters: str


def recut(
    candidate: Candidate, first_words: str, last_words: str, spoken: Spoken, bounds: Bounds
) -> Candidate:
    """The candidate from the first of the quoted words to the last; itself if that is what it is.

    Looks in the candidate and a sentence either side.

    Raises:
        CutRefused: the words are not there, or the cut would be too short, too long, in the middle
            of a word, or in another clip.
    """
    heard = list(_heard_near(candidate, spoken))
    first, last = _ends(heard, candidate, first_words, last_words)
    words = spoken.words
    cut = silences_around(first.index, last.index, spoken)
    if cut is None:
        raise CutRefused("somebody else speaks where it would be cut")
    inside = _inside(heard, candidate)
    if first.index == inside[0].index:
        cut = TimeRange(candidate.range.start, cut.end)
    if last.index == inside[-1].index:
        cut = TimeRange(cut.start, candidate.range.end)
    if cut == candidate.range:
        return candidate
    _check(cut, bounds, spoken.end_s)
    return _moved(candidate, cut, first, last, words)


def _heard_near(candidate: Candidate, spoken: Spoken) -> Iterator[_Heard]:
    words = spoken.words
    low = max(0, candidate.first_sentence - 1)
    for number, sentence in enumerate(
        spoken.sentences[low : candidate.last_sentence + 2], start=low
    ):
        if sentence.first_word is None or sentence.last_word is None:
            raise CutRefused("the words here have no times of their own")
        for index in range(sentence.first_word, sentence.last_word + 1):
            if letters := _letters(words[index].text):
                yield _Heard(index, number, letters)


def _letters(text: str) -> str:
    """Letters and digits alone, case and compatibility forms levelled."""
    level = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in level if unicodedata.category(c)[0] in "LMN")


def _ends(
    heard: Sequence[_Heard], candidate: Candidate, first_words: str, last_words: str
) -> tuple[_Heard, _Heard]:
    """The first word of the first quote and the last of the last, those nearest to the cut."""
    inside = _inside(heard, candidate)
    begin, end = heard.index(inside[0]), heard.index(inside[-1])
    openings = list(_places(heard, first_words, "first_words"))
    closings = list(_places(heard, last_words, "last_words"))
    pairs = [
        (abs(opening[0] - begin) + abs(closing[1] - end), opening[0], closing[1])
        for opening in openings
        for closing in closings
        if opening[0] <= closing[0] and opening[1] <= closing[1]
    ]
    if not pairs:
        raise CutRefused("last_words come before first_words")
    _, first, last = min(pairs)
    return heard[first], heard[last]


def _inside(heard: Sequence[_Heard], candidate: Candidate) -> list[_Heard]:
    sentences = range(candidate.first_sentence, candidate.last_sentence + 1)
    inside = [word for word in heard if word.sentence in sentences]
    if not inside:
        raise CutRefused("nothing is said here")
    return inside


def _places(heard: Sequence[_Heard], quote: str, name: str) -> Iterator[tuple[int, int]]:
    """First and last position of each place where a quote's words stand."""
    wanted = _letters(quote)
    starts: dict[int, int] = {}
    ends: dict[int, int] = {}
    text = ""
    for position, word in enumerate(heard):
        starts[len(text)] = position
        text += word.letters
        ends[len(text)] = position
    found = []
    at = text.find(wanted) if wanted else -1
    while at >= 0:
        if at in starts and at + len(wanted) in ends:
            found.append((starts[at], ends[at + len(wanted)]))
        at = text.find(wanted, at + 1)
    if not found:
        raise CutRefused(f"{name} are not said here")
    if all(last - first + 1 < FEWEST_WORDS for first, last in found):
        raise CutRefused(f"{name} are fewer than {FEWEST_WORDS} words")
    yield from found


def silences_around(first: int, last: int, spoken: Spoken) -> TimeRange | None:
    """From the silence before one word to the silence after another, as `propose` would cut; None
    where somebody else speaks there."""
    words = spoken.words
    start, end = words[first].range.start, max(w.range.end for w in words[first : last + 1])
    before = spoken.ends[first - 1] if first else Timestamp(0)
    ends_at = end if spoken.end_s is None else max(end, Timestamp.from_seconds(spoken.end_s))
    after = spoken.starts[last + 1] if last + 1 < len(words) else ends_at
    for sentence in spoken.untimed:
        if sentence.range.start < start:
            before = max(before, sentence.range.end)
        else:
            after = min(after, sentence.range.start)
    if before > start or after < end:
        return None
    lead_in = min(Fraction(LEAD_IN_S), (start - before).exact / 2)
    lead_out = min(Fraction(LEAD_OUT_S), (after - end).exact / 2)
    return TimeRange.from_seconds(start.exact - lead_in, end.exact + lead_out)


def _check(cut: TimeRange, bounds: Bounds, end_s: float | None) -> None:
    if end_s is not None and cut.end_s > end_s:
        raise CutRefused("it would go beyond the end")
    if not bounds.min_s <= cut.duration_s <= bounds.max_s:
        raise CutRefused(
            f"it would last {cut.duration_s:.1f} s, not {bounds.min_s:g} to {bounds.max_s:g}"
        )
    if any(cut.overlap_s(other) > 0 for other in bounds.others):
        raise CutRefused("it would reach into another clip")


def _moved(
    candidate: Candidate, cut: TimeRange, first: _Heard, last: _Heard, words: Sequence[Word]
) -> Candidate:
    """The candidate with another cut; evidence that is no longer heard is left out."""
    score = candidate.score
    if score is not None:
        heard = tuple(r for r in score.reasons if r.range.overlap_s(cut) > 0)
        score = replace(score, reasons=heard)
    return Candidate(
        cut,
        join_words([w.text.strip() for w in words[first.index : last.index + 1]]),
        first.sentence,
        last.sentence,
        score,
        candidate.match,
    )
