"""How much memory each step takes, of the machine and of its GPUs, as it was measured here; guessed
until then."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from reelremix.daemon.gpu import GPU_NEEDS_MB, UNKNOWN_MB
from reelremix.engine.store.files import write_atomically
from reelremix.errors import ConfigError

GUESSED_MB: Mapping[str, int] = {
    "begin": 200, "hear": 1100, "decide": 900, "film": 600, "finish": 900,
}  # fmt: skip
"""By the step alone, on the CPU with model `base` and 1080p pictures."""
WEIGHT = 0.3
"""Of the last measurement where it is lower than what was known: one light job proves little."""


class Needs:
    """What steps take, kept in a small file."""

    def __init__(self, file: Path) -> None:
        """Read the file; one that is missing or damaged is as good as none."""
        self._file = file
        self._lock = threading.Lock()
        self._known: dict[str, float] = {}
        with suppress(OSError, ValueError, TypeError, AttributeError):
            content = json.loads(file.read_bytes())
            self._known = {str(what): float(mb) for what, mb in content.items()}

    def of(self, what: str) -> int:
        """MB that a step takes; `what` is its name, a space and the model it uses, if it does."""
        step = what.split()[0]
        known = self._known.get(what)
        return round(known if known is not None else GUESSED_MB.get(step, 500))

    def on_gpu(self, model: str) -> int:
        """MB of a GPU that a recogniser takes."""
        known = self._known.get(f"gpu {model}")
        return round(known if known is not None else GPU_NEEDS_MB.get(model, UNKNOWN_MB))

    def note_gpu(self, model: str, used_mb: float) -> None:
        """Keep what a recogniser took of a GPU."""
        self.note(f"gpu {model}", used_mb)

    def note(self, what: str, peak_mb: float) -> None:
        """Keep what one took: more at once, less by and by."""
        with self._lock:
            before = self._known.get(what, 0.0)
            now = max(peak_mb, before + WEIGHT * (peak_mb - before))
            if abs(now - before) < 1:
                return
            self._known[what] = round(now, 1)
            content = json.dumps(self._known, indent=1, sort_keys=True).encode()
            with suppress(ConfigError):  # a full disk: it is measured again next time
                write_atomically(self._file, content)
