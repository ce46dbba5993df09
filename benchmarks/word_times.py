"""How far from the truth are the moments at which words light up?

python benchmarks/word_times.py

On English recordings with known word times and on the demo's sample, whose times are known by
synthesis. Words are matched by their letters; words that were misheard are left out and counted.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import numpy as np
from measuring import ROOT, SHARED, keep, needs, show

SAMPLE = ROOT / ".demo" / "conversation.mp4"
Times = list[tuple[str, float]]
"""Words in bare letters and when they begin, in seconds."""


def main() -> None:
    found = {name: _errors(path, truth) for name, path, truth in _recordings()}
    groups = {
        "references": [e for name, (e, _) in found.items() if name != SAMPLE.name],
        "demo's sample": [found[SAMPLE.name][0]],
    }
    groups["all"] = [e for parts in list(groups.values()) for e in parts]
    rows = [(name, *_figures(np.concatenate(parts))) for name, parts in groups.items()]
    unmatched = sum(count for _, count in found.values())
    show("Beginnings of words against the truth", ["words of", *MEASURES], rows)
    keep("word_times", {
        "groups": {name: dict(zip(MEASURES, figures, strict=True)) for name, *figures in rows},
        "unmatched": unmatched,
        "median_ms": {name: _figures(errors)[1] for name, (errors, _) in found.items()},
    })  # fmt: skip


MEASURES = ("words", "median ms", "95th percentile ms", "mean (late is above 0) ms")


def _figures(errors: np.typing.NDArray[np.float64]) -> tuple[int, float, float, float]:
    away = np.abs(errors)
    return (
        len(errors),
        round(float(np.median(away)) * 1000, 1),
        round(float(np.percentile(away, 95)) * 1000, 1),
        round(float(errors.mean()) * 1000, 1),
    )


def _recordings() -> list[tuple[str, Path, Times]]:
    listed = json.loads(needs(SHARED / "speech" / "references.json").read_text("utf-8"))
    recordings = [
        (entry["file"], SHARED / "speech" / entry["file"], _known(entry))
        for entry in listed
        if entry["lang"] == "en" and ("words" in entry or "alignment" in entry)
    ]
    truth = json.loads(needs(SAMPLE.with_suffix(".truth.json")).read_text("utf-8"))
    words = [w for segment in truth["transcript"]["segments"] for w in segment["words"]]
    sample = _times([(w["text"], w["start_s"]) for w in words])
    return [*recordings, (SAMPLE.name, SAMPLE, sample)]


def _known(entry: dict[str, Any]) -> Times:
    if "words" in entry:
        return _times([(w["word"], w["start_sec"]) for w in entry["words"]])
    return _times([(w["t"], w["b"]) for w in entry["alignment"]["w"]])


def _heard(path: Path) -> Times:
    done = subprocess.run(
        [sys.executable, "-m", "reelremix", "transcribe", str(path), "--format", "json",
         "--language", "en", "--quiet", "--speakers", "off"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    words = [w for s in json.loads(done.stdout)["segments"] for w in s["words"]]
    return _times([(w["text"], w["start_s"]) for w in words])


def _times(words: Sequence[tuple[str, float]]) -> Times:
    bare = [(re.sub(r"\(\d\)|[^a-z0-9']", "", text.lower()), at) for text, at in words]
    return [(text, at) for text, at in bare if text]


def _errors(path: Path, truth: Times) -> tuple[np.typing.NDArray[np.float64], int]:
    """Heard minus true beginnings, and how many true words were not matched."""
    heard = _heard(path)
    matcher = SequenceMatcher(
        None, [text for text, _ in truth], [text for text, _ in heard], autojunk=False
    )
    pairs = [
        (block.a + n, block.b + n)
        for block in matcher.get_matching_blocks()
        for n in range(block.size)
    ]
    errors = np.array([heard[j][1] - truth[i][1] for i, j in pairs])
    return errors, len(truth) - len(pairs)


if __name__ == "__main__":
    main()
