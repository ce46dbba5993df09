"""What the command palette offers of a page: its keys, by name."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from textual.app import SystemCommand
from textual.screen import Screen

REVIEW = (
    ("Keep", "keep the clip, or leave that open", "decide('kept')"),
    ("Drop", "drop the clip, or leave that open", "decide('dropped')"),
    ("Title", "give the clip another title", "retitle"),
    ("Layout", "auto, single, split, screen, fit or center", "layout"),
    ("Who is shown", "show somebody while the selected words are said", "speaker"),
    ("Captions", "set the captions in another preset", "captions"),
    ("Merge", "take another clip into this one", "merge"),
    ("Undo", "take back the last operation", "undo"),
    ("Redo", "do again what was taken back", "redo"),
    ("Find", "find words in the transcript", "find"),
    ("Play", "play the recording from here", "play"),
    ("Preview", "make a small film of the clip and play it", "preview"),
    ("Render kept clips", "render them while you go on", "render"),
    ("Stop rendering", "finished films are kept", "stop"),
)


def commands_of(screen: Screen[object]) -> Iterable[SystemCommand]:
    """The commands of a page."""
    from reelremix.cli.tui.screens.review import ReviewScreen

    if isinstance(screen, ReviewScreen):
        for name, help, action in REVIEW:
            yield SystemCommand(name, help, partial(screen.run_action, action))
