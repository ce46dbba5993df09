"""Exact time: ticks and a time base, half-open ranges.

Zero is the earliest presentation time among the chosen video and audio streams of a source
(see `source.Presentation`). Floats appear only at the edges (`seconds`, `from_seconds`).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import total_ordering
from math import gcd

MICROSECONDS = Fraction(1, 1_000_000)


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class Timestamp:
    """A moment, counted in ticks of a time base."""

    ticks: int
    time_base: Fraction = MICROSECONDS
    """Seconds per tick."""

    @classmethod
    def from_seconds(
        cls, seconds: float | Fraction, time_base: Fraction = MICROSECONDS
    ) -> Timestamp:
        """The tick nearest to `seconds`."""
        return cls(round(Fraction(seconds) / time_base), time_base)

    @property
    def exact(self) -> Fraction:
        """Seconds, without rounding."""
        return self.ticks * self.time_base

    @property
    def seconds(self) -> float:
        """Seconds, rounded to the microsecond as all published JSON is."""
        return round(self.ticks * self.time_base.numerator / self.time_base.denominator, 6)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Timestamp):
            return NotImplemented
        return self._compared(other) == 0

    def __lt__(self, other: Timestamp) -> bool:
        return self._compared(other) < 0

    def _compared(self, other: Timestamp) -> int:
        """Negative, zero or positive, as self is before, at or after other."""
        a, b = self.time_base, other.time_base
        return self.ticks * a.numerator * b.denominator - other.ticks * b.numerator * a.denominator

    def __hash__(self) -> int:
        return hash(self.exact)

    def __add__(self, other: Timestamp) -> Timestamp:
        if self.time_base is other.time_base or self.time_base == other.time_base:
            return Timestamp(self.ticks + other.ticks, self.time_base)
        base = _common_base(self.time_base, other.time_base)
        return Timestamp(int((self.exact + other.exact) / base), base)

    def __sub__(self, other: Timestamp) -> Timestamp:
        return self + Timestamp(-other.ticks, other.time_base)


ZERO = Timestamp(0)


@dataclass(frozen=True, slots=True)
class TimeRange:
    """A half-open stretch of time, `[start, end)`."""

    start: Timestamp
    end: Timestamp

    @classmethod
    def from_seconds(cls, start_s: float | Fraction, end_s: float | Fraction) -> TimeRange:
        """A range on the microsecond grid."""
        return cls(Timestamp.from_seconds(start_s), Timestamp.from_seconds(end_s))

    @property
    def start_s(self) -> float:
        """Start in seconds."""
        return self.start.seconds

    @property
    def end_s(self) -> float:
        """End in seconds."""
        return self.end.seconds

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return (self.end - self.start).seconds

    def contains(self, moment: Timestamp) -> bool:
        """Whether `moment` lies in the half-open range."""
        return self.start <= moment < self.end

    def overlap_s(self, other: TimeRange) -> float:
        """Seconds both ranges share."""
        return max(0.0, min(self.end_s, other.end_s) - max(self.start_s, other.start_s))

    def iou(self, other: TimeRange) -> float:
        """Intersection over union, 0 to 1."""
        shared = self.overlap_s(other)
        union = self.duration_s + other.duration_s - shared
        return shared / union if union > 0 else 0.0


def _common_base(a: Fraction, b: Fraction) -> Fraction:
    """The coarsest time base in which both are whole ticks."""
    denominator = a.denominator * b.denominator // gcd(a.denominator, b.denominator)
    numerator = gcd(
        a.numerator * (denominator // a.denominator), b.numerator * (denominator // b.denominator)
    )
    return Fraction(numerator, denominator)
