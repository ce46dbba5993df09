"""From a candidate's rank by signals alone to the chance that an editor keeps it.

    python benchmarks/calibrate_score.py [--write] [--shared DIR]

Fits a logistic curve on every candidate of the episodes that editors picked from, and measures it
with each episode left out of the fit. The curve is written to the package only when the expected
calibration error, on the clips that are shown, is at most 0.1; otherwise totals stay unknown.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, replace
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
    reliability,
)
from measuring import SHARED

from reelremix.engine.domain.transcript import Transcript
from reelremix.engine.export.transcript import read_transcript
from reelremix.engine.stages.propose import propose_candidates, split_sentences
from reelremix.engine.stages.score import Calibration, design_of, score_candidates
from reelremix.engine.stages.select import select_clips
from reelremix.engine.stages.signals import Floats, ranks, windows_of

WORST_ERROR = 0.1
EXCERPT_S = 600.0
TARGET = Path(__file__).parents[1] / "reelremix/engine/stages/data/calibration.toml"


@dataclass(frozen=True)
class Episode:
    """Every candidate of one source, and which of them were shown."""

    name: str
    quantile: Floats
    """Rank of each candidate in its source, 0 to 1."""
    kept: Floats
    """1.0 where an editor picked the moment."""
    shown: np.ndarray
    """Indexes of the chosen ones."""


def study(name: str, transcript: Transcript, picks: Floats) -> Episode:
    """Score one source and note what was kept."""
    sentences = split_sentences(transcript)
    candidates = propose_candidates(sentences, MIN_S, MAX_S)
    scored = score_candidates(candidates, sentences, transcript)
    selection = select_clips(scored, COUNT, language=transcript.language)
    at = {(c.range.start_s, c.range.end_s): i for i, c in enumerate(scored)}
    shown = np.array([at[c.range.start_s, c.range.end_s] for c in selection.chosen])
    values = np.array([c.score.rank_value for c in scored if c.score])
    kept = (best_iou(windows_of(scored), picks) >= IOU_OF_A_HIT).astype(float)
    return Episode(name, ranks(values) + 0.5, kept, shown)


def weights(episode: Episode) -> Floats:
    """Every episode weighs the same: half for all its candidates, half for those shown."""
    weight = np.full(len(episode.kept), 0.5 / len(episode.kept))
    weight[episode.shown] += 0.5 / len(episode.shown)
    return weight


def fit(episodes: list[Episode]) -> Calibration:
    """Logistic regression by Newton's method."""
    design = design_of(np.concatenate([e.quantile for e in episodes]))
    y = np.concatenate([e.kept for e in episodes])
    weight = np.concatenate([weights(e) for e in episodes])
    b = np.zeros(design.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-design @ b))
        slope = design.T @ (weight * (y - p))
        curve = (design * (weight * p * (1 - p))[:, None]).T @ design
        step = np.linalg.solve(curve, slope)
        b += step
        if np.abs(step).max() < 1e-9:
            break
    return Calibration(*(float(v) for v in b))


def chances(curve: Calibration, episode: Episode) -> Floats:
    """What the curve says, 0 to 1."""
    return curve.chance_percent(episode.quantile) / 100


def held_out(episodes: list[Episode]) -> list[Floats]:
    """Each episode's chances by a curve fitted without it."""
    return [chances(fit([o for o in episodes if o is not e]), e) for e in episodes]


def error(chance: Floats, kept: Floats, bins: int = 10) -> tuple[float, list[str]]:
    """Expected calibration error and the reliability table, for printing."""
    total, rows = reliability(chance, kept, bins)
    return total, [f"said {said:.3f}  was {was:.3f}  n {number}" for said, was, number in rows]


def excerpt(transcript: Transcript, start_s: float) -> Transcript:
    """Ten minutes of a transcript."""
    end_s = start_s + EXCERPT_S

    def inside(a: float, b: float) -> bool:
        return start_s <= a and b <= end_s

    return replace(
        transcript,
        segments=tuple(s for s in transcript.segments if inside(s.range.start_s, s.range.end_s)),
        events=tuple(e for e in transcript.events if inside(e.range.start_s, e.range.end_s)),
    )


def shown_error(episodes: list[Episode], held: list[Floats], bins: int) -> tuple[float, list[str]]:
    """The error over the clips that are shown."""
    return error(
        np.concatenate([c[e.shown] for c, e in zip(held, episodes, strict=True)]),
        np.concatenate([e.kept[e.shown] for e in episodes]),
        bins,
    )


def document(curve: Calibration, record: dict[str, float | int | str]) -> str:
    """The data file of the package."""
    lines = [
        "# Written by benchmarks/calibrate_score.py; do not edit by hand.",
        "# chance = 1 / (1 + exp(-(intercept + slope * q + top * t))), q: quantile in the source,",
        "# t = -log10(1 - q) - 1 within the best tenth (at most 2), else 0.",
        "",
        "[curve]",
        f"intercept = {curve.intercept:.4f}",
        f"slope = {curve.slope:.4f}",
        f"top = {curve.top:.4f}",
        "",
        "[record]",
        *(f"{k} = {json.dumps(v)}" for k, v in record.items()),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Fit, measure with episodes left out, print, and perhaps write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--shared", type=Path, default=SHARED)
    options = parser.parse_args()
    episodes, short = [], []
    for path in episode_files(options.shared):
        picks = read_picks(options.shared, path.stem).all_kept
        if not len(picks):
            continue
        transcript = read_transcript(path)
        episodes.append(study(path.stem, transcript, picks))
        middle = transcript.segments[len(transcript.segments) // 3].range.start_s
        short.append(study(path.stem, excerpt(transcript, middle), picks))
    held = held_out(episodes)
    everything = error(np.concatenate(held), np.concatenate([e.kept for e in episodes]))
    shown = shown_error(episodes, held, 5)
    curve = fit(episodes)
    brief = shown_error(short, [chances(curve, e) for e in short], 5)
    for title, (ece, rows) in (
        ("all", everything),
        ("shown", shown),
        ("shown, ten-minute excerpts", brief),
    ):
        print(f"{title}: expected calibration error {ece:.3f}", *rows, sep="\n  ")
    print(curve)
    if options.write and shown[0] <= WORST_ERROR:
        record: dict[str, float | int | str] = {
            "what": "chance that a candidate overlaps an editor's pick with IoU >= 0.3",
            "note": "the curve is measured left out; weights.toml was set on the same episodes",
            "episodes": len(episodes),
            "candidates": int(sum(len(e.kept) for e in episodes)),
            "kept_share": round(float(np.mean([e.kept.mean() for e in episodes])), 4),
            "error_left_out_all": round(everything[0], 4),
            "error_left_out_shown": round(shown[0], 4),
            "error_ten_minute_excerpts": round(brief[0], 4),
        }
        TARGET.write_text(document(curve, record))
        print(f"wrote {TARGET.name}")


if __name__ == "__main__":
    main()
