"""What is said, word by word: where one points to cut, correct, find and select.

Lines are broken once for a width; a key repaints what is on the screen and nothing else, so that
three hours of speech are as quick as one minute.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from reelremix.cli.tui.text import clock

if TYPE_CHECKING:
    from reelremix.engine.domain.time import TimeRange
    from reelremix.engine.domain.transcript import Word

NARROW = 36
"""Below so many columns there is no room for the times of paragraphs."""
PAUSE_S = 1.5
"""A longer silence begins a paragraph."""


class Words(ScrollView, can_focus=True):
    """The transcript of a recording, with one clip of it in the light."""

    HELP = """\
## Transcript

Everything that is said. Words of the clip are bright, what was cut out of it is struck through.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "step(-1)", "A word back", show=False),
        Binding("right,l", "step(1)", "A word on", show=False),
        Binding("shift+left", "step(-1, True)", "Select back", show=False),
        Binding("shift+right", "step(1, True)", "Select on", show=False),
        Binding("up,k", "line(-1)", "A line up", show=False),
        Binding("down,j", "line(1)", "A line down", show=False),
        Binding("shift+up", "line(-1, True)", "Select up", show=False),
        Binding("shift+down", "line(1, True)", "Select down", show=False),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", show=False),
        Binding("left_parenthesis", "sentence(-1)", "A sentence back", show=False),
        Binding("right_parenthesis", "sentence(1)", "A sentence on", show=False),
        Binding("g,home", "edge(-1)", "Where the clip begins", show=False),
        Binding("G,end", "edge(1)", "Where the clip ends", show=False),
        Binding("v", "select", "Select"),
        Binding("d,delete", "ask('delete')", "Delete"),
        Binding("w", "ask('put_back')", "Put deleted words back", show=False),
        Binding("c", "ask('correct')", "Correct"),
        Binding("i", "ask('begin')", "Begin"),
        Binding("o", "ask('end')", "End"),
        Binding("s", "ask('split')", "Split"),
        Binding("a", "ask('create')", "New clip"),
        Binding("escape", "let_go", "Let go", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "words--inside",
        "words--outside",
        "words--cut",
        "words--cursor",
        "words--place",
        "words--selected",
        "words--found",
        "words--gutter",
    }
    DEFAULT_CSS = """
    Words {
        overflow-y: scroll;
        & > .words--inside { text-style: bold; }
        & > .words--outside { text-style: dim; }
        & > .words--cut { color: $error; text-style: strike; }
        & > .words--cursor { text-style: reverse bold; }
        & > .words--place { text-style: underline bold; }
        & > .words--selected { background: $primary; color: $background; text-style: none; }
        & > .words--found { background: $warning; color: $background; text-style: none; }
        & > .words--gutter { text-style: dim; }
    }
    """
    cursor: reactive[int] = reactive(0, repaint=False)

    class Asked(Message):
        """Somebody wants something done with words."""

        def __init__(self, what: str, first: int, last: int) -> None:
            """What is wanted, of which words; the last one included."""
            super().__init__()
            self.what, self.first, self.last = what, first, last

    class Moved(Message):
        """The cursor is on another word."""

        def __init__(self, word: int) -> None:
            """Which one."""
            super().__init__()
            self.word = word

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.words: Sequence[Word] = ()
        self._texts: list[str] = []
        self._middles: list[float] = []
        self._lines: list[tuple[int, int]] = []
        self._starts: list[int] = []
        self._heads: dict[int, str] = {}
        self._widest_head = 0
        self._kept: list[tuple[float, float]] = []
        self._hull: tuple[float, float] | None = None
        self._anchor: int | None = None
        self._is_visual = False
        self._hits: list[tuple[int, int]] = []
        self._wrapped_for = 0

    @property
    def selection(self) -> tuple[int, int]:
        """The first and the last word that are selected: the one under the cursor at least."""
        anchor = self.cursor if self._anchor is None else self._anchor
        return min(anchor, self.cursor), max(anchor, self.cursor)

    @property
    def is_selecting(self) -> bool:
        """Whether more than what is under the cursor was asked for."""
        return self._anchor is not None

    def show_words(self, words: Sequence[Word]) -> None:
        """Show other words, the cursor staying where it was in time."""
        at_s = self.words[self.cursor].range.start_s if self.words else None
        self.words = words
        self._texts = [" ".join(word.text.split()) or "·" for word in words]
        self._middles = [(w.range.start_s + w.range.end_s) / 2 for w in words]
        self._heads = _paragraphs(words)
        self._widest_head = max((len(head) for head in self._heads.values()), default=0)
        self._wrapped_for = 0
        self._wrap()
        self._anchor = None
        if at_s is not None and words:
            self.cursor = min(bisect_left(self._middles, at_s), len(words) - 1)
        self.refresh()

    def show_clip(self, ranges: Sequence[TimeRange], *, go: bool) -> None:
        """Put the words of these ranges in the light; `go` moves the cursor to the first."""
        self._kept = [(r.start_s, r.end_s) for r in ranges]
        self._hull = (self._kept[0][0], self._kept[-1][1]) if self._kept else None
        if go and self._hull is not None and self.words:
            self._anchor = None
            self.cursor = min(bisect_left(self._middles, self._hull[0]), len(self.words) - 1)
            self.call_after_refresh(self._reveal, center=True)
        self.refresh()

    def go_to(self, at_s: float) -> None:
        """Go to the word that is said at a moment."""
        if self.words:
            self._go(min(bisect_left(self._middles, at_s), len(self.words) - 1), select=False)

    def selected_span(self) -> TimeRange | None:
        """When the selected words are said; None where only the cursor is somewhere."""
        if not self.is_selecting:
            return None
        from reelremix.engine.pointing import span_of

        first, last = self.selection
        return span_of(self.words[first : last + 1])

    def find(self, text: str) -> int:
        """Mark where a text is said; the cursor goes to the first from where it is. How often."""
        from reelremix.engine.pointing import letters_of

        wanted = [w for w in (letters_of(t) for t in text.split()) if w]
        said = [letters_of(t) for t in self._texts]
        self._hits = []
        if wanted:
            for at in range(len(said) - len(wanted) + 1):
                if all(said[at + n].startswith(w) for n, w in enumerate(wanted)):
                    self._hits.append((at, at + len(wanted) - 1))
        if self._hits:
            self.next_hit(0)
        self.refresh()
        return len(self._hits)

    def next_hit(self, step: int) -> None:
        """Go to the next hit, or the one before; with no step to the first from here on."""
        if not self._hits:
            return
        firsts = [first for first, _ in self._hits]
        if step > 0:
            index = bisect_right(firsts, self.cursor)
        elif step < 0:
            index = bisect_left(firsts, self.cursor) - 1
        else:
            index = bisect_left(firsts, self.cursor)
        self._go(firsts[index % len(firsts)], select=False)

    def action_step(self, by: int, select: bool = False) -> None:
        """So many words on."""
        self._go(self.cursor + by, select=select)

    def action_line(self, by: int, select: bool = False) -> None:
        """So many lines down, to the word nearest to the column one is in."""
        line = self._line_of(self.cursor)
        column = self._column_of(self.cursor)
        target = min(max(line + by, 0), max(len(self._lines) - 1, 0))
        self._go(self._word_at(target, column), select=select)

    def action_page(self, by: int) -> None:
        """So many screens down."""
        self.action_line(by * max(1, self.size.height - 2))

    def action_sentence(self, by: int) -> None:
        """To the beginning of a sentence."""
        from reelremix.engine.captions.joins import ends_sentence

        at = self.cursor + by
        while 0 < at < len(self._texts) and not ends_sentence(self._texts[at - 1]):
            at += by
        self._go(at, select=self.is_selecting)

    def action_edge(self, which: int) -> None:
        """To the first or the last word of the clip."""
        if self._hull is None:
            self._go(0 if which < 0 else len(self.words) - 1, select=False)
        elif which < 0:
            self._go(bisect_left(self._middles, self._hull[0]), select=self.is_selecting)
        else:
            self._go(bisect_left(self._middles, self._hull[1]) - 1, select=self.is_selecting)

    def action_select(self) -> None:
        """Begin to select, or let go."""
        self._is_visual = not self.is_selecting
        self._anchor = self.cursor if self._is_visual else None
        self.refresh()

    def action_let_go(self) -> None:
        """Let go of what is selected and found."""
        self._anchor, self._hits = None, []
        self.refresh()

    def action_ask(self, what: str) -> None:
        """Tell that something is wanted of the selected words."""
        if self.words:
            self.post_message(self.Asked(what, *self.selection))
            self._anchor = None

    def _go(self, word: int, *, select: bool) -> None:
        if not self.words:
            return
        if select and self._anchor is None:
            self._anchor = self.cursor
        elif not select and self._anchor is not None and not self._is_visual:
            self._anchor = None
        self.cursor = min(max(word, 0), len(self.words) - 1)
        self._reveal()
        self.refresh()
        self.post_message(self.Moved(self.cursor))

    def _reveal(self, *, center: bool = False) -> None:
        line, height = self._line_of(self.cursor), max(1, self.scrollable_content_region.height)
        top = round(self.scroll_offset.y)
        if center:
            self.scroll_to(y=max(0, line - height // 3), animate=False, immediate=True)
        elif line < top:
            self.scroll_to(y=line, animate=False, immediate=True)
        elif line >= top + height:
            self.scroll_to(y=line - height + 1, animate=False, immediate=True)

    def _line_of(self, word: int) -> int:
        return max(0, bisect_right(self._starts, word) - 1)

    def _column_of(self, word: int) -> int:
        first, _ = self._lines[self._line_of(word)] if self._lines else (0, 0)
        return sum(len(self._texts[n]) + 1 for n in range(first, word))

    def _word_at(self, line: int, column: int) -> int:
        if not self._lines:
            return 0
        first, last = self._lines[line]
        for word in range(first, last):
            column -= len(self._texts[word]) + 1
            if column < 0:
                return word
        return last - 1

    @property
    def _gutter(self) -> int:
        return self._widest_head + 1 if self.size.width >= NARROW else 0

    def _wrap(self) -> None:
        """Break the words into lines for the present width."""
        width = max(10, self.scrollable_content_region.width - self._gutter - 1)
        if width == self._wrapped_for:
            return
        self._wrapped_for = width
        lines: list[tuple[int, int]] = []
        first, used = 0, 0
        for number, text in enumerate(self._texts):
            size = len(text) + 1
            if number > first and (used + size > width + 1 or number in self._heads):
                lines.append((first, number))
                first, used = number, 0
            used += size
        if self._texts:
            lines.append((first, len(self._texts)))
        self._lines, self._starts = lines, [line[0] for line in lines]
        self.virtual_size = Size(width, len(lines))

    def on_resize(self) -> None:
        """Another width breaks other lines; what is under the cursor stays in sight."""
        self._wrap()
        self.call_after_refresh(self._reveal, center=True)

    def on_click(self, event: events.Click) -> None:
        """Point at a word; with shift, as far as it."""
        offset = event.get_content_offset(self)
        if offset is None or not self._lines:
            return
        line = min(offset.y + round(self.scroll_offset.y), len(self._lines) - 1)
        self._go(self._word_at(line, max(0, offset.x - self._gutter)), select=event.shift)

    def render_line(self, y: int) -> Strip:
        """One line of words."""
        number = y + round(self.scroll_offset.y)
        width = self.size.width
        plain = self.rich_style
        if number >= len(self._lines):
            return Strip.blank(width, plain)
        first, last = self._lines[number]
        segments = self._gutter_of(first)
        found = self._found_in(first, last)
        low, high = self.selection if self.is_selecting else (1, 0)
        for word in range(first, last):
            style = plain + self._style_of(word)
            if word in found:
                style += self.get_component_rich_style("words--found", partial=True)
            if low <= word <= high:
                style += self.get_component_rich_style("words--selected", partial=True)
            if word == self.cursor:
                name = "words--cursor" if self.has_focus else "words--place"
                style += self.get_component_rich_style(name, partial=True)
            segments.append(Segment(self._texts[word], style))
            goes_on = low <= word < high
            segments.append(Segment(" ", style if goes_on else plain))
        return Strip(segments).adjust_cell_length(width, plain)

    def _gutter_of(self, word: int) -> list[Segment]:
        if not self._gutter:
            return []
        style = self.rich_style + self.get_component_rich_style("words--gutter", partial=True)
        return [Segment(self._heads.get(word, "").ljust(self._gutter), style)]

    def _found_in(self, first: int, last: int) -> set[int]:
        if not self._hits:
            return set()
        begin = max(0, bisect_left(self._hits, (first, 0)) - 1)
        found: set[int] = set()
        for a, b in self._hits[begin:]:
            if a >= last:
                break
            found.update(range(max(a, first), min(b + 1, last)))
        return found

    def _style_of(self, word: int) -> Style:
        at_s = self._middles[word]
        if self._hull is None or not self._hull[0] <= at_s < self._hull[1]:
            return self.get_component_rich_style("words--outside", partial=True)
        kept = bisect_right(self._kept, (at_s, float("inf"))) - 1
        is_kept = kept >= 0 and at_s < self._kept[kept][1]
        name = "words--inside" if is_kept else "words--cut"
        return self.get_component_rich_style(name, partial=True)


def _paragraphs(words: Sequence[Word]) -> dict[int, str]:
    """The words that begin a paragraph, with what stands beside them."""
    heads: dict[int, str] = {}
    before: Word | None = None
    for number, word in enumerate(words):
        is_new = before is None or word.speaker != before.speaker
        if is_new or (before and word.range.start_s - before.range.end_s > PAUSE_S):
            heads[number] = f"{clock(word.range.start_s)} {word.speaker or ''}".rstrip()
        before = word
    return heads
