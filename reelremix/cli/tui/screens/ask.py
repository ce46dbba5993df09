"""Small pages that ask for a line of text or for one of a few."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label, OptionList
from textual.widgets.option_list import Option


class Page(ModalScreen[str | None]):
    """Gives one answer, however often a key is pressed."""

    def answer(self, text: str | None) -> None:
        """Close with an answer, unless there was one."""
        if self.is_current:
            self.dismiss(text)

    def action_never_mind(self) -> None:
        """Close without an answer."""
        self.answer(None)


class Ask(Page):
    """Asks for a line of text; None where somebody thought better of it."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "never_mind", "Never mind")]

    def __init__(self, question: str, value: str = "", *, may_be_empty: bool = False) -> None:
        super().__init__()
        self._question, self._value, self._may_be_empty = question, value, may_be_empty

    def compose(self) -> ComposeResult:
        """The question and a line."""
        with Vertical(classes="ask"):
            yield Label(self._question)
            yield Input(self._value, select_on_focus=True)

    @on(Input.Submitted)
    def _answered(self, event: Input.Submitted) -> None:
        text = event.value.strip()
        self.answer(text if text or self._may_be_empty else None)


class Choose(Page):
    """Asks for one of a few; None where somebody thought better of it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "never_mind", "Never mind"),
        ("j", "down", "Down"),
        ("k", "up", "Up"),
    ]

    def __init__(
        self, question: str, choices: Iterable[tuple[str, str]], now: str | None = None
    ) -> None:
        """`choices` are what is given back and what is shown."""
        super().__init__()
        self._question, self._now = question, now
        self._choices: Sequence[tuple[str, str]] = tuple(choices)

    def compose(self) -> ComposeResult:
        """The question and what there is."""
        with Vertical(classes="ask"):
            yield Label(self._question)
            yield OptionList(*(Option(shown, id=value) for value, shown in self._choices))

    def on_mount(self) -> None:
        """Begin at what is so now."""
        values = [value for value, _ in self._choices]
        if self._now in values:
            self.query_one(OptionList).highlighted = values.index(self._now)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.answer(event.option.id)

    def action_down(self) -> None:
        """The next one."""
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        """The one before."""
        self.query_one(OptionList).action_cursor_up()
