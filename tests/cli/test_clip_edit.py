from __future__ import annotations

import os
from pathlib import Path

import pytest

from reelremix.engine.joblog import Unheard
from reelremix.engine.library import Library
from tests.cli.commandline import Command
from tests.engine.reviewed import reviewed


@pytest.fixture
def clips() -> Path:
    """Three clips of a talk in the library of whoever runs the test."""
    path = reviewed(Path("clips/talk"), Library.open().context(Unheard()))
    return path.parent


def test_a_clip_is_cut_corrected_and_kept(reelremix: Command, clips: Path) -> None:
    ended = reelremix(
        "clip", "edit", clips, 1, "--keep", "--start", "+1w", "--end", "-1s", "--cut", "four parts",
        "--correct", "appendix=annex", "--title", "A form, a table", "--json",
    )  # fmt: skip
    assert ended.code == 0
    [entry] = ended.json["clips"]
    assert (entry["title"], entry["status"]) == ("A form, a table", "kept")
    assert "four parts" not in entry["text"] and "annex" in entry["text"]
    ops = ["correct", "trim", "cut", "retitle", "decide"]
    assert [edit["op"] for edit in entry["edits"]] == ops
    undone = reelremix("clip", "edit", clips, "--undo", 5, "--json")
    assert undone.code == 0 and undone.json["clips"][0]["edits"] == []


def test_nothing_is_done_where_the_manifest_cannot_be_written(
    reelremix: Command, clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda _, mode, **more: mode != os.W_OK)
        ended = reelremix("clip", "edit", clips, 1, "--keep")
        assert ended.code == 2 and f"{clips} cannot be written to" in ended.err
    ended = reelremix("clip", "edit", clips, "--undo", 1)
    assert ended.code == 2 and "there is nothing to undo" in ended.err


def test_a_table_shows_what_came_of_it(reelremix: Command, clips: Path) -> None:
    ended = reelremix("clip", "edit", clips, "2", "--drop")
    assert ended.code == 0
    assert "dropped" in ended.out and "Clip number 2" in ended.out


def test_times_phrases_and_pairs_are_told_apart(reelremix: Command, clips: Path) -> None:
    assert reelremix("clip", "edit", clips, 1, "--cut", "12-14").code == 0
    assert reelremix("clip", "edit", clips, 1, "--put-back", "0:12-0:14").code == 0
    assert reelremix("clip", "edit", clips, 1, "--show", "12-20=1").code == 0
    assert reelremix("clip", "edit", clips, "--new", "2:10-2:25").code == 0


@pytest.mark.parametrize(
    "arguments, said",
    [
        (("1", "--correct", "appendix"), "--correct must look like OLD=NEW"),
        (("1", "--show", "12=1"), "--show must look like"),
        (("1", "--keep", "--drop"), "only one of --keep, --drop and --reopen"),
        (("1", "--layout", "round"), "--layout must be one of"),
        (("1", "--new", "20-10"), "--new must end after it starts"),
        (("9", "--keep"), "has no clip '9'"),
        (("1",), "nothing is asked for"),
        (("1", "--captions", "nonesuch"), "nonesuch"),
    ],
)
def test_what_is_wrong_is_told(
    reelremix: Command, clips: Path, arguments: tuple[str, ...], said: str
) -> None:
    assert reelremix("clip", "edit", clips, *arguments).failed_politely(2, said)


def test_a_recording_called_edit_can_still_be_clipped(reelremix: Command) -> None:
    assert reelremix("clip", "./edit").failed_politely(4, "edit")


def test_a_review_needs_a_terminal(reelremix: Command, clips: Path) -> None:
    assert reelremix("review", clips).failed_politely(2, "a review needs a terminal")
