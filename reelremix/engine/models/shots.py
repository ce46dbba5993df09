"""Cuts and dissolves from small thumbnails.

A cut is a frame that differs from the one before far more than frames around it differ from each
other: the adaptive rule of PySceneDetect's `AdaptiveDetector`, on luma and chroma instead of HSV.

A dissolve, or a fade from or to black, is where the picture goes in a straight line from one that
stands to another that stands: in its middle it is the mean of both, which no movement is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

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

HALF_DISSOLVES_S = (0.16, 0.32, 0.56)
"""Half the lengths of dissolves that are tried."""
DISSOLVE_CHANGE = 10.0
"""Mean change of a value from the picture before to that after."""
OFF_THE_LINE = 0.25
"""How far from the mean of both the middle may be, as a share of that."""
STANDING = 0.35
"""How much either may move in as long a time, as a share of that."""


class CutFinder:
    """Fed with thumbnails in order; tells cuts once all are seen."""

    def __init__(self, rate_hz: float = 25.0) -> None:
        """Frames come `rate_hz` times a second."""
        self._changes: list[float] = []
        self._reaches = sorted({max(2, round(half * rate_hz)) for half in HALF_DISSOLVES_S})
        self._recent: deque[npt.NDArray[np.int16]] = deque(maxlen=4 * self._reaches[-1] + 1)
        self._dissolving: dict[int, float] = {}
        """How much changes about the middles of what may be dissolves."""

    def add(self, thumbnail: Thumbnail) -> float:
        """Take the next frame; returns how much it differs from the one before."""
        latest = thumbnail.astype(np.int16)
        change = _difference(latest, self._recent[-1]) if self._recent else 0.0
        self._recent.append(latest)
        self._changes.append(change)
        for reach in self._reaches:
            self._note_dissolve(reach)
        return change

    def may_be_cut(self) -> bool:
        """Whether the latest frame looks like the first of a shot, before its future is known."""
        changes = self._changes
        return len(changes) == 1 or _stands_out(changes[-1], changes[-1 - NEIGHBOURS : -1])

    def cuts(self) -> list[int]:
        """Indexes of frames that begin a new shot, the very first left out; of a dissolve, the
        frame in its middle."""
        changes = self._changes
        found = []
        for index in range(1, len(changes)):
            before = changes[max(1, index - NEIGHBOURS) : index]
            after = changes[index + 1 : index + 1 + NEIGHBOURS]
            if _stands_out(changes[index], [*before, *after]):
                found.append(index)
        return sorted([*found, *self._dissolves(found)])

    def _note_dissolve(self, reach: int) -> None:
        """Whether the frame `2 * reach` ago is the middle of a dissolve `2 * reach` long."""
        if len(self._recent) <= 4 * reach:
            return
        earlier, before, middle, after, later = (
            self._recent[-1 - n * reach] for n in (4, 3, 2, 1, 0)
        )
        whole = _difference(before, after)
        if whole < DISSOLVE_CHANGE:
            return
        standing = max(_difference(earlier, before), _difference(after, later))
        off = _difference(middle, (before + after) // 2)
        if standing <= STANDING * whole and off <= OFF_THE_LINE * whole:
            index = len(self._changes) - 1 - 2 * reach
            self._dissolving[index] = max(whole - standing - off, self._dissolving.get(index, 0.0))

    def _dissolves(self, cuts: Sequence[int]) -> list[int]:
        """The clearest middle of each, none beside a cut."""
        apart = 2 * self._reaches[-1]
        found: list[int] = []
        for index in sorted(self._dissolving, key=lambda i: (-self._dissolving[i], i)):
            if all(abs(index - other) > apart for other in (*found, *cuts)):
                found.append(index)
        return found


def _difference(a: npt.NDArray[np.int16], b: npt.NDArray[np.int16]) -> float:
    """Mean change of a value, luma and chroma counting alike."""
    return float(np.abs(a - b).mean(axis=(0, 1)) @ (0.5, 0.25, 0.25)) * 2


def _stands_out(change: float, around: list[float]) -> bool:
    largest = max(around, default=0.0)
    mean = sum(around) / len(around) if around else 0.0
    if change >= LARGE_CHANGE:
        return change > LARGE_OVER_MEAN * mean and change > LARGE_OVER_MAX * largest
    return change >= SMALL_CHANGE and change > SMALL_OVER_MAX * largest
