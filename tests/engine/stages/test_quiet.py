"""How loud it is from moment to moment, and where it is quietest."""

from __future__ import annotations

import numpy as np
import pytest

from reelremix.engine.stages.quiet import FLOOR_DB, STEP_S, Loudness, measure

RATE = 16_000


def bursts(length_s: float, *loud: tuple[float, float], noise: float = 1e-4) -> Loudness:
    t = np.arange(round(length_s * RATE)) / RATE
    sound = np.random.default_rng(0).normal(size=len(t)) * noise
    for start, end in loud:
        sound += ((t >= start) & (t < end)) * 0.1 * np.sin(2 * np.pi * 300 * t)
    return measure(sound.astype(np.float32), 100.0)


def test_levels_are_those_of_the_sound() -> None:
    heard = bursts(2, (0.5, 1.5))
    assert len(heard.levels) == 2 / STEP_S and heard.end_s == pytest.approx(102)
    assert heard.at(101) == pytest.approx(-23, abs=0.5) and heard.at(100.2) < -70


def test_silences_lie_between_what_is_loud() -> None:
    found = bursts(3, (0.5, 1.0), (1.6, 2.5)).silences()
    assert np.allclose(found, [(100, 100.5), (101, 101.6), (102.5, 103)], atol=0.01)


def test_the_quietest_moment_lies_in_the_gap_between_two_sounds() -> None:
    heard = bursts(2, (0.2, 0.98), (1.02, 1.8))
    assert heard.quietest_s(100.9, 101.1) == pytest.approx(101, abs=0.015)


def test_noise_as_loud_as_speech_leaves_no_silence() -> None:
    assert bursts(3, (0.5, 1.0), noise=0.05).silences() == []


def test_speech_is_found_where_little_is_said() -> None:
    assert bursts(20, (5, 5.8)).speech_db() > -35


@pytest.mark.parametrize("samples", [0, 10, 79, 80, 81])
def test_hardly_any_sound_is_measured_without_harm(samples: int) -> None:
    heard = measure(np.zeros(samples, np.float32), 5.0)
    assert len(heard.levels) == samples // 80
    assert heard.at(5) == heard.speech_db() == pytest.approx(FLOOR_DB)
    assert heard.silences() == [] and heard.quietest_s(5, 6) >= 5
