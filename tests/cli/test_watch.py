"""`reelremix watch`, over a daemon that watches what it is told to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reelremix.engine.domain.watch import Watch
from tests.cli.commandline import Command
from tests.cli.serving import Serving
from tests.contract.schemas import faults

QUIET = ("--layout", "center", "--preset", "none")


@pytest.fixture(autouse=True)
def words_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Settings that need no weights but those that hear."""
    monkeypatch.setenv("REELREMIX_FACES", "false")
    own = tmp_path / "models" / "base"
    own.mkdir(parents=True)
    for name in ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt"):
        (own / name).touch()
    monkeypatch.setenv("REELREMIX_MODELS_DIR", str(tmp_path / "models"))


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    """A folder to watch."""
    folder = tmp_path / "drop"
    folder.mkdir()
    return folder


def test_what_commands_print_fits_the_schema(
    served: Serving, reelremix: Command, drop: Path
) -> None:
    added = reelremix("watch", "add", drop, *QUIET, "--out", "../made", "--json")
    assert (added.code, added.err) == (0, "") and faults("watches", added.json) == []
    assert added.json["options"]["out"] == str(Path.cwd().parent / "made")
    listed = reelremix("watch", "list", "--json").json
    assert len(listed["watches"]) == 1 and faults("watches", listed) == []
    assert faults("daemon", reelremix("daemon", "status", "--json").json) == []
    for command in ("pause", "resume", "remove"):
        assert faults("watches", reelremix("watch", command, drop, "--json").json) == []


@pytest.mark.parametrize(("typed", "code", "said"), [
    (("--model", "hugest"), 5, "no model named 'hugest'"),
    (("--model", "small"), 5, "model 'small' is not installed"),
    (("--model", "./own"), 5, "there is no folder"),
    (("--preset", "grand"), 2, "no preset named 'grand'"),
    (("--preset", "./gone.toml"), 2, "gone.toml cannot be read: no such file"),
    (("--brand", "grand"), 2, "no preset named 'grand'"),
    (("--out", "notes.txt"), 2, "notes.txt is a file, not a folder"),
    (("--out", "notes.txt/clips"), 2, "notes.txt/clips: not a directory"),
    (("--layout", "spiral"), 2, "--layout must be"),
])  # fmt: skip
def test_a_folder_whose_recordings_would_all_fail_is_not_watched(
    served: Serving, reelremix: Command, drop: Path, typed: tuple[str, ...], code: int, said: str
) -> None:
    Path("notes.txt").touch()
    assert reelremix("watch", "add", drop, *typed).failed_politely(code, said)
    assert reelremix("watch", "list", "--json").json["watches"] == []


def test_what_a_folders_own_file_names_is_looked_for_too(
    served: Serving, reelremix: Command, drop: Path
) -> None:
    (drop / ".reelremix.toml").write_text('music = "beds/calm.mp3"')
    failed = reelremix("watch", "add", drop, *QUIET)
    assert failed.failed_politely(4, "calm.mp3: no such file")


def test_the_words_are_those_of_clip(served: Serving, reelremix: Command, drop: Path) -> None:
    for typed in (("--model", "hugest"), ("--brand", "grand")):
        watched = reelremix("watch", "add", drop, *typed).errors
        assert watched == reelremix("clip", "http://example.org/a.mp4", *typed, "--detach").errors


def test_a_folder_that_is_not_there_is_told_by_its_name(
    served: Serving, reelremix: Command
) -> None:
    assert reelremix("watch", "add", "nowhere").failed_politely(2, "nowhere is not a folder")
    assert reelremix("watch", "add", "x" * 999).failed_politely(2, "file name too long")


@pytest.mark.skipif(os.name != "posix", reason="needs names with any character")
def test_a_folders_name_is_shown_harmless_and_on_one_line(
    served: Serving, reelremix: Command, tmp_path: Path
) -> None:
    folder = tmp_path / "a\nwatching\x1b[2J"
    folder.mkdir()
    added = reelremix("watch", "add", folder, *QUIET)
    assert (added.code, len(added.out.splitlines())) == (0, 1), added.err
    listed = reelremix("watch", "list").out
    removed = reelremix("watch", "remove", folder)
    assert "\x1b" not in added.out + listed + removed.out
    assert not any(line.strip().startswith("watching") for line in listed.splitlines())
    assert len(removed.out.splitlines()) == 1


@pytest.mark.parametrize("command", ["pause", "resume", "remove"])
def test_a_watch_that_nobody_knows_is_a_mistake_in_what_was_typed(
    served: Serving, reelremix: Command, command: str
) -> None:
    assert reelremix("watch", command, "zzz").failed_politely(2, "zzz is neither a watch's id")


def test_a_watch_is_named_by_the_beginning_of_its_id_where_that_is_enough(
    served: Serving, reelremix: Command, tmp_path: Path
) -> None:
    watches = served.daemon.stores.watches
    for id, name in (("ab120000", "a"), ("ab340000", "b")):
        (tmp_path / name).mkdir()
        watches.add(Watch(id=id, folder=str(tmp_path / name), created_at=0.0))
    assert reelremix("watch", "pause", "ab12").out == "ab120000 is paused\n"
    refused = reelremix("watch", "pause", "ab")
    assert refused.failed_politely(2, "'ab' is the beginning of several watches")
