"""The list of clips."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import DataTable

from reelremix.cli.tui.text import STATUS_MARKS, precise_clock

if TYPE_CHECKING:
    from reelremix.cli.tui.desk import View

COLUMNS: tuple[tuple[str, int | None], ...] = (
    ("", 1), ("#", 2), ("%", 2), ("length", 7), ("title", None),
)  # fmt: skip
MARK_STYLES = {"kept": "green", "dropped": "red", None: "dim"}


class Clips(DataTable[Text]):
    """One row a clip: decision, score, length, title."""

    HELP = """\
## Clips

`✓` kept, `✗` dropped, `·` open. After the length, `●` is a film that shows the clip as it is,
`○` one that was rendered before it was changed.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "cursor_down", "Down", show=False),
        Binding("k", "cursor_up", "Up", show=False),
        Binding("g", "scroll_top", "First", show=False),
        Binding("G", "scroll_bottom", "Last", show=False),
        Binding("d", "screen.decide('dropped')", "Drop"),
    ]

    DEFAULT_CSS = """
    Clips { overflow-x: hidden; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, cursor_type="row", cell_padding=1)

    def on_mount(self) -> None:
        """The columns."""
        for name, width in COLUMNS:
            self.add_column(name, width=width, key=name or "mark")
        self._title = next(column for key, column in self.columns.items() if key.value == "title")

    def on_resize(self) -> None:
        """The title has the room that is left."""
        others = sum((width or 0) + 2 * self.cell_padding for _, width in COLUMNS)
        room = self.scrollable_content_region.width - others
        if self._title.width != max(8, room):
            self._title.width, self._title.auto_width = max(8, room), False
            self._require_update_dimensions = True
            self.refresh()

    @property
    def current(self) -> str | None:
        """The clip that the cursor is on, even before that is shown elsewhere."""
        if not self.is_valid_row_index(self.cursor_row):
            return None
        return str(self.coordinate_to_cell_key(self.cursor_coordinate).row_key.value)

    def show(self, view: View, selected: str | None) -> None:
        """Show these clips, the selected one staying where the cursor is."""
        ids = [clip.id for clip in view.clips]
        if [str(key.value) for key in self.rows] != ids:
            self.clear()
            for clip in view.clips:
                self.add_row(*_cells(view, clip.id), key=clip.id)
        else:
            for clip in view.clips:
                for column, cell in zip(self.columns, _cells(view, clip.id), strict=True):
                    if self.get_cell(clip.id, column) != cell:
                        self.update_cell(clip.id, column, cell)
        if selected in ids:
            self.move_cursor(row=ids.index(selected), animate=False)


def _cells(view: View, id: str) -> Sequence[Text]:
    clip = next(clip for clip in view.clips if clip.id == id)
    total = clip.score.total if clip.score is not None else None
    film = view.films.get(id)
    state = "" if film is None else "○" if film.is_stale else "●"
    dim = "dim" if clip.status == "dropped" else ""
    return (
        Text(STATUS_MARKS[clip.status], style=MARK_STYLES[clip.status]),
        Text(str(clip.rank), style=dim, justify="right"),
        Text("?" if total is None else f"{total:.0f}", style=dim, justify="right"),
        Text(f"{precise_clock(clip.duration_s)}{state or ' '}", style=dim, justify="right"),
        Text(clip.title, style=dim, no_wrap=True, overflow="ellipsis"),
    )
