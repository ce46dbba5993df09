"""The sound of a clip, from its source to what the film gets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reelremix.engine.domain.choice import Censor
from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.context import CancelToken
from reelremix.engine.domain.mix import Censored, Fades, Mix, Music
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Word
from reelremix.engine.media.audio import PROGRAMME, LoudnessMeter, Samples, read_pcm
from reelremix.engine.stages.level import Programme, find_level
from reelremix.engine.stages.mixing import RATE, Mixed, fades_for, require_music
from reelremix.errors import SourceError, UnreadableMedia
from tests.fakes import clip_of, gathered, presented
from tests.media_factory import Film, sound_of, tone, write_media

SPAN = TimeRange.from_seconds(0, 6)


def word(start: float, end: float, text: str = "so") -> Word:
    return Word(text, TimeRange.from_seconds(start, end))


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """Two seconds of tone, two of silence, two of tone."""
    sound = np.concatenate([tone(2, 300, 0.2), tone(2, level=0), tone(2, 300, 0.2)], axis=1)
    return write_media(tmp_path / "talk.mkv", Film(150), sound_of(sound, codec="pcm_s16le"))


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return write_media(tmp_path / "song.wav", None, sound_of(tone(1.5, 2000), codec="pcm_s16le"))


def clip(path: Path, mix: Mix, **more: Any) -> Clip:
    return clip_of(presented(path), 0, 6, mix=mix, **more)


def mixed(path: Path, made: Clip, music: Path | None = None) -> Samples:
    return gathered(iter(Mixed(path, presented(path), made, music)))


def level(sound: Samples, start_s: float, end_s: float, hz: float) -> float:
    """How strong a tone is in a part of the sound, in dB."""
    part = sound[0, round(start_s * RATE) : round(end_s * RATE)]
    t = np.arange(len(part)) / RATE
    return float(20 * np.log10(abs(np.mean(part * np.exp(-2j * np.pi * hz * t))) * 2 + 1e-9))


def test_the_default_mix_is_the_sound_as_it_is(talk: Path) -> None:
    plain = gathered(read_pcm(talk, presented(talk), SPAN, PROGRAMME))
    assert np.array_equal(mixed(talk, clip(talk, Mix())), plain)


def test_the_ends_of_a_clip_fade(talk: Path) -> None:
    heard = mixed(talk, clip(talk, Mix(fades=Fades(0.03, 0.15))))
    assert np.abs(heard[:, :48]).max() < 0.02 and np.abs(heard[:, -48:]).max() < 0.02
    assert level(heard, 0.05, 1.9, 300) == pytest.approx(-14, abs=0.2)


@pytest.mark.parametrize(
    ("words", "fades"),
    [((), (0.03, 0.15)), ((word(1, 5),), (0.03, 0.15)), ((word(0, 6),), (0.004, 0.004)),
     ((word(0.02, 5.9),), (0.02, 0.1)), ((word(-1, 9),), (0.004, 0.004))],
)  # fmt: skip
def test_fades_never_reach_into_a_word(
    talk: Path, words: tuple[Word, ...], fades: tuple[float, float]
) -> None:
    made = fades_for(clip(talk, Mix(), words=words))
    assert (made.in_s, made.out_s) == pytest.approx(fades)


@pytest.mark.parametrize("level_db", [-12.0, -20.0])
def test_music_is_as_loud_as_asked_in_pauses_and_lower_under_speech(
    talk: Path, song: Path, level_db: float
) -> None:
    music = Music("song.wav", "0" * 64, level_db)
    spoken = (word(0, 2), word(4, 6))
    heard = mixed(talk, clip(talk, Mix(music=music), words=spoken), song)
    pause, under = level(heard, 2.8, 3.4, 2000), level(heard, 1, 1.4, 2000)
    assert pause - under == pytest.approx(8, abs=0.7)
    alone = heard[:, round(2.7 * RATE) : round(3.5 * RATE)]
    speech = heard[:, round(0.5 * RATE) : round(1.5 * RATE)]
    assert lufs(alone) - lufs(speech) == pytest.approx(level_db, abs=2.5)


def lufs(sound: Samples) -> float:
    meter = LoudnessMeter()
    meter.add(sound)
    return meter.result().integrated_lufs or -70.0


def test_music_without_words_or_speech_plays_throughout(tmp_path: Path, song: Path) -> None:
    quiet = write_media(tmp_path / "q.mkv", Film(150), sound_of(tone(6, level=0)))
    music = Music("song.wav", "0" * 64, -12.0)
    heard = mixed(quiet, clip(quiet, Mix(music=music)), song)
    assert heard.shape[1] == 6 * RATE and level(heard, 2, 3, 2000) > -60


def test_music_fades_in_and_out(talk: Path, song: Path) -> None:
    music = Music("song.wav", "0" * 64, 0.0)
    heard = mixed(talk, clip(talk, Mix(music=music)), song)
    assert level(heard, 0, 0.05, 2000) < level(heard, 1, 1.4, 2000) - 15
    assert level(heard, 5.95, 6, 2000) < level(heard, 1, 1.4, 2000) - 15


def test_censored_stretches_follow_the_kept_ranges(talk: Path) -> None:
    ranges = (TimeRange.from_seconds(0, 1), TimeRange.from_seconds(4, 6))
    cover = Censored(TimeRange.from_seconds(4.5, 4.8), Censor.MUTE)
    heard = mixed(talk, clip(talk, Mix(), ranges=ranges, censored=(cover,)))
    assert np.abs(heard[:, round(1.5 * RATE) : round(1.8 * RATE)]).max() == 0
    assert level(heard, 1.1, 1.45, 300) > -16


def test_everything_at_once_keeps_length_loudness_and_peak(talk: Path, song: Path) -> None:
    music = Music("song.wav", "0" * 64, -12.0)
    made = clip(talk, Mix(True, True, music, Fades(0.03, 0.15)), words=(word(0, 2),),
                censored=(Censored(TimeRange.from_seconds(1, 1.5), Censor.BLEEP),))  # fmt: skip
    programme = Programme(talk, presented(talk), made, CancelToken(), song)
    heard = gathered(programme.at(find_level(programme)))
    assert heard.shape[1] == 6 * RATE
    assert lufs(heard) == pytest.approx(-14, abs=1)
    assert np.abs(heard).max() <= 10 ** (-1 / 20)


def test_a_film_without_sound_is_no_music(tmp_path: Path) -> None:
    silent = write_media(tmp_path / "silent.mp4", Film(10))
    with pytest.raises(UnreadableMedia, match=r"silent\.mp4 holds no sound"):
        require_music(silent)


def test_what_is_no_media_file_is_no_music(tmp_path: Path) -> None:
    text = tmp_path / "song.mp3"
    text.write_text("not music")
    with pytest.raises(SourceError, match=r"song\.mp3"):
        require_music(text)
    with pytest.raises(SourceError, match=r"gone\.mp3"):
        require_music(tmp_path / "gone.mp3")
