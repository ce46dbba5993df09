"""Which files have stopped growing.

A file is judged by what its folder says of it, compared with what that said before, and by a clock
that only goes forward. The times written on files are never compared with any clock: cameras,
network drives and copying programs set them as they like.
"""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, which does not let anybody open what is being written
    fcntl = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Signature:
    """What changes when a file does."""

    size_bytes: int
    mtime_ns: int


@dataclass(slots=True)
class _Waiting:
    """A file that may still grow."""

    signature: Signature
    since: float
    """When it was first seen so."""


class Settling:
    """Files that are waited for."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._files: dict[Path, _Waiting] = {}

    def __len__(self) -> int:
        return len(self._files)

    def __iter__(self) -> Iterator[Path]:
        return iter(tuple(self._files))

    def saw(self, files: Mapping[Path, Signature]) -> None:
        """Take note of files; one that is new or other than it was has to wait anew.

        Those that are seen at once settle at once, so that their order does not hang on how long
        it took to look at them.
        """
        now = self._clock()
        for path, signature in files.items():
            known = self._files.get(path)
            if known is None or known.signature != signature:
                self._files[path] = _Waiting(signature, now)

    def forget(self, path: Path) -> None:
        """Wait no longer for a file."""
        self._files.pop(path, None)

    def keep(self, paths: Collection[Path]) -> None:
        """Wait for these at most."""
        for path in self._files.keys() - paths:
            del self._files[path]

    def settled(self, settle_s: float) -> list[tuple[Path, Signature]]:
        """Files that stayed the same for so long, the oldest first and then by name."""
        now = self._clock()
        still = [(p, w.signature) for p, w in self._files.items() if now - w.since >= settle_s]
        return sorted(still, key=_order)


def is_being_written(path: Path) -> bool:
    """Whether a program has a file open for writing, as far as the system tells.

    Linux does of its own disks: nobody gets a lease for reading meanwhile (`fcntl(2)`, F_SETLEASE).
    Otherwise a copy that stalls for long looks like one that is done.
    """
    if not hasattr(fcntl, "F_SETLEASE"):
        return False
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        # Whoever opens the file meanwhile breaks the lease: by a signal that does nothing.
        fcntl.fcntl(handle, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as exc:
        return exc.errno in (errno.EAGAIN, errno.EACCES) and not _is_other(path)
    finally:
        os.close(handle)
    return False


def _is_other(path: Path) -> bool:
    """Whether a file belongs to somebody else: of those no lease is given at all."""
    return path.stat().st_uid != os.geteuid()


def _order(found: tuple[Path, Signature]) -> tuple[int, bytes]:
    path, signature = found
    return signature.mtime_ns, os.fsencode(path)


def signature_of(stat: os.stat_result) -> Signature:
    """Of a file that was just looked at."""
    return Signature(stat.st_size, stat.st_mtime_ns)
