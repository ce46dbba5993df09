"""Is the speaker in the picture? Scores planned layouts against a recording's ground truth.

python benchmarks/framing.py
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from measuring import PANEL, SHARED, keep, needs, show

SCORER = SHARED / "tools" / "framing_score.py"
MEASURES = (
    "prominence", "coverage", "straddled", "illegal", "idle_breaks_per_min", "reversals_per_min",
)  # fmt: skip


def main() -> None:
    truth = str(needs(PANEL.with_suffix(".gt.json")))
    ranges = PANEL.with_name("panel_dev_720p.ranges.txt").read_text(encoding="utf-8").split()
    rows: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        flags = [flag for text in ranges for flag in ("--range", text)]
        subprocess.run(
            [sys.executable, "-m", "reelremix", "clip", str(PANEL), "--plan", "--quiet",
             "--out", folder, *flags],
            check=True, capture_output=True,
        )  # fmt: skip
        manifest = str(Path(folder) / PANEL.stem / "clips.json")
        rows["ReelRemix"] = _scored(manifest, truth)
    for kind in ("center", "fit"):
        rows[f"fixed: {kind}"] = _scored("--baseline", kind, truth)
    show(
        "Framing",
        ["layout", *MEASURES],
        [(name, *(scores[m] for m in MEASURES)) for name, scores in rows.items()],
    )
    keep("framing", {"scores": rows})


def _scored(*arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(SCORER), *arguments, "--json"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    scores: dict[str, Any] = json.loads(done.stdout)
    return scores


if __name__ == "__main__":
    main()
