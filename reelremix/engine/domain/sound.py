"""What is heard in a source besides words: events, and curves at a fixed step.

Zero is the source's zero (see `time`). Values are rounded, so that twelve hours of four curves
take about ten megabytes in memory and two as an artifact.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from reelremix.engine.domain.time import Timestamp
from reelremix.engine.domain.transcript import SoundEvent

STEP = Fraction(1, 2)
"""Seconds from one value of a curve to the next: two to four syllables, so that a sentence has
several values and one stressed word still stands out."""
SILENT_LUFS = -70.0
"""The absolute gate of EBU R 128; nothing is reported quieter."""


@dataclass(frozen=True, slots=True)
class SoundTrack:
    """Events and curves of one audio stream."""

    duration: Timestamp
    """How much was listened to."""
    events: tuple[SoundEvent, ...] = ()
    """`laughter`, `applause`, `cheering`, `music` and `silence`, in order of their start. Events of
    one kind do not touch; those of different kinds may overlap."""
    loudness_lufs: tuple[float, ...] = ()
    """K-weighted level of each step (ITU-R BS.1770, of the mono sum), not below `SILENT_LUFS`."""
    pitch_hz: tuple[float | None, ...] = ()
    """Median fundamental frequency of each step; None where too little is voiced."""
    voiced: tuple[float, ...] = ()
    """Share of each step in which a pitch is heard, 0 to 1."""
    pause: tuple[float, ...] = ()
    """Share of each step in which nobody seems to speak: far quieter than the source's speech."""

    @property
    def steps(self) -> int:
        """Length of every curve; the last step may reach beyond the end."""
        return len(self.loudness_lufs)

    def events_of(self, kind: str) -> tuple[SoundEvent, ...]:
        """The events of one kind, in order."""
        return tuple(event for event in self.events if event.kind == kind)
