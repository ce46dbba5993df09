"""Which of many vectors are nearest to one: exact, over one matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from reelremix.engine.domain.window import WindowHit

Numbers = npt.NDArray[np.int64]


class VectorMatrix:
    """Windows' vectors in memory, each of length one.

    Four bytes a number: a product with bytes would have to widen them every time, which takes
    five times as long as the product.
    """

    def __init__(self, rows: Sequence[tuple[Any, Any]]) -> None:
        """Hold signed bytes by window; those of another length than the first are left out."""
        self.size = len(rows[0][1]) if rows else 0
        kept = [row for row in rows if len(row[1]) == self.size]
        self.numbers: Numbers = np.array([number for number, _ in kept], np.int64)
        packed = np.frombuffer(b"".join([vector for _, vector in kept]), np.int8)
        self._rows = packed.reshape(len(kept), self.size).astype(np.float32)
        lengths = np.sqrt(np.einsum("ij,ij->i", self._rows, self._rows))
        self._rows /= np.maximum(lengths, 1.0)[:, None]

    def nearest(
        self, vector: Sequence[float], limit: int, allowed: Numbers | None = None
    ) -> list[WindowHit]:
        """The windows with the greatest cosine, of those allowed unless None; ties by number."""
        wanted = np.asarray(vector, np.float32)
        if len(wanted) != self.size or limit < 1:
            return []
        cosine = self._rows @ (wanted / max(float(np.linalg.norm(wanted)), 1e-9))
        rows = np.arange(len(cosine))
        if allowed is not None:
            rows = np.flatnonzero(np.isin(self.numbers, allowed))
        if len(rows) > limit:
            rows = rows[np.argpartition(-cosine[rows], limit - 1)[:limit]]
        order = np.lexsort((self.numbers[rows], -cosine[rows]))
        return [WindowHit(int(self.numbers[i]), float(cosine[i])) for i in rows[order]]
