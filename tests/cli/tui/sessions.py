"""A review session without a terminal: a library, three clips of a talk, and keys to press."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from textual.pilot import Pilot

from reelremix.cli.tui.app import ReviewApp
from reelremix.cli.tui.screens.review import ReviewScreen
from reelremix.cli.tui.widgets.words import Words
from reelremix.config import Settings, load_settings
from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.edit import ManifestPlace
from reelremix.engine.export.clip_reading import clips_from_dict
from reelremix.engine.export.manifest import read_manifest
from reelremix.engine.joblog import Unheard
from reelremix.engine.library import Library
from tests.engine.reviewed import SOURCE, reviewed

SIZE = (120, 40)
Story = Callable[[Pilot[BaseException | None]], Awaitable[None]]


def settings_in(folder: Path) -> Settings:
    """The settings of somebody whose library is there."""
    return replace(load_settings().settings, data_dir=str(folder / "data"))


def talk_in(folder: Path) -> tuple[Settings, Path]:
    """A library with three clips of a talk, and where their manifest is."""
    settings = settings_in(folder)
    library = Library.open(settings)
    path = reviewed(folder / "clips" / "talk", library.context(Unheard()))
    place = ManifestPlace(str(read_manifest(path)["id"]), SOURCE.id, str(path))
    library.catalogue.remember_manifest(place)
    return settings, path


def played(app: ReviewApp, story: Story, size: tuple[int, int] = SIZE) -> ReviewApp:
    """Run a session from its first page to the end of a story."""

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            await settled(pilot)
            await story(pilot)

    asyncio.run(run())
    return app


async def settled(pilot: Pilot[BaseException | None]) -> None:
    """Wait until nothing is being done any more and all of it is shown."""
    for _ in range(3):
        await pilot.pause()
        working = [worker for worker in pilot.app.workers if worker.group != "ask"]
        if working:  # none would mean all
            await pilot.app.workers.wait_for_complete(working)
    await pilot.pause()


async def pressed(pilot: Pilot[BaseException | None], *keys: str) -> None:
    """Press keys one after the other, each when what the last one began is done."""
    for key in keys:
        await pilot.press(key)
        await settled(pilot)


def screen_of(pilot: Pilot[BaseException | None]) -> ReviewScreen:
    """The review that is open."""
    screen = pilot.app.screen
    assert isinstance(screen, ReviewScreen), screen
    return screen


def shown(pilot: Pilot[BaseException | None]) -> tuple[Clip, ...]:
    """The clips on the screen."""
    view = screen_of(pilot).view
    assert view is not None
    return view.clips


def words_of(pilot: Pilot[BaseException | None]) -> Words:
    """The transcript on the screen."""
    return pilot.app.screen.query_one(Words)


def told(pilot: Pilot[BaseException | None]) -> str:
    """What was told last."""
    notes = list(pilot.app._notifications)
    return notes[-1].message if notes else ""


def written(path: Path) -> tuple[Clip, ...]:
    """The clips in the manifest."""
    return clips_from_dict(read_manifest(path), path)
