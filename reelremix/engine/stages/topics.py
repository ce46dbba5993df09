"""Where a source turns from one subject to another.

TextTiling (Hearst, "TextTiling: Segmenting Text into Multi-paragraph Subtopic Passages", 1997) over
what sentences mean instead of which words they share (Solbiati et al., "Unsupervised Topic
Segmentation of Meetings with BERT Embeddings", 2021): between two sentences there is a boundary
where what is said before is much less like what is said after than a little earlier and later.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence

import numpy as np

from reelremix.engine.domain.sentence import Sentence
from reelremix.engine.domain.source import Chapter
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.timeline import Topic
from reelremix.engine.models.sentences import Vectors
from reelremix.engine.stages.describe import small_words
from reelremix.engine.stages.lexicon import tokenize
from reelremix.engine.stages.signals import Floats

REACH_S = 90.0
"""How much is compared on either side of a boundary."""
SHORTEST_S = 90.0
"""Boundaries keep this far apart; of two nearer ones the deeper counts."""
DEPTH = 1.25
"""How many deviations deeper than the mean a boundary is."""
WORDS = 3
_LONG_WORD = 4


def find_topics(
    sentences: Sequence[Sentence], vectors: Vectors, language: str | None = "en"
) -> tuple[Topic, ...]:
    """The source parted into topics: every sentence is in exactly one.

    Args:
        sentences: of the source, in order.
        vectors: what they mean, a row each.
        language: of the words that a topic is told by.
    """
    if not sentences:
        return ()
    starts = [0, *boundaries(sentences, vectors), len(sentences)]
    spans = [(first, end - 1) for first, end in itertools.pairwise(starts)]
    words = _telling_words(sentences, spans, small_words(language))
    return tuple(
        Topic(
            TimeRange(
                sentences[first].range.start,
                max(sentences[first].range.start, sentences[last].range.end),
            ),
            first,
            last,
            own,
        )
        for (first, last), own in zip(spans, words, strict=True)
    )


def chapter_topics(sentences: Sequence[Sentence], chapters: Sequence[Chapter]) -> tuple[Topic, ...]:
    """The source parted where its chapters begin, each told by its title.

    A sentence belongs to the chapter that most of it lies in; what comes before the first chapter
    is part of it.
    """
    starts = [chapter.range.start_s for chapter in chapters]
    place = [
        max(0, bisect_right(starts, (s.range.start_s + s.range.end_s) / 2) - 1) for s in sentences
    ]
    found = []
    for number, chapter in enumerate(chapters):
        inside = [i for i, at in enumerate(place) if at == number]
        if inside:
            first, last = inside[0], inside[-1]
            end = max(s.range.end for s in sentences[first : last + 1])
            span = TimeRange(sentences[first].range.start, end)
            found.append(Topic(span, first, last, (chapter.title,)))
    return tuple(found)


def boundaries(sentences: Sequence[Sentence], vectors: Vectors) -> list[int]:
    """Indexes of the sentences that begin a new topic, the first of all left out."""
    depth = depths(sentences, vectors)
    known = depth[depth > 0]
    if not len(known):
        return []
    limit = float(known.mean() + DEPTH * known.std())
    starts = np.array([s.range.start_s for s in sentences])
    end = max(s.range.end_s for s in sentences)
    found: list[int] = []
    for at in np.argsort(-depth, kind="stable").tolist():
        if depth[at] < limit:
            break
        edges = [starts[0], end, *starts[found]]
        if min(abs(starts[at] - edge) for edge in edges) >= SHORTEST_S:
            found.append(at)
    return sorted(found)


def depths(sentences: Sequence[Sentence], vectors: Vectors) -> Floats:
    """For each sentence, how much less alike the two sides of its beginning are than those of the
    places around it; 0 at the first."""
    starts = np.maximum.accumulate([s.range.start_s for s in sentences])
    sums = np.zeros((len(sentences) + 1, vectors.shape[1]))
    weights = np.array([max(1.0, float(len(s.text))) for s in sentences])
    np.cumsum(vectors * weights[:, None], axis=0, out=sums[1:])
    places = np.arange(len(sentences))
    before = np.searchsorted(starts, starts - REACH_S)
    after = np.searchsorted(starts, starts + REACH_S)
    alike = _cosine(sums[places] - sums[before], sums[np.maximum(after, places + 1)] - sums[places])
    alike[0] = 1.0
    left = _climb(alike)
    right = _climb(alike[::-1])[::-1]
    return np.asarray((left - alike) + (right - alike))


def _cosine(a: Floats, b: Floats) -> Floats:
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.asarray((a * b).sum(axis=1) / np.maximum(norms, 1e-9))


def _climb(values: Floats) -> Floats:
    """For each place, the top of the slope that leads up to the left of it."""
    tops = values.copy()
    for i in range(1, len(values)):
        if values[i - 1] >= values[i]:
            tops[i] = tops[i - 1]
    return tops


def _tells(token: str, small: frozenset[str]) -> bool:
    is_long = len(token) >= _LONG_WORD or not token.isascii()
    return is_long and token not in small and "'" not in token and not token.isdigit()


def _telling_words(
    sentences: Sequence[Sentence], spans: Sequence[tuple[int, int]], small: frozenset[str]
) -> list[tuple[str, ...]]:
    """For each stretch the words that it says more than the others, by tf-idf over stretches."""
    bags = [
        Counter(
            token
            for s in sentences[first : last + 1]
            for token in tokenize(s.text)
            if _tells(token, small)
        )
        for first, last in spans
    ]
    seen = Counter(token for bag in bags for token in bag)
    told = []
    for bag in bags:
        worth = {
            token: times * math.log((len(bags) + 1) / seen[token])
            for token, times in bag.items()
            if times > 1
        }
        told.append(tuple(sorted(worth, key=lambda token: (-worth[token], token))[:WORDS]))
    return told
