"""What is wrong in a watched folder and not over yet, each told once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from reelremix.errors import ReelRemixError

_log = logging.getLogger("reelremix.daemon")

Subject = Path | str
"""A file or folder, or a word for what else may be wrong."""


class Troubles:
    """By what they are about."""

    def __init__(self) -> None:
        self._texts: dict[Subject, str] = {}
        self._lock = threading.Lock()

    def tell(self, about: Subject, text: str) -> bool:
        """Take note; returns whether that is news, which is also logged."""
        text = printable(text)
        with self._lock:
            if self._texts.get(about) == text:
                return False
            self._texts.pop(about, None)
            self._texts[about] = text
        _log.warning("%s", text)
        return True

    def solve(self, about: Subject) -> None:
        """It is over."""
        with self._lock:
            self._texts.pop(about, None)

    def solve_files(self, are_over: Callable[[Path], bool]) -> None:
        """Those about files and folders that are over."""
        with self._lock:
            over = [own for own in self._texts if isinstance(own, Path) and are_over(own)]
            for own in over:
                del self._texts[own]

    @property
    def last(self) -> str | None:
        """The latest."""
        with self._lock:
            return next(reversed(self._texts.values()), None)


def reason_of(error: OSError | ReelRemixError) -> str:
    """Why something failed, for the end of a sentence."""
    if isinstance(error, ReelRemixError):
        return error.message
    return (error.strerror or str(error)).lower()


def printable(text: str) -> str:
    """A text without what would break a line or be no text at all, as names of files may have."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
