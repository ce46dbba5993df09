"""Being told that something happened in a folder; the only code that touches watchdog.

What is told is only ever a reason to look: events get lost, and network drives send none for what
others do there, so whoever is told also looks from time to time.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

import psutil
from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver
from watchdog.observers.polling import PollingObserver

from reelremix.daemon.troubles import printable

_log = logging.getLogger("reelremix.daemon")
# It takes the end of an observation that is under way for an error, and warns of a folder that it
# comes upon twice because it was made inside one just made. Neither means that anything was lost.
logging.getLogger("watchdog").setLevel(logging.CRITICAL)
warnings.filterwarnings("ignore", "Callback with id", RuntimeWarning)

NETWORK = frozenset(
    {
        "9p", "afpfs", "afs", "ceph", "cifs", "coda", "davfs", "davfs2", "drvfs", "gfs2",
        "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs3", "nfs4", "ocfs2", "orangefs",
        "prl_fs", "smb", "smb2", "smb3", "smbfs", "sshfs", "vboxsf", "virtiofs", "vmhgfs", "webdav",
    }
)  # fmt: skip
"""Kinds of file systems that say nothing of what other machines do on them."""
EVENTS: list[type[FileSystemEvent]] = [
    FileCreatedEvent, FileMovedEvent, FileClosedEvent, FileDeletedEvent,
    DirCreatedEvent, DirMovedEvent, DirDeletedEvent,
]  # fmt: skip
"""Not each write to a file: one that grows is looked at anyway."""
FALLBACK_POLL_S = 5.0
"""Between looks at a folder that the system has no room left to tell of."""


class Mount(Protocol):
    """A file system that is mounted."""

    mountpoint: str
    fstype: str
    opts: str


def is_on_network(folder: Path, mounts: Iterable[Mount] | None = None) -> bool:
    """Whether a folder lies on a network drive, or on one that is as silent. Raises OSError."""
    real = os.path.realpath(folder)
    if real.startswith("\\\\"):
        return True
    above = [
        mount
        for mount in (psutil.disk_partitions(all=True) if mounts is None else mounts)
        if Path(real).is_relative_to(mount.mountpoint)
    ]
    if not above:
        return False
    own = max(above, key=lambda mount: len(Path(mount.mountpoint).parts))
    kind = own.fstype.lower()
    return kind in NETWORK or kind.startswith("fuse.") or "remote" in own.opts.split(",")


class Observation:
    """Looks out for events in one folder at a time."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._observer: BaseObserver | None = None

    @property
    def is_on(self) -> bool:
        """Whether somebody still looks out."""
        observer = self._observer
        return observer is not None and all(t.is_alive() for t in (observer, *observer.emitters))

    def start(self, folder: Path, *, recursive: bool, poll_s: float | None) -> None:
        """Look out in a folder, every so many seconds or, with None, as the system tells.

        Raises:
            OSError: the folder cannot be looked at.
        """
        self.stop()
        if poll_s is None:
            try:
                self._begin(Observer(), folder, recursive=recursive)
                return
            except OSError as exc:
                if not folder.is_dir():
                    raise
                _log.warning("%s is looked at from time to time: %s", printable(str(folder)), exc)
        self._begin(PollingObserver(timeout=poll_s or FALLBACK_POLL_S), folder, recursive=recursive)

    def stop(self) -> None:
        """Look out no longer."""
        observer, self._observer = self._observer, None
        if observer is not None:
            observer.stop()
            observer.join()

    def _begin(self, observer: BaseObserver, folder: Path, *, recursive: bool) -> None:
        self._observer = observer
        observer.start()
        try:
            real = os.path.realpath(folder)  # inotify does not follow the last link
            observer.schedule(_Handler(self._wake), real, recursive=recursive, event_filter=EVENTS)
        except BaseException:
            self.stop()
            raise


class _Handler(FileSystemEventHandler):
    """Passes on that there was something."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Say so."""
        self._wake()
