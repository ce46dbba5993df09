"""The daemon's jobs, followed by a thread for the screens that show them."""

from __future__ import annotations

import threading
from collections.abc import Callable

from textual.message import Message

from reelremix.cli.tui.board import Board
from reelremix.config import Settings
from reelremix.daemon.address import DaemonFolder
from reelremix.errors import DaemonError, ReelRemixError

SHOWN = 200
AGAIN_S = 2.0


class JobsChanged(Message):
    """Something happened to the daemon's jobs."""


class Following:
    """Keeps a board up to date while a daemon runs; calls `changed` from its thread."""

    def __init__(self, settings: Settings, changed: Callable[[], None]) -> None:
        self.board = Board()
        self.trouble: str | None = None
        """Why no jobs are shown."""
        self._settings = settings
        self._changed = changed
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)

    def start(self) -> None:
        """Follow."""
        self._thread.start()

    def stop(self) -> None:
        """Follow no longer; what is being waited for is left to end by itself."""
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.is_set():
            if DaemonFolder(self._settings.daemon_path).is_claimed():
                try:
                    self._follow()
                except ReelRemixError as exc:
                    self._tell(exc.message)
            else:
                self._tell("the daemon is not running")
            self._ended.wait(AGAIN_S)

    def _follow(self) -> None:
        from reelremix.daemon.client import DaemonClient  # deferred: httpx, 0.1 s

        with DaemonClient(self._settings) as client:
            self.board.load(client.jobs(limit=SHOWN).jobs)
            self._tell(None)
            for logged in client.all_events():
                if self._ended.is_set():
                    return
                if logged is None:
                    continue
                if self.board.take(logged):
                    self.board.load(client.jobs(limit=SHOWN).jobs)
                self._changed()
        raise DaemonError("the daemon went away")

    def _tell(self, trouble: str | None) -> None:
        if trouble != self.trouble or trouble is None:
            self.trouble = trouble
            self._changed()
