"""How the pages look, as SVG. `pytest tests/cli/tui/test_snapshots.py --snapshot-update` after a
change that is meant, and look at what it shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reelremix.cli.tui.app import ReviewApp
from tests.cli.tui.sessions import pressed, settled, talk_in

Compare = Callable[..., bool]


@pytest.fixture
def talk(tmp_path: Path) -> tuple[Any, Path]:
    """A library with three clips of a talk."""
    return talk_in(tmp_path)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_the_review(talk: tuple[Any, Path], size: tuple[int, int], snap_compare: Compare) -> None:
    settings, path = talk

    async def story(pilot: Any) -> None:
        await settled(pilot)
        await pressed(pilot, "y", "tab" if size[1] < 32 else "y", "escape")
        pilot.app.clear_notifications()
        await settled(pilot)

    assert snap_compare(ReviewApp(settings, str(path)), terminal_size=size, run_before=story)


def test_a_deletion_in_light_colours(talk: tuple[Any, Path], snap_compare: Compare) -> None:
    settings, path = talk
    app = ReviewApp(settings, str(path))
    app.theme = "textual-light"

    async def story(pilot: Any) -> None:
        await settled(pilot)
        pilot.app.screen.query_one("#words").focus()
        await pressed(pilot, "l", "l", "v", "l", "l", "d", "l", "v", "l")
        pilot.app.clear_notifications()
        await settled(pilot)

    assert snap_compare(app, terminal_size=(100, 32), run_before=story)


def test_the_recordings(talk: tuple[Any, Path], snap_compare: Compare) -> None:
    settings, _ = talk

    async def story(pilot: Any) -> None:
        await settled(pilot)

    assert snap_compare(ReviewApp(settings), terminal_size=(80, 24), run_before=story)


def test_help_beside_the_transcript(talk: tuple[Any, Path], snap_compare: Compare) -> None:
    settings, path = talk

    async def story(pilot: Any) -> None:
        await settled(pilot)
        pilot.app.screen.query_one("#words").focus()
        await pressed(pilot, "question_mark")
        pilot.app.clear_notifications()
        await settled(pilot)

    app = ReviewApp(settings, str(path))
    assert snap_compare(app, terminal_size=(120, 40), run_before=story)
