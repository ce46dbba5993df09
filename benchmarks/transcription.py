"""Words and speed of `transcribe` against bare faster-whisper with the same settings.

    python benchmarks/transcription.py [MODEL]

Word error rates are over the English references, after the same plain normalisation of both.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from measuring import SHARED, keep, model_folder, needs, show

MAX_DIFFERENCE = 0.002


def main() -> None:
    model = sys.argv[1] if len(sys.argv) > 1 else "base"
    listed = json.loads(needs(SHARED / "speech" / "references.json").read_text(encoding="utf-8"))
    references = [entry for entry in listed if entry["lang"] == "en" and entry.get("transcript")]
    bare = _bare(model_folder(model), [SHARED / "speech" / e["file"] for e in references])
    totals = {"ReelRemix": [0, 0], "bare faster-whisper": [0, 0]}
    rows = []
    with tempfile.TemporaryDirectory() as data:
        for entry, plain in zip(references, bare, strict=True):
            truth = words(entry["transcript"])
            ours = words(_ours(SHARED / "speech" / entry["file"], model, data))
            theirs = words(plain)
            errors = (distance(truth, ours), distance(truth, theirs))
            for name, wrong in zip(totals, errors, strict=True):
                totals[name][0] += wrong
                totals[name][1] += len(truth)
            rows.append((entry["file"], len(truth), *errors))
    show("Word errors", ["recording", "words", *totals], rows)
    rates = {name: wrong / count for name, (wrong, count) in totals.items()}
    show("Word error rate", ["", *totals], [("all", *(f"{r:.4f}" for r in rates.values()))])
    keep("transcription", {"model": model, "wer": rates})
    if abs(rates["ReelRemix"] - rates["bare faster-whisper"]) > MAX_DIFFERENCE:
        sys.exit(f"the rates differ by more than {MAX_DIFFERENCE}")


def words(text: str) -> list[str]:
    """Lower-case words without punctuation."""
    return re.sub(r"[^\w\s']", " ", text.lower()).split()


def distance(truth: list[str], heard: list[str]) -> int:
    """Fewest words to replace, add or remove (Levenshtein, 1966)."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(truth, start=1):
        before, row[0] = row[0], i
        for j, other in enumerate(heard, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != other))
    return row[-1]


def _ours(recording: Path, model: str, data: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "reelremix", "transcribe", str(recording), "--json", "--quiet",
         "--model", model_folder(model), "--language", "en"],
        check=True, capture_output=True, text=True, env=_fresh(data),
    )  # fmt: skip
    heard: dict[str, Any] = json.loads(done.stdout)
    return " ".join(segment["text"] for segment in heard["segments"])


def _fresh(data: str) -> dict[str, str]:
    import os

    return {**os.environ, "REELREMIX_DATA_DIR": data}


def _bare(folder: str, recordings: list[Path]) -> list[str]:
    from faster_whisper import BatchedInferencePipeline, WhisperModel

    pipeline = BatchedInferencePipeline(WhisperModel(folder, device="cpu", compute_type="int8"))
    texts = []
    for recording in recordings:
        segments, _ = pipeline.transcribe(
            str(recording), language="en", word_timestamps=True, batch_size=8
        )
        texts.append(" ".join(segment.text for segment in segments))
    return texts


if __name__ == "__main__":
    main()
