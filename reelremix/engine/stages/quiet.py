"""How loud a stretch of sound is from moment to moment, and where in it a cut is heard least."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reelremix.engine.media.audio import SPEECH
from reelremix.engine.models.speech import Speech

STEP_S = 0.005
"""From one value to the next."""
WINDOW_S = 0.010
FLOOR_DB = -90.0
ABOVE_FLOOR_DB = 6.0
"""Silence may be this much louder than the quietest there is."""
UNDER_SPEECH_DB = (32.0, 22.0)
"""Silence is at most the second under speech, and counts as silence from the first on."""
STRESS_DB = 6.0
"""Stressed syllables are this much louder than speech is."""
SHORTEST_S = 0.03
"""A silence between words; a stop consonant is shorter."""


@dataclass(frozen=True, slots=True)
class Loudness:
    """Levels in dB of full scale, `STEP_S` apart, of a stretch that begins at `start_s`."""

    start_s: float
    levels: npt.NDArray[np.float32]

    @property
    def end_s(self) -> float:
        """Where it ends."""
        return self.start_s + len(self.levels) * STEP_S

    def speech_db(self) -> float:
        """How loud the loud parts are, even where little is said."""
        if not len(self.levels):
            return FLOOR_DB
        loud, loudest = np.percentile(self.levels, (90, 98))
        return float(max(loud, loudest - STRESS_DB))

    def silence_db(self) -> float:
        """Below this, nothing is said."""
        if not len(self.levels):
            return FLOOR_DB
        quietest = float(np.percentile(self.levels, 2)) + ABOVE_FLOOR_DB
        low, high = (self.speech_db() - under for under in UNDER_SPEECH_DB)
        return min(max(quietest, low), high)

    def silences(self) -> list[tuple[float, float]]:
        """Every silence as start and end."""
        quiet = np.concatenate([[False], self.levels < self.silence_db(), [False]])
        edges = np.flatnonzero(np.diff(quiet.astype(np.int8)))
        runs = [(self._at(int(a)), self._at(int(b))) for a, b in edges.reshape(-1, 2)]
        return [(a, b) for a, b in runs if b - a >= SHORTEST_S]

    def quietest_s(self, low_s: float, high_s: float) -> float:
        """The moment between two others at which the sound is quietest; the middle if equal."""
        first, last = self._index(low_s), self._index(high_s)
        if last <= first:
            return (low_s + high_s) / 2
        part = self.levels[first : last + 1]
        best = np.flatnonzero(part <= part.min() + 0.5)
        return self._at(first + int(best[len(best) // 2])) + STEP_S / 2

    def at(self, moment_s: float) -> float:
        """The level at a moment."""
        return float(self.levels[self._index(moment_s)]) if len(self.levels) else FLOOR_DB

    def _at(self, index: int) -> float:
        return self.start_s + index * STEP_S

    def _index(self, moment_s: float) -> int:
        index = int((moment_s - self.start_s) / STEP_S + 1e-6)
        return min(max(index, 0), len(self.levels) - 1)


def measure(sound: Speech, start_s: float) -> Loudness:
    """The loudness of what is heard from a moment on."""
    step, window = round(STEP_S * SPEECH.rate_hz), round(WINDOW_S * SPEECH.rate_hz)
    around = (window - step) // 2
    padded = np.pad(sound, (around, window))
    count = len(sound) // step
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[: count * step : step]
    power = np.square(frames - frames.mean(axis=1, keepdims=True)).mean(axis=1)
    return Loudness(start_s, np.asarray(10 * np.log10(power + 10 ** (FLOOR_DB / 10)), np.float32))
