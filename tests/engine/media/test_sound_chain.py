"""Every step of the sound's chain gives as many samples as it takes, in the same place."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelremix.engine.domain.choice import Censor
from reelremix.engine.media.audio import LoudnessMeter, Samples
from reelremix.engine.media.noise import LATENCY, against, noise_of
from reelremix.engine.media.sound_chain import (
    LEVELLING,
    RATE,
    Cover,
    added,
    covered,
    ducking,
    faded,
    filtered,
    fitted,
    looped,
    shaped,
)
from tests.fakes import gathered
from tests.media_factory import tone


def blocks(sound: Samples, length: int = 1024) -> Iterator[Samples]:
    return (sound[:, at : at + length] for at in range(0, sound.shape[1], length))


@pytest.mark.parametrize("total", [0, 1, 1024, 1500, 4000])
def test_fitted_sound_has_exactly_the_samples_asked_for(total: int) -> None:
    sound = tone(2_500 / RATE)
    made = np.concatenate([np.zeros((2, 0)), *fitted(blocks(sound), total)], axis=1)
    assert made.shape == (2, total)
    assert np.array_equal(made[:, :2_500], sound[:, :total])
    assert not made[:, 2_500:].any()


def babble(seconds: float, level: float, seed: int = 0) -> Samples:
    """Bursts of noise like syllables, with pauses."""
    t = np.arange(round(seconds * RATE)) / RATE
    made = np.random.default_rng(seed).normal(size=(1, len(t)))
    low = np.convolve(made[0], np.ones(24) / 5, "same")
    syllables = np.clip(np.sin(2 * np.pi * 3 * t), 0, 1) * (t % 2.5 < 2)
    return np.tile(low * syllables * level, (2, 1)).astype(np.float32)


def db(sound: Samples) -> float:
    return float(10 * np.log10(np.square(sound).mean() + 1e-12))


def lufs(sound: Samples) -> float:
    meter = LoudnessMeter()
    meter.add(sound)
    return meter.result().integrated_lufs or -70.0


def test_filters_keep_the_number_and_the_place_of_samples() -> None:
    sound = np.zeros((2, 3 * RATE), np.float32)
    sound[:, RATE : RATE + 480] = 0.5
    noise = noise_of(blocks(babble(3, 0.1)))
    assert noise is not None
    for steps, late in ((LEVELLING, 0), (against(noise), LATENCY)):
        heard = gathered(filtered(blocks(sound), steps, late))
        assert heard.shape == sound.shape
        assert abs(int(np.abs(heard[0]).argmax()) - RATE) <= 480


@pytest.mark.parametrize("snr_db", [10, 20])
def test_denoising_takes_steady_noise_away(snr_db: float) -> None:
    clean = babble(10, 0.2)
    made = np.random.default_rng(5).normal(size=clean.shape)
    noise = (made * 10 ** ((db(clean) - snr_db) / 20)).astype(np.float32)
    profile = noise_of(blocks(clean + noise))
    assert profile is not None
    heard = gathered(filtered(blocks(clean + noise), against(profile), LATENCY))
    assert snr(clean, heard) > snr_db + 3
    pause = slice(round(2.1 * RATE), round(2.4 * RATE))
    assert db(heard[:, pause]) < db(noise) - 8


def test_denoising_leaves_clean_speech_alone() -> None:
    clean = babble(10, 0.2)
    profile = noise_of(blocks(clean))
    assert profile is not None
    assert snr(clean, gathered(filtered(blocks(clean), against(profile), LATENCY))) > 30


def snr(wanted: Samples, heard: Samples) -> float:
    scale = float((wanted * heard).sum() / np.square(wanted).sum())
    return db(scale * wanted) - db(heard - scale * wanted)


def test_too_little_sound_has_no_noise() -> None:
    assert noise_of([np.zeros((2, 100), np.float32)]) is None
    assert noise_of([]) is None


def test_two_voices_12_db_apart_come_within_3_of_each_other() -> None:
    turns = [babble(8, 0.2 if n % 2 else 0.05, seed=n) for n in range(4)]
    sound = np.concatenate(turns, axis=1)
    assert abs(lufs(turns[0]) - lufs(turns[1])) > 11
    heard = gathered(filtered(blocks(sound), LEVELLING))
    loud = [lufs(heard[:, n * 8 * RATE : (n + 1) * 8 * RATE]) for n in range(4)]
    assert max(loud) - min(loud) <= 3


def test_fades_reach_silence_at_both_ends_and_touch_nothing_else() -> None:
    sound = np.ones((2, RATE), np.float32)
    heard = gathered(faded(blocks(sound), RATE, 480, 960))
    assert heard[0, 0] == 0 and heard[0, -1] < 0.01
    assert (heard[:, 480 : RATE - 960] == 1).all()


def test_no_fade_changes_nothing() -> None:
    sound = tone(1)
    assert np.array_equal(gathered(faded(blocks(sound), RATE, 0, 0)), sound)


@pytest.mark.parametrize("fades", [(RATE, RATE), (10 * RATE, 0), (0, 10 * RATE)])
def test_fades_longer_than_the_sound_stay_inside_it(fades: tuple[int, int]) -> None:
    heard = gathered(faded(blocks(np.ones((2, RATE), np.float32)), RATE, *fades))
    assert heard.shape[1] == RATE and heard.min() >= 0 and heard.max() <= 1


@pytest.mark.parametrize("mode", [Censor.BLEEP, Censor.MUTE])
def test_what_is_censored_cannot_be_heard(mode: Censor) -> None:
    sound = babble(4, 0.2)
    cover = Cover(round(1.1 * RATE), round(1.5 * RATE), mode)
    heard = gathered(covered(blocks(sound), [cover]))
    part, truth = heard[0, cover.start : cover.end], sound[0, cover.start : cover.end]
    if mode is Censor.MUTE:
        assert np.abs(part).max() == 0
    else:
        spectrum = np.abs(np.fft.rfft(part))
        assert abs(np.fft.rfftfreq(len(part), 1 / RATE)[spectrum.argmax()] - 1000) < 5
        assert abs(float(np.corrcoef(part, truth)[0, 1])) < 0.1
    edge = RATE // 50
    assert np.array_equal(heard[:, : cover.start - edge], sound[:, : cover.start - edge])
    assert np.array_equal(heard[:, cover.end + edge :], sound[:, cover.end + edge :])


def test_a_bleep_is_about_as_loud_as_the_speech_around_it() -> None:
    for level in (0.02, 0.2):
        sound = babble(6, level)
        cover = Cover(4 * RATE, 5 * RATE, Censor.BLEEP)
        heard = gathered(covered(blocks(sound), [cover]))
        spoken = babble(6, level)[:, : 2 * RATE]
        assert abs(db(heard[:, cover.start : cover.end]) - db(spoken)) < 5


def test_a_bleep_begins_and_ends_softly() -> None:
    sound = np.full((2, 2 * RATE), 0.001, np.float32)
    heard = gathered(covered(blocks(sound), [Cover(RATE, RATE + RATE // 4, Censor.BLEEP)]))
    steady = 2 * np.pi * 1000 / RATE * float(np.abs(heard).max())
    assert float(np.abs(np.diff(heard[0])).max()) < 1.2 * steady


def test_music_is_repeated_until_it_is_long_enough_and_cut_where_it_is_too_long() -> None:
    short, long = tone(0.5), tone(5)
    for piece in (short, long):
        once = partial(blocks, piece)
        assert gathered(looped(once, piece.shape[1], 2 * RATE)).shape[1] == 2 * RATE


def test_the_seam_of_repeated_music_does_not_click() -> None:
    piece = tone(0.4321, hz=300)
    heard = gathered(looped(lambda: blocks(piece), piece.shape[1], 2 * RATE))
    assert np.abs(np.diff(heard[0])).max() < 1.3 * np.abs(np.diff(piece[0])).max()


def test_two_sounds_are_added_whatever_their_blocks() -> None:
    a, b = tone(1, 300), tone(1.5, 500)
    heard = gathered(added(blocks(a, 1000), blocks(b, 777)))
    assert np.allclose(heard, a + b[:, :RATE])


def test_music_gives_way_to_speech_and_comes_back() -> None:
    second = RATE
    curve = ducking([(2 * second, 3 * second), (6 * second, 7 * second)], 0.4, 4800, 9600)
    at, gain = zip(*curve, strict=True)
    heard = np.interp([0, 2 * second, 2.5 * second, 4.5 * second, 6.5 * second], at, gain)
    assert np.allclose(heard, [1, 0.4, 0.4, 1, 0.4])


def test_music_stays_low_between_words() -> None:
    curve = ducking([(0, 100), (5000, 6000)], 0.4, 4800, 9600)
    at, gain = zip(*curve, strict=True)
    assert np.interp(2500, at, gain) == 0.4


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**5)), max_size=20))
def test_a_ducking_curve_never_goes_back_in_time(words: list[tuple[int, int]]) -> None:
    curve = ducking([(a, a + length) for a, length in words], 0.4, 4800, 9600)
    times = [at for at, _ in curve]
    assert times == sorted(times)


def test_a_gain_of_one_hands_blocks_on_untouched() -> None:
    block = tone(0.1)
    assert next(iter(shaped([block], [(0, 1.0), (10**6, 0.0)]))) is not block
    assert next(iter(shaped([block], [(10**5, 1.0), (10**6, 0.0)]))) is block
