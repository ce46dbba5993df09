"""The review session as an application."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterable
from typing import ClassVar

from rich.segment import Segment
from textual import on
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.filter import LineFilter
from textual.screen import Screen
from textual.widget import Widget

from reelremix.cli.output import harmless
from reelremix.cli.tui.desk import Desk, in_words
from reelremix.cli.tui.messages import Closed
from reelremix.config import Settings

ENDING = ("SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT")
SIGNALLED = 128
"""Added to the number of a signal, the exit code of a program that it ended."""


class Harmless(LineFilter):
    """Titles and words are somebody else's: what a terminal takes for orders is spelled out."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments where there is no such thing, which is nearly always."""
        if all(own.text.isprintable() for own in segments):
            return segments
        return [Segment(harmless(s.text).replace("\n", " "), s.style, s.control) for s in segments]


class ReviewApp(App[BaseException | None]):
    """Recordings, and the clips of one of them."""

    TITLE = "ReelRemix"
    CSS_PATH = "review.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "Help"),
        Binding("ctrl+q", "quit", "Quit", show=False),
    ]

    def __init__(
        self,
        settings: Settings,
        named: str | None = None,
        picture: type[Widget] | None = None,
    ) -> None:
        """Review the clips of what is named; without a name, choose among all recordings.

        `picture` draws real pictures; None draws them in half blocks.
        """
        super().__init__()
        self._filters.append(Harmless())
        self.desk = Desk(settings, picture)
        self._named = named
        self.theme = "textual-light" if settings.theme == "light" else "textual-dark"

    def on_mount(self) -> None:
        """The first page; whoever ends the program from outside gets the terminal back too."""
        for name in ENDING:
            number = getattr(signal, name, None)  # Windows has two of them, and handles none here
            if number is not None:
                with contextlib.suppress(NotImplementedError):
                    asyncio.get_running_loop().add_signal_handler(number, self._end, number)
        if self._named is None:
            from reelremix.cli.tui.screens.shelf import Shelf

            self.push_screen(Shelf(self.desk))
        else:
            from reelremix.cli.tui.screens.review import ReviewScreen

            self.push_screen(ReviewScreen(self.desk, self._named))

    def _end(self, number: signal.Signals) -> None:
        self.exit(return_code=SIGNALLED + number)

    def action_help(self) -> None:
        """Show or hide what the keys do where one is."""
        if self.screen.query("HelpPanel"):
            self.action_hide_help_panel()
        else:
            self.action_show_help_panel()

    @on(Closed)
    def _review_closed(self, message: Closed) -> None:
        """A review was left, or could not be opened: go back to where one comes from."""
        if self._named is not None:
            self.exit(message.error)
            return
        self.pop_screen()
        errors = [message.error] if message.error is not None else []
        while self.desk.untold:
            errors.append(self.desk.untold.pop(0))
        for error in errors:
            told, hint = in_words(error)
            self.notify(f"{told}\n{hint or ''}".strip(), severity="error", timeout=10)

    def _handle_exception(self, error: Exception) -> None:
        """A fault of ours ends the session in one line, as it does any command."""
        if self.is_headless:
            super()._handle_exception(error)
        else:
            self.exit(error)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Everything that a key does, by name."""
        yield from super().get_system_commands(screen)
        from reelremix.cli.tui.commands import commands_of

        yield from commands_of(screen)
