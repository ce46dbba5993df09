"""What the benchmark scripts share: where things are, processes that are timed, and tables."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("REELREMIX_SHARED", ROOT.parent / "shared"))
RESULTS = ROOT / "benchmarks" / "results"
SCRATCH = ROOT / ".bench"
PANEL = SHARED / "media" / "panel_dev_720p.mp4"
SAMPLE_S = 0.1


@dataclass(frozen=True, slots=True)
class Timed:
    """One finished process."""

    wall_s: float
    peak_mb: float
    """Highest resident memory of the process tree; pages its processes share count once."""
    stdout: str


def needs(path: Path) -> Path:
    """`path`, or an end with a plain reason."""
    if not path.exists():
        sys.exit(f"{path} is needed for this measurement; set REELREMIX_SHARED to its folder")
    return path


def model_folder(name: str) -> str:
    """Where a model is installed."""
    done = subprocess.run(
        [sys.executable, "-m", "reelremix", "models", "path", name],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def run_timed(command: Sequence[str], environ: Mapping[str, str] | None = None) -> Timed:
    """Run to the end, with wall time and peak memory. A failure ends the benchmark."""
    began = time.perf_counter()
    child = subprocess.Popen(
        list(command), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, **(environ or {})},
    )  # fmt: skip
    watch = _MemoryWatch(child.pid)
    stdout, stderr = child.communicate()
    wall_s = time.perf_counter() - began
    peak_mb = watch.stop()
    if child.returncode:
        sys.exit(f"{' '.join(command)}\nended with {child.returncode}:\n{stderr[-3000:]}")
    return Timed(wall_s, peak_mb, stdout)


class _MemoryWatch:
    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._peak = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        self._done.set()
        self._thread.join()
        return round(self._peak / 1e6, 1)

    def _watch(self) -> None:
        while not self._done.wait(SAMPLE_S):
            self._peak = max(self._peak, self._now())

    def _now(self) -> int:
        total = 0
        try:
            total = self._process.memory_info().rss
            for child in self._process.children(recursive=True):
                memory = child.memory_info()  # proportional sizes would slow what is measured
                total += memory.rss - memory.shared
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return total  # a process ended between being listed and being measured
        return total


def last_json(text: str) -> Any:
    """The JSON object on the last line."""
    return json.loads(text.strip().splitlines()[-1])


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A Markdown table."""
    print(f"\n### {title}\n")
    print("| " + " | ".join(columns) + " |")
    print("|" + "|".join("---" for _ in columns) + "|")
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")


def keep(name: str, result: Mapping[str, Any]) -> None:
    """Write a result with the machine it was measured on to `benchmarks/results/`."""
    RESULTS.mkdir(exist_ok=True)
    record = {"machine": machine(), "date": time.strftime("%Y-%m-%d"), **result}
    (RESULTS / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def machine() -> dict[str, Any]:
    """Cores, memory and processor."""
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
    return {
        "processor": model,
        "cores": psutil.cpu_count(logical=False),
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
    }
