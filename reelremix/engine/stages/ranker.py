"""The learned ranking: what editors kept, told from what is said and how.

Two small linear models, one on the other, kept as readable numbers in `data/ranker.json` together
with the record of their training (`benchmarks/train_ranker.py`):

1. For every sentence four curves: whether it belongs to a moment that editors keep (`keep`), to one
   that they reject (`skip`), whether such a moment opens with it (`open`) or ends on it (`close`).
   Ridge regressions on counted features (ranked within the source) and on what the sentence and its
   surroundings mean.
2. For every candidate the log-odds that an editor keeps it: logistic regression on what the curves
   do inside, before and after it, and on its length and shape.

Keeping is overlapping an editor's pick, which long candidates do most. So a third model, ridge
regression on the same features and on how a candidate begins and ends, says how well it is cut: the
chance that it is nearly what an editor would cut.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

from reelremix.engine.domain.sentence import Sentence
from reelremix.engine.domain.transcript import Transcript
from reelremix.engine.models.sentences import Vectors
from reelremix.engine.stages.signals import (
    USUAL_LENGTH_S,
    Floats,
    SentenceCounts,
    Windows,
    ranks,
    reaction_times,
    speaker_habits,
    turn_words,
)

CURVES = ("keep", "skip", "open", "close")
ABOUT = ("keep", "skip")
"""Curves that look at what a passage is about; the others look at a sentence and its neighbours."""
SCALES_S = (6.0, 18.0)
"""Standard deviations over which counted features are also looked at."""
NEAR_S, PASSAGE_S, TOPIC_S = 8.0, 25.0, 120.0
"""Of a sentence's surroundings, its passage, and the topic that the passage is compared with."""
MEANING_WEIGHT, EDGE_WEIGHT = 3.0, 1.5
"""Scale of meanings against counted features, which the ridge penalty treats alike."""
AROUND_S = 25.0
"""What is looked at before and after a candidate."""
EDGE_S = 10.0
"""The opening and the ending of a candidate."""
LAUGH_AFTER_S, LAUGH_CLOSE_S = 4.0, 8.0
GREETING_S, GREETING_SHARE = 120.0, 0.05
"""How long a source opens and closes: so long, but at most this share of it."""
LEARNED_S = (2400.0, 4800.0)
"""Between these lengths lie nine of ten episodes that were learned from."""
LONG_PAUSE_S = 3.0
FILLER = re.compile(
    r"(?:so|and|but|yeah|um|uh|well|right|okay|ok|like|you know|i mean|because|or)\b", re.IGNORECASE
)
"""How sentences begin that lean on the one before."""
REACH = 4.0
"""Standard deviations beyond which surroundings do not count."""
_BLOCK = 256


@dataclass(frozen=True)
class SentenceFeatures:
    """What the curves are computed from; a row a sentence, counted features first."""

    about: Floats
    edges: Floats

    def of(self, curve: str) -> Floats:
        """The inputs of one curve."""
        return self.about if curve in ABOUT else self.edges


@dataclass(frozen=True)
class Linear:
    """A weighted sum."""

    intercept: float
    weights: Floats

    def __call__(self, rows: Floats) -> Floats:
        """One number a row."""
        return np.asarray(self.intercept + rows @ self.weights)


@dataclass(frozen=True)
class Ranker:
    """Both models and the curve from log-odds to chance."""

    counted: tuple[str, ...]
    """Names of the counted features it was trained on."""
    curves: Mapping[str, Linear]
    candidate: Linear
    cut: Linear
    chance: Linear
    """From the log-odds and the length of the source to calibrated log-odds: of a long source
    editors keep a smaller share."""
    order: Linear | None = None
    """The owner's own weights, for the order alone; None orders by the log-odds."""

    def values(self, features: Floats) -> Floats:
        """What candidates are ordered by."""
        return (self.order or self.candidate)(features)

    def features(self, source: SourceSpeech, windows: Windows) -> Floats:
        """A row for each candidate, a column for each of `CANDIDATE_FEATURES`."""
        if tuple(counted_names(source.counts)) != self.counted:
            raise ValueError("the ranker was trained on other features; train it again")
        features = sentence_features(source)
        curves = {name: normal(model(features.of(name))) for name, model in self.curves.items()}
        rows = [curve_features(source, curves, windows), shape_features(source, windows)]
        return np.column_stack(rows)

    def cuts(self, features: Floats, source: SourceSpeech, windows: Windows) -> Floats:
        """How well each candidate begins and ends; compares candidates that share most of what
        they say."""
        return self.cut(np.column_stack([features, edge_features(source, windows)]))

    def chance_percent(self, log_odds: Floats, source_s: float) -> Floats:
        """The calibrated chance that an editor keeps a candidate of a source so long."""
        odds = np.clip(self.chance(chance_inputs(log_odds, source_s)), -50.0, 50.0)
        return np.asarray(100 / (1 + np.exp(-odds)))


@dataclass(frozen=True)
class SourceSpeech:
    """Everything about a source that the ranking looks at."""

    sentences: Sequence[Sentence]
    counts: SentenceCounts
    transcript: Transcript
    vectors: Vectors
    start_s: Floats
    end_s: Floats

    @classmethod
    def of(
        cls,
        sentences: Sequence[Sentence],
        counts: SentenceCounts,
        transcript: Transcript,
        vectors: Vectors,
    ) -> SourceSpeech:
        """Gather it."""
        start_s = np.array([s.range.start_s for s in sentences])
        end_s = np.array([s.range.end_s for s in sentences])
        return cls(sentences, counts, transcript, vectors, start_s, end_s)

    @property
    def middle_s(self) -> Floats:
        """Middle of each sentence; never falling, also where people talk over each other."""
        return np.maximum.accumulate((self.start_s + self.end_s) / 2)


def sentence_features(source: SourceSpeech) -> SentenceFeatures:
    """The inputs of the curves."""
    counted = _counted(source)
    at = source.middle_s
    scales = [counted, *(surroundings(counted, at, scale) for scale in SCALES_S)]
    ranked = [np.apply_along_axis(ranks, 0, values) for values in scales]
    vectors = source.vectors.astype(np.float64)
    passage = surroundings(vectors, at, PASSAGE_S) - surroundings(vectors, at, TOPIC_S)
    none = np.zeros((1, vectors.shape[1]))
    before, after = np.vstack([none, vectors[:-1]]), np.vstack([vectors[1:], none])
    readable = np.column_stack([*ranked, _place(source)])
    about = np.column_stack([surroundings(vectors, at, NEAR_S), passage])
    edges = np.column_stack([vectors, before, after])
    return SentenceFeatures(
        np.column_stack([readable, MEANING_WEIGHT * about]),
        np.column_stack([readable, EDGE_WEIGHT * edges]),
    )


def counted_names(counts: SentenceCounts) -> list[str]:
    """Names of the counted features, in their order."""
    names = [
        *counts.of,
        "words",
        "speaker_share",
        "speaker_asks",
        "turn",
        "laughter",
        "seconds",
        "pace",
    ]
    scaled = [f"{name}~{scale:g}s" for scale in SCALES_S for name in names]
    return [*names, *scaled, "position", "after_greeting", "before_farewell"]


def _counted(source: SourceSpeech) -> Floats:
    counts, words = source.counts, source.counts.words
    share, asks = speaker_habits(words, counts.of["question"], source.sentences)
    laughs = reaction_times(source.transcript)
    laughter = np.searchsorted(laughs, source.end_s + LAUGH_AFTER_S) - np.searchsorted(
        laughs, source.start_s - 1.0
    )
    seconds = source.end_s - source.start_s
    return np.column_stack(
        [
            *counts.of.values(),
            words,
            share,
            asks,
            turn_words(counts),
            laughter,
            seconds,
            words / np.maximum(seconds, 0.3),
        ]
    )


def _place(source: SourceSpeech) -> Floats:
    """Where in the source a sentence is, 0 to 1, and how far it is from being a greeting or a
    farewell: 0 at either end of the source, 1 once that end is `GREETING_S` away."""
    at, end = source.middle_s, max(float(source.end_s[-1]), 1e-3)
    reach = min(GREETING_S, GREETING_SHARE * end)
    return np.column_stack(
        [at / end, np.minimum(at / reach, 1.0), np.clip((end - at) / reach, 0.0, 1.0)]
    )


def surroundings(values: Floats, at: Floats, deviation_s: float) -> Floats:
    """Each row's mean with its neighbours in time, weighted by a bell; `at` must rise."""
    smooth = np.empty_like(values, dtype=np.float64)
    for begin in range(0, len(at), _BLOCK):
        rows = at[begin : begin + _BLOCK]
        first = int(np.searchsorted(at, rows[0] - REACH * deviation_s))
        last = int(np.searchsorted(at, rows[-1] + REACH * deviation_s, side="right"))
        weights = np.exp(-0.5 * ((rows[:, None] - at[None, first:last]) / deviation_s) ** 2)
        smooth[begin : begin + _BLOCK] = (weights @ values[first:last]) / weights.sum(
            axis=1, keepdims=True
        )
    return smooth


def normal(curve: Floats) -> Floats:
    """The curve with mean 0 and deviation 1, so that sources compare."""
    return np.asarray((curve - curve.mean()) / (curve.std() + 1e-9))


def chance_inputs(log_odds: Floats, source_s: float) -> Floats:
    """What chances are told from: a row for each candidate.

    Lengths beyond those that were learned from count as the nearest of them.
    """
    hours = min(max(source_s, LEARNED_S[0]), LEARNED_S[1]) / 3600
    return np.column_stack([log_odds, np.full(len(log_odds), math.log(hours))])


CURVE_FEATURES = (
    "keep", "keep_before", "keep_after", "keep_opening", "keep_closing",
    "skip", "skip_before", "skip_after",
    "open_first", "open_before", "open_after", "close_last", "close_before", "close_after",
)  # fmt: skip
SHAPE_FEATURES = (
    "log_seconds", "log_seconds_2", "log_seconds_3", "sentences", "turns", "starts_turn",
    "position", "laughter", "laughter_at_end", "coherence", "typical", "first_words",
)  # fmt: skip
EDGE_FEATURES = (
    "opens_on_filler", "pause_before", "pause_after", "opens_asking", "closes_asking",
    "turn_follows",
)  # fmt: skip
CANDIDATE_FEATURES = CURVE_FEATURES + SHAPE_FEATURES
CHANCE_INPUTS = ("log_odds", "log_hours")
CUT_FEATURES = CANDIDATE_FEATURES + EDGE_FEATURES


def curve_features(source: SourceSpeech, curves: Mapping[str, Floats], windows: Windows) -> Floats:
    """What the curves do in and around each candidate: a column for each of `CURVE_FEATURES`."""
    first, last = windows.first, windows.last
    start_s, end_s = source.start_s[first], source.end_s[last]
    opening = np.clip(np.searchsorted(source.start_s, start_s + EDGE_S) - 1, first, last)
    closing = np.clip(np.searchsorted(source.end_s, end_s - EDGE_S), first, last)
    before = np.searchsorted(source.start_s, start_s - AROUND_S)
    after = np.searchsorted(source.end_s, end_s + AROUND_S, side="right") - 1
    mean = _Means(source)
    keep, skip = curves["keep"], curves["skip"]
    opens, closes = (np.pad(curves[name], 1) for name in ("open", "close"))
    return np.column_stack(
        [
            mean(keep, first, last),
            mean(keep, before, first - 1),
            mean(keep, last + 1, after),
            mean(keep, first, opening),
            mean(keep, closing, last),
            mean(skip, first, last),
            mean(skip, before, first - 1),
            mean(skip, last + 1, after),
            opens[first + 1],
            opens[first],
            opens[last + 2],
            closes[last + 1],
            closes[first],
            closes[last + 2],
        ]
    )


def shape_features(source: SourceSpeech, windows: Windows) -> Floats:
    """Length and build of each candidate: a column for each of `SHAPE_FEATURES`."""
    first, last = windows.first, windows.last
    start_s, end_s = source.start_s[first], source.end_s[last]
    seconds = np.maximum(end_s - start_s, 1.0)
    log_seconds = np.log(seconds / USUAL_LENGTH_S)
    laughs = reaction_times(source.transcript)
    laughed = np.searchsorted(laughs, end_s + LAUGH_AFTER_S)
    turns = np.cumsum(source.counts.of["turn"])
    return np.column_stack(
        [
            log_seconds,
            log_seconds**2,
            log_seconds**3,
            last - first + 1,
            (turns[last] - turns[first]) / seconds,
            source.counts.of["turn"][first],
            start_s / max(float(source.end_s[-1]), 1e-3),
            laughed - np.searchsorted(laughs, start_s),
            laughed - np.searchsorted(laughs, end_s - LAUGH_CLOSE_S),
            *_togetherness(source.vectors, first, last),
            source.counts.words[first],
        ]
    )


def edge_features(source: SourceSpeech, windows: Windows) -> Floats:
    """How each candidate begins and ends: a column for each of `EDGE_FEATURES`."""
    first, last = windows.first, windows.last
    filler = np.array([float(bool(FILLER.match(s.text))) for s in source.sentences])
    gaps = np.maximum(0.0, source.start_s[1:] - source.end_s[:-1])
    pauses = np.minimum(np.concatenate([[LONG_PAUSE_S], gaps, [LONG_PAUSE_S]]), LONG_PAUSE_S)
    asks, turns = source.counts.of["question"], np.append(source.counts.of["turn"], 1.0)
    return np.column_stack(
        [filler[first], pauses[first], pauses[last + 1], asks[first], asks[last], turns[last + 1]]
    )


class _Means:
    """Means of a curve over stretches of sentences, weighted by how long each is spoken."""

    def __init__(self, source: SourceSpeech) -> None:
        self._seconds = np.maximum(source.end_s - source.start_s, 1e-3)
        self._total = np.concatenate([[0.0], np.cumsum(self._seconds)])

    def __call__(self, curve: Floats, first: Any, last: Any) -> Floats:
        """Zero, which is the average of a normal curve, where the stretch is empty."""
        sums = np.concatenate([[0.0], np.cumsum(curve * self._seconds)])
        first = np.clip(first, 0, len(curve))
        end = np.clip(last + 1, first, len(curve))
        return np.asarray(
            (sums[end] - sums[first]) / np.maximum(self._total[end] - self._total[first], 1e-9)
        )


def _togetherness(
    vectors: Vectors, first: npt.NDArray[np.int64], last: npt.NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """How alike the sentences of each stretch are, and how like the whole source their mean is."""
    total = np.zeros((len(vectors) + 1, vectors.shape[1]), np.float64)
    np.cumsum(vectors, axis=0, out=total[1:])
    whole = total[-1] / (np.linalg.norm(total[-1]) + 1e-9)
    lengths, typicals = np.empty(len(first)), np.empty(len(first))
    for begin in range(0, len(first), 4096):
        part = slice(begin, begin + 4096)
        mean = (total[last[part] + 1] - total[first[part]]) / (last[part] - first[part] + 1)[
            :, None
        ]
        lengths[part] = np.linalg.norm(mean, axis=1)
        typicals[part] = mean @ whole / np.maximum(lengths[part], 1e-9)
    return lengths, typicals


@cache
def load_ranker() -> Ranker | None:
    """The trained ranker; None in a build without one."""
    file = resources.files("reelremix.engine.stages") / "data" / "ranker.json"
    if not file.is_file():
        return None
    return ranker_from(json.loads(file.read_text(encoding="utf-8")))


def ranker_from(plain: Mapping[str, Any]) -> Ranker:
    """The ranker in a data file."""
    curves = {
        name: Linear(float(curve["intercept"]), np.array([*curve["counted"], *curve["meaning"]]))
        for name, curve in plain["curves"].items()
    }
    candidate = plain["candidate"]
    return Ranker(
        tuple(plain["counted"]),
        curves,
        Linear(
            float(candidate["intercept"]),
            np.array([candidate["weights"][name] for name in CANDIDATE_FEATURES]),
        ),
        Linear(
            float(plain["cut"]["intercept"]),
            np.array([plain["cut"]["weights"][name] for name in CUT_FEATURES]),
        ),
        Linear(
            float(plain["chance"]["intercept"]),
            np.array([plain["chance"]["weights"][name] for name in CHANCE_INPUTS]),
        ),
    )


def ranker_to(ranker: Ranker) -> dict[str, Any]:
    """The inverse of `ranker_from`."""
    number = len(ranker.counted)
    return {
        "counted": list(ranker.counted),
        "curves": {
            name: {
                "intercept": _short(curve.intercept),
                "counted": [_short(weight) for weight in curve.weights[:number]],
                "meaning": [_short(weight) for weight in curve.weights[number:]],
            }
            for name, curve in ranker.curves.items()
        },
        "candidate": _named(ranker.candidate, CANDIDATE_FEATURES),
        "cut": _named(ranker.cut, CUT_FEATURES),
        "chance": _named(ranker.chance, CHANCE_INPUTS),
    }


def _named(model: Linear, names: Sequence[str]) -> dict[str, Any]:
    weights = zip(names, model.weights, strict=True)
    return {
        "intercept": _short(model.intercept),
        "weights": {name: _short(weight) for name, weight in weights},
    }


def _short(weight: float) -> float:
    return round(float(weight), 5)
