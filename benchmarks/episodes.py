"""Annotated episodes: where they are and what editors picked from them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reelremix.engine.stages.signals import Floats, Windows

COUNT, MIN_S, MAX_S = 10, 15.0, 90.0
"""The parameters of the published figures."""
IOU_OF_A_HIT = 0.3

Span = tuple[float, float]


@dataclass(frozen=True)
class Picks:
    """What annotators said of one episode; times in seconds."""

    kept: tuple[tuple[Span, ...], ...]
    """For each annotator, their picks, best first."""
    never: tuple[Span, ...]
    """What any of them rejected."""

    @property
    def all_kept(self) -> Floats:
        """Shape (picks, 2)."""
        return np.array([span for kept in self.kept for span in kept], dtype=float).reshape(-1, 2)


def episode_files(shared: Path) -> list[Path]:
    """The transcripts, by name."""
    return sorted((shared / "transcripts").glob("*.json"))


def read_picks(shared: Path, name: str) -> Picks:
    """Every annotator's picks of an episode."""
    kept, never = [], []
    for path in sorted((shared / "transcripts" / "picks").glob(f"*/{name}.json")):
        plain = json.loads(path.read_text(encoding="utf-8"))
        ranked = sorted(plain["clips"], key=lambda clip: clip["rank"])
        kept.append(tuple((clip["range_s"][0], clip["range_s"][1]) for clip in ranked))
        never += [(span["range_s"][0], span["range_s"][1]) for span in plain["never"]]
    return Picks(tuple(kept), tuple(never))


def reliability(
    said: Floats, kept: Floats, bins: int
) -> tuple[float, list[tuple[float, float, int]]]:
    """Expected calibration error over equally filled bins; for each bin what was said, what share
    was kept, and of how many."""
    rows, error = [], 0.0
    for part in np.array_split(np.argsort(said, kind="stable"), bins):
        expected, found = float(said[part].mean()), float(kept[part].mean())
        error += abs(expected - found) * len(part) / len(said)
        rows.append((expected, found, len(part)))
    return error, rows


def best_iou(windows: Windows, picks: Floats) -> Floats:
    """Each window's overlap with the pick nearest to it."""
    end = np.minimum(windows.end_s[:, None], picks[None, :, 1])
    shared = np.maximum(0.0, end - np.maximum(windows.start_s[:, None], picks[None, :, 0]))
    lengths = windows.duration_s[:, None] + (picks[:, 1] - picks[:, 0])[None, :]
    return np.asarray((shared / (lengths - shared)).max(axis=1))
