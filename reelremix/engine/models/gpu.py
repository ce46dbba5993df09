"""NVIDIA GPUs as speech models see them: how many, and how much memory is free.

Asks CTranslate2 and NVML only where a driver is; nothing here is needed on a machine without one.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Protocol

DRIVER_SIGNS = ("/proc/driver/nvidia", "/dev/dxg")
"""Linux shows the driver in one of these; the second is Windows' subsystem for Linux."""


class Gpu(Protocol):
    """What a choice of model asks of the machine."""

    def count(self) -> int:
        """GPUs that can be used."""

    def free_bytes(self) -> int | None:
        """Free memory of the first GPU; None when it cannot be told."""


class NvidiaGpu:
    """`Gpu` of this machine."""

    def count(self) -> int:
        """GPUs CTranslate2 sees. Importing it takes 0.3 s, so the system is asked first."""
        if sys.platform == "darwin":
            return 0
        if sys.platform.startswith("linux") and not any(Path(p).exists() for p in DRIVER_SIGNS):
            return 0
        import ctranslate2

        return int(ctranslate2.get_cuda_device_count())

    def free_bytes(self) -> int | None:
        """Free memory of the first visible GPU; None when NVML does not answer."""
        import pynvml

        try:
            pynvml.nvmlInit()
            try:
                return int(pynvml.nvmlDeviceGetMemoryInfo(_first_visible(pynvml)).free)
            finally:
                pynvml.nvmlShutdown()
        except pynvml.NVMLError:
            return None


def _first_visible(nvml: Any) -> Any:
    """The device that CUDA calls 0: `CUDA_VISIBLE_DEVICES` lists numbers or identifiers."""
    first = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")[0].strip()
    if first and not first.isdigit():
        return nvml.nvmlDeviceGetHandleByUUID(first)
    return nvml.nvmlDeviceGetHandleByIndex(int(first or 0))
