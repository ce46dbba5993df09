"""GPUs of this machine, and which models fit on them: the daemon asks here before it lets a job in.

NVML is asked, never CUDA: a process that has touched CUDA holds half a gigabyte of the GPU.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

MB = 1_000_000
GPU_NEEDS_MB: Mapping[str, int] = {
    "tiny.en": 500, "base": 700, "small": 1300, "medium": 2800, "large-v3-turbo": 4000,
    "large-v3": 5500,
}  # fmt: skip
"""What recognisers take in float16 with batches of eight, until it was measured here."""


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
        """All of them as they are now; none where there is no driver."""


class NvidiaGpus:
    """`Gpus` of this machine."""

    def devices(self) -> Sequence[Device]:
        """All of them as they are now; none where NVML does not answer."""
        import pynvml

        try:
            pynvml.nvmlInit()
        except pynvml.NVMLError:
            return ()
        try:
            return tuple(_device(pynvml, n) for n in range(pynvml.nvmlDeviceGetCount()))
        except pynvml.NVMLError:
            return ()
        finally:
            pynvml.nvmlShutdown()


class NoGpus:
    """`Gpus` of a machine without any."""

    def devices(self) -> Sequence[Device]:
        """None."""
        return ()


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
