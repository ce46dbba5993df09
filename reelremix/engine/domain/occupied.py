"""Parts of the source's picture that must not be drawn over: text that is already in it."""

from __future__ import annotations

from dataclasses import dataclass

from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.track import Box


@dataclass(frozen=True, slots=True)
class Occupied:
    """A rectangle that is taken for a while: burned-in captions, a lower third, a slide's title."""

    range: TimeRange
    box: Box
    """Upright source pixels."""
