"""The daemon's jobs, as they go."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import DataTable, Footer, Header, Static

from reelremix.cli.output import on_one_line
from reelremix.cli.tui.desk import Desk, in_words
from reelremix.cli.tui.following import Following, JobsChanged
from reelremix.errors import ReelRemixError

if TYPE_CHECKING:
    from reelremix.daemon.client import DaemonClient

COLUMNS = (("job", 8), ("state", 9), ("recording", 28), ("what goes on", None))
NOTHING = (
    "No jobs yet: `reelremix clip` adds one while the daemon runs, a watched folder adds many."
)
STYLES = {
    "running": "bold", "succeeded": "green", "failed": "red", "dead": "red", "cancelled": "dim",
    "paused": "yellow",
}  # fmt: skip


class JobsScreen(Screen[None]):
    """What the daemon works on, worked on, and is going to."""

    HELP = """\
## Jobs

What the daemon works on, live. `enter` opens the clips of a job, `p` pauses it or goes on, `r`
tries one again that failed, `x` stops one for good, `escape` leads back.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "pause", "Pause"),
        Binding("r", "retry", "Try again"),
        Binding("x", "cancel", "Stop"),
        Binding("j", "down", "Down", show=False),
        Binding("k", "up", "Up", show=False),
        Binding("escape,q", "app.pop_screen", "Back"),
    ]

    def __init__(self, desk: Desk, following: Following) -> None:
        super().__init__()
        self._desk = desk
        self._following = following

    def compose(self) -> ComposeResult:
        """A table."""
        yield Header()
        yield DataTable(cursor_type="row", id="jobs")
        yield Static(NOTHING, id="jobs-nothing", classes="hidden")
        yield Footer()

    def on_mount(self) -> None:
        """Show what is known."""
        self.sub_title = "jobs"
        table = self.query_one("#jobs", DataTable)
        for name, width in COLUMNS:
            table.add_column(name, width=width, key=name)
        self.refresh_jobs()
        table.focus()

    @on(JobsChanged)
    def refresh_jobs(self) -> None:
        """Show the jobs as they are now."""
        table = self.query_one("#jobs", DataTable)
        lines = self._following.board.lines
        if [str(key.value) for key in table.rows] != [line.id for line in lines]:
            at = table.cursor_row
            table.clear()
            for line in lines:
                table.add_row(line.id[:8], "", Text(on_one_line(line.name)), "", key=line.id)
            table.move_cursor(row=min(at, max(len(lines) - 1, 0)), animate=False)
        for line in lines:
            table.update_cell(line.id, "state", Text(line.state, STYLES.get(line.state, "")))
            doing = Text(on_one_line(line.doing))
            table.update_cell(line.id, "what goes on", doing, update_width=True)
        nothing = self.query_one("#jobs-nothing", Static)
        nothing.update(self._following.trouble or NOTHING)
        nothing.set_class(bool(lines) and self._following.trouble is None, "hidden")

    def action_down(self) -> None:
        """The next one."""
        self.query_one("#jobs", DataTable).action_cursor_down()

    def action_up(self) -> None:
        """The one before."""
        self.query_one("#jobs", DataTable).action_cursor_up()

    def action_pause(self) -> None:
        """Pause a job, or go on with one that is paused."""
        line = self._line()
        if line is not None:
            is_paused = line.state == "paused"
            self._ask(lambda c: c.resume(line.id) if is_paused else c.pause(line.id))

    def action_retry(self) -> None:
        """Try a job again."""
        line = self._line()
        if line is not None:
            self._ask(lambda client: client.retry(line.id))

    def action_cancel(self) -> None:
        """Stop a job for good."""
        line = self._line()
        if line is not None:
            self._ask(lambda client: client.cancel(line.id))

    @on(DataTable.RowSelected, "#jobs")
    def _open(self) -> None:
        line = self._line()
        if line is None:
            return
        if line.folder is None or line.state != "succeeded":
            self.notify("there are clips once it has succeeded", severity="warning")
            return
        self._opened(line.folder)

    @work(exit_on_error=False)
    async def _opened(self, folder: str) -> None:
        from reelremix.cli.tui.screens.review import ReviewScreen

        await self.app.push_screen(ReviewScreen(self._desk, folder))

    def _line(self) -> Any:
        """The job one is at; None where there is none."""
        lines, at = self._following.board.lines, self.query_one("#jobs", DataTable).cursor_row
        return lines[at] if at < len(lines) else None

    @work(thread=True, exit_on_error=False, group="asking")
    def _ask(self, what: Callable[[DaemonClient], object]) -> None:
        from reelremix.daemon.client import DaemonClient

        try:
            with DaemonClient(self._desk.settings) as client:
                what(client)
        except ReelRemixError as exc:
            message, hint = in_words(exc)
            self.app.call_from_thread(
                self.notify, f"{message}\n{hint or ''}".strip(), severity="error"
            )
