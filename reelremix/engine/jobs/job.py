"""A job that is under way: its surroundings, what it costs, and how its end is told.

What is done belongs to the other modules here. Who may start a job is for `Library` to say.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Cost:
    """What a part of a job took."""

    wall_s: float
    stages: tuple[StageTime, ...]
    peak_rss_mb: float
    network: tuple[str, ...]


class Job:
    """One run: its surroundings and what it cost."""

    def __init__(
        self,
        id: str,
        ctx: RunContext,
        stages: Sequence[StageFinished],
        memory: PeakMemory,
        mark: int,
    ) -> None:
        """Begin to count; `stages` grows while they end, `mark` is where its network calls begin.

        `id` names the job, also where it is carried out in parts.
        """
        self.id = id
        self.ctx = ctx
        self.usage: dict[str, float] = {"source_s": 0.0, "rendered_s": 0.0}
        self._stages = stages
        self._memory = memory
        self._mark = mark
        self._began = time.monotonic()

    def within(self, ctx: RunContext) -> Job:
        """The same job in other surroundings."""
        return Job(self.id, ctx, self._stages, self._memory, self._mark)

    @property
    def cost(self) -> Cost:
        """What it took so far."""
        return Cost(
            wall_s=round(time.monotonic() - self._began, 3),
            stages=tuple(_stage_time(stage) for stage in self._stages),
            peak_rss_mb=self._memory.peak_mb,
            network=network_calls(self._mark),
        )


def run_record(costs: Sequence[Cost], device: str, ranker: str | None) -> RunRecord:
    """What a manifest says of the parts that a run had."""
    calls = dict.fromkeys(call for cost in costs for call in cost.network)
    return RunRecord(
        wall_s=round(sum(cost.wall_s for cost in costs), 3),
        stages=tuple(stage for cost in costs for stage in cost.stages),
        peak_rss_mb=max(cost.peak_rss_mb for cost in costs),
        device=device,
        network=tuple(calls),
        ranker=ranker,
    )


@contextmanager
def counted(id: str, ctx: RunContext, stages: Sequence[StageFinished]) -> Iterator[Job]:
    """A job, or a part of one, for the length of a block; `stages` grows while they end."""
    watch_network()
    mark = network_mark()
    with PeakMemory() as memory:
        yield Job(id, ctx, stages, memory, mark)


def carry_out(work: Callable[[Job], T], start: JobStarted, log: JobLog, ctx: RunContext) -> T:
    """Do a job; its log tells when it started, and how it ended.

    Args:
        work: what to do.
        start: what the log begins with.
        log: of the job.
        ctx: its surroundings, which report to the log.
    """
    log.emit(start)
    try:
        with counted(log.job_id, ctx, log.stages) as job:
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
