"""What is seen while a film is written: stretches that are black, or in which people stand frozen.

A slide may stand for as long as it likes. A picture of people never does: when not even its grain
moves, the recording hung there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from reelremix.engine.domain.layout import LayoutKind, LayoutPiece
from reelremix.engine.media.decode import Frame, planes

BLACK_LUMA = 20.0
"""Mean luma, 16 to 235, below which a picture counts as black, ..."""
BLACK_DEVIATION = 6.0
"""... if there is no more than this in it: a few lights in the night are a picture."""
BLACK_S = Fraction(1)
FROZEN_CHANGE = 4
"""No point of a frozen picture changes by more, in grey levels."""
FROZEN_S = Fraction(2)
LOOKS_HZ = 5
"""Pictures a second that are looked at."""
GRID_PX = 16
"""One point of so many in each direction is looked at."""


def _shows_people(piece: LayoutPiece) -> bool:
    follows = any(region.track is not None for region in piece.regions)
    return follows and piece.kind is not LayoutKind.SCREEN


@dataclass(slots=True)
class _Stretch:
    """Something that goes on, from an output frame."""

    what: str
    least_s: Fraction
    since: int | None = None

    def goes_on(self, number: int, *, is_so: bool) -> tuple[int, int] | None:
        """From where to where it went on, once it is over."""
        if is_so:
            self.since = number if self.since is None else self.since
            return None
        since, self.since = self.since, None
        return None if since is None else (since, number)


@dataclass(slots=True)
class Watched:
    """Takes the frames of a film in order; `faults` tells what a viewer would mind."""

    rate: Fraction
    _black: _Stretch = field(default_factory=lambda: _Stretch("is black", BLACK_S))
    _frozen: _Stretch = field(default_factory=lambda: _Stretch("stands still", FROZEN_S))
    _before: npt.NDArray[np.int16] | None = None
    _found: list[str] = field(default_factory=list)
    _last: int = -1

    def restart(self) -> None:
        """Forget everything: the film is written anew."""
        self._black.since, self._frozen.since, self._before, self._last = None, None, None, -1
        self._found.clear()

    def see(self, number: int, source: Frame, piece: LayoutPiece, frame: Frame) -> None:
        """Look at output frame `number`, made from a picture of the source in a layout."""
        self._last = number
        if number % max(1, round(self.rate / LOOKS_HZ)):
            return
        luma = planes(frame)[0][::GRID_PX, ::GRID_PX]
        is_black = bool(luma.mean() < BLACK_LUMA and luma.std() < BLACK_DEVIATION)
        self._note(self._black, self._black.goes_on(number, is_so=is_black))
        now = planes(source)[0][::GRID_PX, ::GRID_PX].astype(np.int16)
        before, self._before = self._before, now
        is_frozen = (
            _shows_people(piece)
            and not is_black
            and before is not None
            and before.shape == now.shape
            and int(np.abs(now - before).max(initial=0)) <= FROZEN_CHANGE
        )
        self._note(self._frozen, self._frozen.goes_on(number, is_so=is_frozen))

    @property
    def faults(self) -> tuple[str, ...]:
        """In words that follow the film's name."""
        unfinished = [
            self._told(stretch, (stretch.since, self._last + 1))
            for stretch in (self._black, self._frozen)
            if stretch.since is not None
        ]
        return (*self._found, *(told for told in unfinished if told is not None))

    def _note(self, stretch: _Stretch, span: tuple[int, int] | None) -> None:
        told = None if span is None else self._told(stretch, span)
        if told is not None:
            self._found.append(told)

    def _told(self, stretch: _Stretch, span: tuple[int, int]) -> str | None:
        start_s, end_s = (number / self.rate for number in span)
        if end_s - start_s < stretch.least_s:
            return None
        return f"{stretch.what} from {float(start_s):.1f} to {float(end_s):.1f} s"
