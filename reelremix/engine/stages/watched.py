"""What is seen while a film is written: stretches that are black, or in which the picture stands.

A picture stands where the recording shows one for longer than a viewer takes for natural; a slide
that is shown again and again, frame by frame, does not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from reelremix.engine.domain.time import Timestamp
from reelremix.engine.media.decode import Frame, Picture, planes

BLACK_LUMA = 20.0
"""Mean luma, 16 to 235, below which a picture counts as black, ..."""
BLACK_DEVIATION = 6.0
"""... if there is no more than this in it: a few lights in the night are a picture."""
BLACK_S = Fraction(1)
STANDS_S = Fraction(1)
LOOKS_HZ = 5
"""Pictures a second that are looked at."""


@dataclass(slots=True)
class Watched:
    """Takes the frames of a film in order; `faults` tells what a viewer would mind."""

    rate: Fraction
    _black_from: int | None = None
    _shown_from: int = 0
    _shown: Timestamp | None = None
    _found: list[tuple[str, int, int]] = field(default_factory=list)
    """What, from which output frame on, to which."""
    _last: int = -1

    def restart(self) -> None:
        """Forget everything: the film is written anew."""
        self._black_from, self._shown, self._last = None, None, -1
        self._found.clear()

    def see(self, number: int, picture: Picture, frame: Frame) -> None:
        """Look at output frame `number`, made from a picture of the source."""
        self._last = number
        if picture.at != self._shown:
            self._note("stands still", self._shown_from, number, STANDS_S)
            self._shown, self._shown_from = picture.at, number
        if number % max(1, round(self.rate / LOOKS_HZ)) == 0:
            self._see_black(number, frame)

    @property
    def faults(self) -> tuple[str, ...]:
        """In words that follow the film's name."""
        found = list(self._found)
        open_ends = [("is black", self._black_from, BLACK_S)]
        open_ends += [("stands still", self._shown_from, STANDS_S)] if self._shown else []
        found += [
            (what, start, self._last + 1)
            for what, start, least in open_ends
            if start is not None and (self._last + 1 - start) / self.rate > least
        ]
        return tuple(
            f"{what} from {float(start / self.rate):.1f} to {float(end / self.rate):.1f} s"
            for what, start, end in found
        )

    def _see_black(self, number: int, frame: Frame) -> None:
        luma = planes(frame)[0][::16, ::16].astype(np.float32)
        is_black = luma.mean() < BLACK_LUMA and luma.std() < BLACK_DEVIATION
        if is_black and self._black_from is None:
            self._black_from = number
        elif not is_black and self._black_from is not None:
            self._note("is black", self._black_from, number, BLACK_S)
            self._black_from = None

    def _note(self, what: str, start: int, end: int, least: Fraction) -> None:
        if self._shown is not None and (end - start) / self.rate > least:
            self._found.append((what, start, end))
