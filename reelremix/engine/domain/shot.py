"""Stretches of picture between camera changes."""

from __future__ import annotations

from dataclasses import dataclass

from reelremix.engine.domain.time import TimeRange


@dataclass(frozen=True, slots=True)
class Shot:
    """Consecutive frames without a cut; `range.start` is exact to the frame."""

    range: TimeRange
