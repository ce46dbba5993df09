"""How faces move: mouths with the voice, lids and heads by chance, brows with emphasis.

Every curve is computed for the whole recording at once, one value a frame, from a seed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sample_people import Expression
from sample_talk import FRAMES_PER_S, RATE_HZ
from sample_voices import Sound

Curve = npt.NDArray[np.float64]
WINDOW = RATE_HZ // FRAMES_PER_S
BRIGHT_HZ = 2600.0
"""Spectral centroid of a sound spoken with spread lips, an `ee` or an `s`."""
BLINK_LIDS = (0.45, 0.0, 0.35)
BLINK_EVERY_S = (2.2, 5.5)


class Motion:
    """The expressions of one person over the recording."""

    def __init__(self, own: Sound, others: Sound, frames: int, seed: int) -> None:
        """Follow the person's `own` voice, and listen to the `others`."""
        random = np.random.default_rng(seed)
        loudness = _loudness(own, frames)
        self._open = _smooth(np.clip(loudness * 1.15 - 0.08, 0, 1), 0.55)
        self._wide = _smooth(_brightness(own, frames), 0.5)
        self._speaking = _smooth((loudness > 0.08).astype(float), 0.12)
        self._listening = _smooth((_loudness(others, frames) > 0.08).astype(float), 0.12)
        emphasis = _smooth(loudness, 0.35) - _smooth(loudness, 0.03)
        self._brows = _smooth(np.clip(emphasis * 3, 0, 1), 0.3)
        self._lids = _blinks(frames, random)
        self._sway = [_drift(frames, random, period_s) for period_s in (3.1, 4.3, 5.7, 7.9)]
        self._beat = _smooth(np.clip(emphasis, -0.3, 0.5), 0.25)

    def at(self, frame: int, towards: float) -> Expression:
        """The face in a frame; `towards` is the side the other person sits on, -1 to 1."""
        speaking, listening = float(self._speaking[frame]), float(self._listening[frame])
        sway = [float(curve[frame]) for curve in self._sway]
        nod = float(self._beat[frame]) * 9 * speaking + max(0.0, sway[3]) * 3 * listening
        return Expression(
            open=float(self._open[frame]),
            wide=float(self._wide[frame]),
            lids=float(self._lids[frame]),
            brows=0.15 + 0.85 * float(self._brows[frame]) * speaking + 0.2 * listening,
            smile=0.5 + 0.45 * listening * max(0.0, sway[2]) + 0.1 * speaking,
            gaze=towards * (0.3 + 0.5 * listening) + 0.15 * sway[2],
            turn_deg=1.6 * sway[0] + (1.2 * sway[3] * speaking),
            dx=2.6 * sway[1] + 1.8 * sway[0] * speaking,
            dy=1.2 * sway[2] + nod,
        )


def _by_frame(sound: Sound, frames: int) -> Any:
    return sound[: frames * WINDOW].reshape(frames, WINDOW)


def _loudness(sound: Sound, frames: int) -> Curve:
    """0 in silence, about 1 at the voice's loud syllables."""
    level: Curve = np.sqrt(np.mean(_by_frame(sound, frames).astype(float) ** 2, axis=1))
    heard = level[level > 0.005]
    loud = float(np.percentile(heard, 92)) if heard.size else 1.0
    return np.clip(level / loud, 0, 1) ** 0.8


def _brightness(sound: Sound, frames: int) -> Curve:
    """0 for dark, rounded sounds, 1 for bright ones; 0.5 in silence."""
    spectra = np.abs(np.fft.rfft(_by_frame(sound, frames), axis=1))
    hertz = np.fft.rfftfreq(WINDOW, 1 / RATE_HZ)
    power = spectra.sum(axis=1)
    centroid = (spectra * hertz).sum(axis=1) / np.maximum(power, 1e-9)
    return np.where(power > 1.0, np.clip(centroid / BRIGHT_HZ, 0, 1), 0.5)


def _smooth(curve: Curve, share: float) -> Curve:
    """Follow a curve, going this share of the way each frame, forth and back without lag."""
    for _ in range(2):
        state, out = curve[0], np.empty_like(curve)
        for index, value in enumerate(curve):
            state += share * (value - state)
            out[index] = state
        curve = out[::-1]
    return curve


def _blinks(frames: int, random: np.random.Generator) -> Curve:
    lids = np.ones(frames)
    at = float(random.uniform(0.5, BLINK_EVERY_S[1])) * FRAMES_PER_S
    while at < frames - len(BLINK_LIDS):
        first = int(at)
        lids[first : first + len(BLINK_LIDS)] = BLINK_LIDS
        at += float(random.uniform(*BLINK_EVERY_S)) * FRAMES_PER_S
    return lids


def _drift(frames: int, random: np.random.Generator, period_s: float) -> Curve:
    """A slow, uneven wandering between about -1 and 1."""
    time_s = np.arange(frames) / FRAMES_PER_S
    waves = [
        np.sin(2 * np.pi * time_s / (period_s * factor) + random.uniform(0, 2 * np.pi))
        for factor in (1.0, 1.62, 0.61)
    ]
    drift: Curve = (waves[0] + 0.7 * waves[1] + 0.35 * waves[2]) / 1.7
    return drift
