from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from reelremix.cli.tui.app import ReviewApp
from reelremix.cli.tui.pictures import picture_widget, seems_able
from reelremix.cli.tui.widgets.gallery import Gallery
from reelremix.engine.stages.glance import Glance, Thumb
from reelremix.errors import ConfigError
from tests.cli.tui.sessions import played, screen_of, settled, talk_in


@pytest.mark.parametrize(
    "environ, able",
    [
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "xterm-kitty"}, True),
        ({"TERM": "foot"}, True),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, True),
        ({"TERM": "xterm-kitty", "TMUX": "/tmp/tmux"}, False),
        ({}, False),
    ],
)
def test_only_terminals_that_may_be_able_are_asked(environ: dict[str, str], able: bool) -> None:
    assert seems_able(environ) is able


def test_blocks_need_nothing() -> None:
    for asked in ("blocks", "off", "auto"):
        assert picture_widget(asked, {"TERM": "xterm"}) is None


def test_another_word_is_refused() -> None:
    with pytest.raises(ConfigError, match="must be one of auto, kitty"):
        picture_widget("ascii", {})


@pytest.mark.parametrize("kind", ["kitty", "sixel"])
def test_pictures_are_drawn_as_asked(kind: str, tmp_path: Path) -> None:
    picture = picture_widget(kind, {})
    assert picture is not None
    settings, path = talk_in(tmp_path)
    red = Thumb.of(10.0, 8, 4, bytes([200, 10, 10]) * 32)

    async def story(pilot: Pilot[BaseException | None]) -> None:
        gallery = pilot.app.screen.query_one(Gallery)
        clip = screen_of(pilot).clip
        assert clip is not None
        await gallery.show(Glance(0.0, 1.0, (red,) * 12, ()))
        await settled(pilot)
        shown = list(gallery.children)
        assert [type(child) for child in shown] == [picture] * 6
        assert {child.image.getpixel((3, 2)) for child in shown} == {(200, 10, 10)}  # type: ignore[attr-defined]

    played(ReviewApp(settings, str(path), picture), story)
