"""Stretches of sound that follow each other: exact in length and place, and without a click."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reelremix.engine.domain.time import TimeRange
from reelremix.engine.media.audio import PROGRAMME, Samples, read_pcm
from reelremix.engine.media.joints import FADE, RATE, REACH, joint, quietest, read_joined
from tests.fakes import gathered, presented
from tests.media_factory import sound_of, tone, write_media


def spans(*ends: tuple[float, float]) -> tuple[TimeRange, ...]:
    return tuple(TimeRange.from_seconds(a, b) for a, b in ends)


def noise(seconds: float, level: float = 0.1, seed: int = 0) -> Samples:
    made = np.random.default_rng(seed).normal(size=(2, round(seconds * RATE))) * level
    return made.astype(np.float32)


def a_wave(path: Path, wave: Samples, **more: Any) -> Path:
    return write_media(path, None, sound_of(wave, codec="pcm_s16le", **more))


def test_one_range_is_the_sound_as_it_is(tmp_path: Path) -> None:
    path = a_wave(tmp_path / "a.wav", tone(2))
    (span,) = spans((0.3, 1.7))
    plain = gathered(read_pcm(path, presented(path), span, PROGRAMME))
    assert np.array_equal(gathered(read_joined(path, presented(path), (span,))), plain)


@pytest.mark.parametrize(("rate_hz", "layout", "channels"), [(44_100, "stereo", 2),
                                                             (16_000, "mono", 1)])  # fmt: skip
def test_the_length_is_that_of_the_ranges(
    tmp_path: Path, rate_hz: int, layout: str, channels: int
) -> None:
    wave = tone(4, channels=channels, rate_hz=rate_hz)
    path = a_wave(tmp_path / "a.wav", wave, rate_hz=rate_hz, layout=layout)
    kept = spans((0, 0.5), (0.61, 1.2), (1.9, 1.903), (3, 3.0001), (2.2, 4))
    joined = gathered(read_joined(path, presented(path), kept))
    exact = sum(((r.end - r.start).exact for r in kept), Fraction(0))
    assert joined.shape == (2, round(exact * RATE))


def test_away_from_the_joins_no_sample_is_moved(tmp_path: Path) -> None:
    path = a_wave(tmp_path / "a.wav", noise(4))
    kept = spans((0.5, 1.5), (2, 3))
    joined = gathered(read_joined(path, presented(path), kept))
    for span, at in zip(kept, (0, RATE), strict=True):
        plain = gathered(read_pcm(path, presented(path), span, PROGRAMME))
        inner = slice(REACH, RATE - REACH)
        assert np.array_equal(joined[:, at:][:, inner], plain[:, inner])


def test_the_sound_changes_over_in_the_quiet_and_not_at_the_pictures_cut() -> None:
    left, right = (noise(2 * REACH / RATE, 0.2, seed) for seed in (1, 2))
    quiet = slice(REACH // 3, REACH // 3 + 2 * FADE)
    for side in (left, right):
        side[:, quiet] *= 0.001
    place = quietest(left, right, FADE)
    assert quiet.start <= place <= quiet.stop
    joined = joint(left, right)
    assert np.array_equal(joined[:, quiet.stop :], right[:, quiet.stop :])
    assert np.array_equal(joined[:, : quiet.start], left[:, : quiet.start])


def test_the_tone_of_a_room_goes_on_over_a_join() -> None:
    left, right = noise(2 * REACH / RATE, seed=3), noise(2 * REACH / RATE, seed=4)
    power = np.square(joint(left, right)).mean(axis=0).reshape(-1, 96).mean(axis=1)
    assert power.min() > 0.6 * 0.01 and power.max() < 1.5 * 0.01


def test_a_join_in_a_loud_tone_does_not_click() -> None:
    t = np.arange(2 * REACH) / RATE
    left = np.tile(0.5 * np.sin(2 * np.pi * 440 * t), (2, 1)).astype(np.float32)
    right = np.tile(0.5 * np.sin(2 * np.pi * 440 * t + 2), (2, 1)).astype(np.float32)
    hard = np.concatenate([left[:, :REACH], right[:, REACH:]], axis=1)
    sharpness = [float(np.abs(np.diff(x[0].astype(np.float64), 2)).max())
                 for x in (left, joint(left, right), hard)]  # fmt: skip
    assert sharpness[1] < 1.5 * sharpness[0] < sharpness[2]


def test_ranges_too_short_to_fade_are_still_played(tmp_path: Path) -> None:
    path = a_wave(tmp_path / "a.wav", tone(1))
    kept = spans((0, 0.4), (0.5, 0.50001), (0.6, 0.9))
    assert gathered(read_joined(path, presented(path), kept)).shape[1] == round(0.70001 * RATE)


def test_six_channels_become_two(tmp_path: Path) -> None:
    wave = tone(2, channels=6)
    path = write_media(tmp_path / "a.mkv", None, sound_of(wave, layout="5.1"))
    joined = gathered(read_joined(path, presented(path), spans((0, 0.5), (1, 1.5))))
    assert joined.shape == (2, RATE) and np.abs(joined).max() > 0.1
