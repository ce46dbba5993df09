from __future__ import annotations

import numpy as np
import pytest

from reelremix.engine.domain.sound import SILENT_LUFS
from reelremix.engine.stages.acoustics import (
    BEAT_CELL,
    CELL,
    Floats,
    levels_and_pitch,
    repetition,
)
from tests.sound_factory import Wave, babble, laugh, noise, quiet, sine, voice

LEAD = 3 * BEAT_CELL
CELLS = 100


def measured(sound: Wave) -> tuple[Floats, Floats]:
    """Levels and pitch of two seconds in the middle of at least five."""
    return levels_and_pitch(sound, LEAD, CELLS)


@pytest.mark.parametrize("hz", [70, 98, 130.8, 220, 440, 780])
def test_the_pitch_of_a_tone_and_of_a_voice_is_right(hz: float) -> None:
    for sound in (sine(6, hz), voice(6, hz)):
        _, pitch = measured(sound)
        assert pitch == pytest.approx(np.full(CELLS, hz), rel=0.015 if hz < 90 else 0.005)


def test_a_voice_without_its_fundamental_keeps_its_pitch() -> None:
    sound = sine(6, 400) + sine(6, 600) + sine(6, 800)
    assert measured(sound)[1] == pytest.approx(np.full(CELLS, 200), rel=0.005)


def test_noise_and_silence_have_no_pitch() -> None:
    for sound in (noise(6), quiet(6)):
        assert not measured(sound)[1].any()


def test_neither_an_offset_nor_clipping_changes_the_pitch() -> None:
    sound = voice(6, 150, level=0.5)
    for changed in (sound + np.float32(0.4), (6 * sound).clip(-1, 1)):
        assert measured(changed)[1] == pytest.approx(np.full(CELLS, 150), rel=0.005)


def test_a_full_scale_tone_has_the_loudness_the_recommendation_gives() -> None:
    level, _ = measured(sine(6, 997, level=1.0))  # BS.1770: -3.01 LKFS in one channel
    assert level == pytest.approx(np.full(CELLS, -3.01), abs=0.05)


@pytest.mark.parametrize(("hz", "gain_db"), [(40, -6.3), (100, -1.8), (2000, 2.4), (6000, 3.3)])
def test_loudness_is_weighted_by_frequency(hz: float, gain_db: float) -> None:
    reference, _ = measured(sine(6, 997))
    level, _ = measured(sine(6, hz))
    assert float(np.median(level - reference)) == pytest.approx(gain_db, abs=0.35)


def test_half_the_amplitude_is_six_decibels_less() -> None:
    loud, low = (measured(noise(6, level))[0] for level in (0.2, 0.1))
    assert loud - low == pytest.approx(np.full(CELLS, 6.02), abs=0.01)


def test_silence_and_a_pure_offset_are_at_the_floor() -> None:
    for sound in (quiet(6), np.full(96_000, 0.5, np.float32)):
        assert measured(sound)[0] == pytest.approx(np.full(CELLS, SILENT_LUFS), abs=0.01)


def test_a_cell_is_loud_when_the_sound_in_it_is() -> None:
    sound = np.concatenate([quiet(2.44), sine(0.2, 500), quiet(4)])
    level, _ = measured(sound)
    loud = np.flatnonzero(level > -30) * CELL + LEAD
    assert loud[0] / 16_000 == pytest.approx(2.44, abs=0.021)
    assert (loud[-1] + CELL) / 16_000 == pytest.approx(2.64, abs=0.021)


@pytest.mark.parametrize("calls_per_s", [3.5, 4.5, 5.5, 7.0])
@pytest.mark.parametrize("hz", [110, 240, 420])
def test_laughter_repeats_itself(calls_per_s: float, hz: float) -> None:
    sound = laugh(6, hz, calls_per_s) + noise(6, 0.002)
    assert repetition(sound, LEAD, 5).min() > 0.6


@pytest.mark.parametrize("seed", range(4))
def test_syllables_do_not_repeat_themselves_as_laughter_does(seed: int) -> None:
    found = repetition(babble(23, seed=seed) + noise(23, 0.002), LEAD, 40)
    assert np.quantile(found, 0.9) < 0.4


def test_what_is_steady_or_slow_or_silent_does_not_repeat_itself() -> None:
    slow = laugh(8, calls_per_s=1.2) + noise(8, 0.002)
    for sound in (noise(8), voice(8, 150), quiet(8), slow):
        assert repetition(sound, LEAD, 5).max() < 0.3
