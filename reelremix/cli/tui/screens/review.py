"""The clips of one recording: a list, what is said, why, and a filmstrip.

Keys become operations that worker threads carry out one after the other; what comes of them is
posted back as a new `View`. The manifest is brought in step a moment after the last change.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Footer, Header, LoadingIndicator, Static

from reelremix.cli.tui.desk import MARGIN_S, Desk, View, in_words, play
from reelremix.cli.tui.hands import DONE, Hands
from reelremix.cli.tui.messages import Failed, Glanced, Progressed, Unseen, Viewed, Warned
from reelremix.cli.tui.screens.ask import Ask, Choose
from reelremix.cli.tui.text import precise_clock
from reelremix.cli.tui.widgets.clips import Clips
from reelremix.cli.tui.widgets.facts import Facts
from reelremix.cli.tui.widgets.filmstrip import Filmstrip
from reelremix.cli.tui.widgets.words import Words
from reelremix.engine.domain.choice import LayoutChoice
from reelremix.engine.domain.edit import (
    Correct,
    CutOut,
    Decide,
    Merge,
    PutBack,
    Recaption,
    Reframe,
    Retitle,
    Split,
    Status,
)

if TYPE_CHECKING:
    from reelremix.engine.domain.clip import Clip
    from reelremix.engine.reviewing import Happened

SYNC_S = 0.8
"""After a change, before the manifest is written: a burst of keys is written once."""
REFRESH_S = 1.0
"""How often other sessions are looked for."""


class ReviewScreen(Screen[None]):
    """Decide on clips, cut them, render them."""

    HELP = """\
## Review

`tab` goes from the clips to the transcript, the facts and back. Everything is kept at once: a
session that ends in any way goes on where it was.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "decide('kept')", "Keep"),
        Binding("r", "retitle", "Title", show=False),
        Binding("e", "facts", "Evidence", show=False),
        Binding("comma", "move('start', 'word', -1)", "Begin a word earlier", show=False),
        Binding("full_stop", "move('start', 'word', 1)", "Begin a word later", show=False),
        Binding(
            "less_than_sign",
            "move('start', 'sentence', -1)",
            "Begin a sentence earlier",
            show=False,
        ),
        Binding(
            "greater_than_sign",
            "move('start', 'sentence', 1)",
            "Begin a sentence later",
            show=False,
        ),
        Binding("minus", "move('end', 'word', -1)", "End a word earlier", show=False),
        Binding("equals_sign", "move('end', 'word', 1)", "End a word later", show=False),
        Binding("underscore", "move('end', 'sentence', -1)", "End a sentence earlier", show=False),
        Binding("plus", "move('end', 'sentence', 1)", "End a sentence later", show=False),
        Binding("u", "undo", "Undo"),
        Binding("ctrl+r", "redo", "Redo", show=False),
        Binding("slash", "find", "Find"),
        Binding("n", "hit(1)", "Next place found", show=False),
        Binding("N", "hit(-1)", "Previous place found", show=False),
        Binding("space", "play", "Play"),
        Binding("p", "preview", "Preview", show=False),
        Binding("f", "film", "Play the film", show=False),
        Binding("L", "layout", "Layout", show=False),
        Binding("S", "speaker", "Who is shown", show=False),
        Binding("C", "captions", "Captions", show=False),
        Binding("m", "merge", "Merge with another clip", show=False),
        Binding("R", "render", "Render"),
        Binding("X", "stop", "Stop rendering", show=False),
        Binding("question_mark", "app.help", "Help"),
        Binding("q", "leave", "Quit"),
    ]

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - as Textual types it
    VERTICAL_BREAKPOINTS = [(0, "-low"), (32, "-high")]  # noqa: RUF012 - as Textual types it

    def __init__(self, desk: Desk, named: str) -> None:
        super().__init__()
        self._desk, self._named = desk, named
        self.view: View | None = None
        self.selected: str | None = None
        self._hands = Hands(desk, self)
        self._sync_timer: Timer | None = None
        self._is_leaving = False
        self._progress = ""

    def compose(self) -> ComposeResult:
        """List and facts at the left, words at the right, the filmstrip below."""
        yield Header()
        with Horizontal(id="desk"):
            with Vertical(id="left"):
                yield Clips(id="clips")
                yield Facts(id="facts")
            yield Words(id="words")
        picture = self._desk.picture
        if picture is not None:
            from reelremix.cli.tui.widgets.gallery import Gallery

            yield Gallery(picture, id="gallery")
        strip = Filmstrip(id="filmstrip")
        strip.set_class(picture is not None or self._desk.settings.pictures == "off", "plain")
        yield strip
        yield Static("", id="state")
        yield Footer(show_command_palette=False)
        yield LoadingIndicator(id="loading")

    def on_mount(self) -> None:
        """Open the clips; the page is there already."""
        self.sub_title = self._named
        self.query_one(Clips).focus()
        self._desk.warn = self._warn
        self._say("opening ...")
        self._hands.open(self._named)
        self.set_interval(REFRESH_S, self.look_for_others)

    def on_unmount(self) -> None:
        """Nobody waits for pictures and films any more."""
        self._hands.let_go()

    @property
    def clip(self) -> Clip | None:
        """The one that is selected."""
        clips = self.view.clips if self.view is not None else ()
        current = self.query_one(Clips).current or self.selected
        return next((clip for clip in clips if clip.id == current), None)

    def _do(self, what: Callable[[], Happened], *, verb: str = "") -> None:
        if not self._is_leaving:  # what was typed too much is not meant for these clips any more
            self._hands.do(what, verb=verb, selected=self.selected)

    @on(Viewed)
    def _viewed(self, message: Viewed) -> None:
        """Show how the clips are now."""
        first, view = self.view is None, message.view
        words_changed = first or self.view is None or view.words is not self.view.words
        self.view = view
        self.query_one("#loading").display = False
        ids = [clip.id for clip in view.clips]
        before, current = self.selected, self.query_one(Clips).current
        if message.select in ids:
            self.selected = message.select
        elif current in ids:
            self.selected = current
        elif self.selected not in ids:
            self.selected = ids[0] if ids else None
        if words_changed:
            self.query_one(Words).show_words(view.words)
        self.query_one(Clips).show(view, self.selected)
        self._show_clip(go=first or self.selected != before)
        self._show_state()
        if message.happened is not None:
            self.notify(message.happened, timeout=3)
        if not first:
            self._sync_soon()

    @on(Glanced)
    async def _glanced(self, message: Glanced) -> None:
        """Show the pictures, if they are still wanted."""
        if message.clip != self.selected:
            return
        self.query_one(Filmstrip).show_glance(message.glance)
        if self._desk.picture is not None:
            from reelremix.cli.tui.widgets.gallery import Gallery

            await self.query_one(Gallery).show(message.glance)

    @on(Unseen)
    def _unseen(self, message: Unseen) -> None:
        """Tell why there are no pictures."""
        self.query_one(Filmstrip).show_notice(message.why)

    def _warn(self, message: str, hint: str | None) -> None:
        """Called from any thread."""
        self.post_message(Warned(_joined(message, hint)))

    @on(Warned)
    def _warned(self, message: Warned) -> None:
        self.notify(message.text, severity="warning", timeout=10)

    @on(Failed)
    def _failed(self, message: Failed) -> None:
        """Tell why, and what to do."""
        self.notify(_joined(*in_words(message.error)), severity="error", timeout=10)

    @on(Progressed)
    def _progressed(self, message: Progressed) -> None:
        """Say how far the render is."""
        self._progress = message.text
        self._show_state()

    def _show_clip(self, *, go: bool) -> None:
        clip, view = self.clip, self.view
        words, strip = self.query_one(Words), self.query_one(Filmstrip)
        film = view.films.get(clip.id) if view is not None and clip is not None else None
        self.query_one(Facts).show(clip, film)
        if clip is None or view is None:
            words.show_clip((), go=False)
            return
        words.show_clip(clip.ranges, go=go)
        kept = [(r.start_s, r.end_s) for r in clip.ranges]
        span = max(0.0, kept[0][0] - MARGIN_S), min(view.duration_s, kept[-1][1] + MARGIN_S)
        strip.show_ranges(kept, span)
        self._hands.look_at(clip)

    def _show_state(self) -> None:
        view = self.view
        if view is None:
            return
        kept = sum(clip.status == Status.KEPT for clip in view.clips)
        dropped = sum(clip.status == Status.DROPPED for clip in view.clips)
        counts = f"{len(view.clips)} clips, {kept} kept, {dropped} dropped"
        undo = f"undo: {DONE.get(view.undo, view.undo)}" if view.undo else ""
        parts = [part for part in (counts, undo, self._progress) if part]
        self.query_one("#state", Static).update("  ·  ".join(parts))
        self.sub_title = view.name

    def _sync_soon(self) -> None:
        if self._sync_timer is not None:
            self._sync_timer.stop()
        self._sync_timer = self.set_timer(SYNC_S, self._hands.sync)

    def look_for_others(self) -> None:
        """Show what other sessions did meanwhile."""
        if self.view is not None and not self._is_leaving:
            self._hands.refresh()

    @on(Clips.RowHighlighted)
    def _highlighted(self, event: Clips.RowHighlighted) -> None:
        id = str(event.row_key.value) if event.row_key is not None else None
        if id is not None and id != self.selected and self.view is not None:
            self.selected = id
            self._show_clip(go=True)

    @on(Words.Moved)
    def _moved(self, event: Words.Moved) -> None:
        word = self.query_one(Words).words[event.word]
        self.query_one(Filmstrip).point_at(word.range.start_s)

    @on(Filmstrip.Pointed)
    def _pointed(self, event: Filmstrip.Pointed) -> None:
        words = self.query_one(Words)
        words.go_to(event.at_s)
        words.focus()

    @on(Words.Asked)
    def _words_asked(self, event: Words.Asked) -> None:
        clip = self.clip
        if clip is None and event.what != "create":
            return
        first, last = event.first, event.last
        words = self.query_one(Words).words
        start_s = words[first].range.start_s
        end_s = max(word.range.end_s for word in words[first : last + 1])
        id = clip.id if clip is not None else ""
        match event.what:
            case "delete":
                self._do(partial(self._desk.do, CutOut(id, start_s, end_s)))
            case "put_back":
                self._do(partial(self._desk.do, PutBack(id, start_s, end_s)))
            case "begin":
                self._do(partial(self._desk.begin_at, id, words[first]))
            case "end":
                self._do(partial(self._desk.end_at, id, words[last]))
            case "split":
                self._do(partial(self._desk.do, Split(id, start_s)), verb="made by the ")
            case "create":
                self._do(partial(self._desk.create, words[first], words[last]))
            case "correct":
                said = " ".join(word.text for word in words[first : last + 1])
                self._correct(id, start_s, end_s, said)

    @work(group="ask", exit_on_error=False)
    async def _correct(self, id: str, start_s: float, end_s: float, said: str) -> None:
        question = Ask("What is said there? Empty takes it out of the captions.", said,
                       may_be_empty=True)  # fmt: skip
        text = await self.app.push_screen_wait(question)
        if text is not None and text != said:
            self._do(partial(self._desk.do, Correct(id, start_s, end_s, text)))

    def action_decide(self, wanted: str) -> None:
        """Keep or drop; the same again leaves it open."""
        clip = self.clip
        if clip is not None:
            status = None if clip.status == wanted else Status(wanted)
            self._do(partial(self._desk.do, Decide(clip.id, status)))

    def action_move(self, edge: str, unit: str, by: int) -> None:
        """Move an end by words or sentences."""
        from reelremix.engine.pointing import Edge, Unit

        if self.clip is not None:
            self._do(partial(self._desk.move, self.clip.id, Edge(edge), Unit(unit), by))

    def action_facts(self) -> None:
        """Show or hide why a clip was chosen, where there is no room for all at once."""
        self.query_one("#left").toggle_class("evidence")

    def action_undo(self) -> None:
        """Take back the last operation."""
        self._do(self._desk.undo, verb="undone: ")

    def action_redo(self) -> None:
        """Do it again."""
        self._do(self._desk.redo, verb="done again: ")

    @work(group="ask", exit_on_error=False)
    async def action_retitle(self) -> None:
        """Ask for another title."""
        if (clip := self.clip) is not None:
            title = await self.app.push_screen_wait(Ask("Title", clip.title))
            if title and title != clip.title:
                self._do(partial(self._desk.do, Retitle(clip.id, title)))

    @work(group="ask", exit_on_error=False)
    async def action_layout(self) -> None:
        """Ask for another layout."""
        if (clip := self.clip) is None:
            return
        now = clip.framing.wanted.value
        choices = [(choice.value, choice.value) for choice in LayoutChoice]
        wanted = await self.app.push_screen_wait(Choose("Layout", choices, now))
        if wanted and wanted != now:
            self._do(partial(self._desk.do, Reframe(clip.id, LayoutChoice(wanted))))

    @work(group="ask", exit_on_error=False)
    async def action_captions(self) -> None:
        """Ask for other captions."""
        if (clip := self.clip) is None:
            return
        now = clip.captions.preset if clip.captions is not None else "none"
        choices = [(name, name) for name in self._desk.presets()]
        wanted = await self.app.push_screen_wait(Choose("Captions", choices, now))
        if wanted and wanted != now:
            self._do(partial(self._desk.do, Recaption(clip.id, wanted)))

    @work(group="ask", exit_on_error=False)
    async def action_speaker(self) -> None:
        """Ask who is to be shown: while the selected words are said, or all through."""
        if (clip := self.clip) is None:
            return
        span = self.query_one(Words).selected_span() or _hull(clip)
        faces = await asyncio.to_thread(self._desk.faces, span)
        if not faces:
            self.notify("nobody is seen there", severity="warning")
            return
        choices = [
            (str(face.id), f"{_place(n, len(faces))}{f' ({face.speaker})' if face.speaker else ''}")
            for n, face in enumerate(faces)
        ]
        asked = f"Who is shown, {precise_clock(span.start_s)} to {precise_clock(span.end_s)}"
        chosen = await self.app.push_screen_wait(Choose(asked, choices))
        face = next((face for face in faces if str(face.id) == chosen), None)
        if face is not None:
            self._do(partial(self._desk.follow, clip.id, face, span))

    @work(group="ask", exit_on_error=False)
    async def action_merge(self) -> None:
        """Ask which clip to take in."""
        if (clip := self.clip) is None or self.view is None:
            return
        others = [other for other in self.view.clips if other.id != clip.id]
        others.sort(key=lambda other: abs(other.ranges[0].start_s - clip.ranges[-1].end_s))
        choices = [
            (other.id, f"{other.rank}  {precise_clock(other.ranges[0].start_s)}  {other.title}")
            for other in others
        ]
        chosen = await self.app.push_screen_wait(Choose("Merge with", choices))
        if chosen:
            self._do(partial(self._desk.do, Merge(clip.id, chosen)))

    @work(group="ask", exit_on_error=False)
    async def action_find(self) -> None:
        """Ask for words to find."""
        text = await self.app.push_screen_wait(Ask("Find"))
        if text:
            words = self.query_one(Words)
            found = words.find(text)
            words.focus()
            times = "once" if found == 1 else f"{found} times" if found else "nowhere"
            self.notify(f"“{text}” is said {times}", timeout=3)

    def action_hit(self, step: int) -> None:
        """The next or the previous place that was found."""
        self.query_one(Words).next_hit(step)

    def action_play(self) -> None:
        """Play the recording: from the word one is at, or the clip from its beginning."""
        words = self.query_one(Words)
        if words.has_focus and words.words:
            at_s, until_s = words.words[words.cursor].range.start_s, self.view_end
        elif self.clip is not None:
            at_s, until_s = self.clip.ranges[0].start_s, self.clip.ranges[-1].end_s
        else:
            return
        self._hands.play(partial(self._desk.play, at_s, until_s))

    @property
    def view_end(self) -> float:
        """Where the recording ends."""
        return self.view.duration_s if self.view is not None else 0.0

    def action_film(self) -> None:
        """Play the film that was rendered."""
        film = self.view.films.get(self.selected or "") if self.view is not None else None
        if film is None:
            self.notify("it is not rendered; `p` makes a preview", severity="warning")
        else:
            self._hands.play(partial(play, film.path))

    def action_preview(self) -> None:
        """Make a small film of the clip and play it."""
        if self.clip is not None and self._is_free():
            self._hands.preview(self.clip.id)

    def action_render(self) -> None:
        """Render what is kept."""
        view = self.view
        kept = [clip.id for clip in view.clips if clip.status == Status.KEPT] if view else []
        if not kept:
            self.notify("keep a clip first, with `y`", severity="warning")
        elif self._is_free():
            self._hands.render(kept)

    def _is_free(self) -> bool:
        if self._hands.is_busy:
            self.notify("a render is under way; `X` stops it", severity="warning")
        return not self._hands.is_busy

    def action_stop(self) -> None:
        """Stop rendering; finished films are kept."""
        self._hands.stop()

    def action_leave(self) -> None:
        """Go back to the recordings, or quit, when what was asked for is done and written."""
        if not self._is_leaving:
            self._is_leaving = True
            self._say("finishing what was asked for ...")
            self._hands.leave()

    def _say(self, text: str) -> None:
        self.query_one("#state", Static).update(text)


def _hull(clip: Clip) -> Any:
    from reelremix.engine.domain.kept import hull_of

    return hull_of(clip.ranges)


def _place(number: int, count: int) -> str:
    if count == 1:
        return "the only face"
    names = {0: "left", count - 1: "right"}
    return names.get(number, f"number {number + 1} from the left")


def _joined(message: str, hint: str | None) -> str:
    return f"{message}\n{hint}" if hint else message
