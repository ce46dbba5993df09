"""One watched folder, in a thread of its own, so that a drive that hangs keeps nobody else waiting.

The thread goes round: is the folder there, what lies in it, what of that has settled, what of that
is to be taken. Events only make it go round sooner. Everything it knows can be found out again, so
that nothing is lost with it.
"""

from __future__ import annotations

import errno
import logging
import os
import stat
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from reelremix.daemon.contents import Contents
from reelremix.daemon.endings import Endings
from reelremix.daemon.folder_settings import settings_of
from reelremix.daemon.notices import SETTINGS_NOTICE, remove_notice, settings_text, write_notice
from reelremix.daemon.observing import Observation, is_on_network
from reelremix.daemon.settling import Signature
from reelremix.daemon.taking import Changed, Submit, Taker
from reelremix.daemon.timings import Timings
from reelremix.daemon.troubles import Troubles, printable, reason_of
from reelremix.engine.domain.context import Catalogue
from reelremix.engine.domain.job import JobRecord
from reelremix.engine.domain.watch import Watch, WatchState, WatchStatus, WatchStore
from reelremix.errors import Cancelled, ConfigError, ReelRemixError

_log = logging.getLogger("reelremix.daemon")

MOST_OF_A_CORE = 0.2
"""Looking through a folder takes at most so much of the time."""
FOLDER, SETTINGS, NOTICE, QUEUE = "folder", "settings", "notice", "queue"
"""What may be wrong besides files."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all watched folders share."""

    watches: WatchStore
    catalogue: Catalogue
    submit: Submit
    timings: Timings
    release: Callable[[], None]
    """Called by a thread that ends."""
    seen_to: Callable[[JobRecord], None]
    """Called with every job whose end was seen to."""


class WatchedFolder:
    """Takes the recordings of one watch."""

    def __init__(self, watch: Watch, around: Surroundings) -> None:
        self._watch = watch
        self._current = watch
        """As it was when this round began."""
        self._around = around
        self._timings = around.timings
        self._clock = around.timings.clock
        self._state = WatchState.WATCHING
        self._reason: str | None = None
        self._troubles = Troubles()
        self._contents = Contents(self._troubles, self._clock)
        self._endings = Endings(
            around.watches, around.catalogue, self._troubles, self._clock, around.seen_to
        )
        self._taker = Taker(around.watches, around.catalogue, around.submit)
        self._observation = Observation(self._noticed)
        self._identity: tuple[object, ...] | None = None
        """Of the folder that is looked out in; None where nobody does."""
        self._is_network = False
        self._is_anew = False
        """Whether every file is to be looked at as if for the first time."""
        self._is_changed = True
        """Whether something was told of the folder since it was last looked through."""
        self._scanned_at = self._looked_at = float("-inf")
        self._scan_took_s = 0.0
        self._rescan_at = self._hold_until = float("-inf")
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"watch {watch.id}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end."""
        self._stopping.set()
        self._wake.set()

    def join(self, timeout_s: float) -> None:
        """Wait for it to end."""
        self._thread.join(timeout_s)

    def update(self, watch: Watch) -> None:
        """Go by the watch as it is now, and look at every file again."""
        if watch != self._watch:  # an equal one must not break off what is being read
            self._watch = watch
        self._is_anew = self._is_changed = True
        self._wake.set()

    def ended(self, job: JobRecord) -> None:
        """One of its jobs has ended."""
        self._endings.add(job)
        self._wake.set()

    def status(self) -> WatchStatus:
        """What it is doing."""
        return WatchStatus(
            watch_id=self._watch.id,
            folder=self._watch.folder,
            state=self._state,
            reason=self._reason,
            waiting=self._contents.waiting,
            taken=self._around.watches.count(self._watch.id),
            last_error=self._troubles.last,
        )

    def _noticed(self) -> None:
        """Something happened in the folder. However much does, the thread is woken once."""
        if not self._is_changed:
            self._is_changed = True
            self._wake.set()

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._go_round()
                self._wake.wait(self._pause_s())
                self._wake.clear()
        finally:
            self._observation.stop()
            self._around.release()

    def _go_round(self) -> None:
        """One round; whatever goes wrong in it, there is another."""
        try:
            self._round()
            self._troubles.solve(FOLDER)
        except Cancelled:
            return
        except (OSError, ReelRemixError) as exc:
            self._troubles.tell(FOLDER, f"{self._current.folder}: {reason_of(exc)}")
            self._stopping.wait(self._timings.poll_s)
        except Exception as exc:
            _log.exception("watching %s", printable(self._current.folder))
            self._troubles.tell(FOLDER, f"{self._current.folder}: {type(exc).__name__}: {exc}")
            self._stopping.wait(self._timings.check_s)

    def _round(self) -> None:
        self._current = watch = self._watch
        if self._is_anew:
            self._is_anew = False
            self._contents.begin_anew()
        if not self._is_there(watch):
            return
        self._endings.attend(watch, self._timings.retry_s)
        if watch.paused:
            self._rest(WatchState.PAUSED)
            return
        if not self._look_out(watch):
            return
        is_fresh = self._look(watch)
        settled = self._contents.settled(self._settle_s)
        is_held = self._clock() < self._hold_until and not is_fresh
        if (is_fresh or settled) and not is_held and self._settings_are_right(watch):
            self._take(watch, settled)

    def _check(self) -> None:
        """Raise Cancelled where this round is not to go on."""
        if self._stopping.is_set() or self._watch is not self._current:
            raise Cancelled

    def _between(self) -> None:
        """What is done while a large file is read."""
        self._check()
        self._endings.attend(self._current, self._timings.retry_s)

    def _pause_s(self) -> float:
        pause_s = self._timings.check_s
        if self._contents.waiting:
            pause_s = min(pause_s, self._poll_s)
        if self._is_changed and self._state is WatchState.WATCHING:
            pause_s = min(pause_s, self._scanned_at + self._gap_s - self._clock())
        return max(pause_s, 0.0)

    @property
    def _poll_s(self) -> float:
        return self._timings.network_poll_s if self._is_network else self._timings.poll_s

    @property
    def _settle_s(self) -> float:
        return self._timings.network_settle_s if self._is_network else self._timings.settle_s

    @property
    def _gap_s(self) -> float:
        """Between two looks through the folder at least."""
        return max(self._poll_s, self._scan_took_s / MOST_OF_A_CORE)

    def _is_there(self, watch: Watch) -> bool:
        """Whether there is a folder; one that took the place of another is looked out in anew."""
        try:
            found = Path(watch.folder).stat()
        except (FileNotFoundError, NotADirectoryError):
            self._rest(WatchState.MISSING)
            return False
        except OSError as exc:
            self._rest(WatchState.UNREADABLE, reason_of(exc))
            return False
        if not stat.S_ISDIR(found.st_mode):
            self._rest(WatchState.UNREADABLE, os.strerror(errno.ENOTDIR).lower())
            return False
        identity = (watch.folder, watch.recursive, found.st_dev, found.st_ino)
        if identity != self._identity:
            self._observation.stop()
            self._identity = identity
        return True

    def _rest(self, state: WatchState, reason: str | None = None) -> None:
        """Do nothing until the folder is another."""
        self._observation.stop()
        self._identity = None
        self._contents.stop_waiting()
        self._is_changed = True
        self._become(state, reason)

    def _become(self, state: WatchState, reason: str | None = None) -> None:
        if (state, reason) != (self._state, self._reason):
            _log.info("%s: %s", printable(self._current.folder), reason or state)
        self._state, self._reason = state, reason

    def _look_out(self, watch: Watch) -> bool:
        """Be told of events in the folder that is there now; returns whether that can be."""
        if self._observation.is_on:
            return True
        folder = Path(watch.folder)
        try:
            self._is_network = is_on_network(folder)
            poll_s = self._timings.network_poll_s if self._is_network else None
            self._observation.start(folder, recursive=watch.recursive, poll_s=poll_s)
        except OSError as exc:
            self._rest(WatchState.UNREADABLE, reason_of(exc))
            return False
        self._is_changed = True
        return True

    def _look(self, watch: Watch) -> bool:
        """See what has changed in the folder; returns whether all of it was looked through."""
        now = self._clock()
        is_told = self._is_changed and now >= self._scanned_at + self._gap_s
        if is_told or now >= self._rescan_at:
            self._look_through(watch, now)
            self._scan_took_s = self._clock() - now
            return True
        if now >= self._looked_at + self._poll_s:
            self._looked_at = now
            self._contents.look_again(self._check)
        return False

    def _look_through(self, watch: Watch, now: float) -> None:
        self._is_changed = False
        self._scanned_at = self._looked_at = now
        if now >= self._rescan_at:
            self._rescan_at = now + self._timings.rescan_s
            self._contents.give_another_chance()
        try:
            is_output = self._contents.look_through(watch, self._check)
        except OSError as exc:
            self._rest(WatchState.UNREADABLE, reason_of(exc))
            return
        if is_output:
            reason = "it holds clips that ReelRemix made; watch another folder"
            self._become(WatchState.UNREADABLE, reason)
        else:
            self._become(WatchState.WATCHING)

    def _settings_are_right(self, watch: Watch) -> bool:
        """Whether the settings can be read; otherwise that is said, also in the folder."""
        error: ConfigError | None = None
        try:
            settings_of(watch)
            self._troubles.solve(SETTINGS)
        except ConfigError as exc:
            error = exc
            self._hold_until = self._clock() + self._timings.check_s
            self._troubles.tell(SETTINGS, exc.message)
        self._say_of_settings(watch, error)
        return error is None

    def _say_of_settings(self, watch: Watch, error: ConfigError | None) -> None:
        notice = Path(watch.folder) / SETTINGS_NOTICE
        try:
            if error is None:
                remove_notice(notice)
            else:
                write_notice(notice, settings_text(error))
            self._troubles.solve(NOTICE)
        except (OSError, ReelRemixError) as exc:
            self._troubles.tell(NOTICE, f"{notice} cannot be written: {reason_of(exc)}")

    def _take(self, watch: Watch, settled: list[tuple[Path, Signature]]) -> None:
        for path, signature in settled:
            self._between()
            try:
                self._taker.take(watch, path, signature, self._between)
            except (FileNotFoundError, NotADirectoryError):
                self._contents.leave(path)
            except Changed:
                self._contents.leave(path)
                self._noticed()
            except OSError as exc:
                self._contents.refuse(path, signature, exc)
            except ReelRemixError as exc:
                self._hold_until = self._clock() + self._timings.check_s
                self._troubles.tell(QUEUE, f"{path} cannot be queued: {exc.message}")
                return
            else:
                self._contents.deal(path, signature)
                self._troubles.solve(QUEUE)
