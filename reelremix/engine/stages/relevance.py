"""How much a stretch of speech is about what somebody asks for.

By meaning: the cosine between what the question and what each sentence means. By words: the share
of the question's words that are said, endings left aside. Three numbers of a stretch (its nearest
sentence, its mean, the share of words) become a chance by a logistic curve that was fitted on the
titles editors gave their picks: what a title is the title of, against the nearest stretch of an
episode it is not about (`benchmarks/ask.py --fit`, docs/search.md).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from reelremix.engine.domain.match import Match
from reelremix.engine.domain.sentence import Sentence
from reelremix.engine.domain.terms import stems_of, terms_of, words_asked_for
from reelremix.engine.domain.window import Line
from reelremix.engine.models.sentences import Vectors
from reelremix.engine.stages.evidence import shorten
from reelremix.engine.stages.signals import Floats, Ints

Flags = npt.NDArray[np.bool_]

MOST_TERMS = 32
"""Words of a question that are looked for; what comes after them is not."""
RELEVANT = 70.0
"""The score from which a stretch is about the question. Of what editors called their picks, 96 %
leave something of their own episode, and 9 % something of another one (docs/search.md)."""
_SMALL_WORDS = frozenset(
    """a about after all also am an and any are as at be because been before being but by can could
    did do does doing don't for from get had has have he her here him his how i i'm if in into is it
    it's its just like me more most my no not of on one or our out over say says she should so some
    than that that's the their them then there these they this those through to too up us very was
    we were what what's when where which while who whom whose why will with would you you're your
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Weights:
    """A logistic curve over what is known of a stretch."""

    intercept: float
    nearest: float
    """For the cosine of the nearest sentence."""
    mean: float
    """For the mean cosine of its sentences, weighed by their words."""
    share: float
    """For the share of the question's words that are said."""


BY_BOTH = Weights(-8.636, 8.639, 12.016, 4.55)
BY_WORDS = Weights(-3.624, 0.0, 0.0, 6.81)


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for."""

    text: str
    terms: tuple[str, ...]
    """Its telling words without their endings; all of them where none is telling."""
    vector: Floats | None = None
    """What it means; None where only words can be compared."""


def read_question(text: str, option: str) -> Question:
    """The question in a text that somebody typed.

    Raises:
        ConfigError: it has no words; `option` is what was typed wrong.
    """
    cleaned, tokens = words_asked_for(text, option)
    telling = [token for token in tokens if token not in _SMALL_WORDS] or tokens
    terms = dict.fromkeys(part for token in telling for part in stems_of(token))
    return Question(cleaned, tuple(terms)[:MOST_TERMS])


def line_of(sentence: Sentence) -> Line:
    """A sentence as it is looked for and quoted."""
    return Line(sentence.text, sentence.range, tuple(terms_of(sentence.text)))


class Closeness:
    """How near each sentence of a source, or of a window, is to a question."""

    def __init__(
        self, question: Question, lines: Sequence[Line], vectors: Vectors | None = None
    ) -> None:
        """Compare; `vectors` are what the sentences mean, a row each, None where unknown."""
        self._question = question
        self._lines = lines
        said = [set(line.terms) for line in lines]
        self._said: Flags = np.array([[term in own for term in question.terms] for own in said])
        self._words = np.array([max(1.0, float(len(own))) for own in said])
        self._quotes: dict[str, tuple[str, tuple[str, ...]]] = {}
        self._cosine: Floats | None = None
        if vectors is not None and question.vector is not None:
            self._cosine = np.asarray(vectors @ question.vector, np.float64)

    def scores(self, first: Ints, last: Ints) -> Floats:
        """For each stretch of sentences, both ends included, its score from 0 to 100."""
        share = self._share(first, last)
        if self._cosine is None:
            return _chance(BY_WORDS, np.zeros_like(share), np.zeros_like(share), share)
        nearest = _highest(self._cosine, first, last)
        total = _sums(self._cosine * self._words, first, last)
        return _chance(BY_BOTH, nearest, total / _sums(self._words, first, last), share)

    def match(self, first: int, last: int, score: float) -> Match:
        """The evidence in a stretch, which has that score."""
        near = self._said[first : last + 1].mean(axis=1)
        if self._cosine is not None:
            near = near * BY_BOTH.share + self._cosine[first : last + 1] * BY_BOTH.nearest
        line = self._lines[first + int(np.argmax(near))]
        if line.text not in self._quotes:
            quote = shorten(line.text)
            self._quotes[line.text] = quote, matching_words(self._question, quote)
        quote, words = self._quotes[line.text]
        return Match(round(score, 1), quote, line.range, words)

    def features(self, first: Ints, last: Ints) -> Floats:
        """What scores are made of, a row a stretch; for fitting. Needs meanings."""
        assert self._cosine is not None
        total = _sums(self._cosine * self._words, first, last)
        mean = total / _sums(self._words, first, last)
        nearest = _highest(self._cosine, first, last)
        return np.column_stack([nearest, mean, self._share(first, last)])

    def _share(self, first: Ints, last: Ints) -> Floats:
        sums = np.vstack([np.zeros(self._said.shape[1]), self._said.cumsum(axis=0)])
        return np.asarray((sums[last + 1] - sums[first] > 0).mean(axis=1))


def score_of_text(share: float, cosine: float | None) -> float:
    """From 0 to 100, of a text whose meaning is one vector: the share of the question's words that
    it has, and how near it means to the question, None where that is unknown."""
    near = np.array([cosine or 0.0])
    weights = BY_WORDS if cosine is None else BY_BOTH
    return float(_chance(weights, near, near, np.array([share]))[0])


def common_terms(wanted: Collection[str], text: str) -> int:
    """How many of these terms a text has; each of its words is cut once in the life of a process,
    which is ten times as fast for texts that share their words."""
    return len({term for word in text.split() for term in _terms_of(word) if term in wanted})


def matching_words(question: Question, text: str) -> tuple[str, ...]:
    """The words of a text that the question has too, as they are written there."""
    wanted = set(question.terms)
    found = (word.strip(_AROUND) for word in text.split())
    return tuple(dict.fromkeys(word for word in found if not wanted.isdisjoint(_terms_of(word))))


@lru_cache(maxsize=50_000)
def _terms_of(word: str) -> tuple[str, ...]:
    return tuple(terms_of(word))


_AROUND = ".,;:!?…\"'“”‘’«»()[]{}-–—。！？、，；："


def _chance(weights: Weights, nearest: Floats, mean: Floats, share: Floats) -> Floats:
    value = (
        weights.intercept + weights.nearest * nearest + weights.mean * mean + weights.share * share
    )
    return np.asarray(100.0 / (1.0 + np.exp(-value)))


def _sums(values: Floats, first: Ints, last: Ints) -> Floats:
    sums = np.concatenate([[0.0], np.cumsum(values)])
    return np.asarray(sums[last + 1] - sums[first])


def _highest(values: Floats, first: Ints, last: Ints) -> Floats:
    """The highest value of each stretch, from the highest of all stretches of 1, 2, 4, ... values
    (a sparse table: two of them cover any stretch)."""
    levels = [values]
    while 2 ** len(levels) <= len(values):
        half = 2 ** (len(levels) - 1)
        levels.append(np.maximum(levels[-1][:-half], levels[-1][half:]))
    level = np.log2(last - first + 1).astype(np.int64)
    found = np.empty(len(first))
    for k in np.unique(level).tolist():
        rows = level == k
        top = levels[k]
        found[rows] = np.maximum(top[first[rows]], top[last[rows] - 2**k + 1])
    return found
