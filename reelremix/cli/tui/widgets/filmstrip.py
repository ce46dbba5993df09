"""A clip at a glance: small pictures, how loud it is, and where it is cut.

Pictures are drawn in half blocks, two pixels a character, so that they show in every terminal that
has colours; `pictures` draws real ones where the terminal can.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from reelremix.cli.tui.text import precise_clock

if TYPE_CHECKING:
    from reelremix.engine.stages.glance import Glance, Thumb

WAVE_ROWS = 2
BLOCKS = " ▁▂▃▄▅▆▇█"
LOUDEST = 8 * WAVE_ROWS


class Filmstrip(Widget):
    """Pictures above, loudness below, and a ruler with the cuts and the word one is at."""

    HELP = """\
## Filmstrip

The clip and four seconds around it. What is kept is bright, what was cut out is dark red, what
lies before and after is grey. `▼` is the word under the transcript's cursor. Click to go there.
"""
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "filmstrip--kept",
        "filmstrip--cut",
        "filmstrip--around",
        "filmstrip--cursor",
        "filmstrip--ruler",
    }
    DEFAULT_CSS = """
    Filmstrip {
        height: 8;
        & > .filmstrip--kept { color: $primary; }
        & > .filmstrip--cut { color: $error; text-style: dim; }
        & > .filmstrip--around { text-style: dim; }
        & > .filmstrip--cursor { color: $warning; text-style: bold; }
        & > .filmstrip--ruler { text-style: dim; }
    }
    """

    class Pointed(Message):
        """Somebody clicked on a moment."""

        def __init__(self, at_s: float) -> None:
            """Which one."""
            super().__init__()
            self.at_s = at_s

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._glance: Glance | None = None
        self._kept: list[tuple[float, float]] = []
        self._span = (0.0, 0.0)
        self._cursor_s: float | None = None
        self._notice = ""
        self._drawn: dict[int, tuple[int, int, list[bytes]]] = {}

    def show_ranges(self, kept: Sequence[tuple[float, float]], span: tuple[float, float]) -> None:
        """Show a clip: what is kept of it, within a stretch; pictures come when they are there."""
        self._kept, self._span = list(kept), span
        if self._glance is not None and (self._glance.start_s, self._glance.end_s) != span:
            self._glance = None
        self._notice = ""
        self.refresh()

    def show_glance(self, glance: Glance) -> None:
        """Show what it looks and sounds like, if it is still this stretch that is shown."""
        if (round(glance.start_s, 3), round(glance.end_s, 3)) == tuple(
            round(v, 3) for v in self._span
        ):
            self._glance, self._drawn = glance, {}
            self.refresh()

    def show_notice(self, text: str) -> None:
        """Say why there are no pictures."""
        self._glance, self._notice = None, text
        self.refresh()

    def point_at(self, at_s: float) -> None:
        """Mark a moment."""
        self._cursor_s = at_s
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Point at a moment."""
        start, end = self._span
        if self.size.width and end > start:
            share = (event.x + 0.5) / self.size.width
            self.post_message(self.Pointed(start + share * (end - start)))

    def render_line(self, y: int) -> Strip:
        """Pictures, then loudness, then the ruler."""
        width, height = self.size.width, self.size.height
        if not self._kept or width < 4:
            return Strip.blank(width, self.rich_style)
        pictures = max(0, height - WAVE_ROWS - 1)
        if y < pictures:
            return self._pictures(y, pictures)
        if y < height - 1:
            return self._wave(y - pictures)
        return self._ruler()

    def _pictures(self, y: int, rows: int) -> Strip:
        width, plain = self.size.width, self.rich_style
        if self._glance is None or not self._glance.thumbs:
            text = self._notice if y == rows // 2 else ""
            return Strip([Segment(text.center(width)[:width], plain + self._look("ruler"))])
        thumbs = self._glance.thumbs
        columns = max(2, round(2 * rows * thumbs[0].width_px / thumbs[0].height_px))
        shown = max(1, min(len(thumbs), width // (columns + 1)))
        columns = min(columns, width // shown)
        segments: list[Segment] = []
        for slot in range(shown):
            thumb = thumbs[slot * len(thumbs) // shown]
            left = width * slot // shown
            done = sum(segment.cell_length for segment in segments)
            segments.append(Segment(" " * (left - done), plain))
            segments += self._half_blocks(thumb, columns, rows, y)
        return Strip(segments).adjust_cell_length(width, plain)

    def _half_blocks(self, thumb: Thumb, columns: int, rows: int, y: int) -> list[Segment]:
        known = self._drawn.get(id(thumb))
        if known is None or known[:2] != (columns, rows):
            known = columns, rows, _sampled(thumb, columns, 2 * rows)
            self._drawn[id(thumb)] = known
        upper, lower = known[2][2 * y], known[2][2 * y + 1]
        return [
            Segment("▀", Style(color=_colour(upper, n), bgcolor=_colour(lower, n)))
            for n in range(columns)
        ]

    def _wave(self, row: int) -> Strip:
        """Loudness as columns, coloured by what is kept."""
        levels = self._glance.levels if self._glance is not None else ()
        segments = []
        for column in range(self.size.width):
            at_s, until_s = self._time_of(column), self._time_of(column + 1)
            level = _loudest(levels, self._span[0], at_s, until_s)
            filled = round(level * LOUDEST) - 8 * (WAVE_ROWS - 1 - row)
            style = self.rich_style + self._look(self._state_of((at_s + until_s) / 2))
            segments.append(Segment(BLOCKS[min(max(filled, 0), 8)], style))
        return Strip(segments)

    def _ruler(self) -> Strip:
        """Where ranges begin and end, where one is, and the time there."""
        width = self.size.width
        marks = [" "] * width
        styles = ["ruler"] * width
        for start, end in self._kept:
            for at_s, mark in ((start, "┃"), (end, "┃")):
                marks[self._column_of(at_s)] = mark
                styles[self._column_of(at_s)] = "kept"
        for at_s, text in ((self._kept[0][0], "left"), (self._kept[-1][1], "right")):
            label = precise_clock(at_s)
            column = self._column_of(at_s)
            first = column + 1 if text == "left" else column - len(label)
            for offset, letter in enumerate(label):
                if 0 <= first + offset < width and marks[first + offset] == " ":
                    marks[first + offset] = letter
        if self._cursor_s is not None and self._span[0] <= self._cursor_s <= self._span[1]:
            column = self._column_of(self._cursor_s)
            marks[column], styles[column] = "▼", "cursor"
        return Strip(
            [
                Segment(mark, self.rich_style + self._look(style))
                for mark, style in zip(marks, styles, strict=True)
            ]
        )

    def _time_of(self, column: int) -> float:
        start, end = self._span
        return start + (end - start) * column / max(1, self.size.width)

    def _column_of(self, at_s: float) -> int:
        start, end = self._span
        share = (at_s - start) / max(end - start, 1e-6)
        return min(max(int(share * self.size.width), 0), self.size.width - 1)

    def _state_of(self, at_s: float) -> str:
        if any(start <= at_s < end for start, end in self._kept):
            return "kept"
        is_between = self._kept[0][0] <= at_s < self._kept[-1][1]
        return "cut" if is_between else "around"

    def _look(self, name: str) -> Style:
        return self.get_component_rich_style(f"filmstrip--{name}", partial=True)


def _loudest(levels: Sequence[float], start_s: float, at_s: float, until_s: float) -> float:
    from reelremix.engine.stages.glance import PEAKS_PER_S

    first = int((at_s - start_s) * PEAKS_PER_S)
    return max(levels[first : max(first + 1, int((until_s - start_s) * PEAKS_PER_S))], default=0.0)


def _sampled(thumb: Thumb, columns: int, rows: int) -> list[bytes]:
    """The picture in so many columns and rows of pixels, each the mean of what it covers."""
    import numpy as np

    pixels = np.frombuffer(thumb.rgb, np.uint8).reshape(thumb.height_px, thumb.width_px, 3)
    down = np.linspace(0, thumb.height_px, rows + 1).astype(int)[:-1]
    across = np.linspace(0, thumb.width_px, columns + 1).astype(int)[:-1]
    sums = np.add.reduceat(np.add.reduceat(pixels.astype(np.uint32), down, 0), across, 1)
    ones = np.ones(pixels.shape[:2], np.uint32)
    counts = np.add.reduceat(np.add.reduceat(ones, down, 0), across, 1)[..., None]
    shrunk = (sums // np.maximum(counts, 1)).astype(np.uint8)
    return [row.tobytes() for row in shrunk]


def _colour(row: bytes, column: int) -> Color:
    return Color.from_rgb(row[3 * column], row[3 * column + 1], row[3 * column + 2])
