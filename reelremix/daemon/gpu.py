"""GPUs of this machine, and which models fit on them: the daemon asks here before it lets a job in.

NVML is asked, never CUDA: a process that has touched CUDA holds half a gigabyte of the GPU.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

MB = 1_000_000
FRESH_S = 1.0
"""For so long what was seen of them is not looked at again."""
GPU_NEEDS_MB: Mapping[str, int] = {
    "tiny.en": 500, "base": 700, "small": 1300, "medium": 2800, "auto": 4000,
    "large-v3-turbo": 4000, "large-v3": 5500,
}  # fmt: skip
"""What recognisers take in float16 with batches of eight, until it was measured here; `auto` is the
large one that the engine takes where it has room for it."""
UNKNOWN_MB = 5500
"""What others are taken to need."""


def smaller_models(model: str, language: str | None) -> tuple[str, ...]:
    """Recognisers that need less of a GPU than one does, the largest first.

    Those for English alone are left out unless that is what is spoken.
    """
    need_mb = GPU_NEEDS_MB.get(model, UNKNOWN_MB)
    names = [
        name
        for name, mb in GPU_NEEDS_MB.items()
        if mb < need_mb and name != "auto" and (language == "en" or not name.endswith(".en"))
    ]
    return tuple(sorted(names, key=lambda name: -GPU_NEEDS_MB[name]))


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU and how full it is."""

    id: str
    """As `CUDA_VISIBLE_DEVICES` takes it."""
    name: str
    total_mb: int
    free_mb: int


class Gpus(Protocol):
    """The GPUs that jobs may use."""

    def devices(self) -> Sequence[Device]:
        """All of them as they were within the last moment; none where there is no driver."""

    def used_mb(self, id: str, pid: int) -> int | None:
        """What a process takes of one of them; None where nobody can say, as in a container."""


class NvidiaGpus:
    """`Gpus` of this machine."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: tuple[Device, ...] = ()
        self._seen_at = float("-inf")

    def devices(self) -> Sequence[Device]:
        """All of them as they were within the last moment; none where NVML does not answer."""
        with self._lock:
            if time.monotonic() - self._seen_at > FRESH_S:
                self._seen = self._asked()
                self._seen_at = time.monotonic()
            return self._seen

    def used_mb(self, id: str, pid: int) -> int | None:
        """What a process takes of one of them; None where nobody can say, as in a container."""
        import pynvml

        try:
            with _nvml(pynvml):
                handle = pynvml.nvmlDeviceGetHandleByUUID(id)
                for process in pynvml.nvmlDeviceGetComputeRunningProcesses(handle):
                    if process.pid == pid and process.usedGpuMemory is not None:
                        return int(process.usedGpuMemory) // MB
        except pynvml.NVMLError:
            return None
        return None

    def _asked(self) -> tuple[Device, ...]:
        import pynvml

        try:
            with _nvml(pynvml):
                return tuple(_device(pynvml, n) for n in range(pynvml.nvmlDeviceGetCount()))
        except pynvml.NVMLError:
            return ()


class NoGpus:
    """`Gpus` of a machine without any."""

    def devices(self) -> Sequence[Device]:
        """None."""
        return ()

    def used_mb(self, id: str, pid: int) -> int | None:
        """Nothing is known."""
        return None


@contextmanager
def _nvml(nvml: Any) -> Iterator[None]:
    """The driver's library for the length of a block. Raises NVMLError."""
    nvml.nvmlInit()
    try:
        yield
    finally:
        nvml.nvmlShutdown()


def _device(nvml: Any, number: int) -> Device:
    handle = nvml.nvmlDeviceGetHandleByIndex(number)
    memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    return Device(
        _text(nvml.nvmlDeviceGetUUID(handle)),
        _text(nvml.nvmlDeviceGetName(handle)),
        int(memory.total) // MB,
        int(memory.free) // MB,
    )


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
