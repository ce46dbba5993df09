"""The daemon's jobs as they are now: kept up to date by what is told of them. Draws nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reelremix.cli.reporters import DOING
from reelremix.engine.domain.events import (
    Event,
    JobCancelled,
    JobDead,
    JobFailed,
    JobFinished,
    JobPaused,
    JobQueued,
    JobResumed,
    JobRetried,
    JobStarted,
    LoggedEvent,
    StageFinished,
    StageProgress,
    StageStarted,
    Waiting,
)

if TYPE_CHECKING:
    from reelremix.daemon.protocol import JobView

STATES: dict[type[Event], str] = {
    JobQueued: "queued", JobStarted: "running", JobResumed: "running", JobPaused: "paused",
    JobRetried: "queued", JobFinished: "succeeded", JobFailed: "failed", JobDead: "dead",
    JobCancelled: "cancelled",
}  # fmt: skip
"""What a job is once that has happened."""
RUNNING = "running"


@dataclass(slots=True)
class Line:
    """One job."""

    id: str
    name: str
    state: str
    folder: str | None
    doing: str = ""
    """What is done with it, how far that is, or why it waits or failed."""


class Board:
    """The jobs, the newest first."""

    def __init__(self) -> None:
        self._lines: dict[str, Line] = {}
        self._stages: dict[str, str] = {}

    def load(self, jobs: Sequence[JobView]) -> None:
        """Show these, with what is known of how far they are."""
        before = self._lines
        self._lines = {}
        for job in jobs:
            doing = job.failure.message if job.failure is not None else ""
            known = before.get(job.id)
            if known is not None and known.state == job.state:
                doing = known.doing
            if not doing and job.waits_for is not None:
                doing = _waits(job.waits_for)
            self._lines[job.id] = Line(job.id, job.name, job.state, job.folder, doing)

    def take(self, logged: LoggedEvent) -> bool:
        """Note what happened; returns whether the jobs have to be asked for anew.

        That is so where a job is not known, or has ended and has a folder now.
        """
        line, event = self._lines.get(logged.job_id), logged.event
        if line is None:
            return True
        if type(event) in STATES:
            line.state = STATES[type(event)]
            line.doing = event.message if isinstance(event, JobFailed | JobDead) else ""
            return isinstance(event, JobFinished | JobFailed)
        doing = self._doing(logged.job_id, event)
        if doing is not None:
            line.doing = doing
        return False

    def _doing(self, job_id: str, event: Event) -> str | None:
        if isinstance(event, StageStarted):
            self._stages[job_id] = event.stage
            return DOING.get(event.stage, event.stage)
        if isinstance(event, StageProgress) and event.total:
            share = min(100.0, 100 * event.done / event.total)
            return f"{DOING.get(event.stage, event.stage)} {share:.0f} %"
        if isinstance(event, StageFinished):
            return ""
        if isinstance(event, Waiting):
            return _waits(event.reason)
        return None

    @property
    def lines(self) -> Sequence[Line]:
        """All jobs that are shown."""
        return list(self._lines.values())

    @property
    def summary(self) -> str:
        """In one line what goes on; empty where nothing does."""
        running = [line for line in self.lines if line.state == RUNNING]
        queued = sum(line.state == "queued" for line in self.lines)
        told = [f"{line.name}: {line.doing or 'at work'}" for line in running[-2:]]
        if len(running) > len(told):
            told.append(f"{len(running) - len(told)} more at work")
        if queued:
            told.append(f"{queued} queued")
        return " · ".join(told)


def _waits(reason: str) -> str:
    return f"waits: {reason}"
