"""Styled on-screen text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from reelremix.engine.domain.time import TimeRange


@dataclass(frozen=True, slots=True)
class Cue:
    """One timed piece of caption: at most two lines of words."""

    range: TimeRange
    """On the source's clock."""
    lines: tuple[tuple[int, ...], ...]
    """Indexes into the clip's words, line by line, in reading order."""
    box: tuple[int, int, int, int]
    """x, y, width, height in output pixels that the cue may paint."""
    keywords: tuple[int, ...] = ()
    """Indexes of the words that bear the stress."""
    voice: int | None = None
    """Which voice says it, counted in the order they are first heard; None where one speaks."""
    emoji: str = ""
    """Shown above the lines; empty for none."""
    text: str = ""
    """What its words were when its lines and box were made; empty where that is not known."""


@dataclass(frozen=True, slots=True)
class Captions:
    """All cues of a clip and the resolved style they are drawn in."""

    preset: str
    style: dict[str, Any] = field(default_factory=dict)
    """The preset's values as read, fonts by sha256, so that a render needs no preset file."""
    cues: tuple[Cue, ...] = ()


def letter_size(size: float, width_px: int, height_px: int) -> float:
    """How large letters are in a picture, in pixels.

    `size` is a share of the height of a picture of 9 by 16; in others letters are as easy to read.
    """
    return size * (1.2 * height_px if width_px > height_px else max(height_px, 1.4 * width_px))
