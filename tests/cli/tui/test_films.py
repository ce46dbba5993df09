"""A session over a recording that is really there: rendering, previews, players."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from textual.pilot import Pilot

from reelremix.cli.tui.app import ReviewApp
from reelremix.cli.tui.desk import play
from reelremix.cli.tui.widgets.filmstrip import Filmstrip
from reelremix.engine.domain.context import CancelToken
from reelremix.engine.domain.request import (
    ClipRequest,
    EncodeOptions,
    FrameOptions,
    SelectOptions,
    TranscribeOptions,
)
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.joblog import Listener
from reelremix.engine.jobs.films import ClipResult
from reelremix.engine.library import Library
from reelremix.errors import ModelError
from tests.cli.commandline import words_file
from tests.cli.tui.sessions import played, pressed, screen_of, settings_in, settled, shown, told
from tests.media_factory import plain_film

pytestmark = pytest.mark.slow

Session = Pilot[BaseException | None]


@pytest.fixture
def talk(tmp_path: Path) -> ReviewApp:
    """A session over two planned clips of a film with known words."""
    settings = settings_in(tmp_path)
    words = words_file(tmp_path / "words.json")
    film = plain_film(tmp_path / "talk.mp4", 17, size=(160, 90))
    request = ClipRequest(
        str(film),
        out=str(tmp_path / "clips"),
        plan_only=True,
        captions=None,
        select=SelectOptions(ranges=(TimeRange.from_seconds(1, 4), TimeRange.from_seconds(8, 12))),
        frame=FrameOptions(faces=False),
        transcribe=TranscribeOptions(transcript=str(words), align=False),
        encode=EncodeOptions(preset="ultrafast", fps="25"),
    )
    made = Library.open(settings).clip(request)
    return ReviewApp(settings, str(made.folder))


@pytest.fixture
def player(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A player that notes what it was asked to play; returns its notes."""
    notes, folder = tmp_path / "played.txt", tmp_path / "bin"
    folder.mkdir()
    mpv = folder / "mpv"
    mpv.write_text(f'#!/bin/sh\necho "$@" >> "{notes}.part" && mv "{notes}.part" "{notes}"\n')
    mpv.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin:/bin")
    return notes


async def noted(pilot: Session, notes: Path) -> str:
    """What the player was asked, once it has begun."""
    for _ in range(200):
        if notes.exists():
            return notes.read_text()
        await pilot.pause(0.05)
    raise AssertionError("nothing was played")


def test_what_is_kept_is_rendered_without_leaving_and_known_to_be_stale_after_a_change(
    talk: ReviewApp,
) -> None:
    async def story(pilot: Session) -> None:
        await pressed(pilot, "y", "R")
        view = screen_of(pilot).view
        assert view is not None
        [film] = view.films.values()
        assert film.path.is_file() and not film.is_stale
        await pressed(pilot, "minus")
        view = screen_of(pilot).view
        assert view is not None and view.films[shown(pilot)[0].id].is_stale
        await pressed(pilot, "R")
        view = screen_of(pilot).view
        assert view is not None and not view.films[shown(pilot)[0].id].is_stale

    played(talk, story)


def test_a_clip_plays_in_the_player_at_the_right_moment(talk: ReviewApp, player: Path) -> None:
    async def story(pilot: Session) -> None:
        await pressed(pilot, "j", "space")
        said = await noted(pilot, player)
        assert "--start=8.000 --end=12.000" in said and said.strip().endswith("talk.mp4")

    played(talk, story)


def test_a_preview_is_made_small_and_gone_with_the_session(talk: ReviewApp, player: Path) -> None:
    made: list[Path] = []

    async def story(pilot: Session) -> None:
        before = shown(pilot)
        await pressed(pilot, "p")
        path = Path((await noted(pilot, player)).split()[-1])
        assert path.is_file() and path.stat().st_size > 1000
        made.append(path)
        assert shown(pilot)[0].output == before[0].output
        await pressed(pilot, "q")

    played(talk, story)
    assert not made[0].exists()


def test_pictures_and_loudness_of_a_clip_are_shown(talk: ReviewApp) -> None:
    async def story(pilot: Session) -> None:
        await settled(pilot)
        seen = pilot.app.screen.query_one(Filmstrip)._glance
        assert seen is not None and len(seen.thumbs) == 12 and max(seen.levels) == 1.0

    played(talk, story)


def test_a_render_can_be_stopped(talk: ReviewApp) -> None:
    begun = threading.Event()

    async def story(pilot: Session) -> None:
        render = talk.desk.render

        def held(ids: Sequence[str], listener: Listener, cancel: CancelToken) -> ClipResult:
            begun.set()
            assert cancel.wait(30)
            return render(ids, listener, cancel)

        talk.desk.render = held  # type: ignore[method-assign]
        await pressed(pilot, "y")
        await pilot.press("R")
        assert begun.wait(30)
        await pilot.press("R")
        assert "a render is under way" in told(pilot)
        await pressed(pilot, "X")
        assert "stopped" in screen_of(pilot)._progress
        folder = talk.desk.review.path.parent
        assert not [*folder.glob("*.part"), *folder.glob("*.mp4")]

    played(talk, story)


def test_without_a_player_it_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ModelError, match="no player was found") as caught:
        play(tmp_path / "film.mp4")
    assert "mpv" in (caught.value.hint or "")


def test_a_film_that_is_gone_is_not_offered(talk: ReviewApp) -> None:
    async def story(pilot: Session) -> None:
        await pressed(pilot, "f")
        assert "not rendered" in told(pilot)

    played(talk, story)
