"""Tightening, censoring and the mix through whole jobs: in the manifest, and again at `render`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reelremix.config import load_settings
from reelremix.engine.domain.choice import Censor, Tighten
from reelremix.engine.domain.events import ClipRendered
from reelremix.engine.domain.request import Aspect, RenderRequest, SoundOptions
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Segment, Transcript, Word
from reelremix.engine.library import Library
from reelremix.engine.media.audio import PROGRAMME, read_pcm
from reelremix.errors import ConfigError, UnreadableMedia
from tests.cli.commandline import words_file
from tests.engine.test_library import request
from tests.fakes import Recorder, gathered, presented
from tests.media_factory import Film, Wave, sound_of, tone, write_media

pytestmark = pytest.mark.slow

SAID = (("We", 0.4, 0.8), ("um,", 1.1, 1.4), ("shit", 1.7, 2.0), ("happens.", 2.1, 2.8),
        ("So", 5.0, 5.3), ("what.", 5.4, 5.9))  # fmt: skip


def talk_sound(seconds: float) -> Wave:
    """A hum in the place of each word."""
    wave = np.zeros((2, round(seconds * 48_000)), np.float32)
    for _, start, end in SAID:
        wave[:, round(start * 48_000) : round(end * 48_000)] = tone(end - start, 200)[
            :, : round(end * 48_000) - round(start * 48_000)
        ]
    return wave


@pytest.fixture
def library() -> Library:
    return Library.open(load_settings().settings)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    picture = Film(250, size=(160, 90))
    return write_media(tmp_path / "talk.mp4", picture, sound_of(talk_sound(10)))


@pytest.fixture
def words(tmp_path: Path) -> Path:
    spoken = tuple(Word(text, TimeRange.from_seconds(a, b)) for text, a, b in SAID)
    text = " ".join(word.text for word in spoken)
    segment = Segment(TimeRange(spoken[0].range.start, spoken[-1].range.end), text, spoken)
    return words_file(tmp_path / "words.json", Transcript("en", 0.9, (segment,)))


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return write_media(tmp_path / "song.wav", None, sound_of(tone(3, 3000), codec="pcm_s16le"))


def clipped(library: Library, film: Path, words: Path, **more: Any) -> Any:
    """The only clip of the first eight seconds, and its folder."""
    result = library.clip(request(film, words, (0, 8), **more))
    [clip] = result.manifest["clips"]
    return clip, result.folder


def test_a_tightened_clip_says_what_it_leaves_out(
    library: Library, film: Path, words: Path
) -> None:
    clip, _ = clipped(library, film, words, tighten=Tighten.LIGHT, captions="bold")
    tightened = clip["tightened"]
    reasons = [cut["reason"] for cut in tightened["removed"]]
    assert tightened["level"] == "light" and reasons[:2] == ["filler", "silence"]
    whole = sum(end - start for start, end in clip["ranges"])
    assert whole + tightened["removed_s"] == pytest.approx(8, abs=1e-5)
    assert clip["text"] == "We shit happens. So what."
    assert [word["text"] for word in clip["words"]] == clip["text"].split()
    assert clip["verdict"]["ok"] or clip["verdict"]["notes"]
    shown = [i for cue in clip["captions"]["cues"] for line in cue["lines"] for i in line]
    assert shown == list(range(5))
    starts = [piece["start_s"] for piece in clip["layout"]]
    assert all(start in starts for start, _ in clip["ranges"])


def test_subtitles_of_a_tightened_clip_are_on_the_films_clock(
    library: Library, film: Path, words: Path
) -> None:
    clip, folder = clipped(library, film, words, tighten=Tighten.STRONG)
    subtitles = (folder / clip["files"]["subtitles"]).read_text()
    assert "um" not in subtitles
    last = subtitles.split("-->")[-1].split()[0]
    seconds = float(last[6:8]) + float(last[9:]) / 1000
    assert seconds <= sum(end - start for start, end in clip["ranges"]) + 0.001


def test_off_is_the_default_and_says_nothing(library: Library, film: Path, words: Path) -> None:
    clip, _ = clipped(library, film, words)
    assert "tightened" not in clip and "censored" not in clip
    assert clip["ranges"] == [[0.0, 8.0]]
    assert clip["audio"] | {"gain_db": 0} == {
        "gain_db": 0, "denoise": False, "voice_level": False, "music": None,
        "fades": {"in_s": 0.03, "out_s": 0.15},
    }  # fmt: skip


def test_a_silent_recording_is_left_as_it_is(library: Library, tmp_path: Path, words: Path) -> None:
    silent = write_media(tmp_path / "talk.mp4", Film(250, size=(160, 90)))
    clip, _ = clipped(library, silent, words, tighten=Tighten.STRONG)
    assert clip["ranges"] == [[0.0, 8.0]] and "tightened" not in clip


def test_a_tightened_clip_is_rendered_again_as_it_was(
    library: Library, film: Path, words: Path
) -> None:
    clip, folder = clipped(library, film, words, tighten=Tighten.STRONG)
    heard = Recorder()
    again = library.render(RenderRequest(str(folder)), listener=heard)
    assert [e.cached for e in heard.events if isinstance(e, ClipRendered)] == [True]
    assert again.manifest["clips"][0]["tightened"] == clip["tightened"]
    other = library.render(RenderRequest(str(folder), captions="pill", overwrite=True))
    [changed] = other.manifest["clips"]
    assert changed["ranges"] == clip["ranges"] and changed["captions"]["preset"] == "pill"


def test_another_shape_of_a_tightened_clip_keeps_its_joins(
    library: Library, film: Path, words: Path
) -> None:
    clip, folder = clipped(library, film, words, tighten=Tighten.STRONG, plan_only=True)
    square = RenderRequest(str(folder), aspect=Aspect.SQUARE)
    [changed] = library.render(square).manifest["clips"]
    pieces = [(piece["start_s"], piece["end_s"]) for piece in changed["layout"]]
    assert pieces == [tuple(kept) for kept in clip["ranges"]] and len(pieces) > 1


@pytest.mark.parametrize("mode", [Censor.BLEEP, Censor.MUTE])
def test_censored_words_are_neither_shown_nor_heard(
    library: Library, film: Path, words: Path, mode: Censor
) -> None:
    sound = SoundOptions(censor=mode)
    clip, folder = clipped(library, film, words, sound=sound, captions="bold")
    assert "shit" not in json.dumps({k: v for k, v in clip.items() if k != "score"}).lower()
    assert [entry["mode"] for entry in clip["censored"]] == [mode.value]
    assert "s***" in (folder / clip["files"]["subtitles"]).read_text()
    video = folder / clip["files"]["video"]
    part = TimeRange.from_seconds(1.75, 1.95)
    heard = gathered(read_pcm(video, presented(video), part, PROGRAMME))[0]
    hum = np.abs(np.mean(heard * np.exp(-2j * np.pi * 200 * np.arange(len(heard)) / 48_000)))
    assert hum < 0.01


def test_music_is_named_by_content_and_found_again(
    library: Library, film: Path, words: Path, song: Path
) -> None:
    clip, folder = clipped(library, film, words, sound=SoundOptions(music=str(song)))
    music = clip["audio"]["music"]
    assert (music["name"], music["level_db"]) == ("song.wav", -12.0)
    assert str(song.parent) not in (folder / "clips.json").read_text()
    (folder / clip["files"]["video"]).unlink()
    assert library.render(RenderRequest(str(folder))).failed == 0


@pytest.mark.parametrize("becomes", ["missing", "changed"])
def test_music_that_is_gone_or_changed_is_an_error_until_its_place_is_named(
    library: Library, film: Path, words: Path, song: Path, tmp_path: Path, becomes: str
) -> None:
    _, folder = clipped(library, film, words, sound=SoundOptions(music=str(song)))
    kept = shutil.copy(song, tmp_path / "kept.wav")
    song.unlink()
    if becomes == "changed":
        write_media(song, None, sound_of(tone(2, 700), codec="pcm_s16le"))
    said = "not to be found" if becomes == "missing" else "is not the music song.wav"
    with pytest.raises(ConfigError, match=said) as failure:
        library.render(RenderRequest(str(folder)))
    assert "--music FILE" in (failure.value.hint or "")
    assert library.render(RenderRequest(str(folder), music=str(kept))).failed == 0


def test_other_sound_is_another_film(library: Library, film: Path, words: Path, song: Path) -> None:
    for sound in (SoundOptions(), SoundOptions(denoise=True), SoundOptions(voice_level=True),
                  SoundOptions(music=str(song)), SoundOptions(censor=Censor.MUTE)):  # fmt: skip
        heard = Recorder()
        asked = request(film, words, (0, 4), sound=sound, overwrite=True)
        library.clip(asked, listener=heard)
        assert [e.cached for e in heard.events if isinstance(e, ClipRendered)] == [False]


@pytest.mark.parametrize(
    ("sound", "error", "said"),
    [
        (SoundOptions(music="gone.mp3"), UnreadableMedia, "gone.mp3"),
        (SoundOptions(music_level_db=20), ConfigError, "--music-level must be between"),
        (SoundOptions(censor=Censor.MUTE, censor_words="gone.txt"), ConfigError, "gone.txt"),
    ],
)
def test_what_cannot_be_used_is_told_before_anything_is_made(
    library: Library, film: Path, words: Path, sound: SoundOptions, error: type[Exception],
    said: str,
) -> None:  # fmt: skip
    with pytest.raises(error, match=said):
        library.clip(request(film, words, (0, 4), sound=sound))
    assert not Path("clips/talk").exists()
