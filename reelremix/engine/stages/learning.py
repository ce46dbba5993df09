"""Re-weighting the ranking by what its owner kept and dropped, and when to believe it.

The shipped weights are the prior, not the starting point: a logistic regression whose Gaussian
prior is centred on them (maximum a posteriori adaptation: Chelba & Acero, "Adaptation of Maximum
Entropy Capitalizer: Little Data Can Help a Lot", 2004; Bishop, "Pattern Recognition and Machine
Learning", 2006, section 4.5), so that without evidence nothing changes. How strongly the prior
holds is chosen by cross-validation inside whatever data may be seen.

A personal ranking is adopted only when it predicts decisions on recordings that were held out
better than the shipped ranking does, with a margin that a bootstrap over decisions confirms. The
shipped ranking is given the same chance to fit the owner's strictness: its intercept and slope.

Where decisions come from and which features they have belongs to `engine.adapting`.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from reelremix.engine.stages.ranker import Linear, Ranker, ranker_to
from reelremix.engine.stages.signals import Floats, Ints

FEWEST_DECISIONS = 20
FEWEST_OF_A_KIND = 5
FEWEST_SOURCES = 2
STRENGTHS = (10.0, 30.0, 100.0, 300.0)
"""Precisions of the prior on a weight's change, per standard deviation of its feature."""
SLOPE_STRENGTH = 30.0
"""The same on how steeply chances rise with the shipped ranking, about 1. Decisions are about clips
that it chose, all near the top, so they say little about it: with 4, one adopted by chance could
halve what its owner likes (`benchmarks/feedback.py`)."""
FOLDS, INNER_FOLDS = 5, 4
CONFIDENCE, EARLY_CONFIDENCE = 0.975, 0.99
"""Share of bootstrap samples in which the personal ranking must predict better; the second while
there are few decisions. At 0.9, one in eight who decide at random would get one after 20 decisions
(`benchmarks/feedback.py`)."""
LEAST_GAIN = 0.01
"""Of log loss: less is no difference that anybody would notice."""
EARLY = 40.0
"""Below so many decisions there are few."""
DRAWS = 2000
_STEPS = 30
_FLAT = 1e-6
"""Precision of the prior on the intercept: none to speak of."""

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Examples:
    """What was decided, a row a decision."""

    rows: Floats
    """A column for each of `CANDIDATE_FEATURES`."""
    label: Floats
    """1 kept, 0 dropped; between them what a result says."""
    weight: Floats
    """What a decision counts; an explicit one counts 1."""
    source: Ints
    """Which recording it is about."""
    spread: Floats
    """Standard deviation of each feature over what the recordings offer."""

    def __len__(self) -> int:
        return len(self.label)


@dataclass(frozen=True, slots=True)
class Measured:
    """How well decisions on held-out recordings were predicted."""

    log_loss: float
    auc: float | None
    """Area under the ROC curve; None when only one kind was decided."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What came of learning: the record, and the changed weights when they are adopted."""

    ranker: str
    """Fingerprint of the shipped ranking that was adapted."""
    decisions: int
    sources: int
    why_not: str | None
    """Why the shipped ranking stays; None when the personal one is adopted."""
    shipped: Measured | None = None
    personal: Measured | None = None
    confidence: float | None = None
    strength: float | None = None
    weights: tuple[float, ...] = ()
    """Of the personal ranking, one for each of `CANDIDATE_FEATURES`; empty when not adopted."""
    changes: tuple[float, ...] = ()
    """By how much each differs from the shipped one, per standard deviation of its feature."""

    @property
    def is_adopted(self) -> bool:
        """Whether the personal ranking ranks."""
        return self.why_not is None

    @property
    def name(self) -> str:
        """What a run's record calls the ranking."""
        if not self.is_adopted:
            return "shipped"
        digest = hashlib.sha256(json.dumps([self.ranker, self.weights]).encode())
        return f"personal {digest.hexdigest()[:8]}"


@dataclass(frozen=True)
class _Fit:
    """Intercept, slope on the shipped log-odds, and changes of standardised weights."""

    intercept: float
    slope: float
    change: Floats

    def chances(self, log_odds: Floats, standard: Floats) -> Floats:
        """Of being kept."""
        return _chance(self.intercept + self.slope * log_odds + standard @ self.change)


def fingerprint(ranker: Ranker) -> str:
    """Sixteen hexadecimal digits that change with any number of a ranker."""
    plain = json.dumps(ranker_to(ranker), sort_keys=True)
    return hashlib.sha256(plain.encode()).hexdigest()[:16]


def personal_ranker(shipped: Ranker, learned: Learned) -> Ranker:
    """The shipped ranker, ordering by the owner's weights; its chances stay calibrated."""
    return replace(shipped, order=Linear(0.0, np.array(learned.weights)))


def learn(examples: Examples, shipped: Ranker) -> Learned:
    """Adapt the shipped ranking, and adopt the result if held-out decisions speak for it."""
    record = Learned(
        fingerprint(shipped), len(examples), len(np.unique(examples.source)), missing(examples)
    )
    if record.why_not is not None:
        return record
    task = _Task.of(examples, shipped)
    everything = np.ones(len(examples), bool)
    plain, own = np.empty(len(examples)), np.empty(len(examples))
    for held in grouped_folds(examples.source, FOLDS):
        plain[held] = task.fit(~held, math.inf).chances(task.log_odds[held], task.standard[held])
        strength = task.best_strength(~held)
        own[held] = task.fit(~held, strength).chances(task.log_odds[held], task.standard[held])
    gain = log_losses(plain, examples.label) - log_losses(own, examples.label)
    confidence = bootstrap_share(gain, examples.weight)
    record = replace(
        record,
        shipped=_measured(plain, examples),
        personal=_measured(own, examples),
        confidence=round(confidence, 3),
        strength=task.best_strength(everything),
    )
    asked = CONFIDENCE if examples.weight.sum() >= EARLY else EARLY_CONFIDENCE
    if np.average(gain, weights=examples.weight) < LEAST_GAIN or confidence < asked:
        return replace(record, why_not=_not_better(record, asked))
    assert record.strength is not None
    fit = task.fit(everything, record.strength)
    weights = fit.slope * shipped.candidate.weights + fit.change / examples.spread
    return replace(
        record,
        weights=tuple(round(float(w), 5) for w in weights),
        changes=tuple(round(float(c), 4) for c in fit.change),
    )


def missing(examples: Examples) -> str | None:
    """What decisions are still needed before anything is compared; None when there are enough."""
    kept = float(examples.weight @ examples.label)
    total = float(examples.weight.sum())
    wanted = []
    if (more := math.ceil(FEWEST_DECISIONS - total)) > 0:
        wanted.append(f"{more} more {_plural('decision', more)}")
    for kind, have in (("kept", kept), ("dropped", total - kept)):
        if (more := math.ceil(FEWEST_OF_A_KIND - have)) > 0:
            wanted.append(f"{more} more {kind} {_plural('clip', more)}")
    if len(np.unique(examples.source)) < FEWEST_SOURCES:
        wanted.append(f"decisions on at least {FEWEST_SOURCES} recordings")
    return f"it needs {', '.join(wanted)}" if wanted else None


def grouped_folds(group: Ints, most: int) -> Iterator[Flags]:
    """Which rows are held out, fold by fold: whole groups, in folds of about the same size."""
    names, sizes = np.unique(group, return_counts=True)
    load = np.zeros(min(most, len(names)))
    fold = np.empty(len(names), np.int64)
    for name in np.argsort(-sizes, kind="stable"):
        fold[name] = int(load.argmin())
        load[fold[name]] += sizes[name]
    of_row = fold[np.searchsorted(names, group)]
    for number in range(len(load)):
        yield of_row == number


def log_losses(chance: Floats, label: Floats) -> Floats:
    """Of each decision; a label between 0 and 1 counts as both kinds in that proportion."""
    chance = np.clip(chance, 1e-6, 1 - 1e-6)
    return np.asarray(-(label * np.log(chance) + (1 - label) * np.log(1 - chance)))


def bootstrap_share(gain: Floats, weight: Floats) -> float:
    """Share of samples of the decisions, drawn with replacement, whose mean gain is positive."""
    chance = np.random.default_rng(0)
    weighed = gain * weight
    sums = (weighed[chance.integers(len(gain), size=len(gain))].sum() for _ in range(DRAWS))
    return float(np.mean([total > 0 for total in sums]))


def area_under_curve(chance: Floats, label: Floats, weight: Floats) -> float | None:
    """How often a kept one gets a higher chance than a dropped one."""
    kept, dropped = weight * label, weight * (1 - label)
    if kept.sum() == 0 or dropped.sum() == 0:
        return None
    _, place = np.unique(chance, return_inverse=True)
    at = np.bincount(place, weights=dropped)
    below = np.cumsum(at) - at / 2  # of equal ones half count
    return float(kept @ below[place] / (kept.sum() * dropped.sum()))


@dataclass(frozen=True)
class _Task:
    """The examples as the regression sees them."""

    log_odds: Floats
    standard: Floats
    label: Floats
    weight: Floats
    source: Ints

    @classmethod
    def of(cls, examples: Examples, shipped: Ranker) -> _Task:
        log_odds = shipped.candidate(examples.rows)
        standard = (examples.rows - examples.rows.mean(axis=0)) / examples.spread
        return cls(log_odds, standard, examples.label, examples.weight, examples.source)

    def fit(self, rows: Flags, strength: float) -> _Fit:
        """Iteratively reweighted least squares; an infinite strength changes no weight."""
        number = 0 if math.isinf(strength) else self.standard.shape[1]
        design = np.column_stack(
            [np.ones(int(rows.sum())), self.log_odds[rows], self.standard[rows, :number]]
        )
        prior = np.zeros(number + 2)
        prior[1] = 1.0
        precision = np.full(number + 2, strength)
        precision[:2] = _FLAT, SLOPE_STRENGTH
        found = _maximum(design, self.label[rows], self.weight[rows], prior, precision)
        change = np.zeros(self.standard.shape[1])
        change[:number] = found[2:]
        return _Fit(float(found[0]), float(found[1]), change)

    def best_strength(self, rows: Flags) -> float:
        """The strength whose fits predict held-out decisions among `rows` best."""
        group = self.source[rows]
        if len(np.unique(group)) < FEWEST_SOURCES:
            group = np.arange(len(group)) % INNER_FOLDS
        indexes = np.flatnonzero(rows)
        losses = dict.fromkeys(STRENGTHS, 0.0)
        for inner in grouped_folds(group, INNER_FOLDS):
            held = indexes[inner]
            seen = rows.copy()
            seen[held] = False
            for strength in STRENGTHS:
                chance = self.fit(seen, strength).chances(self.log_odds[held], self.standard[held])
                losses[strength] += float(self.weight[held] @ log_losses(chance, self.label[held]))
        return min(STRENGTHS, key=lambda s: (losses[s], -s))


def _maximum(
    design: Floats, label: Floats, weight: Floats, prior: Floats, precision: Floats
) -> Floats:
    """The most probable weights, by Newton's method."""
    found = prior.copy()
    for _ in range(_STEPS):
        chance = _chance(design @ found)
        slope = design.T @ (weight * (label - chance)) - precision * (found - prior)
        curve = (design * (weight * chance * (1 - chance))[:, None]).T @ design
        curve[np.diag_indices_from(curve)] += precision
        step = np.linalg.solve(curve, slope)
        step *= min(1.0, 5.0 / max(1e-12, float(np.abs(step).max())))
        found += step
        if np.abs(step).max() < 1e-6:
            break
    return found


def _chance(log_odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(log_odds, -30, 30))))


def _measured(chance: Floats, examples: Examples) -> Measured:
    loss = np.average(log_losses(chance, examples.label), weights=examples.weight)
    auc = area_under_curve(chance, examples.label, examples.weight)
    return Measured(round(float(loss), 4), None if auc is None else round(auc, 3))


def _not_better(record: Learned, asked: float) -> str:
    assert record.shipped is not None and record.personal is not None
    losses = f"log loss {record.personal.log_loss:.3f} against {record.shipped.log_loss:.3f}"
    if record.shipped.log_loss - record.personal.log_loss < LEAST_GAIN:
        return f"it predicts held-out decisions no better than the shipped one, {losses}"
    assert record.confidence is not None
    return (
        f"it predicts held-out decisions better, {losses}, but not surely: in"
        f" {100 * record.confidence:.1f} % of samples of the decisions, where {100 * asked:.1f} %"
        " are asked"
    )


def _plural(word: str, number: int) -> str:
    return word if number == 1 else f"{word}s"
