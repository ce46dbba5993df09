"""Is the total what it says? Chances against what editors kept, with each episode left out.

    python benchmarks/calibration.py [--shared DIR]

On the thirty best of each episode that do not overlap, cut as they would be: expected calibration
error over ten equally filled bins, Brier skill against always saying the mean, and the area under
the ROC curve.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from episodes import IOU_OF_A_HIT, best_iou, reliability
from measuring import SHARED, keep, show
from selection import by_ranker
from train_kinds import learn, read_stretches
from train_ranker import TOP, Trainer, left_out, load_episodes

from reelremix.engine.stages.learning import area_under_curve
from reelremix.engine.stages.select import Variety
from reelremix.engine.stages.signals import windows_of

BINS = 10
LIKELIEST = Variety(near_penalty=0.0, alike_penalty=0.0)
"""The best that do not overlap, be they alike."""


def main() -> None:
    """Measure and print the reliability table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=SHARED)
    options = parser.parse_args()
    chances, outcomes = [], []
    stretches = read_stretches(options.shared)
    for episode, ranker in left_out(Trainer(load_episodes(options.shared))):
        prototypes = learn(stretches, without=episode.name)
        selection = by_ranker(episode, ranker, prototypes, TOP, LIKELIEST)
        totals = [c.score.total for c in selection.chosen if c.score and c.score.total is not None]
        chances.append(np.array(totals) / 100)
        found = windows_of(selection.chosen)
        outcomes.append(best_iou(found, episode.picks.all_kept) >= IOU_OF_A_HIT)
    said, kept = np.concatenate(chances), np.concatenate(outcomes).astype(float)
    error, bins = reliability(said, kept, BINS)
    rows = [(f"{100 * e:.0f} %", f"{100 * f:.0f} %", str(n)) for e, f, n in bins]
    skill = 1 - float(((said - kept) ** 2).mean() / kept.var())
    area = area_under_curve(said, kept, np.ones(len(kept)))
    show("Said and seen, left out", ["said", "kept by an editor", "candidates"], rows)
    figures = {"expected_calibration_error": error, "brier_skill": skill, "auc": area}
    show("Calibration", ["figure", "value"], [(k, f"{v:.3f}") for k, v in figures.items()])
    keep("calibration", {**{k: round(v, 4) for k, v in figures.items()}, "reliability": rows})


if __name__ == "__main__":
    main()
