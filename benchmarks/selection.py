"""Do the chosen moments match what editors pick? Runs propose, score and select over transcripts.

    python benchmarks/selection.py [--write DIR] [--shared DIR]

The figures come from the scorer beside the transcripts, whose logic is independent of this code.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from reelremix.engine.export.manifest import ranking_to_dict
from reelremix.engine.export.transcript import read_transcript
from reelremix.engine.stages.propose import propose_candidates, split_sentences
from reelremix.engine.stages.score import score_candidates
from reelremix.engine.stages.select import Selection, Variety, select_clips

COUNT, MIN_S, MAX_S, MAX_IOU = 10, 15.0, 90.0, 0.3


def shared_folder() -> Path:
    """Where transcripts and picks lie: `REELREMIX_SHARED`, or beside the project."""
    given = os.environ.get("REELREMIX_SHARED")
    return Path(given) if given else Path(__file__).resolve().parents[2] / "shared"


def rank(path: Path) -> Selection:
    """The selection for one transcript, with the parameters of the published figures."""
    transcript = read_transcript(path)
    sentences = split_sentences(transcript)
    candidates = propose_candidates(sentences, MIN_S, MAX_S)
    scored = score_candidates(candidates, sentences, transcript)
    return select_clips(
        scored, COUNT, variety=Variety(max_iou=MAX_IOU), language=transcript.language
    )


def official(shared: Path, ranked: Path) -> dict[str, Any]:
    """The scorer's own figures for a folder of rankings."""
    scorer = [sys.executable, str(shared / "tools" / "selection_score.py")]
    command = [*scorer, str(shared / "transcripts"), "--ranked", str(ranked), "--json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def mean(rows: list[dict[str, float]]) -> str:
    """Means of the three figures, for printing."""
    return "  ".join(
        f"{k}@10 {sum(r[k] for r in rows) / len(rows):.3f}" for k in ("hit", "recall", "never")
    )


def main() -> None:
    """Rank every transcript and print the means, over all and over each half."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, help="keep the rankings in this folder")
    parser.add_argument("--shared", type=Path, default=shared_folder())
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder: Path = options.write or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        slowest = (0.0, "")
        for path in sorted((options.shared / "transcripts").glob("*.json")):
            began = time.perf_counter()
            chosen = rank(path)
            document = ranking_to_dict(chosen.chosen, chosen.rejected, chosen.shortfall)
            slowest = max(slowest, (time.perf_counter() - began, path.stem))
            (folder / path.name).write_text(json.dumps(document, ensure_ascii=False))
        rows = list(official(options.shared, folder)["rows"].values())
    print(f"all {len(rows)} episodes  {mean(rows)}")
    print(f"even half       {mean(rows[0::2])}")
    print(f"odd half        {mean(rows[1::2])}")
    print(f"slowest         {slowest[0]:.2f} s ({slowest[1]})")


if __name__ == "__main__":
    main()
