"""How much memory a run takes: this process and the workers it started."""

from __future__ import annotations

import threading
from types import TracebackType

import psutil

INTERVAL_S = 0.1


class PeakMemory:
    """Samples the memory of the process tree while the block runs."""

    def __init__(self) -> None:
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._peak_bytes = 0

    @property
    def peak_mb(self) -> float:
        """Highest sum seen so far; pages that are shared count once where the system tells
        (Linux), once for each process elsewhere."""
        self._sample()
        return round(self._peak_bytes / 1e6, 1)

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(INTERVAL_S):
            self._sample()

    def _sample(self) -> None:
        me = psutil.Process()
        total = me.memory_info().rss
        for child in me.children(recursive=True):
            try:
                total += _own(child)
            except psutil.NoSuchProcess:
                continue  # it ended between being listed and being measured
        self._peak_bytes = max(self._peak_bytes, total)


def _own(child: psutil.Process) -> int:
    """What a child holds beside what it shares, which its parent holds too.

    Exact numbers (proportional sizes) would cost a tenth of a core, ten times a second.
    """
    memory = child.memory_info()
    return int(memory.rss - getattr(memory, "shared", 0))
