"""`reelremix add`, and commands that are given a web address."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.commandline import Command, words_file
from tests.contract.schemas import faults
from tests.media_factory import Film, plain_film, sound_of, tone, write_media
from tests.media_server import Page, serving


def test_recordings_are_listed_in_the_library(tmp_path: Path, reelremix: Command) -> None:
    plain_film(tmp_path / "a.mp4", 1)
    (tmp_path / "b.txt").write_text("b")
    ended = reelremix("add", tmp_path, "--json", "-q")
    assert ended.code == 0 and faults("add", ended.json) == []
    [found] = ended.json["added"]
    assert found["name"] == "a.mp4" and found["new"]
    assert [s["path"] for s in ended.json["skipped"]] == [str(tmp_path / "b.txt")]
    listed = reelremix("library", "list", "--json").json["sources"]
    assert [s["id"] for s in listed] == [found["id"]]


def test_what_failed_is_told_and_counts(tmp_path: Path, reelremix: Command) -> None:
    film = plain_film(tmp_path / "a.mp4", 1)
    some = reelremix("add", film, tmp_path / "gone.mp4", "-q")
    assert some.code == 3 and "gone.mp4: no such file" in some.err and "a.mp4" in some.out
    none = reelremix("add", tmp_path / "gone.mp4", tmp_path / "lost.mp4", "-q", "--json")
    assert none.code == 4 and faults("add", none.json) == []
    assert [f["exit_code"] for f in none.json["failed"]] == [4, 4]


@pytest.mark.parametrize("command", ["transcribe", "score"])
def test_an_address_stands_for_a_recording(
    tmp_path: Path, reelremix: Command, command: str
) -> None:
    pytest.importorskip("yt_dlp")
    talk = write_media(tmp_path / "t.mp4", Film(frames=25), sound_of(tone(17)))
    words = words_file(tmp_path / "words.json")
    with serving() as site:
        site.pages["/talk.mp4"] = Page(talk.read_bytes())
        ended = reelremix(command, site.url("/talk.mp4"), "--transcript", words, "--speakers",
                          "off", "--json", "-q")  # fmt: skip
    assert ended.code == 0, ended.err
    assert ended.json["version"] == 1
