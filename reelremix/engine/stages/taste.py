"""What the weights of a personal ranking say about its owner, in words."""

from __future__ import annotations

import numpy as np

from reelremix.engine.stages.learning import Learned
from reelremix.engine.stages.ranker import CANDIDATE_FEATURES, Ranker
from reelremix.engine.stages.signals import USUAL_LENGTH_S, Floats

LENGTH = ("log_seconds", "log_seconds_2", "log_seconds_3")
SHORT_S, LONG_S = 20.0, 50.0
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
    ]
    if (shorter := shorter_by(np.array(learned.weights) - shipped.candidate.weights)) != 0:
        said.append((abs(shorter) / 2, "shorter clips" if shorter > 0 else "longer clips"))
    said.sort(key=lambda pair: -pair[0])
    return tuple(text for size, text in said[:MOST] if size >= SMALLEST)


def shorter_by(weights: Floats) -> float:
    """By how much weights for `CANDIDATE_FEATURES` prefer short clips to long ones, in log-odds."""
    own = weights[[CANDIDATE_FEATURES.index(name) for name in LENGTH]]
    power = np.log(np.array([SHORT_S, LONG_S]) / USUAL_LENGTH_S)
    short, long = np.column_stack([power, power**2, power**3]) @ own
    return float(short - long)
