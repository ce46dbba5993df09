"""Learn the ranking of moments from the picks of editors.

    python benchmarks/train_ranker.py [--write] [--shared DIR]

Trains on every annotated episode. `left_out` trains without each in turn, for `selection.py` and
`calibration.py`: nothing of an episode, not even through the curves that a candidate's features are
made of, is seen by the model that ranks it. `--write` keeps the model in the package with the
record of its training.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from episodes import IOU_OF_A_HIT, MAX_S, MIN_S, Picks, best_iou, episode_files, read_picks
from measuring import SCRATCH, SHARED, model_folder

from reelremix.engine.domain.candidate import Candidate
from reelremix.engine.domain.transcript import Transcript
from reelremix.engine.export.transcript import read_transcript
from reelremix.engine.models.sentences import MINILM, MiniLm, Vectors
from reelremix.engine.stages.propose import propose_candidates, split_sentences
from reelremix.engine.stages.ranker import (
    ABOUT,
    CANDIDATE_FEATURES,
    CHANCE_INPUTS,
    CURVES,
    Linear,
    Ranker,
    SentenceFeatures,
    SourceSpeech,
    chance_inputs,
    counted_names,
    curve_features,
    edge_features,
    normal,
    ranker_to,
    sentence_features,
    shape_features,
)
from reelremix.engine.stages.signals import Floats, Windows, count_sentences, windows_of

RIDGE = 100.0
LOGISTIC_RIDGE = 100.0
CUT_RIDGE = 30.0
IOU_OF_A_CUT = 0.7
"""Candidates that overlap a pick this much are nearly what the editor cut."""
INNER_FOLDS = 5
SAMPLE = 1200
"""Candidates of an episode that the candidates' model is fitted on."""
TOP = 30
"""The best of an episode, on which chances are calibrated."""
LAST_RANK, LAST_WEIGHT = 15, 0.75
"""What the last of an annotator's picks counts, where the first counts 1."""
TARGET = Path(__file__).parents[1] / "reelremix/engine/stages/data/ranker.json"


@dataclass
class Episode:
    """One source, its candidates, and what editors said of it."""

    name: str
    transcript: Transcript
    source: SourceSpeech
    candidates: list[Candidate]
    windows: Windows
    picks: Picks
    features: SentenceFeatures
    iou: Floats
    """Each candidate's overlap with the pick nearest to it."""
    sample: np.ndarray

    @cached_property
    def kept(self) -> Floats:
        """1.0 for each candidate that an editor picked."""
        return (self.iou >= IOU_OF_A_HIT).astype(float)

    @cached_property
    def edges(self) -> Floats:
        """How candidates begin and end."""
        return edge_features(self.source, self.windows)

    @cached_property
    def shape(self) -> Floats:
        """What does not depend on any training."""
        return shape_features(self.source, self.windows)

    @cached_property
    def targets(self) -> dict[str, Floats]:
        """What each curve should be, a number a sentence; annotators count alike."""
        at, source = self.source.middle_s, self.source
        found = {curve: np.zeros(len(at)) for curve in CURVES}
        share = 1 / len(self.picks.kept)
        for kept in self.picks.kept:
            inside = np.zeros(len(at))
            for rank, (start_s, end_s) in enumerate(kept):
                worth = 1 - (1 - LAST_WEIGHT) * min(rank, LAST_RANK - 1) / (LAST_RANK - 1)
                within = (at >= start_s) & (at <= end_s)
                inside[within] = np.maximum(inside[within], worth)
                found["open"][np.abs(source.start_s - start_s).argmin()] += share
                found["close"][np.abs(source.end_s - end_s).argmin()] += share
            found["keep"] += inside * share
        for start_s, end_s in self.picks.never:
            found["skip"][(at >= start_s) & (at <= end_s)] = 1
        return found


@dataclass(frozen=True)
class Sums:
    """What a ridge regression needs of some rows; sums of sums are those of all rows."""

    number: float
    inputs: Floats
    products: Floats
    targets: Floats
    cross: Floats

    @classmethod
    def of(cls, rows: Floats, targets: Floats) -> Sums:
        """Of the rows of one episode."""
        return cls(len(rows), rows.sum(0), rows.T @ rows, targets.sum(0), rows.T @ targets)

    def __add__(self, other: Sums) -> Sums:
        return Sums(*(a + b for a, b in zip(self._all, other._all, strict=True)))

    def __sub__(self, other: Sums) -> Sums:
        return Sums(*(a - b for a, b in zip(self._all, other._all, strict=True)))

    @property
    def _all(self) -> tuple[Any, ...]:
        return self.number, self.inputs, self.products, self.targets, self.cross

    def fit(self, ridge: float = RIDGE) -> list[Linear]:
        """A ridge regression for each target."""
        mean, target = self.inputs / self.number, self.targets / self.number
        centred = self.products - self.number * np.outer(mean, mean)
        centred[np.diag_indices_from(centred)] += ridge
        weights = np.linalg.solve(centred, self.cross - self.number * np.outer(mean, target))
        return [Linear(float(t - mean @ w), w) for t, w in zip(target, weights.T, strict=True)]


class Trainer:
    """Fits rankers on subsets of the episodes."""

    def __init__(self, episodes: Sequence[Episode]) -> None:
        self.episodes = episodes
        self._edges = [curve for curve in CURVES if curve not in ABOUT]
        self._sums = [
            tuple(
                Sums.of(e.features.of(group[0]), np.column_stack([e.targets[c] for c in group]))
                for group in (ABOUT, self._edges)
            )
            for e in episodes
        ]
        self._total = [sum(group[1:], group[0]) for group in zip(*self._sums, strict=True)]

    def fit(self, without: int | None = None) -> Ranker:
        """The ranker of all episodes but one."""
        used = [n for n in range(len(self.episodes)) if n != without]
        out = [] if without is None else [without]
        log_odds, kept = [], []
        samples, rows = [], []
        parts = np.array_split(np.random.default_rng(0).permutation(used), INNER_FOLDS)
        inner = {}
        for part in parts:
            curves = self._curves([*out, *part])
            inner |= {int(n): curves for n in part}
        for n in used:
            episode = self.episodes[n]
            rows.append(self._rows(episode, inner[n]))
            samples.append((rows[-1][episode.sample], episode.kept[episode.sample]))
        cut = self._cut(used, rows)
        candidate = logistic(*(np.concatenate(part) for part in zip(*samples, strict=True)))
        for n, own in zip(used, rows, strict=True):
            values = candidate(own)
            best = top(self.episodes[n].windows, values, TOP)
            source_s = float(self.episodes[n].source.end_s.max())
            log_odds.append(chance_inputs(values[best], source_s))
            kept.append(self.episodes[n].kept[best])
        chance = logistic(np.concatenate(log_odds), np.concatenate(kept), ridge=1e-3)
        names = tuple(counted_names(self.episodes[0].source.counts))
        return Ranker(names, self._curves(out), candidate, cut, chance)

    def _cut(self, used: Sequence[int], rows: Sequence[Floats]) -> Linear:
        """A ridge regression of being nearly what an editor would cut."""
        episodes = [self.episodes[n] for n in used]
        inputs = np.concatenate(
            [
                np.column_stack([own, e.edges])[e.sample]
                for e, own in zip(episodes, rows, strict=True)
            ]
        )
        nearly = np.concatenate([e.iou[e.sample] >= IOU_OF_A_CUT for e in episodes]).astype(float)
        spread = inputs.std(axis=0) + 1e-9
        [fitted] = Sums.of(inputs / spread, nearly[:, None]).fit(CUT_RIDGE)
        return Linear(fitted.intercept, fitted.weights / spread)

    def _curves(self, without: Sequence[int]) -> dict[str, Linear]:
        fitted: dict[str, Linear] = {}
        for number, group in enumerate((ABOUT, self._edges)):
            sums = self._total[number]
            for n in without:
                sums = sums - self._sums[n][number]
            fitted |= dict(zip(group, sums.fit(), strict=True))
        return {name: fitted[name] for name in CURVES}

    def _rows(self, episode: Episode, curves: dict[str, Linear]) -> Floats:
        told = {name: normal(curve(episode.features.of(name))) for name, curve in curves.items()}
        rows = curve_features(episode.source, told, episode.windows)
        return np.column_stack([rows, episode.shape])


def logistic(rows: Floats, kept: Floats, ridge: float = LOGISTIC_RIDGE) -> Linear:
    """Logistic regression by Newton's method, penalised on standardised columns."""
    mean, spread = rows.mean(0), rows.std(0) + 1e-9
    design = np.column_stack([np.ones(len(rows)), (rows - mean) / spread])
    penalty = np.full(design.shape[1], ridge)
    penalty[0] = 0
    weights = np.zeros(design.shape[1])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-design @ weights))
        slope = design.T @ (kept - chance) - penalty * weights
        curve = (design * (chance * (1 - chance))[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.solve(curve, slope)
        weights += step
        if np.abs(step).max() < 1e-9:
            break
    own = weights[1:] / spread
    return Linear(float(weights[0] - own @ mean), own)


def top(windows: Windows, values: Floats, count: int) -> list[int]:
    """Indexes of the best that do not overlap, best first."""
    open_ = values.copy()
    best: list[int] = []
    while len(best) < count and np.isfinite(open_.max()):
        best.append(int(open_.argmax()))
        apart = (windows.start_s >= windows.end_s[best[-1]]) | (
            windows.end_s <= windows.start_s[best[-1]]
        )
        open_[~apart] = -np.inf
    return best


def load_episodes(shared: Path) -> list[Episode]:
    """Every annotated episode, with its sentences embedded."""
    embedder = MiniLm(Path(model_folder(MINILM)))
    chance = np.random.default_rng(0)
    found = []
    for path in episode_files(shared):
        picks = read_picks(shared, path.stem)
        if not picks.kept:
            continue
        transcript = read_transcript(path)
        sentences = split_sentences(transcript)
        counts = count_sentences(sentences, transcript.language)
        vectors = embedded([s.text for s in sentences], embedder)
        source = SourceSpeech.of(sentences, counts, transcript, vectors)
        candidates = propose_candidates(sentences, MIN_S, MAX_S)
        windows = windows_of(candidates)
        iou = best_iou(windows, picks.all_kept)
        sample = chance.choice(len(candidates), min(SAMPLE, len(candidates)), replace=False)
        features = sentence_features(source)
        found.append(
            Episode(
                path.stem, transcript, source, candidates, windows, picks, features, iou, sample
            )
        )
    return found


def embedded(texts: Sequence[str], embedder: MiniLm) -> Vectors:
    """Vectors of one episode, rounded as the engine keeps them, remembered between runs."""
    digest = hashlib.sha256("\0".join([embedder.identity, *texts]).encode()).hexdigest()
    memory = SCRATCH / "vectors" / f"{digest}.npy"
    if not memory.exists():
        vectors = np.zeros((len(texts), embedder.size), np.float16)
        for rows, batch in embedder.embed(texts):
            vectors[rows] = batch
        memory.parent.mkdir(parents=True, exist_ok=True)
        np.save(memory, vectors)
    return np.asarray(np.load(memory), np.float32)


def left_out(trainer: Trainer) -> Iterator[tuple[Episode, Ranker]]:
    """Each episode with the ranker that never saw it."""
    for number, episode in enumerate(trainer.episodes):
        yield episode, trainer.fit(without=number)


def data_hash(shared: Path) -> str:
    """Of the transcripts and picks that were learned from."""
    digest = hashlib.sha256()
    for path in sorted((shared / "transcripts").rglob("*.json")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def write(ranker: Ranker, record: dict[str, Any]) -> None:
    """The data file of the package: a line for each list of weights."""
    plain = {"record": record, **ranker_to(ranker)}
    TARGET.write_text(lines(plain) + "\n", encoding="utf-8")


def lines(plain: Any, indent: int = 0) -> str:
    """JSON with a line for each list."""
    if isinstance(plain, dict):
        inner = ",\n".join(
            f"{' ' * (indent + 1)}{json.dumps(key)}: {lines(value, indent + 1)}"
            for key, value in plain.items()
        )
        return "{\n" + inner + "\n" + " " * indent + "}"
    return json.dumps(plain, ensure_ascii=False)


def main() -> None:
    """Train on everything and perhaps write; `selection.py --leave-one-out` measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--shared", type=Path, default=SHARED)
    options = parser.parse_args()
    began = time.perf_counter()
    episodes = load_episodes(options.shared)
    print(f"{len(episodes)} episodes read in {time.perf_counter() - began:.0f} s", flush=True)
    ranker = Trainer(episodes).fit()
    for name, weight in zip(CANDIDATE_FEATURES, ranker.candidate.weights, strict=True):
        print(f"{name:18} {weight:+.3f}")
    for name, weight in zip(CHANCE_INPUTS, ranker.chance.weights, strict=True):
        print(f"chance {name:18} {weight:+.3f}")
    if options.write:
        record = {
            "date": date.today().isoformat(),
            "episodes": len(episodes),
            "candidates": sum(len(e.candidates) for e in episodes),
            "data_sha256": data_hash(options.shared),
            "sentence_model": MiniLm.identity,
            "label": "a candidate that overlaps an editor's pick with IoU >= 0.3",
            "ridge": RIDGE,
            "logistic_ridge": LOGISTIC_RIDGE,
            "cut_label": f"overlaps an editor's pick with IoU >= {IOU_OF_A_CUT:g}",
            "cut_ridge": CUT_RIDGE,
            "left_out": "docs/scores.md",
        }
        write(ranker, record)
        print(f"wrote {TARGET.name}")


if __name__ == "__main__":
    main()
