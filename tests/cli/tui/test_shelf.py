from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, Input, Static

from reelremix.cli.tui.app import ReviewApp
from reelremix.cli.tui.screens.review import ReviewScreen
from reelremix.cli.tui.screens.shelf import Shelf, _ago
from reelremix.engine.library import Library
from tests.cli.tui.sessions import played, pressed, settings_in, talk_in, told
from tests.engine.reviewed import SOURCE

Session = Pilot[BaseException | None]


def names(pilot: Session) -> list[str]:
    """The recordings on the screen."""
    table = pilot.app.screen.query_one("#shelf", DataTable)
    return [str(table.get_row_at(n)[0]) for n in range(table.row_count)]


def page(pilot: Session) -> type[object]:
    """Where one is."""
    return type(pilot.app.screen)


def notice(pilot: Session) -> str:
    """What stands below the table; empty where nothing is to be said."""
    below = pilot.app.screen.query_one("#shelf-nothing", Static)
    return "" if below.has_class("hidden") else str(below.render())


def test_a_recording_is_found_opened_and_left(tmp_path: Path) -> None:
    settings, _ = talk_in(tmp_path)
    library = Library.open(settings)
    for name in ("second.mp4", "third.mp4"):
        library.catalogue.save_source(replace(SOURCE, id=f"{name:0<64}", name=name))

    async def story(pilot: Session) -> None:
        assert names(pilot) == ["third.mp4", "second.mp4", "talk.mp4"]
        await pressed(pilot, "slash")
        pilot.app.screen.query_one(Input).value = "TALK"
        await pressed(pilot, "enter")
        assert names(pilot) == ["talk.mp4"]
        await pressed(pilot, "enter")
        assert page(pilot) is ReviewScreen
        await pressed(pilot, "y", "q")
        assert page(pilot) is Shelf
        assert str(pilot.app.screen.query_one("#shelf", DataTable).get_row_at(0)[3]) == "1"
        await pressed(pilot, "escape", "k", "k", "enter")
        assert "no clips of it" in told(pilot)

    played(ReviewApp(settings), story)


def test_an_empty_library_says_what_to_type(tmp_path: Path) -> None:
    async def story(pilot: Session) -> None:
        assert "reelremix clip RECORDING" in notice(pilot)

    played(ReviewApp(settings_in(tmp_path)), story)


def test_a_name_that_nothing_has_is_told(tmp_path: Path) -> None:
    settings, _ = talk_in(tmp_path)

    async def story(pilot: Session) -> None:
        await pressed(pilot, "slash")
        pilot.app.screen.query_one(Input).value = "nowhere"
        await pressed(pilot, "enter")
        assert "No recording is called" in notice(pilot)

    played(ReviewApp(settings), story)


def test_a_damaged_library_is_told_and_left_alone(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    settings.library_file.parent.mkdir(parents=True)
    settings.library_file.write_bytes(b"no database " * 1000)

    async def story(pilot: Session) -> None:
        assert "cannot use the library" in notice(pilot)

    played(ReviewApp(settings), story)
    assert settings.library_file.read_bytes() == b"no database " * 1000


def test_clips_that_cannot_be_opened_are_told_among_the_recordings(tmp_path: Path) -> None:
    settings, path = talk_in(tmp_path)
    path.write_text("[]", encoding="utf-8")

    async def story(pilot: Session) -> None:
        await pressed(pilot, "enter")
        assert page(pilot) is Shelf
        assert "not a manifest" in told(pilot)

    played(ReviewApp(settings), story)


@pytest.mark.parametrize(
    "seconds, told_as",
    [(5, "just now"), (61, "1 min ago"), (7300, "2 h ago"), (200_000, "2 d ago")],
)
def test_times_are_told_roughly(seconds: float, told_as: str) -> None:
    assert _ago(seconds) == told_as
    assert time.time() > seconds
