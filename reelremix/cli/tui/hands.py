"""What the engine does for the screen of a review: in threads, which post what came of it."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual.widget import Widget

from reelremix.cli.tui.desk import Desk, play
from reelremix.cli.tui.messages import Closed, Failed, Glanced, Progressed, Unseen, Viewed
from reelremix.errors import Cancelled, ReelRemixError, RenderError, SourceError

if TYPE_CHECKING:
    from reelremix.engine.domain.clip import Clip
    from reelremix.engine.domain.context import CancelToken
    from reelremix.engine.domain.events import LoggedEvent
    from reelremix.engine.reviewing import Happened

DONE = {
    "decide": "decision", "retitle": "title", "trim": "trim", "cut": "deletion",
    "put_back": "words put back", "split": "split", "merge": "merge", "create": "new clip",
    "layout": "layout", "follow": "who is shown", "captions": "captions", "correct": "correction",
    "by_hand": "change by hand",
}  # fmt: skip
"""What operations are called."""
CHANGED = "changed by another session or by hand"
STOPPED = "rendering was stopped; what is finished is kept"


class Hands:
    """Has the desk do things, and posts what came of them to a screen."""

    def __init__(self, desk: Desk, screen: Widget) -> None:
        self._desk = desk
        self._screen = screen
        self._is_leaving = False
        self._is_looking = threading.Lock()
        self._cancel_glance: CancelToken | None = None
        self._cancel_job: CancelToken | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a job is under way that takes a while."""
        return self._cancel_job is not None

    def open(self, named: str) -> None:
        """Open clips."""

        def work() -> None:
            try:
                view = self._desk.open(named)
            except Exception as exc:
                self._log(exc)
                self._post(Closed(exc))
            else:
                self._post(Viewed(view))

        self._start("edit", work)

    def do(self, what: Callable[[], Happened], *, verb: str = "", selected: str | None) -> None:
        """Do something after all that was asked for before; without a verb it needs no word."""
        self._desk.ask(partial(self._done, what, verb, selected))
        self._start("edit", self._desk.do_next)

    def _done(self, what: Callable[[], Happened], verb: str, selected: str | None) -> None:
        try:
            before = {clip.id for clip in self._desk.review.clips}
            happened = what()
            view = self._desk.view()
        except Exception as exc:
            with contextlib.suppress(Exception):  # the first reason is the one to tell
                self._post(Viewed(self._desk.view()))
            self._fail(exc, is_asked=True)
            return
        there = [clip.id for clip in view.clips]
        touched = [id for id in happened.clips if id in there]
        new = [id for id in touched if id not in before]
        name = DONE.get(happened.operation.op, happened.operation.op)
        # One goes on with what one is at, unless something came or is told to have changed.
        other = touched if verb and selected not in touched else ()
        select = next(iter([*new, *other]), None)
        self._post(Viewed(view, f"{verb}{name}" if verb else None, select))

    def sync(self) -> None:
        """Write the manifest."""
        self._start("sync", lambda: self._tried(partial(self._show_others, self._desk.sync)))

    def refresh(self) -> None:
        """Look for what other sessions did."""

        def work() -> None:
            with self._is_looking:
                self._tried(partial(self._show_others, self._desk.refresh))

        if not self._is_looking.locked():  # a library that is held is looked at by one thread
            self._start("others", work)

    def _show_others(self, look: Callable[[], set[str]]) -> None:
        """Show what is otherwise now through somebody else; `look` tells which clips are."""
        if look():
            self._post(Viewed(self._desk.view(), CHANGED))

    def look_at(self, clip: Clip) -> None:
        """Fetch the pictures of a clip, and of no other any more."""
        from reelremix.engine.domain.context import CancelToken

        if self._cancel_glance is not None:
            self._cancel_glance.set()
        cancel = self._cancel_glance = CancelToken()

        def work() -> None:
            try:
                self._post(Glanced(clip.id, self._desk.glance(clip, cancel)))
            except Cancelled:
                pass
            except SourceError as exc:
                self._post(Unseen(exc.message))

        self._start("glance", lambda: self._tried(work))

    def render(self, ids: Sequence[str]) -> None:
        """Render clips."""

        def job(cancel: CancelToken) -> str:
            failed = self._desk.render(ids, _Following(self._post), cancel).failed
            return f"rendered {len(ids) - failed}" + (f", {failed} failed" if failed else "")

        self._carry_out(job, STOPPED)

    def preview(self, id: str) -> None:
        """Make a small film of a clip and play it."""

        def job(cancel: CancelToken) -> str:
            return f"preview in {play(self._desk.preview(id, _Following(self._post), cancel))}"

        self._carry_out(job, "the preview was stopped")

    def play(self, start: Callable[[], str]) -> None:
        """Play something; `start` says in what."""

        def work() -> None:
            self._post(Progressed(f"playing in {start()}"))

        self._start("play", lambda: self._tried(work))

    def stop(self) -> None:
        """Stop what takes a while; finished films are kept."""
        if self._cancel_job is not None:
            self._cancel_job.set()

    def let_go(self) -> None:
        """Stop everything that nobody waits for once the screen is gone."""
        self.stop()
        if self._cancel_glance is not None:
            self._cancel_glance.set()

    def leave(self) -> None:
        """Do what was asked for, write the manifest, and close."""

        def work() -> None:
            self._tried(self._desk.close, is_asked=True)
            self._post(Closed(None))

        self._is_leaving = True
        self.let_go()
        self._start("leave", work, exclusive=True)

    def _carry_out(self, job: Callable[[CancelToken], str], stopped: str) -> None:
        """Do what takes a while; `job` says what came of it."""
        from reelremix.engine.domain.context import CancelToken

        cancel = self._cancel_job = CancelToken()

        def work() -> None:
            try:
                told = job(cancel)
                view = self._desk.view()
            except Cancelled:
                self._post(Progressed(stopped))
            except Exception as exc:
                self._post(Progressed(""))
                self._fail(exc)
            else:
                self._post(Progressed(told))
                self._post(Viewed(view))
            finally:
                self._cancel_job = None

        self._start("render", work, exclusive=True)

    def _start(self, group: str, work: Callable[[], None], *, exclusive: bool = False) -> None:
        self._screen.run_worker(
            work, group=group, thread=True, exclusive=exclusive, exit_on_error=False
        )

    def _tried(self, work: Callable[[], None], *, is_asked: bool = False) -> None:
        try:
            work()
        except Exception as exc:
            self._fail(exc, is_asked=is_asked)

    def _fail(self, exc: Exception, *, is_asked: bool = False) -> None:
        """Tell of a failure: on the page, or later where that is gone and somebody asked for it."""
        self._log(exc)
        is_told = not self._is_leaving and self._post(Failed(exc))
        if is_asked and not is_told:
            self._desk.untold.append(exc)

    def _log(self, exc: Exception) -> None:
        """Keep the stack of what is a fault of ours."""
        if not isinstance(exc, ReelRemixError):
            logging.getLogger(__name__).error("the review session failed", exc_info=exc)

    def _post(self, message: Viewed | Glanced | Unseen | Failed | Progressed | Closed) -> bool:
        """Post a message; says whether there is anybody to read it."""
        return self._screen.post_message(message)


class _Following:
    """Posts how far a job is; called in the job's thread."""

    def __init__(self, post: Callable[[Progressed | Failed], object]) -> None:
        self._post = post

    def receive(self, logged: LoggedEvent) -> None:
        """One event."""
        from reelremix.engine.domain.events import ClipFailed, StageProgress, StageStarted, Waiting

        match logged.event:
            case StageProgress(stage=stage, done=done, total=total) if total:
                self._post(Progressed(f"{stage}: {100 * done / total:.0f} %"))
            case StageStarted(stage=stage):
                self._post(Progressed(f"{stage} ..."))
            case Waiting(reason=reason):
                self._post(Progressed(f"waiting: {reason}"))
            case ClipFailed(message=message, hint=hint):
                self._post(Failed(RenderError(message, hint=hint)))
            case _:
                pass
