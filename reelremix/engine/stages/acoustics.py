"""Level, pitch and rhythm of sound, measured in blocks of equal length.

Pure functions over mono samples at 16 kHz. Everything lies on one grid of cells of 20 ms: a frame
is centred on its cell, so a block needs some sound before and behind it. What the numbers mean
together, and how blocks join, is `stages.listen`'s work.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from reelremix.engine.domain.sound import SILENT_LUFS
from reelremix.engine.models.sounds import HOP, log_mel
from reelremix.engine.models.speech import RATE_HZ, Speech

Floats = npt.NDArray[np.float32]

CELL = 320
"""Samples of a cell of 20 ms."""
BEAT_CELL = 7680
"""Samples of a cell of 0.48 s, in which repetition is measured."""
FRAME = 736
"""Three periods of the lowest pitch, which Boersma's method needs."""
TRANSFORM = 1024
"""At least a frame and the longest lag, so that the correlation does not wrap round."""
LOWEST_HZ, HIGHEST_HZ = 65, 800
VOICED_CORRELATION = 0.6
OCTAVE_COST = 0.02
"""How much more a lag must correlate than half that lag to be believed."""
PITCH_BAND_HZ = (50, 2500)
FLOOR_POWER = 10 ** ((SILENT_LUFS + 0.691) / 10)

RHYTHM_WINDOW, RHYTHM_MEAN = 144, 100
"""Spectrogram frames (10 ms) compared with themselves, and over which their mean is taken."""
PULSE_LAGS = range(12, 35)
"""Frames from pulse to pulse: laughter has 3 to 8 a second."""
SPECTRUM_FLOOR = -4.0
"""Log magnitudes below are not looked at; 75 dB under a full-scale tone."""
MIN_MOVEMENT = 50.0
"""Sum over mel bands of the variance of log magnitudes: less is no series of bursts."""


def levels_and_pitch(sound: Speech, lead: int, cells: int) -> tuple[Floats, Floats]:
    """Level and fundamental frequency of `cells` cells, the first beginning at sample `lead`.

    Level: K-weighted (ITU-R BS.1770-4) in LUFS. Pitch: the autocorrelation method of Boersma,
    "Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio
    of a sampled sound", 1993, without its path search; in Hz, 0 where unvoiced.

    Returns:
        Two arrays of shape (cells,).
    """
    first = lead + CELL // 2 - FRAME // 2
    part = sound[first : first + (cells - 1) * CELL + FRAME]
    frames = np.lib.stride_tricks.sliding_window_view(part, FRAME)[::CELL]
    # An offset would leak into the lowest bins.
    centred = frames - frames.mean(axis=1, keepdims=True)
    spectrum = np.fft.rfft(centred * _hann(), TRANSFORM)
    power = np.asarray(spectrum.real**2 + spectrum.imag**2, np.float32)
    energy = np.maximum(power @ _loudness_weights(), FLOOR_POWER)
    level = np.asarray(-0.691 + 10 * np.log10(energy), np.float32)
    return level, np.where(level > SILENT_LUFS, _pitch(power), np.float32(0))


def _pitch(power: Floats) -> Floats:
    """Pitch of frames from their power spectra, shape (frames,), 0 where unvoiced."""
    longest, shortest = RATE_HZ // LOWEST_HZ + 1, RATE_HZ // HIGHEST_HZ - 1
    correlation = np.fft.irfft(power * _pitch_band(), TRANSFORM)[:, : longest + 1]
    strength = np.asarray(
        correlation / (correlation[:, :1] + 1e-12) / _window_correlation()[: longest + 1],
        np.float32,
    )
    lags = np.arange(shortest + 1, longest)
    here = strength[:, shortest + 1 : longest]
    before, behind = strength[:, shortest : longest - 1], strength[:, shortest + 2 : longest + 1]
    is_peak = (here >= before) & (here > behind) & (here >= VOICED_CORRELATION)
    worth = np.where(is_peak, here - OCTAVE_COST * np.log2(lags), -np.inf)
    best = worth.argmax(axis=1)
    row = np.arange(len(power))
    a, b, c = before[row, best], here[row, best], behind[row, best]
    offset = 0.5 * (a - c) / np.minimum(a - 2 * b + c, -1e-9)  # the parabola through three points
    found = np.isfinite(worth[row, best])
    return np.where(found, RATE_HZ / (lags[best] + offset), 0).astype(np.float32)


def repetition(sound: Speech, lead: int, cells: int) -> Floats:
    """How much the sound repeats itself 3 to 8 times a second, as laughter does.

    The mel spectrogram around each cell of 0.48 s, less its mean over a second, is correlated with
    itself. Syllables have the same rhythm, but each another spectrum: nine tenths of speech stay
    under 0.15, the pulses of a laugh reach 0.5 to 0.8. (Bachorowski, Smoski and Owren, "The
    acoustic features of human laughter", 2001, describe them: equal calls, 4 to 5 a second.)

    Args:
        sound: `cells` cells with `lead` samples before them and as many behind.
        lead: a multiple of `HOP`, at least 0.98 s.
        cells: of `BEAT_CELL` samples.

    Returns:
        The highest correlation at a peak over the lags, shape (cells,), 0 where there is none.
    """
    spectrum = np.maximum(log_mel(sound), SPECTRUM_FLOOR)
    moves = np.asarray(spectrum - _running_mean(spectrum, RHYTHM_MEAN), np.float32)
    starts = (lead - (RHYTHM_WINDOW * HOP - BEAT_CELL) // 2 + np.arange(cells) * BEAT_CELL) // HOP
    ends = starts + RHYTHM_WINDOW
    energy = _sums((moves**2).sum(axis=1))
    rows = []
    for lag in range(PULSE_LAGS.start - 1, PULSE_LAGS.stop + 1):
        together = _sums(np.einsum("tb,tb->t", moves[:-lag], moves[lag:]))
        early = energy[ends - lag] - energy[starts]
        late = energy[ends] - energy[starts + lag]
        rows.append((together[ends - lag] - together[starts]) / np.sqrt(early * late + 1e-6))
    strength = np.stack(rows)
    is_peak = (strength[1:-1] >= strength[:-2]) & (strength[1:-1] >= strength[2:])
    best = np.where(is_peak, strength[1:-1], 0).max(axis=0)
    is_moving = energy[ends] - energy[starts] >= MIN_MOVEMENT * RHYTHM_WINDOW
    return np.where(is_moving, np.maximum(best, 0), 0).astype(np.float32)


def _running_mean(rows: Floats, length: int) -> npt.NDArray[np.float64]:
    """Mean over `length` rows around each; at both ends over those there are."""
    sums = _sums(rows)
    at = np.arange(len(rows))
    first, last = np.maximum(at - length // 2, 0), np.minimum(at + length // 2, len(rows))
    return np.asarray((sums[last] - sums[first]) / (last - first)[:, None])


def _sums(values: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    """Sums of the first 0, 1, 2... rows."""
    sums = np.zeros((len(values) + 1, *values.shape[1:]))
    np.cumsum(values, axis=0, out=sums[1:])
    return sums


@cache
def _hann() -> Floats:
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(FRAME) + 0.5) / FRAME), np.float32)


@cache
def _window_correlation() -> npt.NDArray[np.float64]:
    power = np.abs(np.fft.rfft(_hann(), TRANSFORM)) ** 2
    correlation = np.fft.irfft(power, TRANSFORM)
    return np.asarray(correlation / correlation[0])


@cache
def _frequencies() -> npt.NDArray[np.float64]:
    return np.asarray(np.fft.rfftfreq(TRANSFORM, 1 / RATE_HZ), np.float64)


@cache
def _pitch_band() -> Floats:
    low, high = PITCH_BAND_HZ
    return ((_frequencies() >= low) & (_frequencies() <= high)).astype(np.float32)


@cache
def _loudness_weights() -> Floats:
    """What turns a power spectrum into a K-weighted mean square (Parseval)."""
    sides = np.full(TRANSFORM // 2 + 1, 2.0)
    sides[[0, -1]] = 1.0
    scale = sides / (TRANSFORM * (_hann().astype(np.float64) ** 2).sum())
    return np.asarray(scale * _k_weighting(_frequencies()), np.float32)


def _k_weighting(hertz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Power gain of the two filters of BS.1770-4, from the coefficients it gives at 48 kHz."""
    z = np.exp(-2j * np.pi * hertz / 48_000)
    shelf = (1.53512485958697 - 2.69169618940638 * z + 1.19839281085285 * z**2) / (
        1 - 1.69065929318241 * z + 0.73248077421585 * z**2
    )
    high_pass = (1 - 2 * z + z**2) / (1 - 1.99004745483398 * z + 0.99007225036621 * z**2)
    return np.asarray(np.abs(shelf * high_pass) ** 2)
