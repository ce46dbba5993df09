"""What a film shows before and after its clip, and where on the film's clock the clip then lies.

A film is made of whole frames: its intro's, its clip's and its outro's, cut hard. Everything that
knows a moment of the clip and needs one of the film asks `FilmFrames`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from reelremix.engine.domain.time import Timestamp


class Fit(StrEnum):
    """How a picture of another shape stands in the output."""

    FILL = "fill"
    """It fills the output; what is too much at the sides is cut off."""
    FIT = "fit"
    """All of it is seen, on a blurred background."""


@dataclass(frozen=True, slots=True)
class Bookend:
    """A video or a picture that is shown before or after a clip."""

    file: str
    """As the preset names it; one of the brand kit's assets."""
    length_s: float
    """How long it is shown, to the microsecond; 0 until the file has been looked at."""
    fit: Fit = Fit.FILL

    def frames(self, rate: Fraction) -> int:
        """Frames it has at a rate; at least one."""
        return max(1, round(Timestamp.from_seconds(self.length_s).exact * rate))


@dataclass(frozen=True, slots=True)
class FilmFrames:
    """How many frames a film has before its clip, of it and after it."""

    rate: Fraction
    intro: int
    clip: int
    outro: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.intro + self.clip + self.outro

    @property
    def clip_begins(self) -> Fraction:
        """When the clip's first frame is shown, in seconds of the film."""
        return self.intro / self.rate

    @property
    def clip_ends(self) -> Fraction:
        """When the first frame after the clip's last is shown."""
        return (self.intro + self.clip) / self.rate

    @property
    def ends(self) -> Fraction:
        """How long the picture is, in seconds."""
        return self.total / self.rate
