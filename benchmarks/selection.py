"""Do the chosen moments match what editors pick? Runs propose, score and select over transcripts.

    python benchmarks/selection.py [--leave-one-out | --signals] [--write DIR] [--shared DIR]

`--leave-one-out` ranks every episode by a model that never saw it: the published figures.
`--signals` ranks by the counted signals alone, as without a sentence model. Without either, the
shipped model ranks the episodes that it was trained on, which flatters it. The figures come from
the scorer beside the transcripts, whose logic is independent of this code.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from episodes import (
    COUNT,
    IOU_OF_A_HIT,
    MAX_S,
    MIN_S,
    best_iou,
    episode_files,
    read_picks,
)
from measuring import SHARED, keep, show
from train_kinds import learn, read_stretches
from train_ranker import Episode, Trainer, left_out, load_episodes

from reelremix.engine.export.ranking import ranking_to_dict
from reelremix.engine.export.transcript import read_transcript
from reelremix.engine.stages.kinds import Prototype
from reelremix.engine.stages.propose import propose_candidates, split_sentences
from reelremix.engine.stages.ranker import Ranker, load_ranker
from reelremix.engine.stages.score import score_candidates
from reelremix.engine.stages.select import Selection, Variety, select_clips
from reelremix.engine.stages.signals import Floats, windows_of

NEAR_S = 3.0
DRAWS = 10_000
FIGURES = ("hit", "recall", "never")


def by_signals(shared: Path) -> Iterator[tuple[str, Selection]]:
    """Every transcript, chosen by the counted signals alone."""
    for path in episode_files(shared):
        transcript = read_transcript(path)
        sentences = split_sentences(transcript)
        candidates = propose_candidates(sentences, MIN_S, MAX_S)
        scored = score_candidates(candidates, sentences, transcript)
        yield path.stem, select_clips(scored, COUNT, language=transcript.language)


def by_ranker(
    episode: Episode,
    ranker: Ranker,
    prototypes: Mapping[str, Prototype] | None = None,
    count: int = COUNT,
    variety: Variety | None = None,
) -> Selection:
    """One episode, chosen by given models; without prototypes by the shipped ones."""
    source = episode.source
    scored = score_candidates(
        episode.candidates,
        source.sentences,
        episode.transcript,
        source.vectors,
        ranker,
        prototypes=prototypes,
    )
    return select_clips(scored, count, variety=variety, language=episode.transcript.language)


def learned(shared: Path, *, leave_one_out: bool) -> Iterator[tuple[str, Selection]]:
    """Every episode, chosen by a model that did not see it, or by the shipped one."""
    episodes = load_episodes(shared)
    if leave_one_out:
        stretches = read_stretches(shared)
        for episode, ranker in left_out(Trainer(episodes)):
            prototypes = learn(stretches, without=episode.name)
            yield episode.name, by_ranker(episode, ranker, prototypes)
        return
    shipped = load_ranker()
    if shipped is None:
        sys.exit("there is no trained model; `train_ranker.py --write` makes one")
    for episode in episodes:
        yield episode.name, by_ranker(episode, shipped)


def edges(selection: Selection, picks: Floats) -> list[tuple[float, float, float]]:
    """For each hit how long it is, and how far it begins and ends from the pick, in seconds."""
    found = []
    for candidate in selection.chosen:
        own = windows_of([candidate])
        ious = [float(best_iou(own, pick[None])[0]) for pick in picks]
        best = int(np.argmax(ious))
        if ious[best] >= IOU_OF_A_HIT:
            start_s, end_s = candidate.range.start_s, candidate.range.end_s
            pick = picks[best]
            found.append((end_s - start_s, abs(start_s - pick[0]), abs(end_s - pick[1])))
    return found


def official(shared: Path, ranked: Path) -> dict[str, dict[str, float]]:
    """The scorer's own figures for a folder of rankings, by episode."""
    scorer = [sys.executable, str(shared / "tools" / "selection_score.py")]
    command = [*scorer, str(shared / "transcripts"), "--ranked", str(ranked), "--json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    rows: dict[str, dict[str, float]] = json.loads(done.stdout)["rows"]
    return rows


def interval(values: np.ndarray) -> tuple[float, float]:
    """95 % of bootstrap means over episodes."""
    chance = np.random.default_rng(0)
    means = values[chance.integers(len(values), size=(DRAWS, len(values)))].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def main() -> None:
    """Rank every transcript and print the means with their intervals."""
    parser = argparse.ArgumentParser(description=__doc__)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--leave-one-out", action="store_true")
    how.add_argument("--signals", action="store_true")
    parser.add_argument("--write", type=Path, help="keep the rankings in this folder")
    parser.add_argument("--shared", type=Path, default=SHARED)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder: Path = options.write or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        chosen = (
            by_signals(options.shared)
            if options.signals
            else learned(options.shared, leave_one_out=options.leave_one_out)
        )
        distances: list[tuple[float, float, float]] = []
        for name, selection in chosen:
            distances += edges(selection, read_picks(options.shared, name).all_kept)
            plain = ranking_to_dict(selection.chosen, selection.rejected, selection.shortfall)
            (folder / f"{name}.json").write_text(json.dumps(plain, ensure_ascii=False))
        rows = list(official(options.shared, folder).values())
    how_ranked = "left out" if options.leave_one_out else "signals" if options.signals else "seen"
    table, results = [], {"episodes": len(rows)}
    for figure in FIGURES:
        values = np.array([row[figure] for row in rows])
        low, high = interval(values)
        table.append((f"{figure}@{COUNT}", f"{values.mean():.3f}", f"{low:.3f} to {high:.3f}"))
        results[figure] = [round(float(v), 4) for v in (values.mean(), low, high)]
    length, start, end = np.array(distances).T
    cuts = {
        "median_length_s": float(np.median(length)),
        "start_off_median_s": float(np.median(start)),
        "end_off_median_s": float(np.median(end)),
        "start_within_3_s": float((start <= NEAR_S).mean()),
        "end_within_3_s": float((end <= NEAR_S).mean()),
    }
    results |= {name: round(value, 3) for name, value in cuts.items()}
    show(f"{len(rows)} episodes, {how_ranked}", ["figure", "mean", "95 % interval"], table)
    show("Cuts of the hits", ["figure", "value"], [(k, f"{v:.2f}") for k, v in cuts.items()])
    if options.leave_one_out:
        keep("selection", results)


if __name__ == "__main__":
    main()
