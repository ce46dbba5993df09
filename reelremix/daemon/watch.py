"""Recordings that are dropped into watched folders become jobs.

The watcher decides what is a recording, when it is whole, and whether it was taken before. What a
job asks for, and doing it, is for whoever gave it `submit`. Nothing here loads what reads media.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from reelremix.daemon.taking import Submit
from reelremix.daemon.timings import Timings
from reelremix.daemon.watched_folder import Surroundings, WatchedFolder
from reelremix.engine.domain.context import Catalogue
from reelremix.engine.domain.job import JobRecord
from reelremix.engine.domain.watch import ORIGIN, WatchStatus, WatchStore


def _nothing() -> None:
    """What threads do at their end where there is nothing to close."""


class Watcher:
    """Watches every folder that is to be watched."""

    def __init__(
        self,
        watches: WatchStore,
        catalogue: Catalogue,
        submit: Submit,
        *,
        timings: Timings | None = None,
        release: Callable[[], None] = _nothing,
        seen_to: Callable[[JobRecord], None] = lambda job: None,
    ) -> None:
        """Watch nothing yet.

        Args:
            watches: which folders, and what was taken from them.
            catalogue: knows the content of files that were read before.
            submit: queues a job for a recording; see `Submit`.
            timings: how long is waited for what.
            release: called by each thread that ends, to close what the stores hold open for it.
            seen_to: called with every job whose end was seen to in its folder.
        """
        self._watches = watches
        own = timings or Timings()
        self._around = Surroundings(watches, catalogue, submit, own, release, seen_to)
        self._folders: dict[str, WatchedFolder] = {}
        self._lock = threading.Lock()
        self._is_on = False

    def start(self) -> None:
        """Watch."""
        with self._lock:
            self._is_on = True
        self.reload()

    def stop(self) -> None:
        """Watch no longer; within a second, also while a large file is read."""
        with self._lock:
            self._is_on = False
            ending = list(self._folders.values())
            self._folders.clear()
        self._end(ending)

    def reload(self) -> None:
        """Watches were added, removed, paused or changed, or may take again what they took."""
        wanted = {watch.id: watch for watch in self._watches.watches()}
        with self._lock:
            if not self._is_on:
                return
            gone = [self._folders.pop(id) for id in self._folders.keys() - wanted.keys()]
            for id, watch in wanted.items():
                if id in self._folders:
                    self._folders[id].update(watch)
                else:
                    self._folders[id] = WatchedFolder(watch, self._around)
                    self._folders[id].start()
        self._end(gone)

    def job_ended(self, job: JobRecord) -> None:
        """Say in its folder what became of a recording, and put that away; returns at once.

        May be told of a job more than once; others than those of watches are passed over.
        """
        with self._lock:
            folder = self._folders.get(job.origin.removeprefix(ORIGIN))
        if folder is not None and job.origin.startswith(ORIGIN):
            folder.ended(job)

    def status(self) -> Sequence[WatchStatus]:
        """What each watch is doing."""
        with self._lock:
            folders = list(self._folders.values())
        return [folder.status() for folder in folders]

    def _end(self, folders: Sequence[WatchedFolder]) -> None:
        deadline = time.monotonic() + self._around.timings.stop_s
        for folder in folders:
            folder.stop()
        for folder in folders:
            folder.join(max(0.0, deadline - time.monotonic()))
