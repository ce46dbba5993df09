"""How the pages look, as SVG in `tests/golden/screens`.

`python -m tests.cli.tui.test_snapshots` renews them after a change that is meant; look at them.
"""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from textual.pilot import Pilot

from reelremix.cli.tui.app import ReviewApp
from tests.cli.tui.sessions import played, pressed, talk_in

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parents[2] / "golden" / "screens"
FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
PAGES: dict[str, tuple[tuple[int, int], str, tuple[str, ...]]] = {
    "review-80x24": ((80, 24), "dark", ("y", "tab")),
    "review-120x40": ((120, 40), "dark", ("y", "j")),
    "deletion-light": ((100, 32), "light", ("tab", "tab", "l", "l", "v", "l", "l", "d", "l")),
    "help": ((120, 40), "dark", ("tab", "tab", "question_mark")),
    "recordings": ((80, 24), "dark", ()),
}
"""Each with its size, its theme and the keys that lead there."""


def picture_of(name: str, folder: Path) -> str:
    """What a page looks like, the same every time."""
    size, theme, keys = PAGES[name]
    settings, path = talk_in(folder)
    app = ReviewApp(settings, None if name == "recordings" else str(path))
    app.theme = f"textual-{theme}"
    pictures: list[str] = []

    async def story(pilot: Pilot[BaseException | None]) -> None:
        await pressed(pilot, *keys)
        app.clear_notifications()
        await pilot.pause()
        pictures.append(app.export_screenshot(title="reelremix"))

    played(app, story, size)
    return re.sub(r"terminal-\d+", "terminal", FONTS.sub("", pictures[0])).strip() + "\n"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_looks_as_it_did(name: str, tmp_path: Path) -> None:
    golden = (FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    assert picture_of(name, tmp_path) == golden, "if that is meant, renew it as said above"


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for page in PAGES:
        with TemporaryDirectory() as made:
            (FOLDER / f"{page}.svg").write_text(picture_of(page, Path(made)), encoding="utf-8")
