"""Kill -9 at random moments: does a resumed run end with the clips of an undisturbed one?

    python benchmarks/kill.py [SOURCE] [--kills 10] [--model base]

Every trial starts from nothing, is killed once together with its whole process group, resumed,
and compared: every decision and every file, byte for byte. Only the pictures of a film may differ,
invisibly: x264's macroblock tree reads memory that nobody set, so that even the same frames are
not always coded in the same bits (`mbtree=0` is exact, and half as large again). They are compared
frame by frame.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
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
            result = _result(options.source, trial) if code == 0 else None
            same = result == wanted
            worst = _worst_picture(options.source, undisturbed, trial) if same else "-"
            rows.append((number + 1, f"{moment_s:.1f} s", f"{resumed_s:.1f} s",
                         "yes" if same else "NO", worst))  # fmt: skip
            print(rows[-1], flush=True)
    show(f"Killed and resumed; undisturbed {whole_s:.1f} s",
         ["trial", "killed after", "resumed in", "same clips", "worst picture"], rows)  # fmt: skip
    keep("kill", {"undisturbed_s": round(whole_s, 1), "trials": rows})
    if any(row[3] != "yes" for row in rows):
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
        path.name: _film(path) if path.suffix == ".mp4" else _digest(path.read_bytes())
        for path in folder.iterdir()
        if path.name != "clips.json"
    }
    return {"clips": manifest["clips"], "rejected": manifest["rejected"], "files": files}


def _film(path: Path) -> dict[str, Any]:
    """When each picture is shown, and the sound bit by bit."""
    with av.open(str(path)) as film:
        packets = [packet for packet in film.demux() if packet.size]
        pictures = [(p.pts, p.duration) for p in packets if p.stream.type == "video"]
        sound = [_digest(bytes(p)) for p in packets if p.stream.type == "audio"]
    return {"pictures": sorted(pictures), "sound": sound}


def _worst_picture(source: Path, one: Path, other: Path) -> str:
    """How near the pictures of two runs are: the lowest PSNR of a frame, or `identical`."""
    worst = math.inf
    for first in sorted((one / "out" / source.stem).glob("*.mp4")):
        second = other / "out" / source.stem / first.name
        if _digest(first.read_bytes()) != _digest(second.read_bytes()):
            worst = min(worst, *_psnr(first, second))
    return "identical" if math.isinf(worst) else f"{worst:.1f} dB"


def _psnr(one: Path, other: Path) -> Iterator[float]:
    with av.open(str(one)) as first, av.open(str(other)) as second:
        for a, b in zip(first.decode(video=0), second.decode(video=0), strict=True):
            error = np.square(np.subtract(a.to_ndarray(), b.to_ndarray(), dtype=np.int32)).mean()
            yield 10 * math.log10(255**2 / error) if error else math.inf


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


if __name__ == "__main__":
    main()
