"""Which of many vectors are nearest to one: exact, over one matrix of bytes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import simsimd

Numbers = npt.NDArray[np.int64]
Nearest = tuple[int, float]
"""A number and its cosine."""
ROUNDED = 1e-3
"""More than the cosines of bytes are off by where a processor has only rough square roots."""


def row_type(size: int) -> np.dtype[Any]:
    """A vector as it is held: its number, one over its length, and its numbers."""
    return np.dtype(
        [("number", "<i8"), ("scale", "<f4"), ("size", "<u4"), ("vector", "i1", (size,))]
    )


def rows_of(vectors: Iterable[tuple[Any, Any]], size: int) -> npt.NDArray[Any]:
    """Rows of numbered vectors; those of another size are left out."""
    kept = [(number, vector) for number, vector in vectors if len(vector) == size]
    rows = np.zeros(len(kept), row_type(size))
    if kept:
        rows["number"] = [number for number, _ in kept]
        rows["size"] = size
        packed = np.frombuffer(b"".join([vector for _, vector in kept]), np.int8)
        rows["vector"] = packed.reshape(len(kept), size)
        wide = rows["vector"].astype(np.float32)
        rows["scale"] = 1 / np.maximum(np.sqrt(np.einsum("ij,ij->i", wide, wide)), 1.0)
    return rows


class VectorRows:
    """Numbered vectors in memory or in a mapped file, in the order of their numbers."""

    def __init__(self, rows: npt.NDArray[Any]) -> None:
        self._rows = rows
        self.numbers: Numbers = rows["number"]
        self._vectors = rows["vector"]
        self._scales = rows["scale"]

    @classmethod
    def of(cls, vectors: Iterable[tuple[Any, Any]]) -> VectorRows:
        """Vectors by number; those of another size than the last one are left out."""
        listed = sorted(vectors, key=lambda pair: int(pair[0]))
        return cls(rows_of(listed, len(listed[-1][1]) if listed else 0))

    @property
    def size(self) -> int:
        """Numbers in a vector."""
        return int(self._vectors.shape[1])

    def __len__(self) -> int:
        return len(self._rows)

    def vector(self, at: int) -> bytes:
        """The vector of a row."""
        return bytes(self._vectors[at].tobytes())

    def nearest(
        self, vector: npt.ArrayLike, limit: int, allowed: Numbers | None = None
    ) -> list[Nearest]:
        """The numbers with the greatest cosine, of those allowed unless None; ties by number."""
        wanted = np.asarray(vector, np.float32)
        if len(wanted) != self.size or limit < 1 or not len(self):
            return []
        wanted = wanted / max(float(np.linalg.norm(wanted)), 1e-9)
        rows = np.arange(len(self)) if allowed is None else self._places(allowed)
        near = rows[self._candidates(wanted, limit, None if allowed is None else rows)]
        cosine = self._vectors[near].astype(np.float32) @ wanted * self._scales[near]
        order = np.lexsort((self.numbers[near], -cosine))[:limit]
        return [(int(self.numbers[near[i]]), float(cosine[i])) for i in order]

    def _places(self, allowed: Numbers) -> Numbers:
        """Rows of those numbers that are there."""
        wanted = np.unique(allowed)
        at = np.searchsorted(self.numbers, wanted)
        at = at[at < len(self)]
        return np.asarray(at[self.numbers[at] == wanted[: len(at)]], np.int64)

    def _candidates(
        self, wanted: npt.NDArray[np.float32], limit: int, rows: Numbers | None
    ) -> Numbers:
        """Which of some rows may be among the nearest, compared byte by byte.

        Cosines with two vectors of length one differ by no more than these lie apart, so that none
        is missed whose cosine is within twice that of the last that counts.
        """
        packed = np.round(wanted * (127 / max(float(np.abs(wanted).max()), 1e-9))).astype(np.int8)
        wide = packed.astype(np.float32)
        apart = float(np.linalg.norm(wide / max(float(np.linalg.norm(wide)), 1e-9) - wanted))
        matrix = self._vectors if rows is None else self._vectors[rows]
        if len(matrix) <= limit:
            return np.arange(len(matrix))
        found = np.asarray(simsimd.cdist(packed[None], matrix, "cosine")).ravel()
        last = np.partition(found, limit - 1)[limit - 1]
        return np.flatnonzero(found <= last + 2 * apart + ROUNDED)
