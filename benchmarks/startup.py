"""How long `--version` and `--help` take, beside an empty Typer app.

python benchmarks/startup.py [REPETITIONS]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from measuring import keep, show

EMPTY = "import typer; app = typer.Typer(); app.command()(lambda: None); app()"
BUDGET_MS = {"--version": 150, "--help": 250}


def main() -> None:
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    script = str(Path(sys.executable).with_name("reelremix"))
    commands = {
        "bare Python": [sys.executable, "-c", "pass"],
        "empty Typer app --help": [sys.executable, "-c", EMPTY, "--help"],
        "--version": [script, "--version"],
        "--help": [script, "--help"],
        "clip --help": [script, "clip", "--help"],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(repetitions):
        for name, command in commands.items():
            began = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            times[name].append((time.perf_counter() - began) * 1000)
    rows = [
        (name, f"{statistics.median(t):.0f} ms", f"{min(t):.0f} ms",
         f"{BUDGET_MS[name]} ms" if name in BUDGET_MS else "")
        for name, t in times.items()
    ]  # fmt: skip
    show("Start-up", ["command", "median", "fastest", "budget"], rows)
    keep("startup", {"median_ms": {n: round(statistics.median(t), 1) for n, t in times.items()}})


if __name__ == "__main__":
    main()
