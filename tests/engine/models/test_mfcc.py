from __future__ import annotations

import numpy as np

from reelremix.engine.models.mfcc import COEFFICIENTS, mel_cepstrum
from reelremix.engine.models.speech import Speech


def sine(hz: float, seconds: float = 0.1, level: float = 0.1) -> Speech:
    t = np.arange(round(seconds * 16_000)) / 16_000
    return (level * np.sin(2 * np.pi * hz * t)).astype(np.float32)


def test_there_is_a_row_every_ten_milliseconds_even_behind_the_end_of_the_sound() -> None:
    assert mel_cepstrum(sine(440, 0.05), 20).shape == (20, COEFFICIENTS)


def test_silence_has_finite_values() -> None:
    assert np.isfinite(mel_cepstrum(np.zeros(1600, np.float32), 8)).all()


def test_the_first_value_is_the_energy() -> None:
    """A tenfold amplitude is a hundredfold power, whatever the sound."""
    quiet, loud = mel_cepstrum(sine(440, level=0.01), 4), mel_cepstrum(sine(440), 4)
    np.testing.assert_allclose(loud[:, 0] - quiet[:, 0], np.log(100), atol=0.01)
    np.testing.assert_allclose(loud[:, 1:], quiet[:, 1:], atol=0.1)


def test_values_are_those_of_python_speech_features() -> None:
    """The third row of a 440 Hz sine at a tenth of full scale, by version 0.6 of that package."""
    expected = [
        17.28,
        50.7,
        5.31,
        -2.36,
        -25.63,
        -26.82,
        -27.54,
        -13.23,
        -0.73,
        13.74,
        19.47,
        19.55,
    ]
    np.testing.assert_allclose(mel_cepstrum(sine(440), 4)[2, :12], expected, atol=0.01)
