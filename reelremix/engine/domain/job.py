"""Jobs that are queued: their states, the moves between them, and what is kept of each."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from reelremix.engine.domain.context import ArtifactKey
from reelremix.engine.domain.events import LoggedEvent
from reelremix.errors import JobError

LOWEST_PRIORITY, NORMAL_PRIORITY, HIGHEST_PRIORITY = 0, 5, 9


class JobState(StrEnum):
    """Where a job is in its life."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    DEAD = "dead"
    CANCELLED = "cancelled"


TRANSITIONS: dict[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.PAUSED, JobState.CANCELLED}),
    JobState.RUNNING: frozenset(
        {
            JobState.QUEUED,
            JobState.PAUSED,
            JobState.SUCCEEDED,
            JobState.FAILED,
            JobState.DEAD,
            JobState.CANCELLED,
        }
    ),
    JobState.PAUSED: frozenset({JobState.QUEUED, JobState.CANCELLED}),
    JobState.SUCCEEDED: frozenset(),
    JobState.FAILED: frozenset({JobState.QUEUED}),
    JobState.DEAD: frozenset({JobState.QUEUED}),
    JobState.CANCELLED: frozenset({JobState.QUEUED}),
}


def advance(current: JobState, wanted: JobState) -> JobState:
    """Return `wanted`, or raise JobError where the table has no such move."""
    if wanted not in TRANSITIONS[current]:
        raise JobError(f"a {current} job cannot become {wanted}")
    return wanted


ENDED = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.DEAD, JobState.CANCELLED})
"""States that nothing but a retry leads out of."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job ended without what was asked for."""

    kind: str
    """Name of the error's class in `reelremix.errors`; another name for what nobody foresaw."""
    message: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class JobRecord:
    """Queued work and what became of it so far."""

    id: str
    kind: str
    """`clip`."""
    name: str
    """Of its source, for people."""
    request: dict[str, Any]
    """What is asked for, as plain data, with the `version` of its form."""
    created_at: float
    """Seconds since the epoch, UTC, here and below."""
    state: JobState = JobState.QUEUED
    priority: int = NORMAL_PRIORITY
    """From 0 to 9; higher goes first."""
    origin: str = "api"
    """Who asked: `cli`, `api`, or `watch` with a folder's id."""
    key: str | None = None
    """No two jobs have the same one; None where nobody cares."""
    started_at: float | None = None
    ended_at: float | None = None
    attempt: int = 1
    """How often it was begun anew by somebody, the first time included."""
    wanted: JobState | None = None
    """What somebody wants it to become, as soon as it has stopped: `paused` or `cancelled`."""
    crashes: int = 0
    """How often it was broken off since something in it was last completed."""
    failure: Failure | None = None
    """The last error, also of a job that is tried again."""
    folder: str | None = None
    """Where its clips are."""
    source_id: str | None = None
    """None until its recording was looked at."""
    usage: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs a list shows."""

    states: frozenset[JobState] = frozenset()
    """Any, if empty."""
    origin: str | None = None
    """None for any."""


EVERY_JOB = JobFilter()


def decided_key(owner: str, job_id: str) -> ArtifactKey:
    """Where all that was decided about a job's clips is kept."""
    digest = hashlib.sha256(f"decided 1 {job_id}".encode()).hexdigest()
    return ArtifactKey(owner, "decided", digest)


class JobStore(Protocol):
    """The jobs of one owner, beside their events in the `Catalogue`."""

    def add(self, job: JobRecord) -> JobRecord:
        """Keep a new job; if one with its key is there already, return that one instead."""

    def job(self, job_id: str) -> JobRecord | None:
        """The job, or None."""

    def find(self, id_prefix: str) -> Sequence[JobRecord]:
        """Jobs whose id begins so, the newest first."""

    def change(self, job_id: str, was: JobState, **changes: Any) -> JobRecord:
        """Change some fields of a job and leave the others as they are; returns it as it is then.

        Raises JobMoved where its state is no longer as it `was`.
        """

    def jobs(
        self, wanted: JobFilter = EVERY_JOB, limit: int = 50, offset: int = 0
    ) -> Sequence[JobRecord]:
        """A page of jobs, the newest first."""

    def counts(self) -> Mapping[JobState, int]:
        """How many jobs there are of each state that has any."""

    def remove(self, job_ids: Collection[str]) -> int:
        """Forget jobs that have ended, with their events; returns how many went."""

    def last_number(self) -> int:
        """Of the last fact of any job; 0 where there is none."""

    def facts(self, after: int, limit: int) -> Sequence[tuple[int, LoggedEvent]]:
        """Facts of all jobs in the order they were logged, with numbers of their own that only ever
        grow, those above `after`."""
