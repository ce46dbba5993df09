"""Folders whose recordings are clipped by themselves, and what was taken from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

IGNORED = (
    ".*", "~*", "*~", "*.part", "*.partial", "*.crdownload", "*.download", "*.opdownload", "*.!ut",
    "*.tmp", "*.temp", "*.filepart", "*.aria2", "*.ytdl", "*.swp", "*.lock", "$RECYCLE.BIN",
    "System Volume Information", "@eaDir", "#recycle", "lost+found", "Thumbs.db", "desktop.ini",
)  # fmt: skip
"""Names of what is not done yet, hidden, or a system's own."""
ORIGIN = "watch "
"""The origin of a watch's jobs begins so; its id follows."""


class WhenDone(StrEnum):
    """What becomes of a recording whose job has ended."""

    LEAVE = "leave"
    MOVE = "move"


@dataclass(frozen=True, slots=True)
class Watch:
    """A folder that is watched, and how its recordings are clipped."""

    id: str
    folder: str
    """Absolute."""
    created_at: float
    """Seconds since the epoch, UTC."""
    options: dict[str, Any] = field(default_factory=dict)
    """Names of settings and their values; they count for more than the folder's own file."""
    ignore: tuple[str, ...] = IGNORED
    """Patterns of names, or of paths inside the folder, that are passed over."""
    when_done: WhenDone = WhenDone.LEAVE
    recursive: bool = False
    """Whether the folders inside are watched too."""
    notify: bool = False
    """Whether the desktop is told when a job ends."""
    webhook: str | None = None
    """Address that is told; None for nobody."""
    paused: bool = False

    @property
    def origin(self) -> str:
        """The origin of its jobs."""
        return ORIGIN + self.id


@dataclass(frozen=True, slots=True)
class Watched:
    """A recording that was taken from a watched folder."""

    watch_id: str
    source_id: str
    path: str
    """Where it was taken from, or where it was renamed to there."""
    job_id: str | None
    at: float
    """Seconds since the epoch, UTC."""


class WatchState(StrEnum):
    """How a watched folder is."""

    WATCHING = "watching"
    MISSING = "missing"
    PAUSED = "paused"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class WatchStatus:
    """What a watch is doing."""

    watch_id: str
    folder: str
    state: WatchState
    reason: str | None
    """Why it cannot be read; None for the other states."""
    waiting: int
    """Files that are not taken yet."""
    taken: int
    """Recordings that were, ever."""
    last_error: str | None
    """The latest trouble that is not over."""


class WatchStore(Protocol):
    """The watched folders of one owner, and what was taken from them."""

    def add(self, watch: Watch) -> None:
        """Keep a new watch."""

    def remove(self, watch_id: str) -> bool:
        """Forget a watch and what was taken from it; returns whether it was there."""

    def watches(self) -> Sequence[Watch]:
        """All, the oldest first."""

    def save(self, watch: Watch) -> None:
        """Keep a watch as it is now; one that was removed stays so."""

    def seen(self, watch_id: str, source_id: str) -> Watched | None:
        """What was taken of that content, or None."""

    def of_job(self, watch_id: str, job_id: str) -> Watched | None:
        """What that job was queued for, or None."""

    def remember(self, watched: Watched) -> None:
        """Keep what was taken, replacing what was known of the same content."""

    def forget(self, watch_id: str, source_id: str) -> None:
        """Let that content be taken again."""

    def count(self, watch_id: str) -> int:
        """How many recordings were taken."""
