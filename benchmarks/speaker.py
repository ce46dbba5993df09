"""Is the face that is said to speak the one that does? Against a recording's ground truth.

python benchmarks/speaker.py

The whole recording is looked at, once with the network and once by the movement of mouths. At every
tenth of a second of known speech, the box of the face in `speaking` is compared with the truth's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from measuring import PANEL, keep, model_folder, needs, show

STEP_S = 0.1
SAME_FACE_IOU = 0.3
NEAR_S = 1.5
"""A face may have been seen so long before or after."""
CONTESTED = ("split2", "grid4")
"""Layouts of the recording in which several faces of one size are in view."""
MODELS = ("base", "blazeface", "campplus", "light-asd")

Box = tuple[float, float, float, float]
Shares = dict[str, tuple[int, int]]


def main() -> None:
    truth = json.loads(needs(PANEL.with_suffix(".gt.json")).read_text("utf-8"))
    rows = {
        name: _scored(_planned(truth["duration"], MODELS[:count]), truth)
        for name, count in (("Light-ASD and voices", 4), ("mouth motion and voices", 3))
    }
    names = [*CONTESTED, "both", "lip-synced", "all turns"]
    show(
        "Speech during which the right face is said to speak",
        ["judged by", *names],
        [(by, *(_share(scores.get(name)) for name in names)) for by, scores in rows.items()],
    )
    keep(
        "speaker",
        {
            by: {name: {"share": _share(found), "seconds": round(found[1] * STEP_S, 1)}
                 for name, found in scores.items()}
            for by, scores in rows.items()
        },
    )  # fmt: skip


def _planned(duration_s: float, models: tuple[str, ...]) -> dict[str, Any]:
    """The manifest of the whole recording as one clip, made with these models alone."""
    with tempfile.TemporaryDirectory() as folder:
        installed = Path(folder) / "data" / "reelremix" / "models"
        installed.mkdir(parents=True)
        for name in models:
            (installed / name).symlink_to(model_folder(name), target_is_directory=True)
        subprocess.run(
            [sys.executable, "-m", "reelremix", "clip", str(PANEL), "--plan", "--quiet",
             "--range", f"0-{duration_s - 0.04:.2f}", "--out", f"{folder}/out"],
            check=True, capture_output=True,
            env={**os.environ, "XDG_DATA_HOME": f"{folder}/data"},
        )  # fmt: skip
        manifest: dict[str, Any] = json.loads(
            (Path(folder) / "out" / PANEL.stem / "clips.json").read_text("utf-8")
        )
    return manifest


def _scored(manifest: Mapping[str, Any], truth: Mapping[str, Any]) -> Shares:
    """Right and all samples by kind of shot."""
    boxes = {track["id"]: track["boxes"] for track in manifest["tracks"]}
    speaking = [entry for clip in manifest["clips"] for entry in clip["speaking"]]
    synced = [(t["start"], t["end"]) for t in truth["turns"] if t["lipsync"]]
    counts: Shares = {}
    for turn in truth["active_speaker"]:
        for step in range(int((turn["end"] - turn["start"]) / STEP_S)):
            at = turn["start"] + step * STEP_S
            right = _is_right(at, turn["face"], speaking, boxes)
            kinds = [turn["layout"], "all turns"]
            kinds += ["both"] if turn["layout"] in CONTESTED else []
            kinds += ["lip-synced"] if any(a <= at < b for a, b in synced) else []
            for kind in kinds:
                hits, total = counts.get(kind, (0, 0))
                counts[kind] = hits + right, total + 1
    return counts


def _is_right(
    at: float, face: Box, speaking: list[dict[str, Any]], boxes: Mapping[int, list[list[float]]]
) -> bool:
    track = next((s["track"] for s in speaking if s["start_s"] <= at < s["end_s"]), None)
    if track is None:
        return False
    seen_at, x, y, width, height = min(boxes[track], key=lambda box: abs(box[0] - at))
    return abs(seen_at - at) < NEAR_S and _iou((x, y, width, height), face) >= SAME_FACE_IOU


def _iou(a: Box, b: Box) -> float:
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(0.0, width) * max(0.0, height)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


def _share(found: tuple[int, int] | None) -> float | None:
    return round(found[0] / found[1], 3) if found else None


if __name__ == "__main__":
    main()
