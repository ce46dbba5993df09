"""How good each candidate is, on six axes, with the words that say so.

Signals (`stages.signals`) are ranked within the source and added up with the weights of
`data/weights.toml`: every number can be read and changed. An axis is the candidate's rank in the
source, 0 to 100.

What candidates are ordered by, and the total, is learned from editors (`stages.ranker`) where the
meaning of sentences is known. Without it the signals are added up, and the total is a chance
measured on held-out episodes (`data/calibration.toml`, by `benchmarks/calibrate_score.py`). The
total is None where no measurement applies.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

import numpy as np

from reelremix.engine.domain.candidate import Axis, Candidate, Kind, Score
from reelremix.engine.domain.sentence import Sentence
from reelremix.engine.domain.sound import SoundTrack
from reelremix.engine.domain.transcript import Transcript
from reelremix.engine.models.sentences import Vectors
from reelremix.engine.stages.evidence import EvidenceFinder
from reelremix.engine.stages.kinds import KindFinder, Prototype, load_prototypes
from reelremix.engine.stages.lexicon import Lexicon
from reelremix.engine.stages.ranker import Ranker, SourceSpeech, load_ranker
from reelremix.engine.stages.signals import (
    Floats,
    SentenceCounts,
    Windows,
    count_sentences,
    measure,
    ranks,
    reactions_inside,
    windows_of,
)

_NEEDED_SHARE = 0.5
"""An axis is unknown when signals worth more than this share of its weight are missing."""
SHORTEST_LEARNED_S = 300.0
"""The ranking was learned from whole episodes. On excerpts of five minutes it still agrees with
editors more often than signals alone, on shorter ones not measurably."""
_SHORTEST_CALIBRATED_S = 600.0
"""The calibration was checked on excerpts down to this length."""

_CALIBRATED_S = (14.0, 91.0)
"""Lengths of candidates that chances were measured on, 15 to 90 s, and a little silence."""

PASSAGE_WEIGHT = 2.0
"""What the mean of a candidate's surroundings counts beside itself: a good minute in a dull quarter
of an hour is more often luck. Stretches that editors reject fell from 5 to 4 % of the chosen."""
PASSAGE_S = 15.0
"""Standard deviation of the surroundings."""
_STEP_S = 2.0

Weights = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Logistic curve from a candidate's rank in its source to the chance that it is kept."""

    intercept: float
    slope: float
    """For the quantile, 0 to 1."""
    top: float
    """For each tenfold step within the best tenth."""

    def chance_percent(self, quantile: Floats) -> Floats:
        """Chance in percent for quantiles of a source."""
        weights = np.array([self.intercept, self.slope, self.top])
        return np.asarray(100.0 / (1.0 + np.exp(-(design_of(quantile) @ weights))))


def score_candidates(
    candidates: Sequence[Candidate],
    sentences: Sequence[Sentence],
    transcript: Transcript,
    vectors: Vectors | None = None,
    ranker: Ranker | None = None,
    *,
    track: SoundTrack | None = None,
    prototypes: Mapping[str, Prototype] | None = None,
) -> list[Candidate]:
    """The candidates in the same order, each with its score.

    `vectors` are what the sentences mean, a row each; None ranks by the counted signals alone.
    `ranker` is the one to rank with, by default the trained one. `track` is what was heard besides
    words; None leaves out how things are said. `prototypes` are those of kinds of moments, by
    default the trained ones.

    Axes that the transcript cannot answer are None: reaction without sound events, delivery
    without word times, and those that need cues of a language that has none.
    """
    if not candidates:
        return []
    counts = count_sentences(sentences, transcript.language)
    windows = windows_of(candidates)
    signals = measure_ranks(windows, counts, sentences, transcript, track)
    axes = {axis: _axis(signals, axis) for axis in Axis}
    if (reacts := axes[Axis.REACTION]) is not None:  # where nobody does, no rank is deserved
        axes[Axis.REACTION] = np.where(reactions_inside(windows, transcript) > 0, reacts, 0.0)
    moments = _moments(sentences, counts, windows, vectors, prototypes or load_prototypes())
    ranker = ranker or load_ranker()
    if vectors is not None and ranker is not None and may_use_meaning(sentences, counts.lexicon):
        source = SourceSpeech.of(sentences, counts, transcript, vectors)
        features = ranker.features(source, windows)
        value = ranker.values(features)
        value = value - value.mean()
        cuts: Floats | None = ranker.cuts(features, source, windows)
        log_odds, source_s = ranker.candidate(features), float(source.end_s.max())
        chances = np.round(ranker.chance_percent(log_odds, source_s), 1)
        totals = _where_measured(chances, windows)
    else:
        value, cuts = with_passage(rank_values(signals), windows), None
        totals = _totals(value, windows, counts)
    finder = EvidenceFinder(sentences, counts, transcript, load_weights(), track)
    return [
        replace(
            candidate,
            score=Score(
                total=_at(totals, i),
                axes=row,
                reasons=finder.reasons(candidate, row),
                rank_value=round(float(value[i]), 9),
                cut_value=_at(cuts, i),
                kinds=kinds,
                excluded=excluded,
            ),
        )
        for i, (candidate, (kinds, excluded)) in enumerate(zip(candidates, moments, strict=True))
        for row in [{axis: _at(values, i) for axis, values in axes.items()}]
    ]


def _moments(
    sentences: Sequence[Sentence],
    counts: SentenceCounts,
    windows: Windows,
    vectors: Vectors | None,
    prototypes: Mapping[str, Prototype] | None,
) -> list[tuple[tuple[Kind, ...], str | None]]:
    """The kinds of each candidate, and what excludes it; neither where meaning is unknown."""
    if vectors is None or prototypes is None or counts.lexicon is None:
        return [((), None)] * len(windows.first)
    finder = KindFinder(sentences, counts.words, vectors, prototypes)
    return list(zip(finder.kinds(windows), finder.excluded(windows), strict=True))


def may_use_meaning(sentences: Sequence[Sentence], lexicon: Lexicon | None) -> bool:
    """Whether the learned ranking applies: a known language, and long enough."""
    if lexicon is None or not sentences:
        return False
    return sentences[-1].range.end_s - sentences[0].range.start_s >= SHORTEST_LEARNED_S


@cache
def load_weights() -> Weights:
    """Weight of each signal by section: the axes, and `substance` for what belongs to none."""
    file = resources.files("reelremix.engine.stages") / "data" / "weights.toml"
    weights: Weights = tomllib.loads(file.read_text(encoding="utf-8"))
    return weights


@cache
def load_calibration() -> Calibration | None:
    """The measured curve; None when no measurement was good enough to keep."""
    file = resources.files("reelremix.engine.stages") / "data" / "calibration.toml"
    if not file.is_file():
        return None
    curve = tomllib.loads(file.read_text(encoding="utf-8"))["curve"]
    return Calibration(float(curve["intercept"]), float(curve["slope"]), float(curve["top"]))


def measure_ranks(
    windows: Windows,
    counts: SentenceCounts,
    sentences: Sequence[Sentence],
    transcript: Transcript,
    track: SoundTrack | None = None,
) -> dict[str, Floats]:
    """Every weighted signal that the transcript and the sound allow, as ranks within the source."""
    names = dict.fromkeys(name for section in load_weights().values() for name in section)
    raw = measure(names, windows, counts, sentences, transcript, track)
    return {name: ranks(values) for name, values in raw.items()}


def rank_values(signals: Mapping[str, Floats]) -> Floats:
    """What candidates are ordered by; zero is the average stretch of the source."""
    sums = [_weighted(signals, section) for section in load_weights()]
    return np.asarray(np.sum([s for s in sums if s is not None], axis=0))


def with_passage(value: Floats, windows: Windows) -> Floats:
    """Each value plus the weighted mean of the values around it in time."""
    at = (((windows.start_s + windows.end_s) / 2 - windows.start_s.min()) / _STEP_S).astype(int)
    reach = math.ceil(4 * PASSAGE_S / _STEP_S)
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) * _STEP_S / PASSAGE_S) ** 2)
    total = np.convolve(np.bincount(at, weights=value), bell)[reach:-reach]
    number = np.convolve(np.bincount(at).astype(float), bell)[reach:-reach]
    return np.asarray(value + PASSAGE_WEIGHT * (total / np.maximum(number, 1e-9))[at])


def design_of(quantile: Floats) -> Floats:
    """What the calibration weighs: one, the quantile, and how far into the best tenth it is."""
    depth = -np.log10(np.clip(1.0 - quantile, 1e-3, 0.1)) - 1.0
    return np.column_stack([np.ones_like(quantile), quantile, depth])


def _weighted(signals: Mapping[str, Floats], section: str) -> Floats | None:
    parts = [
        weight * signals[name]
        for name, weight in load_weights()[section].items()
        if name in signals
    ]
    return np.asarray(np.sum(parts, axis=0)) if parts else None


def _axis(signals: Mapping[str, Floats], axis: Axis) -> Floats | None:
    """0 to 100, or None when too little of the axis can be measured."""
    weights = load_weights()[axis.value]
    total = sum(abs(w) for w in weights.values())
    known = sum(abs(w) for name, w in weights.items() if name in signals)
    values = _weighted(signals, axis.value)
    if values is None or known < _NEEDED_SHARE * total:
        return None
    return np.round(100 * (ranks(np.round(values, 9)) + 0.5), 1)


def _totals(value: Floats, windows: Windows, counts: SentenceCounts) -> Floats | None:
    """Chances in percent; None for languages and lengths they were not measured on."""
    calibration = load_calibration()
    if calibration is None or counts.lexicon is None:
        return None
    return _where_measured(np.round(calibration.chance_percent(ranks(value) + 0.5), 1), windows)


def _where_measured(chances: Floats, windows: Windows) -> Floats | None:
    """Chances of candidates as long as those they were measured on; None in short sources."""
    if windows.end_s.max() - windows.start_s.min() < _SHORTEST_CALIBRATED_S:
        return None
    shortest, longest = _CALIBRATED_S
    is_measured = (windows.duration_s >= shortest) & (windows.duration_s <= longest)
    return np.where(is_measured, chances, np.nan)


def _at(values: Floats | None, i: int) -> float | None:
    return None if values is None or math.isnan(values[i]) else float(values[i])
