"""A job that is under way: its surroundings, what it costs, and how its end is told.

What is done belongs to the other modules here. Who may start a job is for `Library` to say.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

from reelremix.engine import pipeline
from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.events import (
    JobCancelled,
    JobFailed,
    JobFinished,
    JobStarted,
    StageFinished,
)
from reelremix.engine.domain.subject import Subject
from reelremix.engine.export.manifest import RunRecord, StageTime
from reelremix.engine.joblog import JobLog
from reelremix.engine.memory import PeakMemory
from reelremix.engine.network import network_calls, network_mark, watch_network
from reelremix.errors import Cancelled, ReelRemixError

T = TypeVar("T")


class Job:
    """One run: its surroundings and what it cost."""

    def __init__(self, ctx: RunContext, log: JobLog, memory: PeakMemory, mark: int) -> None:
        self.ctx = ctx
        self.usage: dict[str, float] = {"source_s": 0.0, "rendered_s": 0.0}
        self._log = log
        self._memory = memory
        self._mark = mark
        self._began = time.monotonic()

    def record(self, device: str, ranker: str | None) -> RunRecord:
        """What the run cost so far."""
        return RunRecord(
            wall_s=round(time.monotonic() - self._began, 3),
            stages=tuple(_stage_time(stage) for stage in self._log.stages),
            peak_rss_mb=self._memory.peak_mb,
            device=device,
            network=network_calls(self._mark),
            ranker=ranker,
        )


def carry_out(work: Callable[[Job], T], start: JobStarted, log: JobLog, ctx: RunContext) -> T:
    """Do a job; its log tells when it started, and how it ended.

    Args:
        work: what to do.
        start: what the log begins with.
        log: of the job.
        ctx: its surroundings, which report to the log.
    """
    watch_network()
    mark = network_mark()
    log.emit(start)
    try:
        with PeakMemory() as memory:
            job = Job(ctx, log, memory, mark)
            result = work(job)
    except Cancelled:
        log.emit(JobCancelled())
        raise
    except ReelRemixError as exc:
        log.emit(JobFailed(exc.message, exc.hint))
        raise
    except Exception as exc:
        log.emit(JobFailed(f"{type(exc).__name__}: {exc}"))
        raise
    log.emit(JobFinished(job.usage))
    return result


@contextmanager
def working_on(opened: AbstractContextManager[Subject], job: Job) -> Iterator[Subject]:
    """The recording, held for this run alone and counted."""
    with opened as subject, pipeline.alone_on(subject.source.id, job.ctx):
        job.usage["source_s"] = subject.presentation.duration.seconds
        yield subject


def _stage_time(stage: StageFinished) -> StageTime:
    return StageTime(stage.stage, stage.wall_s, stage.cached)
