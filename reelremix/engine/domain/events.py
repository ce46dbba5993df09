"""What can happen in a job: one closed union of frozen events.

Stages emit events without a number; the job's log numbers *facts* on append (`Catalogue.append`).
*Progress* may be dropped by a slow listener, facts never are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, get_args


@dataclass(frozen=True, slots=True)
class JobStarted:
    """A job began; its options are those in effect."""

    type: ClassVar[str] = "job_started"
    source: str
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StageStarted:
    """A stage began."""

    type: ClassVar[str] = "stage_started"
    stage: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class StageProgress:
    """How far a stage is; may be coalesced."""

    type: ClassVar[str] = "stage_progress"
    stage: str
    done: float
    total: float | None
    """None when the end is unknown."""
    unit: str


@dataclass(frozen=True, slots=True)
class StageFinished:
    """A stage ended, computed or found ready."""

    type: ClassVar[str] = "stage_finished"
    stage: str
    wall_s: float
    cached: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CandidateScored:
    """A finalist and its score."""

    type: ClassVar[str] = "candidate_scored"
    start_s: float
    end_s: float
    score: float | None


@dataclass(frozen=True, slots=True)
class ClipPlanned:
    """Everything about a clip is decided."""

    type: ClassVar[str] = "clip_planned"
    clip_id: str
    rank: int
    title: str
    duration_s: float


@dataclass(frozen=True, slots=True)
class ClipRendered:
    """A clip's file is complete."""

    type: ClassVar[str] = "clip_rendered"
    clip_id: str
    path: str
    wall_s: float
    cached: bool


@dataclass(frozen=True, slots=True)
class ClipFailed:
    """A clip could not be rendered; the others go on."""

    type: ClassVar[str] = "clip_failed"
    clip_id: str
    message: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """The job waits, and says for what."""

    type: ClassVar[str] = "waiting"
    reason: str


@dataclass(frozen=True, slots=True)
class Warned:
    """Something was not as asked, and what was done instead."""

    type: ClassVar[str] = "warning"
    message: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class JobQueued:
    """A job waits for its turn."""

    type: ClassVar[str] = "job_queued"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class JobPaused:
    """A job was paused."""

    type: ClassVar[str] = "job_paused"


@dataclass(frozen=True, slots=True)
class JobResumed:
    """A job goes on after a pause, crash or restart."""

    type: ClassVar[str] = "job_resumed"


@dataclass(frozen=True, slots=True)
class JobRetried:
    """A failed job is tried again."""

    type: ClassVar[str] = "job_retried"
    attempt: int


@dataclass(frozen=True, slots=True)
class JobDead:
    """A job failed too often and is left alone."""

    type: ClassVar[str] = "job_dead"
    message: str


@dataclass(frozen=True, slots=True)
class JobFinished:
    """A job ended well."""

    type: ClassVar[str] = "job_finished"
    usage: dict[str, float]
    """`source_s` and `rendered_s`, counted once a job."""


@dataclass(frozen=True, slots=True)
class JobFailed:
    """A job ended with an error."""

    type: ClassVar[str] = "job_failed"
    message: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class JobCancelled:
    """A job was stopped by the user."""

    type: ClassVar[str] = "job_cancelled"


Event = (
    JobStarted
    | StageStarted
    | StageProgress
    | StageFinished
    | CandidateScored
    | ClipPlanned
    | ClipRendered
    | ClipFailed
    | Waiting
    | Warned
    | JobQueued
    | JobPaused
    | JobResumed
    | JobRetried
    | JobDead
    | JobFinished
    | JobFailed
    | JobCancelled
)

EVENT_TYPES: dict[str, type[Event]] = {cls.type: cls for cls in get_args(Event)}
EVENT_VERSION = 1


def is_fact(event: Event) -> bool:
    """Whether the event must reach every listener."""
    return not isinstance(event, StageProgress)


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event as a listener receives it."""

    job_id: str
    seq: int
    """The fact's number; progress repeats the last fact's."""
    at: float
    """Seconds since the epoch, UTC."""
    event: Event
