"""Memory of a run: how it is taken and given back, and how much of it there is."""

from __future__ import annotations

import ctypes
import platform
import threading
from functools import cache
from types import TracebackType

import psutil

INTERVAL_S = 0.1
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""Parameters of glibc's `mallopt`."""
NEVER = 2**31 - 1


def keep_freed_memory() -> None:
    """Let this process use freed memory again instead of giving it back at once.

    Speech models take and free large buffers hundreds of times a second; returning each to the
    system and clearing it anew took 11 of 51 core seconds of a transcription. For processes of
    our own, before they start threads; does nothing where the C library is not glibc.
    """
    libc = _glibc()
    if libc is not None:
        libc.mallopt(M_ARENA_MAX, 1)
        libc.mallopt(M_MMAP_THRESHOLD, NEVER)
        libc.mallopt(M_TRIM_THRESHOLD, NEVER)


def give_back_freed_memory() -> None:
    """Return what is free to the system, after the work that needed much."""
    libc = _glibc()
    if libc is not None:
        libc.malloc_trim(0)


@cache
def _glibc() -> ctypes.CDLL | None:
    return ctypes.CDLL(None) if platform.libc_ver()[0] == "glibc" else None


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
