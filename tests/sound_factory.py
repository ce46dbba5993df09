"""Mono sound at 16 kHz with known truth."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

RATE_HZ = 16_000
Wave = npt.NDArray[np.float32]


def quiet(seconds: float) -> Wave:
    """Digital silence."""
    return np.zeros(round(seconds * RATE_HZ), np.float32)


def sine(seconds: float, hz: float, level: float = 0.3) -> Wave:
    """One frequency."""
    return np.asarray(level * np.sin(2 * np.pi * hz * _times(seconds)), np.float32)


def voice(seconds: float, hz: float, level: float = 0.2, formant_hz: float = 700.0) -> Wave:
    """Harmonics of one pitch, strongest around a formant."""
    harmonics = np.arange(1, int(4000 / hz) + 1)
    weights = 1 / (1 + ((harmonics * hz - formant_hz) / 400) ** 2)
    waves = np.sin(2 * np.pi * hz * harmonics[:, None] * _times(seconds) + harmonics[:, None])
    wave = weights @ waves
    return np.asarray(level * wave / np.abs(wave).max(), np.float32)


def noise(seconds: float, level: float = 0.1, seed: int = 0) -> Wave:
    """White noise of this root mean square."""
    chance = np.random.default_rng(seed)
    return chance.normal(0, level, round(seconds * RATE_HZ)).astype(np.float32)


def laugh(seconds: float, hz: float = 160.0, calls_per_s: float = 4.5, level: float = 0.3) -> Wave:
    """Equal short calls, each a voiced burst that dies away: ha ha ha."""
    call = voice(seconds, hz, level)
    phase = (_times(seconds) * calls_per_s) % 1
    return np.asarray(call * np.where(phase < 0.55, np.sin(np.pi * phase / 0.55), 0), np.float32)


def babble(seconds: float, hz: float = 120.0, level: float = 0.3, seed: int = 0) -> Wave:
    """Syllables in the rhythm of speech, each of its own length, pitch, vowel and consonant."""
    chance = np.random.default_rng(seed)
    pieces: list[Wave] = []
    while sum(map(len, pieces)) < seconds * RATE_HZ:
        length = float(chance.uniform(0.08, 0.35))
        first, second = chance.uniform(300, 900), chance.uniform(900, 2600)
        vowel = voice(length, hz * chance.uniform(0.85, 1.2), level, first)
        vowel += voice(length, hz, level / 2, second)
        consonant = noise(chance.uniform(0.03, 0.12), level / 6, int(chance.integers(2**31)))
        pieces += [vowel * _hump(vowel), consonant * _hump(consonant)]
        if chance.random() < 0.3:
            pieces.append(quiet(chance.uniform(0, 0.25)))
    return np.concatenate(pieces)[: round(seconds * RATE_HZ)]


def _hump(wave: Wave) -> Wave:
    return np.hanning(len(wave)).astype(np.float32)


def _times(seconds: float) -> npt.NDArray[np.float64]:
    return np.arange(round(seconds * RATE_HZ)) / RATE_HZ
