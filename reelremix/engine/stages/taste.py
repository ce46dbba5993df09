"""What the weights of a personal ranking say about its owner, in words."""

from __future__ import annotations

import numpy as np

from reelremix.engine.stages.learning import Learned
from reelremix.engine.stages.ranker import CANDIDATE_FEATURES, Ranker
from reelremix.engine.stages.signals import USUAL_LENGTH_S

LENGTH = ("log_seconds", "log_seconds_2", "log_seconds_3")
LENGTHS_S = np.arange(15, 91, 5)
SMALLEST = 0.1
"""Change of log-odds for a standard deviation of a feature, below which nothing is said."""
MOST = 5
MEANINGS = {
    "keep": "what editors keep",
    "keep_before": "strong talk right before the clip",
    "keep_after": "strong talk right after the clip",
    "keep_opening": "a strong opening",
    "keep_closing": "a strong ending",
    "skip": "what editors reject",
    "skip_before": "weak talk right before the clip",
    "skip_after": "weak talk right after the clip",
    "open_first": "first sentences that sound like an opening",
    "open_before": "a sentence that sounds like an opening just before the clip",
    "open_after": "a sentence that sounds like an opening just after the clip",
    "close_last": "last sentences that sound like an ending",
    "close_before": "first sentences that sound like an ending",
    "close_after": "a sentence that sounds like an ending just after the clip",
    "sentences": "many sentences",
    "turns": "speakers taking turns",
    "starts_turn": "clips that begin with a new speaker",
    "position": "the later parts of a recording",
    "laughter": "laughter",
    "laughter_at_end": "laughter at the end",
    "coherence": "clips that stay on one subject",
    "typical": "what a recording is mostly about",
    "first_words": "long first sentences",
}


def taste_of(learned: Learned, shipped: Ranker) -> tuple[str, ...]:
    """The largest changes, the largest first; none when nothing was adopted."""
    if not learned.is_adopted:
        return ()
    change = dict(zip(CANDIDATE_FEATURES, learned.changes, strict=True))
    said = [
        (abs(change[name]), f"{'more' if change[name] > 0 else 'less'}: {meaning}")
        for name, meaning in MEANINGS.items()
        if abs(change[name]) >= SMALLEST
    ]
    before, after = best_length_s(shipped.candidate.weights), best_length_s(learned.weights)
    if before != after:
        size = max(abs(change[name]) for name in LENGTH)
        said.append((size, f"length: about {after} s rather than {before} s"))
    said.sort(key=lambda pair: -pair[0])
    return tuple(text for _, text in said[:MOST])


def best_length_s(weights: object) -> int:
    """The length that weights for `CANDIDATE_FEATURES` like most, all else the same."""
    own = np.asarray(weights, float)[[CANDIDATE_FEATURES.index(name) for name in LENGTH]]
    power = np.log(LENGTHS_S / USUAL_LENGTH_S)
    return int(LENGTHS_S[np.argmax(np.column_stack([power, power**2, power**3]) @ own)])
