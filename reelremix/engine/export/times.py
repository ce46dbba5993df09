"""Stretches of time and rates as published: seconds with up to six decimals, fractions in full."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from reelremix.engine.domain.time import TimeRange


def range_to_dict(span: TimeRange) -> dict[str, float]:
    """A stretch as it is published, to be spread into what it is the stretch of."""
    return {"start_s": span.start_s, "end_s": span.end_s}


def range_from_dict(entry: Mapping[str, Any]) -> TimeRange:
    """The stretch that something published has. Raises LookupError, TypeError and ValueError."""
    return TimeRange.from_seconds(entry["start_s"], entry["end_s"])


def rate_to_text(rate: Fraction) -> str:
    """A rate as it is published: 25/1."""
    return f"{rate.numerator}/{rate.denominator}"
