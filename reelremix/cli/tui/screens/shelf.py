"""The first page: every recording the library knows, the latest first."""

from __future__ import annotations

import time
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import DataTable, Footer, Header, Input, Static

from reelremix.cli.tui.desk import Desk, in_words
from reelremix.cli.tui.following import Following, JobsChanged
from reelremix.cli.tui.text import clock
from reelremix.errors import ReelRemixError

COLUMNS = (("recording", None), ("length", 8), ("clips", 5), ("kept", 4), ("seen", 10))
NOTHING = "Nothing is here yet: `reelremix clip RECORDING` makes the first clips."
NONE_FOUND = "No recording is called like that."


class Shelf(Screen[None]):
    """Choose what to review."""

    HELP = """\
## Recordings

Everything that was clipped on this machine. `enter` opens the clips, `/` finds a recording by its
name, `g` shows what the daemon works on, `q` quits.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "find", "Find"),
        Binding("g", "jobs", "Jobs"),
        Binding("j", "down", "Down", show=False),
        Binding("k", "up", "Up", show=False),
        Binding("escape", "clear", "All", show=False),
        Binding("q", "app.quit", "Quit"),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._places: dict[str, str | None] = {}
        self._following = Following(desk.settings, self._tell_jobs)
        self._ended = 0

    def compose(self) -> ComposeResult:
        """A table, and a line to find by."""
        yield Header()
        yield Input(placeholder="name", id="shelf-find", classes="hidden")
        yield DataTable(cursor_type="row", id="shelf")
        yield Static(NOTHING, id="shelf-nothing", classes="hidden")
        yield Static(id="shelf-jobs", classes="hidden", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """Fill the table before it is first painted: that takes a few milliseconds."""
        self.sub_title = "recordings"
        table = self.query_one("#shelf", DataTable)
        for name, width in COLUMNS:
            table.add_column(name, width=width, key=name)
        self._fill("")
        table.focus()
        self._following.start()

    def on_unmount(self) -> None:
        """Nobody looks any more."""
        self._following.stop()

    def _tell_jobs(self) -> None:
        """Called by the thread that follows the daemon."""
        if self.is_mounted:
            self.app.screen.post_message(JobsChanged())
            self.post_message(JobsChanged())

    @on(JobsChanged)
    def show_jobs(self) -> None:
        """What the daemon does, in one line; recordings that it has finished are listed."""
        board = self._following.board
        line = self.query_one("#shelf-jobs", Static)
        line.update(board.summary)
        line.set_class(not board.summary, "hidden")
        ended = sum(job.state == "succeeded" for job in board.lines)
        if ended != self._ended:
            self._ended = ended
            self._fill(self.query_one("#shelf-find", Input).value)

    def action_jobs(self) -> None:
        """Show the daemon's jobs."""
        from reelremix.cli.tui.screens.jobs import JobsScreen

        self.app.push_screen(JobsScreen(self._desk, self._following))

    def on_screen_resume(self) -> None:
        """Clips were decided on meanwhile."""
        self._fill(self.query_one("#shelf-find", Input).value)

    def _fill(self, text: str) -> None:
        table = self.query_one("#shelf", DataTable)
        try:
            rows = self._desk.rows(text)
        except ReelRemixError as exc:
            message, hint = in_words(exc)
            self.query_one("#shelf-nothing", Static).update(f"{message}\n{hint or ''}")
            self._show_nothing(is_empty=True)
            return
        at = table.cursor_row
        table.clear()
        self._places = {row.id: row.manifest for row in rows}
        for row in rows:
            length = "?" if row.length_s is None else clock(row.length_s)
            table.add_row(
                Text(row.name, no_wrap=True, overflow="ellipsis"),
                Text(length, justify="right"),
                Text(str(row.clips), justify="right"),
                Text(str(row.kept), justify="right"),
                _ago(time.time() - row.seen_at),
                key=row.id,
            )
        table.move_cursor(row=min(at, max(len(rows) - 1, 0)), animate=False)
        self.query_one("#shelf-nothing", Static).update(NONE_FOUND if text else NOTHING)
        self._show_nothing(is_empty=not rows)

    def _show_nothing(self, *, is_empty: bool) -> None:
        self.query_one("#shelf-nothing").set_class(not is_empty, "hidden")

    def action_find(self) -> None:
        """Ask for a name."""
        line = self.query_one("#shelf-find", Input)
        line.remove_class("hidden")
        line.focus()

    def action_clear(self) -> None:
        """Show all again."""
        line = self.query_one("#shelf-find", Input)
        line.value = ""
        line.add_class("hidden")
        self.query_one("#shelf").focus()

    def action_down(self) -> None:
        """The next one."""
        self.query_one("#shelf", DataTable).action_cursor_down()

    def action_up(self) -> None:
        """The one before."""
        self.query_one("#shelf", DataTable).action_cursor_up()

    @on(Input.Changed, "#shelf-find")
    def _typed(self, event: Input.Changed) -> None:
        self._fill(event.value.strip())

    @on(Input.Submitted, "#shelf-find")
    def _found(self) -> None:
        self.query_one("#shelf").focus()

    @on(DataTable.RowSelected, "#shelf")
    def _open(self, event: DataTable.RowSelected) -> None:
        id = str(event.row_key.value)
        if self._places.get(id) is None:
            self.notify(
                "no clips of it were written to a folder; `reelremix clip` makes some",
                severity="warning",
            )
            return
        self._opened(str(self._places[id]))

    @work(exit_on_error=False)
    async def _opened(self, path: str) -> None:
        from reelremix.cli.tui.screens.review import ReviewScreen

        await self.app.push_screen(ReviewScreen(self._desk, path))


def _ago(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{int(seconds // length)} {unit} ago"
    return "just now"
