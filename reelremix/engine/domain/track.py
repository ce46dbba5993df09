"""Faces followed through the frames of one shot."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import median

from reelremix.engine.domain.time import TimeRange, Timestamp

TALK_RATE_HZ = 25
TALK_STEP = Fraction(1, TALK_RATE_HZ)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in upright source pixels."""

    x: float
    y: float
    width: float
    height: float

    @property
    def center(self) -> tuple[float, float]:
        """Middle of the rectangle."""
        return self.x + self.width / 2, self.y + self.height / 2

    @property
    def area(self) -> float:
        """Square pixels."""
        return self.width * self.height

    def holds(self, point: tuple[float, float]) -> bool:
        """Whether a point lies inside."""
        x, y = point
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height

    def iou(self, other: Box) -> float:
        """Intersection over union, 0 to 1."""
        shared = self.overlap(other)
        union = self.area + other.area - shared
        return shared / union if union > 0 else 0.0

    def towards(self, other: Box, share: float | Fraction) -> Box:
        """The rectangle a share of the way to another."""
        s = float(share)
        return Box(
            self.x + s * (other.x - self.x),
            self.y + s * (other.y - self.y),
            self.width + s * (other.width - self.width),
            self.height + s * (other.height - self.height),
        )

    def overlap(self, other: Box) -> float:
        """Square pixels both rectangles share."""
        width = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        height = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        return max(0.0, width) * max(0.0, height)


def usual_box(boxes: Sequence[Box]) -> Box:
    """Where a rectangle is most of the time, by medians."""
    return Box(
        median(b.x for b in boxes),
        median(b.y for b in boxes),
        median(b.width for b in boxes),
        median(b.height for b in boxes),
    )


@dataclass(frozen=True, slots=True)
class Sighting:
    """One face in one frame."""

    at: Timestamp
    box: Box
    probability: float
    still: float | None = None
    """How good a still the face makes, against others of the same track; None where unknown."""


@dataclass(frozen=True, slots=True)
class Talk:
    """How well a face goes with what is heard, over a stretch in which it is not the only one."""

    start: Timestamp
    log_odds: tuple[float, ...]
    """`TALK_RATE_HZ` a second: above zero where the face is more likely than not to be heard."""

    @property
    def range(self) -> TimeRange:
        """From the first value to the end of the last."""
        return TimeRange(self.start, self.start + Timestamp(len(self.log_odds), TALK_STEP))


@dataclass(frozen=True, slots=True)
class Track:
    """One face followed through one shot."""

    id: int
    shot: int
    """Index of the shot within the look artifact."""
    sightings: tuple[Sighting, ...]
    speaker: str | None = None
    """Whose voice is the face's, as the transcript names it; None where that is not known."""
    person: int = 0
    """The same number for faces of one look that are taken to be one person's."""
    talk: tuple[Talk, ...] = ()

    @property
    def range(self) -> TimeRange:
        """From the first sighting to the last."""
        return TimeRange(self.sightings[0].at, self.sightings[-1].at)


class SightingsByTime:
    """All sightings of some tracks by their time, to look up those of many stretches."""

    def __init__(self, tracks: Iterable[Track]) -> None:
        self._ordered = sorted((s for t in tracks for s in t.sightings), key=_moment)

    def during(self, span: TimeRange) -> Sequence[Sighting]:
        """Those in a stretch, in order."""
        first = bisect_left(self._ordered, span.start, key=_moment)
        return self._ordered[first : bisect_left(self._ordered, span.end, key=_moment)]


def _moment(sighting: Sighting) -> Timestamp:
    return sighting.at
