"""The steady noise under speech: its spectrum where the sound is quietest, and a filter against it.

FFmpeg's `afftdn` takes little away that it was not told about: measured, its own tracking gained
0.5 dB where the spectrum of the noise gains 8. So the noise is measured here, in the fifteen bands
that the filter knows, and speech that has none is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from reelremix.engine.media.audio import PROGRAMME, Samples
from reelremix.engine.media.sound_chain import in_seconds

LATENCY = PROGRAMME.rate_hz // 40
"""Samples by which `afftdn` is late."""
REDUCTION_DB = 12
"""Gentle: more is heard as bubbles."""
FRAME = 2048
QUIETEST = 0.1
"""Share of a clip that is taken for noise alone."""
UNDERESTIMATED_DB = 3.0
"""The quietest moments are quieter than the noise is at most."""
BANDS_HZ = (80, 125, 192, 293, 444, 671, 1012, 1523, 2290, 3440, 5165, 7752, 11633, 17454, 26186)
"""Middles of the bands that `afftdn` works in."""
FLOOR_DB = -80.0
"""Less is no noise."""
CEILING_DB = -20.0

Bands = npt.NDArray[np.float64]


def noise_of(blocks: Iterable[Samples]) -> Bands | None:
    """The noise in each band, in dB of full scale; None for less sound than can be measured."""
    rows = [row for block in in_seconds(blocks) for row in _spectra(block)]
    if not rows:
        return None
    powers = np.stack(rows)
    order = np.argsort(powers.mean(axis=1))
    quietest = powers[order[: max(1, round(QUIETEST * len(order)))]].mean(axis=0)
    return np.asarray(10 * np.log10(quietest + 10 ** (FLOOR_DB / 10)) + UNDERESTIMATED_DB)


def against(noise: Bands) -> list[tuple[str, str]]:
    """The filter that takes such noise away."""
    level = float(np.clip(noise.mean(), FLOOR_DB, CEILING_DB))
    shape = "|".join(f"{band:.0f}" for band in np.clip(noise - level, -24, 24))
    options = f"noise_reduction={REDUCTION_DB}:noise_floor={level:.1f}:noise_type=custom"
    return [("afftdn", f"{options}:band_noise={shape}")]


def _spectra(block: Samples) -> Iterable[Bands]:
    """For each frame the power in each band, as white noise of that density would have in all."""
    mono = block.mean(axis=0)
    frames = mono[: len(mono) // FRAME * FRAME].reshape(-1, FRAME)
    window = np.hanning(FRAME)
    power = np.abs(np.fft.rfft(frames * window)) ** 2 / np.square(window).sum()
    starts = np.searchsorted(np.fft.rfftfreq(FRAME, 1 / PROGRAMME.rate_hz), _edges()[:-1])
    sums = np.add.reduceat(power, starts, axis=1)
    return iter(sums / np.diff([*starts, power.shape[1]]))


def _edges() -> Bands:
    middles = np.array(BANDS_HZ, np.float64)
    return np.concatenate([[0.0], np.sqrt(middles[:-1] * middles[1:]), [PROGRAMME.rate_hz / 2]])
