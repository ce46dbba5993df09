"""Mel-frequency cepstral coefficients, as the active speaker network was trained on them.

Davis and Mermelstein, "Comparison of parametric representations for monosyllabic word recognition",
1980, with the constants of `python_speech_features` 0.6: pre-emphasis 0.97, 25 ms windows without
taper, 26 triangles, sine lifter 22, the first coefficient replaced by the energy.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from reelremix.engine.models.speech import RATE_HZ, Speech

STEP_HZ = 100
COEFFICIENTS = 13
WINDOW = RATE_HZ * 25 // 1000
STEP = RATE_HZ // STEP_HZ
BANDS = 26
POINTS = 512
LIFTER = 22
EMPHASIS = 0.97
FULL_SCALE = 32768.0
"""Training sound was 16-bit integers."""

Floats = npt.NDArray[np.float64]


def mel_cepstrum(sound: Speech, count: int) -> npt.NDArray[np.float32]:
    """Shape (count, 13), every 10 ms from the beginning; what lies behind the end is silence."""
    samples = np.zeros((count - 1) * STEP + WINDOW)
    known = sound[: len(samples)].astype(np.float64) * FULL_SCALE
    samples[: len(known)] = known
    samples[1:] -= EMPHASIS * samples[:-1]
    windows = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::STEP]
    power: Floats = np.abs(np.fft.rfft(windows, POINTS)) ** 2 / POINTS
    bands = np.log(_above_zero(power @ _triangles().T))
    cepstrum = bands @ _cosines().T * _lifter()
    cepstrum[:, 0] = np.log(_above_zero(power.sum(axis=1)))
    return cepstrum.astype(np.float32)


def _above_zero(values: Floats) -> Floats:
    smallest: Floats = np.maximum(values, np.finfo(np.float64).eps)
    return smallest


@cache
def _triangles() -> Floats:
    """Shape (bands, points / 2 + 1)."""
    top = 2595 * np.log10(1 + RATE_HZ / 2 / 700)
    hertz = 700 * (10 ** (np.linspace(0, top, BANDS + 2) / 2595) - 1)
    edges: Floats = np.floor((POINTS + 1) * hertz / RATE_HZ)
    bins: Floats = np.arange(POINTS // 2 + 1, dtype=np.float64)
    low, middle, high = (edges[i : i + BANDS].reshape(-1, 1) for i in range(3))
    rising, falling = (bins - low) / (middle - low), (high - bins) / (high - middle)
    is_rising = (bins >= low) & (bins < middle)
    is_falling = (bins >= middle) & (bins < high)
    return np.where(is_rising, rising, np.where(is_falling, falling, 0.0))


@cache
def _cosines() -> Floats:
    """The orthonormal cosine transform, shape (coefficients, bands)."""
    turns = np.arange(COEFFICIENTS)[:, None] * (2 * np.arange(BANDS) + 1) / (2 * BANDS)
    matrix: Floats = np.cos(np.pi * turns) * np.sqrt(2 / BANDS)
    matrix[0] /= np.sqrt(2)
    return matrix


@cache
def _lifter() -> Floats:
    return 1 + LIFTER / 2 * np.sin(np.pi * np.arange(COEFFICIENTS) / LIFTER)
