"""Where the camera points while one person fills the picture: still, or moving smoothly.

It follows only what leaves a dead zone, and what it follows is smoothed, so that it neither jitters
nor turns back and forth.
"""

from __future__ import annotations

from statistics import median

import numpy as np
import numpy.typing as npt

from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Track

DEAD_ZONE = 0.12
"""The camera stays while the face is within this share of the crop's width of its middle."""
SMOOTHING_S = 0.6
"""Standard deviation of the Gaussian that smooths a moving camera."""
CAMERA_RATE_HZ = 5


def camera_path(
    track: Track, span: TimeRange, crop_width: float
) -> list[tuple[Timestamp, float, float]]:
    """Where the middle of the face should be taken to be: still, or a smooth line."""
    times = np.array([s.at.seconds for s in track.sightings])
    x = np.array([s.box.center[0] for s in track.sightings])
    y = median(s.box.center[1] for s in track.sightings)
    middle = float(np.median(x))
    if np.abs(x - middle).max() <= DEAD_ZONE * crop_width or len(times) < 3:
        return [(span.start, middle, y)]
    grid = np.arange(span.start_s, span.end_s, 1 / CAMERA_RATE_HZ)
    followed = _with_backlash(np.interp(grid, times, _despiked(x)), DEAD_ZONE * crop_width)
    smooth = _smoothed(followed, SMOOTHING_S * CAMERA_RATE_HZ)
    kept = _corners(grid, smooth, tolerance=1.0)
    return [(Timestamp.from_seconds(float(grid[i])), float(smooth[i]), y) for i in kept]


def _despiked(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    padded = np.pad(values, 1, mode="edge")
    return np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0)


def _with_backlash(values: npt.NDArray[np.float64], slack: float) -> npt.NDArray[np.float64]:
    """Follow only what leaves a slack around the last position."""
    position = float(np.median(values[: 2 * CAMERA_RATE_HZ]))
    followed = np.empty_like(values)
    for index, value in enumerate(values):
        position = min(max(position, float(value) - slack), float(value) + slack)
        followed[index] = position
    return followed


def _smoothed(values: npt.NDArray[np.float64], deviation: float) -> npt.NDArray[np.float64]:
    reach = round(3 * deviation)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    padded = np.pad(values, reach, mode="edge")
    return np.convolve(padded, weights / weights.sum(), "valid")


def _corners(
    times: npt.NDArray[np.float64], values: npt.NDArray[np.float64], tolerance: float
) -> list[int]:
    """Indexes that keep a line within `tolerance` (Douglas and Peucker, 1973)."""
    keep = {0, len(values) - 1}
    open_spans = [(0, len(values) - 1)]
    while open_spans:
        first, last = open_spans.pop()
        if last - first < 2:
            continue
        line = np.interp(times[first : last + 1], times[[first, last]], values[[first, last]])
        distance = np.abs(values[first : last + 1] - line)
        worst = int(distance.argmax())
        if distance[worst] > tolerance:
            keep.add(first + worst)
            open_spans += [(first, first + worst), (first + worst, last)]
    return sorted(keep)
