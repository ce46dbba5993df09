"""Tensors of a PyTorch checkpoint, read without PyTorch.

A checkpoint written by `torch.save` is a zip file: `data.pkl` says which tensors there are, and
each storage is a file of raw little-endian numbers. Unpickling runs what a pickle names, so
nothing is let through but the four names a plain state dict needs.
"""

from __future__ import annotations

import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

Tensors = dict[str, npt.NDArray[Any]]
"""Parameters and buffers of a network by their dotted names."""


def read_checkpoint(path: Path) -> Tensors:
    """The tensors of a state dict.

    Raises:
        ValueError: it is no checkpoint, or holds more than a plain state dict.
        OSError: it cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            index = next(n for n in archive.namelist() if PurePosixPath(n).name == "data.pkl")
            with archive.open(index) as stream:
                return dict(_Unpickler(stream, archive, PurePosixPath(index).parent).load())
    except (zipfile.BadZipFile, pickle.UnpicklingError, KeyError, StopIteration, EOFError) as exc:
        raise ValueError(f"no PyTorch state dict: {exc!r}") from exc


class _Unpickler(pickle.Unpickler):
    def __init__(self, stream: Any, archive: zipfile.ZipFile, folder: PurePosixPath) -> None:
        super().__init__(stream)
        self._archive = archive
        self._folder = folder

    def find_class(self, module: str, name: str) -> Any:
        known = _NAMES.get((module, name))
        if known is None:
            raise pickle.UnpicklingError(f"a state dict does not hold {module}.{name}")
        return known

    def persistent_load(self, pid: Any) -> npt.NDArray[Any]:
        _, dtype, key, _, count = pid
        content = self._archive.read(str(self._folder / "data" / key))
        return np.frombuffer(content, dtype, count)


def _tensor(
    storage: npt.NDArray[Any], offset: int, shape: tuple[int, ...], strides: tuple[int, ...],
    *_: object,
) -> npt.NDArray[Any]:  # fmt: skip
    """As `torch._utils._rebuild_tensor_v2`: strides and offset are in elements."""
    steps = [stride * storage.itemsize for stride in strides]
    return np.lib.stride_tricks.as_strided(storage[offset:], shape, steps, writeable=False)


_NAMES: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch", "FloatStorage"): np.dtype("<f4"),
    ("torch", "LongStorage"): np.dtype("<i8"),
}
