"""How soon the review session is there, beside a bare Textual app, and how soon a key is seen.

python benchmarks/tui.py [REPETITIONS]

Both run on a terminal of their own (a pty of 120 by 40). First paint is when the first row of a
table of 100 rows has been written to it, counted from the start of the process. A key is seen when
the terminal is written to again.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import shutil
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from measuring import keep, show

from reelremix.config import load_settings
from reelremix.engine.domain.time import Timestamp
from reelremix.engine.joblog import Unheard
from reelremix.engine.library import Library
from tests.engine.reviewed import SOURCE, reviewed
from tests.engine.stages.talk import dull, timed_talk

SIZE = 40, 120
OVER_BARE_MS, KEY_MS = 200, 50
HOURS = 3
KEYS = 60
BARE = """
from textual.app import App
from textual.widgets import DataTable, Footer, Header

class Bare(App):
    def compose(self):
        yield Header()
        yield DataTable()
        yield Footer()

    def on_mount(self):
        table = self.query_one(DataTable)
        table.add_columns("recording", "length", "clips", "kept", "seen")
        for number in range(100):
            table.add_row(f"talk-{number:03d}.mp4", "10:00", "10", "3", "just now")

Bare().run()
"""


class Terminal:
    """A process on a terminal of its own."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.began = time.perf_counter()
        self.process, self._master = pty.fork()
        if self.process == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
            os.execvpe(command[0], command, environment)

    def until(self, text: bytes, timeout_s: float = 60.0) -> float:
        """Milliseconds from the start until a text was written."""
        seen, end = b"", time.perf_counter() + timeout_s
        while time.perf_counter() < end:
            seen = (seen + self.read(0.5))[-200_000:]
            if text in seen:
                return (time.perf_counter() - self.began) * 1000
        raise SystemExit(f"{text!r} was never shown; the end of what was: {seen[-2000:]!r}")

    def read(self, timeout_s: float) -> bytes:
        """What is written within a time; nothing if nothing is."""
        ready, _, _ = select.select([self._master], [], [], timeout_s)
        if not ready:
            return b""
        with contextlib.suppress(OSError):
            return os.read(self._master, 65536)
        return b""

    def quiet(self, for_s: float) -> None:
        """Wait until nothing was written for a time."""
        while self.read(for_s):
            pass

    def press(self, key: bytes) -> float:
        """Milliseconds until something is written after a key."""
        began = time.perf_counter()
        os.write(self._master, key)
        if not self.read(5.0):
            raise SystemExit(f"nothing was painted after {key!r}")
        took = (time.perf_counter() - began) * 1000
        self.quiet(0.05)
        return took

    def end(self) -> None:
        """Stop the process."""
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        os.close(self._master)


@contextlib.contextmanager
def terminal(command: list[str], environment: dict[str, str]) -> Iterator[Terminal]:
    """A process that is stopped at the end."""
    opened = Terminal(command, environment)
    try:
        yield opened
    finally:
        opened.end()


def library_of_100(environment: dict[str, str], folder: Path) -> Path:
    """A library with a hundred recordings of ten clips, and a review of three hours of speech."""
    os.environ |= {"REELREMIX_DATA_DIR": environment["REELREMIX_DATA_DIR"]}
    library = Library.open(load_settings().settings)
    ctx = library.context(Unheard())
    path = reviewed(folder / "clips", ctx)
    clips = ctx.catalogue.clips(SOURCE.id)
    for number in range(100):
        own = replace(SOURCE, id=f"{number:064x}", name=f"talk-{number:03d}.mp4",
                      duration=Timestamp.from_seconds(600))  # fmt: skip
        library.catalogue.save_source(own)
        library.catalogue.save_clips(
            own.id,
            [replace(clips[0], id=f"{number:04d}{clip:04d}", rank=clip) for clip in range(10)],
        )
    sentences = HOURS * 3600 // 5
    library.catalogue.save_transcript(SOURCE.id, timed_talk(dull(sentences), [1.0] * sentences))
    return path


def main() -> None:
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 11
    folder = Path(tempfile.mkdtemp(prefix="reelremix-tui-"))
    environment = dict(os.environ) | {
        "REELREMIX_DATA_DIR": str(folder / "data"),
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
    }
    try:
        measure(repetitions, folder, environment)
    finally:
        shutil.rmtree(folder)


def measure(repetitions: int, folder: Path, environment: dict[str, str]) -> None:
    manifest = library_of_100(environment, folder)
    script = str(Path(sys.executable).with_name("reelremix"))
    bare, ours = [], []
    for _ in range(repetitions):
        with terminal([sys.executable, "-c", BARE], environment) as app:
            bare.append(app.until(b"talk-000.mp4"))
        with terminal([script, "review"], environment) as app:
            ours.append(app.until(b"talk-099.mp4"))
    with terminal([script, "review", str(manifest)], environment) as app:
        opened = app.until(b"report")
        app.quiet(2.0)
        app.press(b"\t")
        app.press(b"\t")
        moves = [app.press(key) for key in (b"l", b"j") * (KEYS // 2)]
        pages = [app.press(b"\x06") for _ in range(KEYS)]
        app.press(b"\t")
        edits = [app.press(key) for key in (b".", b",") * (KEYS // 4)]
    over = statistics.median(ours) - statistics.median(bare)
    rows = [
        ("bare app, 100 rows", *_told(bare), ""),
        ("review, 100 recordings", *_told(ours), f"{OVER_BARE_MS} ms over bare: {over:.0f} ms"),
        (f"clips of {HOURS} h of speech open", f"{opened:.0f} ms", "", ""),
        ("key to repaint: a word, a line", *_told(moves), f"{KEY_MS} ms"),
        ("key to repaint: a page", *_told(pages), f"{KEY_MS} ms"),
        ("edit to repaint: an end moved", *_told(edits), ""),
    ]
    show("Review session", ["what", "median", "p95", "target"], rows)
    keep(
        "tui",
        {
            "over_bare_ms": round(over, 1),
            "median_ms": {name: value for name, value, *_ in rows},
        },
    )


def _told(times: list[float]) -> tuple[str, str]:
    ordered = sorted(times)
    return f"{statistics.median(times):.0f} ms", f"{ordered[int(0.95 * (len(ordered) - 1))]:.0f} ms"


if __name__ == "__main__":
    main()
