"""Does learning from decisions help those who decide by a taste, and leave alone those who do not?

    python benchmarks/feedback.py [--repeats N] [--shared DIR]

A ranker is trained on half of the annotated episodes and stands for the shipped one. Simulated
users see its ten best of some of the other episodes and keep or drop each; `stages.learning` learns
from that. What is reported: how often a personal ranking is adopted, and by how much it raises the
share of the ten best that the user would keep, on episodes that neither ranker nor user has seen.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from measuring import SHARED, keep, show
from train_ranker import Episode, Trainer, load_episodes, top

from reelremix.engine.stages.learning import Examples, Learned, learn, personal_ranker
from reelremix.engine.stages.ranker import CANDIDATE_FEATURES, Ranker
from reelremix.engine.stages.signals import Floats

SHOWN = 10
LONGEST_S = 60.0
SIZES = (20, 40, 80, 160)
"""Decisions a user makes before the measurement."""
STEEPNESS = 2.0
"""Log-odds for a standard deviation of what a user likes."""
FEATURE = {name: column for column, name in enumerate(CANDIDATE_FEATURES)}


@dataclass(frozen=True)
class Offer:
    """What one unseen episode offers."""

    episode: Episode
    rows: Floats
    allowed: np.ndarray
    """Candidates of at most `LONGEST_S`."""
    asks: Floats
    """Questions a second, which no feature of the ranking tells."""

    def best(self, values: Floats) -> list[int]:
        """The ten best that do not overlap."""
        return top(self.episode.windows, np.where(self.allowed, values, -np.inf), SHOWN)


Taste = Callable[[Offer, Floats], Floats]
"""The chance that a user keeps each candidate; features come standardised."""


def _likes(weights: dict[str, float], bar: float = 0.0) -> Taste:
    def chance(_: Offer, standard: Floats) -> Floats:
        liking = sum(weight * standard[:, FEATURE[name]] for name, weight in weights.items())
        return np.asarray(1 / (1 + np.exp(-STEEPNESS * (liking - bar))))

    return chance


def _questions(offer: Offer, _: Floats) -> Floats:
    liking = (offer.asks - offer.asks.mean()) / (offer.asks.std() + 1e-9)
    return np.asarray(1 / (1 + np.exp(-STEEPNESS * (liking - 0.3))))


def _editor(offer: Offer, _: Floats) -> Floats:
    return offer.episode.kept


def _always(chance: float) -> Taste:
    return lambda offer, _: np.full(len(offer.rows), chance)


USERS: dict[str, Taste] = {
    "keeps what annotators picked": _editor,
    "likes short clips": _likes({"log_seconds": -1.0}, bar=-0.6),
    "likes turns of speakers": _likes({"turns": 1.0}),
    "likes the end of a recording": _likes({"position": 1.0}),
    "likes short clips with turns, and what editors like": _likes(
        {"log_seconds": -0.6, "turns": 0.6, "keep": 0.5}, bar=0.4
    ),
    "likes questions": _questions,
    "decides at random, half kept": _always(0.5),
    "decides at random, a quarter kept": _always(0.25),
}
RANDOM = [name for name in USERS if "random" in name]


class Trial:
    """One user with some decisions on some episodes."""

    def __init__(self, offers: Sequence[Offer], ranker: Ranker) -> None:
        self.offers = offers
        self.ranker = ranker
        rows = np.concatenate([offer.rows[offer.allowed] for offer in offers])
        self._mean, self._spread = rows.mean(axis=0), rows.std(axis=0) + 1e-9
        self._shown = [offer.best(ranker.values(offer.rows)) for offer in offers]

    def ever_adopts(self, taste: Taste, seed: int) -> bool:
        """Whether one is adopted at any time, when learning follows every ten decisions."""
        sizes = range(min(SIZES), max(SIZES) + 1, SHOWN)
        return any(self.run(taste, n, seed, only_learn=True)[0].is_adopted for n in sizes)

    def run(
        self, taste: Taste, decisions: int, seed: int, *, only_learn: bool = False
    ) -> tuple[Learned, float, float]:
        """What is learned, and the user's mean liking of the ten best before and after."""
        chance = np.random.default_rng(seed)
        order = chance.permutation(len(self.offers))
        number = max(2, -(-decisions // SHOWN))
        seen, unseen = order[:number], order[number:]
        rows, labels, sources = [], [], []
        for n in seen:
            shown = self._shown[n]
            liking = self._liking(n, taste)[shown]
            rows.append(self.offers[n].rows[shown])
            labels.append(chance.random(len(shown)) < liking)
            sources.append(np.full(len(shown), n))
        spread = np.sqrt(np.mean([self.offers[n].rows.var(axis=0) for n in seen], axis=0)) + 1e-9
        label = np.concatenate(labels).astype(float)[:decisions]
        learned = learn(
            Examples(
                np.concatenate(rows)[:decisions],
                label,
                np.ones(len(label)),
                np.concatenate(sources)[:decisions],
                spread,
            ),
            self.ranker,
        )
        if only_learn:
            return learned, 0.0, 0.0
        before = self._worth(unseen, taste, self.ranker)
        if not learned.is_adopted:
            return learned, before, before
        return learned, before, self._worth(unseen, taste, personal_ranker(self.ranker, learned))

    def _liking(self, n: int, taste: Taste) -> Floats:
        return taste(self.offers[n], (self.offers[n].rows - self._mean) / self._spread)

    def _worth(self, unseen: Sequence[int], taste: Taste, ranker: Ranker) -> float:
        found = []
        for n in unseen:
            best = self.offers[n].best(ranker.values(self.offers[n].rows))
            found.append(self._liking(n, taste)[best].mean())
        return float(np.mean(found))


def offer_of(episode: Episode, ranker: Ranker) -> Offer:
    """An episode's candidates with their features."""
    windows = episode.windows
    asks = windows.total(episode.source.counts.of["question"]) / windows.duration_s
    return Offer(
        episode,
        ranker.features(episode.source, windows),
        windows.duration_s <= LONGEST_S,
        asks,
    )


def main() -> None:
    """Simulate every user with every number of decisions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=40)
    parser.add_argument("--shared", type=Path, default=SHARED)
    options = parser.parse_args()
    episodes = load_episodes(options.shared)
    ranker = Trainer(episodes[::2]).fit()
    trial = Trial([offer_of(episode, ranker) for episode in episodes[1::2]], ranker)
    table: list[Sequence[object]] = []
    results: dict[str, Any] = {"episodes": len(trial.offers), "repeats": options.repeats}
    slowest = 0.0
    for name, taste in USERS.items():
        for size in SIZES:
            runs = []
            for seed in range(options.repeats):
                began = time.perf_counter()
                runs.append(trial.run(taste, size, seed))
                slowest = max(slowest, time.perf_counter() - began)
            gains = [after - before for learned, before, after in runs if learned.is_adopted]
            before = float(np.mean([run[1] for run in runs]))
            row = {
                "adopted": len(gains) / len(runs),
                "liked_before": round(before, 3),
                "gain_when_adopted": round(float(np.mean(gains)), 3) if gains else None,
                "least_gain": round(float(min(gains)), 3) if gains else None,
                "worse_when_adopted": int(sum(gain < -0.01 for gain in gains)),
            }
            results.setdefault("users", {}).setdefault(name, {})[str(size)] = row
            gain = (
                "–" if not gains else f"{np.mean(gains):+.3f} ({row['worse_when_adopted']} worse)"
            )
            table.append((name, size, f"{row['adopted']:.0%}", f"{before:.3f}", gain))
            print(*table[-1], sep=" | ", flush=True)
    for name in RANDOM:
        ever = np.mean([trial.ever_adopts(USERS[name], seed) for seed in range(options.repeats)])
        results["users"][name]["ever_adopted"] = float(ever)
        print(f"{name}, adopted at any time up to {max(SIZES)} decisions: {ever:.0%}")
    results["slowest_trial_s"] = round(slowest, 2)
    columns = ["user", "decisions", "adopted", "liked before", "gain when adopted"]
    show(
        f"{len(trial.offers)} unseen episodes, {options.repeats} users of each kind", columns, table
    )
    print(f"\nslowest trial, measuring included: {slowest:.2f} s")
    keep("feedback", results)


if __name__ == "__main__":
    main()
