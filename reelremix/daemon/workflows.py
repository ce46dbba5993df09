"""What becomes of a job, on one machine or on many: begun, stopped, gone on with, ended.

Its steps are those of its kind (`clip_work`). States and facts are written here, together.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from reelremix.daemon.clip_work import ClipWork, Live, Workers, WorkOptions, rank_of
from reelremix.daemon.durable import Stopped
from reelremix.daemon.requests import UPGRADE, VERSION
from reelremix.engine.domain.events import (
    Event,
    JobCancelled,
    JobDead,
    JobFailed,
    JobFinished,
    JobPaused,
    JobQueued,
    JobResumed,
    StageStarted,
    Warned,
)
from reelremix.engine.domain.job import (
    ENDED,
    Failure,
    JobRecord,
    JobState,
    advance,
    decided_key,
)
from reelremix.engine.domain.owner import LOCAL_OWNER
from reelremix.engine.joblog import JobLog, Listener
from reelremix.engine.store.factory import Stores
from reelremix.errors import (
    ConfigError,
    JobMoved,
    ReelRemixError,
    WorkerDied,
    plain_error,
)

CRASHES = "it was broken off {} times without getting on; the last time in its step `{}`"

_log = logging.getLogger("reelremix.daemon")


class Runner:
    """Carries out the jobs of this executor."""

    def __init__(
        self,
        stores: Stores,
        pool: Workers,
        listener: Listener,
        options: WorkOptions,
        *,
        crash_limit: int,
        artifact_cap_bytes: int | None = None,
        ended: Callable[[JobRecord], None] = lambda job: None,
    ) -> None:
        """Carry out nothing yet.

        Args:
            stores: where jobs and what they make are kept.
            pool: who does the steps.
            listener: is told what happens to every job.
            options: how jobs are worked on.
            crash_limit: a job that is broken off so often without getting on is given up.
            artifact_cap_bytes: artifacts beyond that are dropped when a job has ended.
            ended: called with every job that has ended; quick, and never raises.
        """
        self._stores = stores
        self._pool = pool
        self._listener = listener
        self._crash_limit = crash_limit
        self._cap_bytes = artifact_cap_bytes
        self._ended = ended
        self._work = {"clip": ClipWork(stores, pool, options)}
        self._live: dict[str, Live] = {}
        self._lock = threading.Lock()
        self._is_closing = threading.Event()

    def run(self, job_id: str) -> None:
        """Carry out a job from its first step on; those that are done return at once."""
        try:
            live = Live(job_id, self.log_of(job_id))
            with self._lock:
                if self._is_closing.is_set():
                    raise Stopped
                self._live[job_id] = live
            try:
                job = self._entered(job_id)
                if job is not None:
                    live.told = self._warned(job_id)
                    self._carried_out(job, live)
            finally:
                self._leave(live)
        finally:
            self._stores.release_thread()

    def _leave(self, live: Live) -> None:
        """A job is no longer under way; it may be again already, for somebody else."""
        with self._lock:
            if self._live.get(live.id) is live:
                del self._live[live.id]
        live.ended.set()

    def _warned(self, job_id: str) -> set[str]:
        told = (logged.event for logged in self._stores.catalogue.events(job_id))
        return {event.message for event in told if isinstance(event, Warned)}

    def stop(self, job_id: str) -> Live | None:
        """Ask a job that is under way here to stop, and become what its record says is wanted.

        Returns None if it is not under way.
        """
        with self._lock:
            live = self._live.get(job_id)
            if live is not None:
                live.stop.set()
        return live

    def close(self, timeout_s: float) -> None:
        """Stop every job where it is, to be gone on with by the next process."""
        self._is_closing.set()
        with self._lock:
            under_way = list(self._live.values())
            for live in under_way:
                live.stop.set()
        deadline = time.monotonic() + timeout_s
        for live in under_way:
            live.ended.wait(max(0.0, deadline - time.monotonic()))

    def rerank(self, job: JobRecord) -> None:
        """Let a job that is under way go before or behind others, by its priority."""
        self._pool.rerank(job.id, rank_of(job))

    def forget_decided(self, job: JobRecord) -> None:
        """Let what was decided for a job be decided anew."""
        self._stores.artifacts.delete(decided_key(LOCAL_OWNER, job.id))

    def is_under_way(self, job_id: str) -> bool:
        """Whether a job is under way here."""
        with self._lock:
            return job_id in self._live

    def under_way(self) -> list[str]:
        """Ids of the jobs that are under way here."""
        with self._lock:
            return list(self._live)

    def log_of(self, job_id: str) -> JobLog:
        """The log of a job."""
        return JobLog(job_id, self._stores.catalogue, self._listener)

    def _entered(self, job_id: str) -> JobRecord | None:
        """The job, running from now on; None where there is nothing to do."""
        while True:
            job = self._stores.jobs.job(job_id)
            if job is None or job.state in ENDED or job.state is JobState.PAUSED:
                return None
            try:
                return self._running(job)
            except JobMoved:  # somebody paused or cancelled it at this moment
                continue

    def _running(self, job: JobRecord) -> JobRecord:
        if job.state is JobState.QUEUED:
            told = () if job.started_at is None else (JobResumed(),)
            at = job.started_at or now()
            return self.moved(job, JobState.RUNNING, *told, started_at=at)
        with self._stores.catalogue.at_once():
            job = self._stores.jobs.change(job.id, JobState.RUNNING, crashes=job.crashes + 1)
            self.log_of(job.id).emit(JobResumed())
        return job

    def _carried_out(self, job: JobRecord, live: Live) -> None:
        try:
            if job.wanted is not None:  # the process ended before it had stopped
                raise Stopped
            if job.crashes >= self._crash_limit:
                raise _GivenUp(CRASHES.format(job.crashes, _last_stage(self._stores, job)))
            usage = self._work_of(job).carry_out(job, live)
        except Stopped:
            self._stopped(job, live)
            raise
        except Exception as exc:
            if live.stop.is_set():  # what failed meanwhile is not why it ends
                self._stopped(job, live)
                raise Stopped from exc
            self._failed(job, live, exc)
        else:
            ended: dict[str, Any] = {"ended_at": now(), "usage": usage, "wanted": None}
            told = JobFinished(usage)
            done = self.moved(job, JobState.SUCCEEDED, told, failure=None, crashes=0, **ended)
            self._end(done, live)

    def _work_of(self, job: JobRecord) -> ClipWork:
        """Who does jobs like this one. Raises ConfigError for those of a newer version."""
        version = job.request.get("version", VERSION)
        if job.kind not in self._work or version > VERSION:
            raise ConfigError(
                f"the job was queued by a newer ReelRemix ({job.kind} {version})", hint=UPGRADE
            )
        return self._work[job.kind]

    def _stopped(self, job: JobRecord, live: Live) -> None:
        kept = self._stores.jobs.job(job.id)
        wanted = kept.wanted if kept is not None else None
        if wanted is JobState.CANCELLED:
            told = JobCancelled()
            self._end(self.moved(job, wanted, told, wanted=None, ended_at=now()), live)
        elif wanted is JobState.PAUSED:
            self.moved(job, wanted, JobPaused(), wanted=None)
        else:  # so that the next process does not take it for broken off
            self.moved(job, JobState.QUEUED, JobQueued("the daemon was stopped"))

    def _failed(self, job: JobRecord, live: Live, exc: Exception) -> None:
        if isinstance(exc, _GivenUp):
            self._fail(job, live, exc.failure, JobState.DEAD)
        elif isinstance(exc, WorkerDied):
            self._fail(job, live, _failure(exc), JobState.DEAD)
        else:
            if not isinstance(exc, ReelRemixError):
                _log.error("job %s failed", job.id, exc_info=exc)
            self._fail(job, live, _failure(exc), JobState.FAILED)

    def _fail(self, job: JobRecord, live: Live, failure: Failure, state: JobState) -> None:
        event: Event = JobFailed(failure.message, failure.hint)
        if state is JobState.DEAD:
            event = JobDead(failure.message)
        ended: dict[str, Any] = {"ended_at": now(), "failure": failure, "wanted": None}
        self._end(self.moved(job, state, event, **ended), live)

    def _end(self, job: JobRecord, live: Live) -> None:
        """See to what follows from an end; the job itself may be tried again already."""
        self._leave(live)
        self._ended(job)
        if self._cap_bytes is None or self.under_way():  # whose artifacts are not to be dropped
            return
        try:
            self._stores.artifacts.collect(self._cap_bytes)
        except ReelRemixError as exc:
            _log.warning("artifacts could not be dropped: %s", exc)

    def moved(self, job: JobRecord, state: JobState, *events: Event, **changes: Any) -> JobRecord:
        """Keep a job in another state, and tell, all or nothing. Raises JobError."""
        log, wanted = self.log_of(job.id), advance(job.state, state)
        with self._stores.catalogue.at_once():
            moved = self._stores.jobs.change(job.id, job.state, state=wanted, **changes)
            for event in events:
                log.emit(event)
        return moved


class _GivenUp(Exception):
    """A job is not tried once more."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.failure = Failure("JobError", message, "`reelremix jobs retry` begins it anew")


def _failure(error: Exception) -> Failure:
    plain = plain_error(error)
    return Failure(str(plain["kind"]), str(plain["message"]), plain["hint"])


def _last_stage(stores: Stores, job: JobRecord) -> str:
    begun = [e.event for e in stores.catalogue.events(job.id) if isinstance(e.event, StageStarted)]
    return begun[-1].stage if begun else "begin"


def now() -> float:
    """Seconds since the epoch, UTC, as records and events have them."""
    return round(time.time(), 3)
