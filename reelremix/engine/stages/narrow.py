"""Moments on a subject: of a source's candidates those that are about a question, with the words
that say so. How near a stretch is to a question belongs to `stages.relevance`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from reelremix.engine.domain.candidate import Candidate
from reelremix.engine.domain.match import Match
from reelremix.engine.domain.sentence import Sentence
from reelremix.engine.models.sentences import Vectors
from reelremix.engine.stages.relevance import RELEVANT, Closeness, Question, line_of
from reelremix.engine.stages.signals import windows_of

CLOSENESS_WEIGHT = 0.75
"""What one of relevance's log-odds counts beside a standard deviation of the ordinary rank value:
a moment on the subject must be good as well, but a better one that only touches it comes later."""
_MOST_ODDS = 99.9


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What is left of the candidates."""

    candidates: list[Candidate]
    """Each with its match; ordered by relevance and the ordinary value together, none below 0."""
    nearest: Match | None
    """The best match of all, even where it is not near enough; None without candidates."""


def narrow(
    candidates: Sequence[Candidate],
    sentences: Sequence[Sentence],
    question: Question,
    vectors: Vectors | None = None,
) -> Narrowed:
    """The scored candidates that are about the question."""
    if not candidates:
        return Narrowed([], None)
    closeness = Closeness(question, [line_of(s) for s in sentences], vectors)
    windows = windows_of(candidates)
    scores = closeness.scores(windows.first, windows.last)
    top = candidates[int(scores.argmax())]
    nearest = closeness.match(top.first_sentence, top.last_sentence, float(scores.max()))
    values = np.array([c.score.rank_value if c.score else 0.0 for c in candidates])
    spread = float(values.std()) or 1.0
    odds = np.clip(scores, 100 - _MOST_ODDS, _MOST_ODDS) / 100
    worth = values / spread + CLOSENESS_WEIGHT * np.log(odds / (1 - odds))
    kept = np.flatnonzero(scores >= RELEVANT).tolist()
    lowest = float(worth[kept].min()) if kept else 0.0
    found = []
    for i in kept:
        candidate = candidates[i]
        match = closeness.match(candidate.first_sentence, candidate.last_sentence, float(scores[i]))
        score = candidate.score
        if score is not None:
            score = replace(score, rank_value=round(float(worth[i]) - lowest, 9))
        found.append(replace(candidate, score=score, match=match))
    return Narrowed(found, nearest)
