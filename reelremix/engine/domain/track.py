"""Faces followed through the frames of one shot."""

from __future__ import annotations

from dataclasses import dataclass

from reelremix.engine.domain.time import TimeRange, Timestamp


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

    def iou(self, other: Box) -> float:
        """Intersection over union, 0 to 1."""
        shared = self.overlap(other)
        union = self.area + other.area - shared
        return shared / union if union > 0 else 0.0

    def overlap(self, other: Box) -> float:
        """Square pixels both rectangles share."""
        width = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        height = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        return max(0.0, width) * max(0.0, height)


@dataclass(frozen=True, slots=True)
class Sighting:
    """One face in one frame."""

    at: Timestamp
    box: Box
    probability: float
    mouth_motion: float | None = None
    """How much more the mouth changed within the next frames than the eyes did, in grey levels;
    None when there was no next frame."""


@dataclass(frozen=True, slots=True)
class Track:
    """One face followed through one shot."""

    id: int
    shot: int
    """Index of the shot within the look artifact."""
    sightings: tuple[Sighting, ...]
    speaker: str | None = None

    @property
    def range(self) -> TimeRange:
        """From the first sighting to the last."""
        return TimeRange(self.sightings[0].at, self.sightings[-1].at)
