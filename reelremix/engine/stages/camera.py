"""Where the camera points while one person fills the picture: still, or moving smoothly.

It follows only what leaves a dead zone, and what it follows is smoothed, so that it neither jitters
nor turns back and forth.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Track

DEAD_ZONE = 0.12
"""The camera stays while the face is within this share of the crop's width of its middle."""
SMOOTHING_S = 0.8
"""Standard deviation of the Gaussian that smooths a moving camera."""
CAMERA_RATE_HZ = 5


def camera_path(
    track: Track, span: TimeRange, size: tuple[float, float]
) -> list[tuple[Timestamp, float, float]]:
    """Where the middle of the face should be taken to be: still, or a smooth line.

    Args:
        track: the face.
        span: when it is shown.
        size: width and height of the crop, in source pixels.
    """
    seen = [s for s in track.sightings if span.start <= s.at < span.end] or list(track.sightings)
    times = np.array([s.at.seconds for s in seen])
    middles = [np.array([s.box.center[axis] for s in seen]) for axis in (0, 1)]
    slacks = [DEAD_ZONE * length for length in size]
    rests = [float(np.median(values)) for values in middles]
    stays = [
        np.abs(values - rest).max() <= slack or len(times) < 3
        for values, rest, slack in zip(middles, rests, slacks, strict=True)
    ]
    if all(stays):
        return [(span.start, rests[0], rests[1])]
    grid = np.arange(span.start_s, span.end_s, 1 / CAMERA_RATE_HZ)
    x, y = (
        np.full(len(grid), rest)
        if is_still
        else followed(np.interp(grid, times, _despiked(values)), slack)
        for values, rest, slack, is_still in zip(middles, rests, slacks, stays, strict=True)
    )
    kept = sorted({*_corners(grid, x, tolerance=1.0), *_corners(grid, y, tolerance=1.0)})
    return [(Timestamp.from_seconds(float(grid[i])), float(x[i]), float(y[i])) for i in kept]


def followed(values: npt.NDArray[np.float64], slack: float) -> npt.NDArray[np.float64]:
    """A smooth line that stays within about a slack of values taken `CAMERA_RATE_HZ` a second."""
    return _smoothed(with_backlash(values, slack), SMOOTHING_S * CAMERA_RATE_HZ)


def _despiked(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    padded = np.pad(values, 1, mode="edge")
    return np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0)


def with_backlash(values: npt.NDArray[np.float64], slack: float) -> npt.NDArray[np.float64]:
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
