"""Why a clip was chosen, and how it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from reelremix.cli.tui.text import STATUS_MARKS, bar, precise_clock

if TYPE_CHECKING:
    from reelremix.cli.tui.desk import Film
    from reelremix.engine.domain.clip import Clip

AXIS_COLUMNS = 10
WIDEST_NAME = 11


class Facts(VerticalScroll, can_focus=True):
    """Title, score with its evidence, picture, captions, film."""

    HELP = """\
## Facts

The chance that an editor keeps the clip, what speaks for it with the words that say so, and how it
is framed, captioned and rendered. `unknown` means that nothing is known, not that it is bad.
"""
    DEFAULT_CSS = """
    Facts { padding: 0 1; }
    """

    def compose(self) -> ComposeResult:
        """One text."""
        yield Static(id="facts-text")

    def show(self, clip: Clip | None, film: Film | None) -> None:
        """Tell of another clip."""
        self.query_one("#facts-text", Static).update(_told(clip, film) if clip else "")


def _told(clip: Clip, film: Film | None) -> RenderableType:
    parts: list[RenderableType] = [Text(clip.title, style="bold")]
    if clip.description:
        parts.append(Text(clip.description))
    if clip.hashtags:
        parts.append(Text(" ".join(clip.hashtags), style="dim"))
    return Group(*parts, _score(clip), *_reasons(clip), _state(clip, film))


def _score(clip: Clip) -> RenderableType:
    total = clip.score.total if clip.score is not None else None
    table = Table.grid(padding=(0, 1))
    table.add_row(Text("score", style="bold"), Text("unknown" if total is None else f"{total:.0f}"))
    for axis, value in (clip.score.axes if clip.score is not None else {}).items():
        shown = "unknown" if value is None else f"{bar(value / 100, AXIS_COLUMNS)} {value:.0f}"
        table.add_row(axis.value, Text(shown, style="dim" if value is None else ""))
    return table


def _reasons(clip: Clip) -> list[RenderableType]:
    reasons = clip.score.reasons if clip.score is not None else ()
    told: list[RenderableType] = []
    for reason in reasons:
        text = Text(f"{reason.axis.value}: {reason.text}")
        if reason.quote:
            text.append(f" “{reason.quote}”", style="italic dim")
        told.append(text)
    return told


def _state(clip: Clip, film: Film | None) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    ranges = ", ".join(f"{precise_clock(r.start_s)}-{precise_clock(r.end_s)}" for r in clip.ranges)
    wanted = clip.framing.wanted.value
    layout = f"{wanted}, to be framed by the next render" if clip.framing.is_due else wanted
    if clip.framing.pins:
        layout += f", {len(clip.framing.pins)} pinned"
    captions = clip.captions.preset if clip.captions is not None else "none"
    status = f"{STATUS_MARKS[clip.status]} {clip.status or 'open'}"
    for name, value in (("decision", status), ("ranges", ranges), ("layout", layout),
                        ("captions", captions), ("film", _film(film))):  # fmt: skip
        table.add_row(name.ljust(WIDEST_NAME), value)
    return table


def _film(film: Film | None) -> str:
    if film is None:
        return "not rendered"
    if film.is_stale:
        return "rendered, and changed since"
    return "; ".join(film.notes) if film.notes else "rendered"
