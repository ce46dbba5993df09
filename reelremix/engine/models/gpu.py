"""NVIDIA GPUs as speech models see them: how many, what they lack, how much memory is free.

Asks CTranslate2 and NVML only where a driver is; nothing here is needed on a machine without one.
"""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

DRIVER_SIGNS = ("/proc/driver/nvidia", "/dev/dxg")
"""Linux shows the driver in one of these; the second is Windows' subsystem for Linux."""
CUBLAS = "cublas64_12.dll" if sys.platform == "win32" else "libcublas.so.12"
"""What CTranslate2 opens by this name when it first multiplies on a GPU, and does not bring."""
CUBLAS_PACKAGE = "nvidia.cublas"
"""Where `nvidia-cublas-cu12` puts it; the dynamic linker does not look there."""
CUBLAS_HINT = "`pip install 'reelremix[gpu]'` brings it"


class Gpu(Protocol):
    """What a choice of model asks of the machine."""

    def count(self) -> int:
        """GPUs that can be used."""

    def missing_library(self) -> str | None:
        """A library that models on the GPU need and that cannot be loaded."""

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

    def missing_library(self) -> str | None:
        """cuBLAS where neither the system nor this environment has it; else it is loaded here.

        What is loaded under its name is what CTranslate2 gets, with no `LD_LIBRARY_PATH` to set.
        """
        return None if _cublas() else CUBLAS

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


@cache
def _cublas() -> ctypes.CDLL | None:
    """The system's, or the environment's."""
    if (library := _loaded(CUBLAS)) is not None:
        return library
    try:
        package = find_spec(CUBLAS_PACKAGE)
    except ModuleNotFoundError:
        return None
    for folder in (package.submodule_search_locations or ()) if package else ():
        for inside in ("lib", "bin"):
            _loaded(str(Path(folder, inside, CUBLAS.replace("cublas", "cublasLt", 1))))
            if (library := _loaded(str(Path(folder, inside, CUBLAS)))) is not None:
                return library
    return None


def _loaded(path: str) -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(path, ctypes.RTLD_GLOBAL)
    except OSError:
        return None


def _first_visible(nvml: Any) -> Any:
    """The device that CUDA calls 0, unless GPUs differ: NVML counts by bus, CUDA the fastest first.

    `CUDA_VISIBLE_DEVICES` lists numbers or identifiers.
    """
    first = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")[0].strip()
    if first and not first.isdigit():
        return nvml.nvmlDeviceGetHandleByUUID(first)
    return nvml.nvmlDeviceGetHandleByIndex(int(first or 0))
