"""Hard cuts from small thumbnails.

A cut is a frame that differs from the one before far more than frames around it differ from each
other: the adaptive rule of PySceneDetect's `AdaptiveDetector`, on luma and chroma instead of HSV.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Thumbnail = npt.NDArray[np.uint8]
"""Shape (height, width, 3): luma and both chroma planes."""
THUMBNAIL_SIZE = (64, 36)
NEIGHBOURS = 4
"""Changes looked at on each side of a frame."""
LARGE_CHANGE, LARGE_OVER_MEAN, LARGE_OVER_MAX = 4.0, 3.0, 1.5
"""A change of the whole picture: its size (mean change of a value, 0 to 255), and how many times
it exceeds the mean and the largest change around it."""
SMALL_CHANGE, SMALL_OVER_MAX = 1.2, 6.0
"""A change of part of an otherwise still picture, such as the next slide."""


class CutFinder:
    """Fed with thumbnails in order; tells cuts once all are seen."""

    def __init__(self) -> None:
        self._last: Thumbnail | None = None
        self._changes: list[float] = []

    def add(self, thumbnail: Thumbnail) -> float:
        """Take the next frame; returns how much it differs from the one before."""
        change = 0.0
        if self._last is not None:
            difference = np.abs(thumbnail.astype(np.int16) - self._last.astype(np.int16))
            change = float(difference.mean(axis=(0, 1)) @ (0.5, 0.25, 0.25)) * 2
        self._last = thumbnail
        self._changes.append(change)
        return change

    def may_be_cut(self) -> bool:
        """Whether the latest frame looks like the first of a shot, before its future is known."""
        changes = self._changes
        return len(changes) == 1 or _stands_out(changes[-1], changes[-1 - NEIGHBOURS : -1])

    def cuts(self) -> list[int]:
        """Indexes of frames that begin a new shot, the very first left out."""
        changes = self._changes
        found = []
        for index in range(1, len(changes)):
            before = changes[max(1, index - NEIGHBOURS) : index]
            after = changes[index + 1 : index + 1 + NEIGHBOURS]
            if _stands_out(changes[index], [*before, *after]):
                found.append(index)
        return found


def _stands_out(change: float, around: list[float]) -> bool:
    largest = max(around, default=0.0)
    mean = sum(around) / len(around) if around else 0.0
    if change >= LARGE_CHANGE:
        return change > LARGE_OVER_MEAN * mean and change > LARGE_OVER_MAX * largest
    return change >= SMALL_CHANGE and change > SMALL_OVER_MAX * largest
