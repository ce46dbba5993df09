"""What goes over the wire between the daemon and its clients: types, paths and a version.

Client and server meet only here. A job is shown as it is kept (`JobRecord`); events are those of
`--progress json`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from reelremix.engine.domain.job import NORMAL_PRIORITY, Failure, JobRecord
from reelremix.engine.domain.watch import Watch, WatchStatus

PROTOCOL_VERSION = 1
PREFIX = "/v1"
MOST_AT_ONCE = 1000
"""Entries of one page of a list."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A job to be queued."""

    request: dict[str, Any]
    """As `reelremix clip` would ask for it; paths are absolute."""
    kind: str = "clip"
    priority: int = NORMAL_PRIORITY
    """0 to 9, higher goes first."""
    key: str | None = None
    """A second job with the same key is not queued; the first one is returned."""
    origin: str = "api"


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as it is shown."""

    id: str
    kind: str
    name: str
    state: str
    priority: int
    origin: str
    created_at: float
    started_at: float | None
    ended_at: float | None
    attempt: int
    failure: Failure | None
    folder: str | None
    source_id: str | None
    usage: dict[str, float]
    request: dict[str, Any]
    waits_for: str | None = None
    """Why a job that is under way does nothing now."""

    @classmethod
    def of(cls, job: JobRecord, waits_for: str | None = None) -> JobView:
        """A job that is kept."""
        return cls(
            job.id, job.kind, job.name, job.state.value, job.priority, job.origin, job.created_at,
            job.started_at, job.ended_at, job.attempt, job.failure, job.folder, job.source_id,
            job.usage, job.request, waits_for,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class JobList:
    """A page of jobs, the newest first."""

    jobs: list[JobView]
    counts: dict[str, int]
    """How many there are of each state, on all pages."""
    version: int = PROTOCOL_VERSION


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be changed about a job."""

    priority: int


@dataclass(frozen=True, slots=True)
class Retry:
    """From which stage a job is tried again; None for where it failed."""

    stage: str | None = None


@dataclass(frozen=True, slots=True)
class Purge:
    """Which jobs that have ended are forgotten."""

    ids: list[str] = field(default_factory=list)
    """Empty for all that match."""
    states: list[str] = field(default_factory=list)
    """Empty for any."""
    older_than_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Purged:
    """How many went."""

    jobs: int


@dataclass(frozen=True, slots=True)
class Health:
    """That the daemon answers, and which it is."""

    status: str
    """`ok`, or `stopping`."""
    version: str
    """Of ReelRemix."""
    protocol: int
    pid: int
    uptime_s: float


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file that a job made."""

    name: str
    size_bytes: int
    kind: str
    """`video`, `thumbnail`, `subtitles`, `manifest` or `sheet`."""
    clip_id: str | None


@dataclass(frozen=True, slots=True)
class NewWatch:
    """A folder to be watched."""

    folder: str
    """Absolute."""
    options: dict[str, Any] = field(default_factory=dict)
    """Settings of its clips, such as `captions`, `count` and `out`."""
    ignore: list[str] | None = None
    """Patterns of names that are passed over; None for those of downloads and hidden files."""
    when_done: str = "leave"
    """`leave` or `move`."""
    recursive: bool = False
    notify: bool = False
    webhook: str | None = None


@dataclass(frozen=True, slots=True)
class WatchView:
    """A watched folder, and what it is doing."""

    id: str
    folder: str
    options: dict[str, Any]
    when_done: str
    recursive: bool
    notify: bool
    webhook: bool
    """Whether there is one; its address may be a secret."""
    state: str
    """`watching`, `missing`, `paused`, `unreadable`, or `beginning`."""
    reason: str | None
    waiting: int
    taken: int
    last_error: str | None

    @classmethod
    def of(cls, watch: Watch, status: WatchStatus | None) -> WatchView:
        """A watch that is kept."""
        return cls(
            id=watch.id,
            folder=watch.folder,
            options=watch.options,
            when_done=watch.when_done.value,
            recursive=watch.recursive,
            notify=watch.notify,
            webhook=watch.webhook is not None,
            state=status.state.value if status is not None else "beginning",
            reason=status.reason if status is not None else None,
            waiting=status.waiting if status is not None else 0,
            taken=status.taken if status is not None else 0,
            last_error=status.last_error if status is not None else None,
        )


@dataclass(frozen=True, slots=True)
class Status:
    """What the daemon is doing."""

    version: str
    pid: int
    uptime_s: float
    rss_mb: int
    limit_mb: int
    """Memory that its processes may take together."""
    held_mb: int
    """Memory that they take."""
    jobs: dict[str, int]
    under_way: list[str]
    workers: list[dict[str, Any]]
    gpus: list[dict[str, Any]]
    listeners: int
    watches: list[WatchView]


@dataclass(frozen=True, slots=True)
class StageStats:
    """What one stage took."""

    stage: str
    times: int
    cached: int
    """How often its result was there already."""
    total_s: float
    median_s: float


@dataclass(frozen=True, slots=True)
class FailureStats:
    """Something that went wrong, and how often."""

    message: str
    times: int


@dataclass(frozen=True, slots=True)
class Stats:
    """What was done in the last days."""

    days: float
    jobs: dict[str, int]
    source_s: float
    rendered_s: float
    work_s: float
    """From the begin of each job that succeeded to its end."""
    realtime: float | None
    """Seconds of recordings that were worked off in a second; None without any."""
    stages: list[StageStats]
    failures: list[FailureStats]
    artifacts_bytes: int
    library_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True)
class Told:
    """An error, as the body of an answer."""

    kind: str
    """Name of its class in `reelremix.errors`."""
    message: str
    hint: str | None = None
