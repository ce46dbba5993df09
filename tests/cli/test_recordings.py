"""Real recordings that are not talks in one language."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from tests.cli.commandline import QUICK, Command, manifest_in, words_file
from tests.conftest import Models
from tests.media_factory import Film, Wave, sound_of, tone, write_media

TINY = ("--model", "tiny.en")


def heard(path: Path) -> Wave:
    """A recording's sound at 48 kHz in stereo."""
    resampler = av.AudioResampler("fltp", "stereo", 48_000)
    with av.open(str(path)) as container:
        frames = [f for frame in container.decode(audio=0) for f in resampler.resample(frame)]
    frames += resampler.resample(None)
    return np.concatenate([f.to_ndarray() for f in frames], axis=1).astype(np.float32)


@pytest.mark.parametrize("more", [(), ("--min", 3)])
def test_a_silent_film_has_no_speech(
    reelremix: Command, shared: Path, installed_models: Models, more: tuple[object, ...]
) -> None:
    installed_models("tiny.en", "blazeface")
    ended = reelremix("clip", shared / "media" / "chaplin_10s.mp4", *TINY, *more)
    assert (ended.code, ended.errors) == (3, [])
    assert "no speech was found in chaplin_10s.mp4" in ended.err
    manifest = manifest_in(Path("clips/chaplin_10s"))
    assert (manifest["clips"], manifest["transcript"]["words"]) == ([], 0)


def test_a_silent_film_is_clipped_where_it_is_told_to(
    reelremix: Command, shared: Path, installed_models: Models
) -> None:
    installed_models("tiny.en")
    film = shared / "media" / "chaplin_10s.mp4"
    assert reelremix("clip", film, *TINY, "--range", "2-3", *QUICK).code == 0
    [clip] = manifest_in(Path("clips/chaplin_10s"))["clips"]
    assert clip["verdict"]["ok"]


def test_a_camera_without_a_microphone_is_clipped_where_it_is_told_to(
    reelremix: Command, tmp_path: Path
) -> None:
    film = write_media(tmp_path / "mute.mp4", Film(100))
    music = write_media(tmp_path / "theme.m4a", None, sound_of(tone(6)))
    ended = reelremix("clip", film, "--no-faces", "--range", "1-3", *QUICK, "--music", music)
    assert ended.code == 0
    assert "mute.mp4 has no sound: the given ranges become clips without words" in ended.err
    assert "nothing is cleaned, censored or played under it" in ended.err
    [clip] = manifest_in(Path("clips/mute"))["clips"]
    assert clip["words"] == [] and clip["audio"]["music"] is None and clip["verdict"]["ok"]


def test_a_range_that_goes_on_behind_the_picture_is_told(
    reelremix: Command, tmp_path: Path
) -> None:
    film = write_media(tmp_path / "short.mp4", Film(50), sound_of(tone(6)))
    words = words_file(tmp_path / "words.json")
    ended = reelremix("clip", film, "--no-faces", "--transcript", words, "--range", "0-5", *QUICK)
    assert ended.code == 0
    assert "the range 0-5 goes on behind the last picture; its clip ends there" in ended.err


@pytest.mark.parametrize("command", ["clip", "transcribe", "score"])
def test_a_camera_without_a_microphone_gives_nothing_to_transcribe(
    reelremix: Command, shared: Path, installed_models: Models, command: str
) -> None:
    installed_models("tiny.en", "blazeface")
    ended = reelremix(command, shared / "media" / "intel_one_by_one_person.mp4")
    assert ended.failed_politely(4, "intel_one_by_one_person.mp4 has no audio stream")
    assert "--transcript FILE" in ended.err


@pytest.mark.slow
def test_a_recording_in_two_languages_is_heard_in_one_of_them(
    tmp_path: Path, reelremix: Command, shared: Path, installed_models: Models
) -> None:
    installed_models("base")
    german, english = (
        heard(shared / "speech" / "fleurs" / f"fleurs-{name}.ogg") for name in ("de-001", "en-001")
    )
    both = sound_of(np.concatenate([german, english], axis=1))
    recording = write_media(tmp_path / "both.mp4", Film(25), both)
    ended = reelremix("transcribe", recording, "--model", "base", "--json")
    assert ended.code == 0
    transcript = ended.json
    assert transcript["language"] in ("de", "en")
    words = [word for segment in transcript["segments"] for word in segment["words"]]
    starts = [word["start_s"] for word in words]
    assert len(words) > 10 and starts == sorted(starts)
    assert words[-1]["end_s"] <= both.pieces[0][1].shape[1] / 48_000
