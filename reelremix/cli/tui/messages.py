"""What threads tell the screen of a review."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from reelremix.cli.tui.desk import View
    from reelremix.engine.stages.glance import Glance


class Viewed(Message):
    """There is something else to show."""

    def __init__(self, view: View, happened: str | None = None, select: str | None = None) -> None:
        """`happened` says why, where it was not asked for; `select` is a clip to go to."""
        super().__init__()
        self.view, self.happened, self.select = view, happened, select


class Glanced(Message):
    """Pictures of a clip are there."""

    def __init__(self, clip: str, glance: Glance) -> None:
        super().__init__()
        self.clip, self.glance = clip, glance


class Unseen(Message):
    """There are no pictures of a clip."""

    def __init__(self, why: str) -> None:
        super().__init__()
        self.why = why


class Failed(Message):
    """Something could not be done."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error


class Warned(Message):
    """The engine warns of something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class Progressed(Message):
    """How far a job is, or what came of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class Closed(Message):
    """The review was left, or could not be opened."""

    def __init__(self, error: BaseException | None) -> None:
        super().__init__()
        self.error = error
