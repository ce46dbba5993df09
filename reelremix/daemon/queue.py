"""What can be asked of jobs: queued, stopped, gone on with, tried again, forgotten.

A job's record in the library says what it is; `durable` says what is left to do. Every move here is
written in that order, and `settle` mends whatever an end of the process left between.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from reelremix.daemon.durable import Durable, StepRecord
from reelremix.daemon.workflows import Runner, now
from reelremix.engine.domain.events import (
    Event,
    JobCancelled,
    JobPaused,
    JobQueued,
    JobRetried,
)
from reelremix.engine.domain.job import (
    ENDED,
    HIGHEST_PRIORITY,
    LOWEST_PRIORITY,
    NORMAL_PRIORITY,
    JobFilter,
    JobRecord,
    JobState,
)
from reelremix.engine.store.factory import Stores
from reelremix.errors import ConfigError, JobError, JobMoved, JobNotFound, ReelRemixError

LIST = "`reelremix jobs list` shows them"
STAGES = ("begin", "hear", "decide", "film", "finish")
STOPPED_WITHIN_S = 5.0
PATIENCE_S = 5.0
"""For so long somebody who asks waits for a queue that another program holds."""
PAGE = 500
UNFINISHED = frozenset({JobState.QUEUED, JobState.RUNNING})

_log = logging.getLogger("reelremix.daemon")


@dataclass(frozen=True, slots=True)
class NewJob:
    """What somebody wants done."""

    kind: str
    request: Mapping[str, Any]
    """Checked, in full."""
    name: str
    priority: int = NORMAL_PRIORITY
    origin: str = "api"
    key: str | None = None
    source_id: str | None = None
    """Of its recording, where that is known already: it is found by it should it be moved."""


class JobQueue:
    """The jobs of this daemon."""

    def __init__(self, stores: Stores, durable: Durable, runner: Runner) -> None:
        self._stores = stores
        self._durable = durable
        self._runner = runner
        self._writer = ThreadPoolExecutor(1, "queue")
        """Does one thing after the other, and waits where another program holds the queue."""
        self._suspects: set[str] = set()
        """Jobs that seemed to be left by everybody when they were looked at last."""

    def submit(self, new: NewJob) -> JobRecord:
        """Queue a job; the one that is there already, where there is one with its key.

        Raises ConfigError for a priority there is not.
        """
        _check_priority(new.priority)
        record = JobRecord(
            id=uuid.uuid4().hex,
            kind=new.kind,
            name=new.name,
            request=dict(new.request),
            created_at=now(),
            priority=new.priority,
            origin=new.origin,
            key=new.key,
            source_id=new.source_id,
        )
        with self._stores.catalogue.at_once():
            kept = self._stores.jobs.add(record)
            if kept.id == record.id:
                self._tell(record.id, JobQueued())
        try:
            self._write(lambda: self._durable.enqueue(kept.id, kept.priority))
        except ReelRemixError as exc:
            _log.warning("job %s is queued a little later: %s", kept.id, exc)
        return kept

    def cancel(self, job_id: str) -> JobRecord:
        """Stop a job for good; what it has completed is kept. Raises JobError."""
        return self._stop(job_id, JobState.CANCELLED)

    def pause(self, job_id: str) -> JobRecord:
        """Stop a job until somebody goes on with it. Raises JobError."""
        return self._stop(job_id, JobState.PAUSED)

    def resume(self, job_id: str) -> JobRecord:
        """Queue a paused job again. Raises JobError."""
        job = self._known(job_id)
        if job.state is not JobState.PAUSED:
            raise JobError(
                f"the job {job.id[:8]} is {job.state}, not paused",
                hint=f"`reelremix jobs show {job.id[:8]}` says more",
            )
        moved = self._runner.moved(job, JobState.QUEUED, JobQueued("resumed"))
        self._write(lambda: self._begin_again(moved, None))
        return moved

    def retry(self, job_id: str, stage: str | None = None) -> JobRecord:
        """Queue a job that has ended again, from a stage on, or from where it failed.

        Raises:
            JobError: it has not ended, or ended well.
            ConfigError: there is no such stage.
        """
        if stage is not None and stage not in STAGES:
            raise ConfigError(
                f"there is no stage {stage!r}", hint=f"the stages are {', '.join(STAGES)}"
            )
        job = self._known(job_id)
        if job.state not in ENDED or job.state is JobState.SUCCEEDED:
            raise JobError(
                f"the job {job.id[:8]} is {job.state}: there is nothing to try again",
                hint="`reelremix jobs list` shows which failed",
            )
        attempt = job.attempt + 1
        anew: dict[str, Any] = {"crashes": 0, "ended_at": None, "failure": None, "wanted": None}
        told = JobRetried(attempt)
        moved = self._runner.moved(job, JobState.QUEUED, told, attempt=attempt, **anew)
        self._write(lambda: self._begin_again(moved, stage))
        return moved

    def prioritise(self, job_id: str, priority: int) -> JobRecord:
        """Let a job go before or behind others. Raises JobError for one that has ended."""
        _check_priority(priority)

        def change(job: JobRecord) -> JobRecord:
            if job.state in ENDED:
                raise JobError(
                    f"the job {job.id[:8]} is {job.state}: its priority means nothing now"
                )
            return self._stores.jobs.change(job.id, job.state, priority=priority)

        changed = self._as_found(job_id, change)
        self._write(lambda: self._durable.reprioritise(job_id, priority))
        self._runner.rerank(changed)
        return changed

    def purge(self, job_ids: Collection[str]) -> int:
        """Forget jobs that have ended; their clips stay. Returns how many went."""
        ended = [
            job.id
            for job_id in job_ids
            if (job := self._stores.jobs.job(job_id)) is not None and job.state in ENDED
        ]
        gone = self._stores.jobs.remove(ended)
        forgotten = [id for id in ended if self._stores.jobs.job(id) is None]
        self._write(lambda: self._durable.forget(forgotten))
        return gone

    def settle(self) -> None:
        """Queue what the record says is to be done and nobody is going to do.

        At start, and now and then: what became of a job may not have been written.
        """
        for found in self._unfinished():
            self._write(partial(self._mend, found.id))

    def close(self) -> None:
        """Write no more."""
        self._writer.shutdown(wait=False, cancel_futures=True)

    def _mend(self, job_id: str) -> None:
        job = self._stores.jobs.job(job_id)
        if job is not None and job.state in UNFINISHED and not self._is_cared_for(job):
            self._begin_again(job, None)

    def _write(self, work: Callable[[], None]) -> None:
        """Change the queue; what is to be done is in the library already, so that it may wait."""

        def written() -> None:
            try:
                work()
            finally:
                self._stores.release_thread()

        future = self._writer.submit(written)
        try:
            future.result(PATIENCE_S)
        except TimeoutError:
            _log.warning("another program holds the queue; it is written once that lets go")
            future.add_done_callback(_log_late_trouble)

    def find(self, named: str) -> JobRecord:
        """The job of that id, or whose id begins so. Raises JobError where it is none, or many."""
        found = self._stores.jobs.find(named) if named else ()
        if len(found) == 1:
            return found[0]
        if not found:
            raise JobNotFound(f"there is no job {named!r}", hint=LIST)
        listed = ", ".join(job.id[:12] for job in found[:3])
        raise JobError(f"{named!r} is the beginning of several jobs: {listed}", hint="write more")

    def _stop(self, job_id: str, wanted: JobState) -> JobRecord:
        def stop(job: JobRecord) -> JobRecord:
            if job.state is wanted:
                return job
            if job.state is not JobState.RUNNING or not self._runner.is_under_way(job.id):
                moved = self._stopped(job, wanted)
                self._write(lambda: self._durable.stop(job.id))
                return moved
            self._stores.jobs.change(job.id, JobState.RUNNING, wanted=wanted)
            live = self._runner.stop(job.id)
            self._write(lambda: self._durable.stop(job.id))
            if live is not None:
                live.ended.wait(STOPPED_WITHIN_S)
            stopped = self._known(job_id)
            if stopped.state in (wanted, JobState.RUNNING) or stopped.state in ENDED:
                return stopped
            raise JobMoved(f"the job {job.id[:8]} became {stopped.state}")

        return self._as_found(job_id, stop)

    def _as_found(self, job_id: str, act: Callable[[JobRecord], JobRecord]) -> JobRecord:
        """Do something with a job as it is; again where it moved meanwhile. Raises JobError."""
        while True:
            try:
                return act(self._known(job_id))
            except JobMoved:
                continue

    def _is_cared_for(self, job: JobRecord) -> bool:
        """Whether somebody works on a job, or is going to.

        One that is said to be under way while nobody works on it is just being begun, or was left
        by a thread that could not write: it is found like that twice then.
        """
        if self._runner.is_under_way(job.id) or self._durable.is_waiting(job.id):
            self._suspects.discard(job.id)
            return True
        if job.id in self._suspects or not self._durable.is_active(job.id):
            self._suspects.discard(job.id)
            return False
        self._suspects.add(job.id)
        return True

    def _stopped(self, job: JobRecord, wanted: JobState) -> JobRecord:
        """A job that nobody works on, in another state. Raises JobError."""
        if job.state in ENDED:
            raise JobError(
                f"the job {job.id[:8]} is {job.state}: there is nothing to stop",
                hint=f"`reelremix jobs show {job.id[:8]}` says more",
            )
        if wanted is JobState.CANCELLED:
            return self._runner.moved(job, wanted, JobCancelled(), ended_at=now())
        return self._runner.moved(job, wanted, JobPaused())

    def _begin_again(self, job: JobRecord, stage: str | None) -> None:
        """Queue a job's workflow, wherever it stands."""
        if not self._durable.is_known(job.id):
            self._durable.enqueue(job.id, job.priority)
            return
        steps = self._durable.steps(job.id)
        if stage is None and job.folder is not None and not Path(job.folder).is_dir():
            stage = "decide"  # what was rendered went with it
        if stage in ("begin", "hear", "decide"):
            self._runner.forget_decided(job)
        due = [s.number for s in steps if _is_due(s) or s.name.split(":")[0] == stage]
        if self._durable.is_active(job.id):  # it has ended, and that is about to be recorded
            self._durable.stop(job.id)
        self._durable.rewind(job.id, min(due, default=len(steps) + 1))

    def _known(self, job_id: str) -> JobRecord:
        job = self._stores.jobs.job(job_id)
        if job is None:
            raise JobNotFound(f"there is no job {job_id!r}", hint=LIST)
        return job

    def _tell(self, job_id: str, event: Event) -> None:
        self._runner.log_of(job_id).emit(event)

    def _unfinished(self) -> Sequence[JobRecord]:
        """The oldest first."""
        wanted = JobFilter(UNFINISHED)
        found: list[JobRecord] = []
        while page := self._stores.jobs.jobs(wanted, PAGE, len(found)):
            found.extend(page)
        return found[::-1]


def _log_late_trouble(future: Future[None]) -> None:
    """Nobody waits for it any more; what is not done by it is found by `settle`."""
    if not future.cancelled() and (error := future.exception()) is not None:
        _log.error("the queue could not be written", exc_info=error)


def _is_due(step: StepRecord) -> bool:
    """Whether a step failed, or rendered nothing."""
    return step.is_failed or (step.name.startswith("film:") and step.output["result"] is None)


def _check_priority(priority: int) -> None:
    if not LOWEST_PRIORITY <= priority <= HIGHEST_PRIORITY:
        raise ConfigError(
            f"--priority must be between {LOWEST_PRIORITY} and {HIGHEST_PRIORITY} (got {priority})"
        )
