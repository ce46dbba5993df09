"""Takes the pictures in docs/review.md anew, of a session over the demo's own sample.

python docs/make_screens.py        (after `make demo`)
"""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from reelremix.cli.tui.app import ReviewApp
from reelremix.config import load_settings

HERE = Path(__file__).parent
IMAGES = HERE / "images"
CLIPS = HERE.parent / ".demo" / "clips" / "conversation"
FONTS = re.compile(r"@font-face \{.*?\}", re.DOTALL)
"""A picture in the docs fetches nothing: it is shown in whatever font is there."""
Story = Callable[[Pilot[Any]], Awaitable[None]]


async def settled(pilot: Pilot[Any]) -> None:
    """Wait until nothing is being done any more."""
    for _ in range(4):
        await pilot.pause()
        working = [worker for worker in pilot.app.workers if worker.group != "ask"]
        if working:
            await pilot.app.workers.wait_for_complete(working)
    pilot.app.clear_notifications()
    await pilot.pause()


async def taken(app: ReviewApp, size: tuple[int, int], story: Story, name: str) -> None:
    """Play a story and keep what is on the screen at its end."""
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await story(pilot)
        await settled(pilot)
        picture = FONTS.sub("", app.export_screenshot(title="reelremix review"))
        (IMAGES / f"{name}.svg").write_text(picture, encoding="utf-8")


def pressing(*keys: str) -> Story:
    """A story of keys."""

    async def story(pilot: Pilot[Any]) -> None:
        for key in keys:
            await pilot.press(key)
            await settled(pilot)

    return story


def main() -> None:
    if not CLIPS.is_dir():
        raise SystemExit(f"{CLIPS} is not there: run `make demo` first")
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings().settings
        shutil.copytree(
            settings.data_path, f"{folder}/data", ignore=shutil.ignore_patterns("models")
        )
        copied = Path(shutil.copytree(CLIPS, f"{folder}/conversation"))
        settings = replace(settings, data_dir=f"{folder}/data")
        deleting = pressing("y", "tab", "tab", "l", "l", "v", "l", "l", "l", "d")
        for name, size, story in (
            ("review", (130, 42), deleting),
            ("review-80x24", (80, 24), pressing("j", "y", "tab")),
            ("review-help", (110, 32), pressing("tab", "tab", "question_mark")),
        ):
            asyncio.run(taken(ReviewApp(settings, str(copied)), size, story, name))
    sys.stderr.write(f"{IMAGES} has them\n")


if __name__ == "__main__":
    main()
