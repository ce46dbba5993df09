"""`reelremix clip` through the daemon: what is checked before, and what is said, are the same."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.commandline import QUICK, Command, words_file
from tests.cli.serving import Serving
from tests.conftest import Models
from tests.media_factory import plain_film, sound_of, tone, write_media

GIVEN = ("--transcript", "words.json", "--range", "1-3", "--speakers", "off", *QUICK)


@pytest.fixture(autouse=True)
def talk() -> Path:
    """A short recording in this folder, with its words beside it, and a file that is none."""
    words_file(Path("words.json"))
    Path("notes.txt").write_text("notes")
    Path("deep").mkdir()
    write_media(Path("tone.wav"), None, sound_of(tone(1), codec="pcm_s16le"))
    return plain_film(Path("talk.mp4"), 4, size=(160, 90))


WRONG = [
    ("gone.mp4", *GIVEN),
    ("deep/../gone.mp4", *GIVEN),
    ("../here/notes.txt", *GIVEN),
    ("notes.txt", *GIVEN),
    ("tone.wav", *GIVEN),
    ("talk.mp4", *GIVEN, "--out", "notes.txt"),
    ("talk.mp4", *GIVEN, "--out", "./deep/../notes.txt"),
    ("talk.mp4", *GIVEN, "--captions", "grand"),
    ("talk.mp4", *GIVEN, "--captions", "deep/../gone.toml"),
    ("talk.mp4", *GIVEN, "--brand", "./gone.toml"),
    ("talk.mp4", *GIVEN, "--music", "deep/gone.mp3"),
    ("talk.mp4", *GIVEN, "--audio-stream", "7"),
    ("talk.mp4", *GIVEN, "--range", "100-200"),
    ("talk.mp4", *GIVEN, "--fps", "many"),
    ("talk.mp4", *GIVEN, "--encoder", "crayon"),
    ("talk.mp4", "--transcript", "gone.json", *QUICK),
    ("talk.mp4", "--transcript", "words.json", "--about", "...", *QUICK),
    ("talk.mp4", "--model", "hugest", *QUICK),
    ("talk.mp4", "--model", "./deep", *QUICK),
    ("talk.mp4", "--model", "deep", *QUICK),
    ("talk.mp4", "--model", "base", *QUICK),
    ("ftp://example.org/talk.mp4", *GIVEN),
    ("http://[", *GIVEN),
]


@pytest.mark.parametrize("typed", WRONG, ids=" ".join)
def test_what_is_wrong_is_told_before_anything_is_queued_and_in_the_same_words(
    served: Serving, reelremix: Command, typed: tuple[str, ...]
) -> None:
    queued = reelremix("clip", *typed, "--detach", "-q")
    assert served.queued == [] and not Path("clips").exists()
    here = reelremix("clip", *typed, "--local", "-q")
    assert here.code not in (0, 1) and len(here.errors) == 1, here.err
    assert (queued.code, queued.out, queued.err) == (here.code, "", here.err)


@pytest.mark.slow
@pytest.mark.parametrize("typed", WRONG, ids=" ".join)
def test_what_is_wrong_is_told_in_the_same_words_by_the_daemon(
    served: Serving, reelremix: Command, typed: tuple[str, ...]
) -> None:
    here = reelremix("clip", *typed, "--local", "-q")
    there = reelremix("clip", *typed, "-q")
    assert (there.code, there.out, there.err) == (here.code, here.out, here.err)


@pytest.mark.skipif(os.name != "posix", reason="needs names with any byte")
@pytest.mark.parametrize("how", ["--local", "--detach", "-q"])
def test_a_name_that_is_no_text_is_told_alike(
    served: Serving, reelremix: Command, how: str
) -> None:
    name = os.fsdecode(b"talk\xff.mp4")
    Path("talk.mp4").rename(name)
    said = "talk\\udcff.mp4 has a name that is not Unicode text"
    assert reelremix("clip", name, *GIVEN, how).failed_politely(4, said)


def test_one_bad_recording_keeps_no_other_from_being_queued(
    served: Serving, reelremix: Command
) -> None:
    ended = reelremix("clip", "gone.mp4", "talk.mp4", "notes.txt", *GIVEN[2:], "--json", "--detach",
                      "--model", "deep", "--plan")  # fmt: skip
    assert ended.code == 3 and len(ended.errors) == 3
    assert ended.json == {"version": 1, "jobs": []}


def test_a_recording_that_is_known_to_have_other_clips_is_not_queued(
    served: Serving, reelremix: Command
) -> None:
    assert reelremix("clip", "talk.mp4", *GIVEN, "--plan", "--local").code == 0
    failed = reelremix("clip", "talk.mp4", *GIVEN, "--plan", "--crf", 30, "--detach")
    assert failed.failed_politely(2, "holds a finished run with other options (crf)")
    manifest = json.loads(Path("clips/talk/clips.json").read_text())
    assert manifest["options"]["crf"] == 20


def test_a_job_that_is_right_is_queued_with_every_path_in_full(
    served: Serving, reelremix: Command
) -> None:
    ended = reelremix("clip", "deep/../talk.mp4", *GIVEN, "--out", "deep/../made", "--detach")
    [job] = served.queued
    assert (ended.code, ended.out) == (0, f"{job.id}\n")
    assert reelremix("jobs", "cancel", job.id).code in (0, 2)
    assert job.request["source"] == str(Path.cwd() / "talk.mp4")
    assert job.request["out"] == str(Path.cwd() / "made")
    assert job.request["transcribe"]["transcript"] == str(Path.cwd() / "words.json")
    reelremix("jobs", "watch", job.id, "-q")


@pytest.mark.parametrize("progress", ["plain", "json"])
def test_what_the_daemon_refuses_is_told_whatever_shows_progress(
    served: Serving, reelremix: Command, progress: str
) -> None:
    ended = reelremix("clip", "talk.mp4", "--transcript", "words.json", *QUICK, "--about", "...",
                      "--progress", progress)  # fmt: skip
    assert ended.failed_politely(2, "--about needs at least a word")


def test_no_daemon_is_told_before_anything_is_looked_at(reelremix: Command) -> None:
    failed = reelremix("clip", "gone.mp4", "lost.mp4", "--detach")
    assert failed.failed_politely(7, "the daemon is not running")


@pytest.mark.slow
def test_models_that_are_there_are_found(
    served: Serving, reelremix: Command, installed_models: Models
) -> None:
    installed_models("base")
    ended = reelremix("clip", "talk.mp4", "--plan", *QUICK, "--detach")
    assert ended.code == 0, ended.err
    reelremix("jobs", "cancel", ended.out.strip())


@pytest.mark.slow
@pytest.mark.parametrize("progress", ["plain", "json"])
def test_a_model_that_the_daemon_lacks_is_offered_as_it_is_without_one(
    served: Serving, reelremix: Command, monkeypatch: pytest.MonkeyPatch, progress: str
) -> None:
    offered: list[str | None] = []
    monkeypatch.setattr(
        "reelremix.cli.run._agrees_to_install", lambda missing: offered.append(missing.name)
    )
    failed = reelremix("clip", "talk.mp4", "--model", "base", *QUICK, "--progress", progress)
    assert failed.code == 5 and offered == ["base"]
    assert failed.err.count("model 'base' is not installed") == 1
    assert [job.state for job in served.queued] == ["failed"]


@pytest.mark.slow
def test_a_model_that_is_here_and_not_where_the_daemon_looks_is_asked_for_once(
    served: Serving, reelremix: Command, installed_models: Models
) -> None:
    installed_models("tiny.en")
    failed = reelremix("clip", "talk.mp4", "--model", "tiny.en", *QUICK, "--progress", "plain")
    assert failed.code == 5 and "model 'tiny.en' is not installed" in failed.err
    assert [job.state for job in served.queued] == ["failed"]
