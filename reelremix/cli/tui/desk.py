"""The engine behind the screens. Every method may take its time and is called off the UI's thread.

Imports the engine when it is first needed, so that the first screen is there before.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelremix.errors import ConfigError, ModelError, ReelRemixError

if TYPE_CHECKING:
    from textual.widget import Widget

    from reelremix.config import Settings
    from reelremix.engine.domain.clip import Clip
    from reelremix.engine.domain.context import CancelToken
    from reelremix.engine.domain.edit import Change
    from reelremix.engine.domain.events import Event
    from reelremix.engine.domain.rows import SourceRow
    from reelremix.engine.domain.time import TimeRange
    from reelremix.engine.domain.track import Track
    from reelremix.engine.domain.transcript import Word
    from reelremix.engine.joblog import Listener
    from reelremix.engine.jobs.films import ClipResult
    from reelremix.engine.library import Library
    from reelremix.engine.pointing import Edge, Unit
    from reelremix.engine.reviewing import Happened, Review
    from reelremix.engine.stages.glance import Glance

MOST_ROWS = 500
"""Sources on the first screen; more are found by their name."""
THUMBS = 12
MARGIN_S = 4.0
"""Around a clip, so that one sees where it might go on."""


@dataclass(frozen=True)
class Film:
    """What was rendered of a clip."""

    path: Path
    is_stale: bool
    """Whether the clip was changed since."""
    is_ok: bool
    notes: tuple[str, ...]


@dataclass(frozen=True)
class View:
    """The clips as they are now: what the screen shows."""

    name: str
    duration_s: float
    clips: tuple[Clip, ...]
    words: Sequence[Word]
    """All that is said in the recording."""
    films: Mapping[str, Film] = field(default_factory=dict)
    undo: str | None = None
    """What would be undone; None where there is nothing."""
    redo: str | None = None
    rejected: int = 0


class Desk:
    """One library and, once it is opened, the clips of one manifest."""

    def __init__(self, settings: Settings, picture: type[Widget] | None = None) -> None:
        """`picture` draws real pictures; None draws them in half blocks."""
        self.settings = settings
        self.picture = picture
        self._library: Library | None = None
        self._review: Review | None = None
        self._opening = threading.Lock()
        self._asked_for: deque[Callable[[], None]] = deque()
        self._hand = threading.Lock()
        self.untold: list[Exception] = []
        """What went wrong when there was no page any more to tell it on."""
        self._previews: Path | None = None
        self.warn: Callable[[str, str | None], None] = lambda message, hint: None
        """Told what the engine warns of; may be called from any thread."""

    def rows(self, text: str = "") -> list[SourceRow]:
        """The sources of the library whose name has a text in it, the latest first.

        Raises ConfigError where the library cannot be read.
        """
        from reelremix.engine.domain.owner import LOCAL_OWNER
        from reelremix.engine.store.database import Database
        from reelremix.engine.store.rows import source_rows

        with contextlib.closing(Database(self.settings.library_file)) as database:
            return source_rows(database, LOCAL_OWNER, text, MOST_ROWS, 0)

    @property
    def library(self) -> Library:
        """The user's library."""
        with self._opening:
            if self._library is None:
                from reelremix.engine.library import Library

                self._library = Library.open(self.settings)
            return self._library

    @property
    def review(self) -> Review:
        """The clips that are being changed."""
        if self._review is None:
            raise ConfigError("nothing is open to be reviewed")
        return self._review

    def open(self, named: str) -> View:
        """Open the clips of a path, a recording or a source of the library. Raises ConfigError."""
        self.close()
        self._review = self.library.review(self.library.find_manifest(named), self)
        return self.view()

    def ask(self, what: Callable[[], None]) -> None:
        """Have something done after all that was asked for before."""
        self._asked_for.append(what)

    def do_next(self) -> None:
        """Do what is due first, if anything is; whichever thread comes first."""
        with self._hand:
            if self._asked_for:
                self._asked_for.popleft()()

    def close(self) -> None:
        """Do what was asked for, write what is not yet in the manifest, let go of the recording."""
        while self._asked_for:
            self.do_next()
        with self._hand:
            review, self._review = self._review, None
        if review is not None:
            try:
                review.sync()
            finally:
                review.close()
        if self._previews is not None:
            shutil.rmtree(self._previews, ignore_errors=True)
            self._previews = None

    def view(self) -> View:
        """What there is to show."""
        review = self.review
        clips, done, undone = review.clips, review.undoable, review.redoable
        told = {str(entry["id"]): entry for entry in review.content["clips"]}
        return View(
            str(review.source["name"]),
            float(review.source["duration_s"]),
            clips,
            review.spoken().words,
            {clip.id: film for clip in clips if (film := self._film(clip, told)) is not None},
            done.edit.operation.op if done else None,
            undone.edit.operation.op if undone else None,
            len(review.content.get("rejected", ())),
        )

    def _film(self, clip: Clip, told: Mapping[str, Mapping[str, Any]]) -> Film | None:
        from reelremix.engine.export.clip_entry import drawn_digest

        entry = told.get(clip.id, {})
        name = (entry.get("files") or {}).get("video")
        path = self.review.path.parent / str(name)
        if not name or not path.is_file():
            return None
        verdict = entry.get("verdict") or {}
        is_stale = entry.get("shows") != drawn_digest(clip)
        notes = tuple(str(note) for note in verdict.get("notes", ()))
        return Film(path, is_stale, bool(verdict.get("ok", True)), notes)

    def do(self, change: Change) -> Happened:
        """Carry out a change. Raises ConfigError and EditConflict."""
        return self.review.do(change)

    def move(self, id: str, edge: Edge, unit: Unit, by: int) -> Happened:
        """Move an end of a clip by words or sentences."""
        from reelremix.engine.pointing import moved

        review = self.review
        return review.do(moved(review.clip(id), edge, unit, by, review.spoken()))

    def begin_at(self, id: str, word: Word) -> Happened:
        """Let a clip begin with a word of the recording."""
        from reelremix.engine.domain.edit import Trim
        from reelremix.engine.domain.kept import hull_of

        end_s = hull_of(self.review.clip(id).ranges).end_s
        spoken = self.review.spoken()
        return self.do(Trim(id, spoken.before(spoken.number_of(word)).seconds, end_s))

    def end_at(self, id: str, word: Word) -> Happened:
        """Let a clip end with a word of the recording."""
        from reelremix.engine.domain.edit import Trim
        from reelremix.engine.domain.kept import hull_of

        start_s = hull_of(self.review.clip(id).ranges).start_s
        spoken = self.review.spoken()
        return self.do(Trim(id, start_s, spoken.after(spoken.number_of(word)).seconds))

    def create(self, first: Word, last: Word) -> Happened:
        """Make a clip of the words from one to another."""
        from reelremix.engine.domain.edit import Create

        spoken = self.review.spoken()
        start, end = (spoken.number_of(word) for word in (first, last))
        return self.do(Create(spoken.before(start).seconds, spoken.after(end).seconds))

    def undo(self) -> Happened:
        """Take back the last operation."""
        return self.review.undo()

    def redo(self) -> Happened:
        """Do again what was taken back."""
        return self.review.redo()

    def refresh(self) -> set[str]:
        """Take over what other sessions did; the ids of clips they changed."""
        return self.review.refresh() if self._review is not None else set()

    def sync(self) -> set[str]:
        """Bring the manifest in step; the ids of clips that others changed, or somebody by hand."""
        return self._review.sync() if self._review is not None else set()

    def faces(self, span: TimeRange) -> list[Track]:
        """Who is seen in a stretch, from left to right."""
        from reelremix.engine.pointing import faces_during

        return faces_during(span, self.review.tracks)

    def follow(self, id: str, track: Track, span: TimeRange) -> Happened:
        """Show somebody while a stretch is heard."""
        from reelremix.engine.pointing import show

        return self.do(show(self.review.clip(id), track, span))

    def presets(self) -> list[str]:
        """Names of caption presets."""
        from reelremix.engine.captions.preset import preset_names

        return [*preset_names(self.settings.presets_path), "none"]

    def glance(self, clip: Clip, cancel: CancelToken) -> Glance:
        """Pictures and loudness of a clip and what is around it."""
        from reelremix.engine.domain.kept import hull_of
        from reelremix.engine.domain.time import TimeRange

        hull, end_s = hull_of(clip.ranges), float(self.review.source["duration_s"])
        span = TimeRange.from_seconds(
            max(0.0, hull.start_s - MARGIN_S), min(end_s, hull.end_s + MARGIN_S)
        )
        return self.library.glance(self.review.source, span, THUMBS, cancel)

    def render(self, ids: Sequence[str], listener: Listener, cancel: CancelToken) -> ClipResult:
        """Render clips as they are now. Raises what `Library.render` raises."""
        from reelremix.engine.domain.request import RenderRequest

        self.review.sync()
        request = RenderRequest(
            str(self.review.path), tuple(ids), jobs=self.settings.jobs, overwrite=True
        )
        result = self.library.render(request, listener=listener, cancel=cancel)
        self.review.sync()
        return result

    def preview(self, id: str, listener: Listener, cancel: CancelToken) -> Path:
        """Make a small film of a clip as it is now, for as long as the session lasts."""
        if self._previews is None:
            self._previews = Path(tempfile.mkdtemp(prefix="reelremix-preview-"))
        return self.library.preview(
            self.review, id, self._previews, listener=listener, cancel=cancel
        )

    def play(self, at_s: float, until_s: float) -> str:
        """Play the recording from a moment, in mpv or the system's player; says which."""
        with self.library.sources.open(str(self.review.source["id"])) as path:
            return play(path, at_s, until_s)

    def emit(self, event: Event) -> None:
        """What the engine tells while clips are changed: only warnings matter here."""
        from reelremix.engine.domain.events import Warned

        if isinstance(event, Warned):
            self.warn(event.message, event.hint)


def play(path: Path, at_s: float = 0.0, until_s: float | None = None) -> str:
    """Open a film in mpv at a moment, else in the system's player; says which it was.

    Raises ModelError where there is neither.
    """
    mpv = shutil.which("mpv")
    if mpv is not None:
        until = [] if until_s is None else [f"--end={until_s:.3f}"]
        start_process([mpv, "--really-quiet", f"--start={at_s:.3f}", *until, "--", str(path)])
        return "mpv"
    opener = {"darwin": "open", "win32": "explorer"}.get(sys.platform, "xdg-open")
    found = shutil.which(opener)
    if found is None:
        raise ModelError("no player was found here", hint="install mpv to play clips from here")
    start_process([found, str(path)])
    return opener


def start_process(command: Sequence[str]) -> None:
    """Start a program that goes on by itself and does not write on this terminal."""
    process = subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    threading.Thread(target=process.wait, daemon=True).start()  # leaves no zombie behind


def in_words(error: BaseException) -> tuple[str, str | None]:
    """What went wrong and what to do, for a person."""
    if isinstance(error, ReelRemixError):
        return error.message, error.hint
    return f"{type(error).__name__}: {error}", "the log has the details"
