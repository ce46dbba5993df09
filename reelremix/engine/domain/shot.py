"""Stretches of picture between camera changes, and how such a picture is put together."""

from __future__ import annotations

from dataclasses import dataclass

from reelremix.engine.domain.occupied import Occupied
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.track import Box


@dataclass(frozen=True, slots=True)
class Shot:
    """Consecutive frames without a cut; `range.start` is exact to the frame."""

    range: TimeRange
    panes: tuple[Box, ...] = ()
    """The pictures this one is composed of, as in a split screen or a video call; empty where it
    is one picture."""
    screen: Box | None = None
    """A slide or the picture of a screen; it may have a face in a corner."""
    occupied: tuple[Occupied, ...] = ()
    """Writing that lies over it for a while: captions, a lower third, a logo."""
    content: Box | None = None
    """The picture without black bars around it; None where there are none."""
    searches: int | None = None
    """How often faces were looked for in it; None where that is not known."""
