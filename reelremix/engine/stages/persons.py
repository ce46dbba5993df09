"""Which faces of different shots are one person's, within one clip.

Nobody is identified: mean portraits of 32 by 32 grey values are compared, as Turk and Pentland did
in "Eigenfaces for Recognition", 1991, before they reduced them. That tells people apart who are
filmed from the front in one light; whoever turns away becomes somebody else, which does no harm.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from reelremix.engine.domain.time import Timestamp
from reelremix.engine.domain.track import Box, Track

SIDE_PX = 32
SAME_PERSON = 0.75
"""Cosine of two portraits from which on they show one person."""
EVERY = 3
"""Of so many sightings of one face, one is kept."""

Grey = npt.NDArray[np.uint8]
Portrait = npt.NDArray[np.float64]
"""Shape (SIDE_PX**2,): mean 0, length 1."""


class Portraits:
    """What each face of a look is like."""

    def __init__(self) -> None:
        self._kept: dict[int, list[tuple[Timestamp, Grey]]] = {}
        self._passed: dict[int, int] = {}

    def add(self, face: int, at: Timestamp, luma: Grey, box: Box, *, is_new: bool) -> None:
        """Look at a face found at `box` of a picture; `is_new` is whether that may follow a cut."""
        number = self._passed[face] = 0 if is_new else self._passed.get(face, -1) + 1
        if number % EVERY == 0:
            self._kept.setdefault(face, []).append((at, _patch(luma, box)))

    def persons(self, tracks: Sequence[Track], faces: Sequence[int]) -> list[int]:
        """A number for the person of each track; `faces` says which of those added it is."""
        portraits = [self._portrait(t, face) for t, face in zip(tracks, faces, strict=True)]
        persons: list[list[int]] = []
        found: list[int] = []
        for index, track in enumerate(tracks):
            likeness = [
                0.0
                if any(_is_beside(track, tracks[i]) for i in person)
                else float(np.mean([portraits[index] @ portraits[i] for i in person]))
                for person in persons
            ]
            best = max(range(len(persons)), key=likeness.__getitem__, default=None)
            if best is None or likeness[best] < SAME_PERSON:
                best = len(persons)
                persons.append([])
            persons[best].append(index)
            found.append(best)
        return found

    def _portrait(self, track: Track, face: int) -> Portrait:
        kept = [
            patch for at, patch in self._kept[face] if track.range.start <= at <= track.range.end
        ]
        if not kept:
            return np.zeros(SIDE_PX**2)
        return _normed(
            np.mean([_normed(patch.ravel().astype(np.float64)) for patch in kept], axis=0)
        )


def _is_beside(a: Track, b: Track) -> bool:
    """Whether both are seen at once, and so are two."""
    return a.shot == b.shot and a.range.overlap_s(b.range) > 0


def _patch(luma: Grey, box: Box) -> Grey:
    """A face with a little of its hair, sampled twice as finely as it is kept."""
    rows = np.linspace(box.y - 0.15 * box.height, box.y + 1.05 * box.height, 2 * SIDE_PX)
    columns = np.linspace(box.x - 0.05 * box.width, box.x + 1.05 * box.width, 2 * SIDE_PX)
    inside = (
        rows.astype(np.intp).clip(0, luma.shape[0] - 1)[:, None],
        columns.astype(np.intp).clip(0, luma.shape[1] - 1),
    )
    grey = luma[inside].reshape(SIDE_PX, 2, SIDE_PX, 2).astype(np.uint16)
    patch: Grey = (grey.sum(axis=(1, 3)) // 4).astype(np.uint8)
    return patch


def _normed(values: Portrait) -> Portrait:
    centred = values - values.mean()
    normed: Portrait = centred / (float(np.linalg.norm(centred)) or 1.0)
    return normed
