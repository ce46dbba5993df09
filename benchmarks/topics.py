"""Are topics parted where the subject changes? Stretches of different episodes, one after another.

    python benchmarks/topics.py [--shared DIR]

Forty mixes of up to eight stretches of two to seven minutes. Within a stretch subjects change too,
so boundaries beside those of the mix are not all wrong. Printed are the share of the mix's
boundaries found within fifteen seconds, the share of all found boundaries that are those, and Pk
(Beeferman et al., 1999): how often two sentences half a topic apart are wrongly taken for together
or apart, beside a boundary every few minutes.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from episodes import episode_files
from measuring import SHARED, keep, model_folder, show
from train_ranker import embedded

from reelremix.engine.domain.sentence import Sentence
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.export.transcript import read_transcript
from reelremix.engine.models.sentences import MINILM, MiniLm, Vectors
from reelremix.engine.stages.propose import split_sentences
from reelremix.engine.stages.topics import boundaries

MIXES, STRETCHES = 40, 8
SHORTEST_S, LONGEST_S = 120.0, 420.0
NEAR_S = 15.0
EVERY_S = 180.0


@dataclass(frozen=True)
class Mix:
    """Stretches of episodes one after another."""

    sentences: tuple[Sentence, ...]
    vectors: Vectors
    cuts: tuple[int, ...]
    """Sentences that begin a new stretch."""

    @property
    def starts(self) -> np.ndarray:
        """When each sentence begins."""
        return np.array([s.range.start_s for s in self.sentences])


def mixed(episodes: Sequence[tuple[Sequence[Sentence], Vectors]], chance: random.Random) -> Mix:
    """One mix."""
    sentences: list[Sentence] = []
    rows: list[np.ndarray] = []
    cuts: list[int] = []
    at = 0.0
    for own, vectors in chance.sample(list(episodes), STRETCHES):
        length = chance.uniform(SHORTEST_S, LONGEST_S)
        begin = chance.uniform(60, max(61, own[-1].range.end_s - length - 60))
        inside = [i for i, s in enumerate(own) if begin <= s.range.start_s < begin + length]
        if len(inside) < 5:
            continue
        cuts.append(len(sentences))
        offset = at - own[inside[0]].range.start_s
        for i in inside:
            start = own[i].range.start_s + offset
            span = TimeRange.from_seconds(start, start + own[i].range.duration_s)
            sentences.append(replace(own[i], range=span))
            rows.append(vectors[i])
        at = sentences[-1].range.end_s + 0.5
    return Mix(tuple(sentences), np.array(rows, np.float32), tuple(cuts[1:]))


def pk(mix: Mix, found: Sequence[int]) -> float:
    """Chance that two sentences half a topic apart are judged wrongly."""
    size = len(mix.sentences)
    true, said = np.zeros(size), np.zeros(size)
    true[list(mix.cuts)] = 1
    said[list(found)] = 1
    true, said = true.cumsum(), said.cumsum()
    apart = max(2, size // (2 * (len(mix.cuts) + 1)))
    wrong = (true[:-apart] == true[apart:]) != (said[:-apart] == said[apart:])
    return float(wrong.mean())


def evenly(mix: Mix) -> list[int]:
    """A boundary every `EVERY_S`, to compare with."""
    starts = mix.starts
    return [int(np.searchsorted(starts, t)) for t in np.arange(EVERY_S, starts[-1], EVERY_S)]


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=SHARED)
    options = parser.parse_args()
    embedder = MiniLm(Path(model_folder(MINILM)))
    episodes = []
    for path in episode_files(options.shared):
        sentences = split_sentences(read_transcript(path))
        episodes.append((sentences, embedded([s.text for s in sentences], embedder)))
    chance = random.Random(0)
    mixes = [mixed(episodes, chance) for _ in range(MIXES)]
    rows, results = [], {}
    for name, part in (("topics", lambda m: boundaries(m.sentences, m.vectors)), ("even", evenly)):
        found = [part(mix) for mix in mixes]
        near = sum(
            any(abs(mix.starts[cut] - mix.starts[at]) <= NEAR_S for at in own)
            for mix, own in zip(mixes, found, strict=True)
            for cut in mix.cuts
        )
        recall = near / sum(len(mix.cuts) for mix in mixes)
        precision = near / max(1, sum(map(len, found)))
        error = float(np.mean([pk(mix, own) for mix, own in zip(mixes, found, strict=True)]))
        results[name] = {
            "found": round(recall, 3),
            "right": round(precision, 3),
            "pk": round(error, 3),
        }
        rows.append((name, *(f"{value:.2f}" for value in results[name].values())))
    show("Topics", ["boundaries", "found", "right", "Pk"], rows)
    keep("topics", results)


if __name__ == "__main__":
    main()
