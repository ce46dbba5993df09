"""Kill -9 at random moments: does a resumed run end with the clips of an undisturbed one?

    python benchmarks/kill.py [SOURCE] [--kills 10] [--model base]

Every trial starts from nothing, is killed once together with its whole process group, looked at
for partial files, resumed, and compared: manifest and every file's SHA-256.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from measuring import PANEL, keep, model_folder, show


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("source", nargs="?", type=Path, default=PANEL)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--model", default="base")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    folder = model_folder(options.model)
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        undisturbed = Path(scratch) / "undisturbed"
        began = time.perf_counter()
        _start(options.source, folder, undisturbed).wait()
        whole_s = time.perf_counter() - began
        wanted = _result(options.source, undisturbed)
        for number in range(options.kills):
            trial = Path(scratch) / f"trial-{number}"
            moment_s = chance.uniform(0.2, whole_s * 0.98)
            child = _start(options.source, folder, trial)
            time.sleep(moment_s)
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            began = time.perf_counter()
            code = _start(options.source, folder, trial).wait()
            resumed_s = time.perf_counter() - began
            same = code == 0 and _result(options.source, trial) == wanted
            rows.append((number + 1, f"{moment_s:.1f} s", f"{resumed_s:.1f} s",
                         "yes" if same else "NO"))  # fmt: skip
            print(rows[-1], flush=True)
    show(f"Killed and resumed; undisturbed {whole_s:.1f} s",
         ["trial", "killed after", "resumed in", "same clips"], rows)  # fmt: skip
    keep("kill", {"undisturbed_s": round(whole_s, 1), "trials": rows})
    if any(row[-1] != "yes" for row in rows):
        sys.exit("a resumed run differs")


def _start(source: Path, model: str, state: Path) -> subprocess.Popen[bytes]:
    environ = {
        **os.environ,
        "REELREMIX_DATA_DIR": str(state / "data"),
        "REELREMIX_MODELS_DIR": str(Path(model).parent),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "reelremix", "clip", str(source), "--count", "3", "--quiet",
         "--model", model, "--out", str(state / "out")],
        env=environ, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def _result(source: Path, state: Path) -> dict[str, Any]:
    """Decisions and files of a finished run; partial files show up as differences."""
    folder = state / "out" / source.stem
    manifest = json.loads((folder / "clips.json").read_text(encoding="utf-8"))
    files = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.name not in ("clips.json", "index.html")
    }
    return {"clips": manifest["clips"], "rejected": manifest["rejected"], "files": files}


if __name__ == "__main__":
    main()
