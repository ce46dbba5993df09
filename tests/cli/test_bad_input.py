"""Every kind of recording that is not what it should be: what is said, the code, what is left."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from reelremix.engine.domain.transcript import Transcript
from tests.cli.commandline import (
    QUICK,
    Command,
    in_process,
    manifest_in,
    partial_files,
    words_file,
)
from tests.conftest import Models
from tests.fakes import presented, spoken
from tests.media_factory import (
    Film,
    counted,
    cut_short,
    hdr_film,
    plain_film,
    quarters,
    sound_of,
    tone,
    without_frames,
    write_media,
)

Make = Callable[[Path], Path]


def missing(folder: Path) -> Path:
    return folder / "talk.mp4"


def empty(folder: Path) -> Path:
    path = folder / "talk.mp4"
    path.touch()
    return path


def text(folder: Path) -> Path:
    path = folder / "talk.mp4"
    path.write_text("These are my notes for the talk.\n" * 50)
    return path


def without_index(folder: Path) -> Path:
    return cut_short(plain_film(folder / "whole.mp4"), folder / "talk.mp4", 0.5)


def zero_length(folder: Path) -> Path:
    return without_frames(folder / "talk.mp4")


def a_folder(folder: Path) -> Path:
    (folder / "talk.mp4").mkdir()
    return folder / "talk.mp4"


UNREADABLE = [
    (missing, "no such file"),
    (empty, "is empty (0 bytes)"),
    (text, "is not media"),
    (without_index, "is not media"),
    (zero_length, "talk.mp4"),
]


@pytest.mark.parametrize(("make", "said"), UNREADABLE)
@pytest.mark.parametrize("command", ["clip", "transcribe", "score", "probe"])
def test_what_cannot_be_read_ends_with_4(
    tmp_path: Path, reelremix: Command, command: str, make: Make, said: str
) -> None:
    ended = reelremix(command, make(tmp_path))
    assert ended.failed_politely(4, said)
    assert "talk.mp4" in ended.errors[0]
    assert not partial_files() and not Path("clips").exists()


@pytest.mark.parametrize("make", [empty, text, without_index])
def test_an_unreadable_recording_comes_with_a_hint(
    tmp_path: Path, reelremix: Command, make: Make
) -> None:
    assert "\nhint: " in reelremix("clip", make(tmp_path)).err


def test_a_process_of_its_own_ends_the_same_way(tmp_path: Path) -> None:
    assert in_process("clip", text(tmp_path)).failed_politely(4, "is not media")


def test_an_empty_folder_has_no_recordings(tmp_path: Path, reelremix: Command) -> None:
    assert reelremix("clip", a_folder(tmp_path)).failed_politely(4, "holds no recordings")


def test_an_empty_folder_fails_alone(tmp_path: Path, reelremix: Command) -> None:
    (tmp_path / "none").mkdir()
    ended = reelremix("clip", tmp_path / "none", empty(tmp_path), tmp_path, "--json")
    assert ended.code == 4
    failed = {run["source"]: run["error"]["message"] for run in ended.json["runs"]}
    assert failed == {
        str(tmp_path / "none"): f"{tmp_path / 'none'} holds no recordings",
        str(tmp_path / "talk.mp4"): "talk.mp4 is empty (0 bytes)",
    }


@pytest.mark.parametrize("command", ["add", "clip", "score", "transcribe", "probe"])
def test_only_addresses_on_the_web_are_fetched(reelremix: Command, command: str) -> None:
    ended = reelremix(
        command, "ftp://example.org/talk.mp4", "-q" if command != "probe" else "--json"
    )
    assert ended.failed_politely(4, "only http and https are fetched")


def test_without_yt_dlp_what_to_type_is_told(
    reelremix: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "yt_dlp.globals", None)
    ended = reelremix("clip", "https://example.org/talk.mp4", "-q")
    assert ended.failed_politely(5, "yt-dlp")
    assert "pip install 'reelremix[url]'" in ended.err


def test_without_sound_there_is_nothing_to_transcribe(tmp_path: Path, reelremix: Command) -> None:
    silent = write_media(tmp_path / "talk.mp4", Film(25))
    for command in ("clip", "transcribe", "score"):
        ended = reelremix(command, silent)
        assert ended.failed_politely(4, "has no audio stream")
        assert "--transcript FILE" in ended.err
    assert not Path("clips").exists() or not list(Path("clips").iterdir())


def test_given_words_stand_in_for_missing_sound(tmp_path: Path, reelremix: Command) -> None:
    silent = write_media(tmp_path / "talk.mp4", Film(50))
    words = words_file(tmp_path / "words.json")
    ended = reelremix("clip", silent, "--transcript", words, "--range", "0-1", *QUICK)
    assert ended.code == 0
    clip = manifest_in(Path("clips/talk"))["clips"][0]
    assert presented(Path("clips/talk") / clip["files"]["video"]).audio is None


def test_without_a_picture_there_is_nothing_to_clip(tmp_path: Path, reelremix: Command) -> None:
    blind = write_media(tmp_path / "talk.m4a", None, sound_of(tone(14)))
    ended = reelremix("clip", blind)
    assert ended.failed_politely(4, "has no video stream")
    assert "reelremix transcribe" in ended.err
    words = words_file(tmp_path / "words.json")
    assert reelremix("score", blind, "--min", 3, "--transcript", words, "--json").code == 0


def test_no_speech_ends_with_3_and_an_empty_manifest(tmp_path: Path, reelremix: Command) -> None:
    words = words_file(tmp_path / "words.json", Transcript("en", 0.9, ()))
    film = plain_film(tmp_path / "talk.mp4")
    ended = reelremix("clip", film, "--transcript", words, "--no-faces", "--json")
    assert (ended.code, ended.errors) == (3, [])
    [run] = ended.json["runs"]
    assert run["manifest"]["clips"] == [] and run["folder"] == str(Path("clips/talk"))
    assert "no speech was found in talk.mp4" in ended.err
    manifest = manifest_in(Path("clips/talk"))
    assert manifest["clips"] == []
    assert "no speech" in manifest["notice"]
    assert Path("clips/talk/index.html").is_file()


def test_a_recording_shorter_than_the_shortest_clip_ends_with_3(
    tmp_path: Path, reelremix: Command
) -> None:
    words = words_file(tmp_path / "words.json", spoken("This is all.", each_s=3))
    film = plain_film(tmp_path / "talk.mp4", 3)
    ended = reelremix("clip", film, "--transcript", words, "--no-faces", "--json")
    assert ended.code == 3
    assert "lasts 3.0 s, less than --min 15" in manifest_in(Path("clips/talk"))["notice"]
    assert ended.json["runs"][0]["exit_code"] == 3


def test_several_recordings_end_with_their_common_code_or_3(
    tmp_path: Path, reelremix: Command, installed_models: Models
) -> None:
    installed_models("tiny.en")
    good = plain_film(tmp_path / "good.mp4")
    (tmp_path / "none").mkdir()
    plan = ("--range", "0-1", "--plan", "--no-faces", "--model", "tiny.en")
    assert reelremix("clip", missing(tmp_path), tmp_path / "none", *plan).code == 4
    mixed = reelremix("clip", tmp_path / "none", good, missing(tmp_path), *plan, "--json")
    assert (mixed.code, len(mixed.errors)) == (3, 2)
    assert [run["exit_code"] for run in mixed.json["runs"]] == [4, 0, 4]
    assert len(manifest_in(Path("clips/good"))["clips"]) == 1
    assert reelremix("clip", good, good, *plan).code == 0


UNUSUAL: dict[str, Make] = {
    "8 kHz mono": lambda d: write_media(
        d / "a.mp4",
        Film(40, counted),
        sound_of(tone(1.6, channels=1, rate_hz=8_000), rate_hz=8_000, layout="mono"),
    ),
    "5.1": lambda d: write_media(
        d / "a.mp4", Film(40, counted), sound_of(tone(1.6, channels=6), layout="5.1")
    ),
    "odd size": lambda d: plain_film(d / "a.mp4", 1.6, size=(321, 181), pixels="yuv444p"),
    "60 fps": lambda d: plain_film(d / "a.mp4", 1.6, rate=Fraction(60)),
    "variable rate": lambda d: write_media(
        d / "a.mp4",
        Film(times=tuple(Fraction(n * 40 + n % 3 * 11, 1000) for n in range(40)), paint=counted),
        sound_of(tone(1.6)),
    ),
    "rotated": lambda d: plain_film(d / "a.mp4", 1.6, clockwise_deg=90, paint=quarters),
    "10-bit HDR": lambda d: write_media(d / "a.mkv", hdr_film(40), sound_of(tone(1.6))),
    "tiny": lambda d: plain_film(d / "a.mp4", 1.6, size=(64, 36)),
    "late sound": lambda d: write_media(
        d / "a.mp4", Film(40, counted), sound_of(tone(1), Fraction(3, 5))
    ),
    "transport stream": lambda d: plain_film(d / "a.ts", 1.6),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", UNUSUAL)
def test_unusual_recordings_are_clipped_like_any_other(
    tmp_path: Path, reelremix: Command, kind: str
) -> None:
    words = words_file(tmp_path / "words.json", Transcript("en", 0.9, ()))
    recording = UNUSUAL[kind](tmp_path)
    ended = reelremix("clip", recording, "--transcript", words, "--range", "0.2-1.2", *QUICK)
    assert (ended.code, ended.errors) == (0, [])
    clip = manifest_in(Path("clips/a"))["clips"][0]
    assert clip["verdict"]["notes"] == []
    written = presented(Path("clips/a") / clip["files"]["video"])
    assert (written.picture.width_px, written.picture.height_px) == (1080, 1920)
    assert written.duration.seconds == pytest.approx(1.0, abs=0.11)


@pytest.mark.slow
def test_a_range_behind_the_cut_of_a_truncated_file_makes_no_frozen_clip(
    tmp_path: Path, reelremix: Command
) -> None:
    whole = write_media(
        tmp_path / "b.mp4", Film(250, counted, keyframe_every=25), sound_of(tone(10)),
        index_first=True,
    )  # fmt: skip
    cut = cut_short(whole, tmp_path / "a.mp4", 0.5)
    words = words_file(tmp_path / "words.json", Transcript("en", 0.9, ()))
    ranges = ("--range", "0.2-1", "--range", "9-9.8")
    ended = reelremix("clip", cut, "--transcript", words, *ranges, *QUICK)
    assert ended.code == 3 and "the picture of a.mp4 ends at 4." in ended.err
    first, second = manifest_in(Path("clips/a"))["clips"]
    assert first["verdict"]["ok"] and second["files"]["video"] is None


NAMES = [
    "two words", "it's \"quoted\"", "party 🎉 time", "line\nbreak", "-dash", "ümläut", "a" * 200,
    "con", "dots...", "tab\tbell\x07",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_are_handled_whatever_they_hold(
    tmp_path: Path, reelremix: Command, name: str
) -> None:
    film = plain_film(tmp_path / "a.mp4").rename(tmp_path / f"{name}.mp4")
    words = words_file(tmp_path / "words.json")
    ended = reelremix(
        "clip", "--plan", "--no-faces", "--range", "0-1", "--transcript", words, "--", film
    )
    assert (ended.code, ended.errors) == (0, [])
    [folder] = Path("clips").iterdir()
    assert "\n" not in folder.name and len(folder.name.encode()) <= 200
    assert manifest_in(folder)["source"]["name"] == film.name


@pytest.mark.parametrize("name", ["line\nbreak", "bell\x07", "\x1b[31mred"])
def test_hostile_names_cannot_forge_lines_or_colours(
    tmp_path: Path, reelremix: Command, name: str
) -> None:
    path = tmp_path / f"{name}.mp4"
    path.touch()
    ended = reelremix("clip", path)
    assert ended.failed_politely(4, "is empty")
    assert not any(c in ended.err for c in "\x07\x1b")


def test_a_name_that_is_not_utf8_is_no_crash(tmp_path: Path) -> None:
    path = Path(os.fsdecode(bytes(tmp_path) + b"/caf\xe9.mp4"))
    shutil.copy(plain_film(tmp_path / "a.mp4"), path)
    ended = in_process("clip", path, "--plan", "--no-faces", "--range", "0-1")
    assert ended.code in (2, 4, 5) and len(ended.errors) == 1, ended.err
    assert "unexpected" not in ended.err


def test_an_output_that_is_a_file_ends_with_2(tmp_path: Path, reelremix: Command) -> None:
    (tmp_path / "out").write_text("mine")
    film = plain_film(tmp_path / "a.mp4")
    ended = reelremix("clip", film, "--out", tmp_path / "out")
    assert ended.failed_politely(2, "is a file, not a folder")
    assert (tmp_path / "out").read_text() == "mine"


def test_an_output_that_cannot_be_made_ends_with_2(tmp_path: Path, reelremix: Command) -> None:
    (tmp_path / "file").write_text("mine")
    ended = reelremix("clip", plain_film(tmp_path / "a.mp4"), "--out", tmp_path / "file" / "out")
    assert ended.failed_politely(2, "cannot write")
    assert "--out DIR" in ended.err


def test_an_output_that_is_read_only_ends_with_2(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    if shutil.which("unshare") is None:
        pytest.skip("needs a file system of its own: `unshare`")
    words = words_file(tmp_path / "words.json", Transcript("en", 0.9, ()))
    mounted = f'mount -t tmpfs -o ro none {locked} || exit 99; exec "$@"'
    ended = in_process(
        "clip", plain_film(tmp_path / "a.mp4"), "--transcript", words, "--range", "0-1",
        "--out", locked, *QUICK, prefix=("unshare", "-rm", "sh", "-c", mounted, "-"),
    )  # fmt: skip
    if ended.code in (1, 99) and "reelremix" not in ended.err:
        pytest.skip("needs a file system of its own: `unshare -rm` with tmpfs")
    assert ended.failed_politely(2, "read-only file system")
    assert "--out DIR" in ended.err
    assert "Rendering" not in ended.err


@pytest.mark.slow
def test_a_full_disk_ends_with_2_and_leaves_no_partial_file(tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    mounted = f'mount -t tmpfs -o size=64k none {full} || exit 99; "$@"; code=$?'
    listed = f"find {full} -name '*.part' >&2; exit $code"
    words = words_file(tmp_path / "words.json", Transcript("en", 0.9, ()))
    if shutil.which("unshare") is None:
        pytest.skip("needs a file system of its own: `unshare`")
    ended = in_process(
        "clip", plain_film(tmp_path / "a.mp4", size=(640, 360)), "--transcript", words,
        "--range", "0-2", "--out", full, *QUICK,
        prefix=("unshare", "-rm", "sh", "-c", f"{mounted}; {listed}", "-"),
    )  # fmt: skip
    if ended.code in (1, 99) and "reelremix" not in ended.err:
        pytest.skip("needs a file system of its own: `unshare -rm` with tmpfs")
    assert ended.failed_politely(2, "no space left on device")
    assert ".part" not in ended.err


def test_a_missing_model_ends_with_5_and_says_what_to_type(
    tmp_path: Path, reelremix: Command
) -> None:
    ended = reelremix("clip", plain_film(tmp_path / "a.mp4"), "--model", "base")
    assert ended.failed_politely(5, "model 'base' is not installed")
    assert "reelremix models install base" in ended.err
    assert not Path("clips/a").exists()


def test_silence_is_no_speech(tmp_path: Path, reelremix: Command, installed_models: object) -> None:
    assert callable(installed_models)
    installed_models("tiny.en")
    film = write_media(tmp_path / "a.mp4", Film(50), sound_of(tone(2, level=0.0)))
    ended = reelremix("clip", film, "--model", "tiny.en", "--no-faces")
    assert ended.code == 3
    assert manifest_in(Path("clips/a"))["notice"] == "no speech was found in a.mp4"
