"""What a job does, step by step, and what becomes of it; the same for one machine and for many.

A job of kind `clip` begins (looks at the recording), hears, decides, renders each clip as a step of
its own, and finishes (hears the films again, lists them). Steps are done by worker processes and
kept by `durable`; a step that is done is not done again, whatever happens to this process. States
and facts are written here, together.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from reelremix.daemon import durable
from reelremix.daemon.durable import Retries, Stopped
from reelremix.daemon.gpu import GPU_NEEDS_MB
from reelremix.daemon.pool import Ask, Role
from reelremix.daemon.process import Done, Order
from reelremix.engine.domain.context import CancelToken
from reelremix.engine.domain.events import (
    Event,
    JobCancelled,
    JobDead,
    JobFailed,
    JobFinished,
    JobPaused,
    JobQueued,
    JobResumed,
    JobStarted,
    StageFinished,
    StageProgress,
    StageStarted,
    Waiting,
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
from reelremix.engine.locks import hold
from reelremix.engine.store.factory import Stores
from reelremix.errors import NothingToClip, ReelRemixError, RenderError, WorkerDied, plain_error

Tell = Callable[[Event], None]

RETRIES = Retries()
FIRST = (float("-inf"),)
"""Ranks before everything else."""
SOON_S = 2.0
"""How long a recording mostly takes to be looked at; others are not kept from listening longer."""
CRASHES = "it was broken off {} times without getting on; the last time in its step `{}`"
SOME_FAILED = "{} of {} clips could not be rendered"

_log = logging.getLogger("reelremix.daemon")


class Worker(Protocol):
    """Does one step at a time."""

    def run(self, order: Order, stop: threading.Event, tell: Tell) -> Done:
        """Do a step; raises what went wrong, and Stopped once it has stopped."""


class Workers(Protocol):
    """Lends workers."""

    def lent(
        self, ask: Ask, job_id: str, stop: threading.Event, tell: Callable[[str], None]
    ) -> AbstractContextManager[Worker]:
        """One for the length of a block; `tell` is called with why that has to wait."""

    def expect(self, ask: Ask, within_s: float) -> None:
        """Keep a place in the line for a step that is about to be asked for, for so long."""

    def measured(self, ask: Ask, peak_mb: float) -> None:
        """Keep what a step took."""


@dataclass(eq=False, slots=True)
class Live:
    """A job that is under way here."""

    id: str
    log: JobLog
    stop: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    begun: Mapping[str, Any] | None = None
    folder: str | None = None
    """Once it was taken."""
    costs: list[dict[str, Any]] = field(default_factory=list)
    told: set[str] = field(default_factory=set)
    """Warnings that were told already, here or before the last end of the process."""


class Runner:
    """Carries out the jobs of this executor."""

    def __init__(
        self,
        stores: Stores,
        pool: Workers,
        listener: Listener,
        *,
        crash_limit: int,
        lock_dir: Path | None = None,
        artifact_cap_bytes: int | None = None,
        films_at_once: int = 2,
        ended: Callable[[JobRecord], None] = lambda job: None,
        retries: Retries = RETRIES,
    ) -> None:
        """Carry out nothing yet.

        Args:
            stores: where jobs and what they make are kept.
            pool: who does the steps.
            listener: is told what happens to every job.
            crash_limit: a job that is broken off so often without getting on is given up.
            artifact_cap_bytes: artifacts beyond that are dropped when a job has ended.
            lock_dir: of the locks that runs of the command line also take.
            films_at_once: clips of one job that are rendered side by side.
            ended: called with every job that has ended; quick, and never raises.
            retries: of a step that failed in a way that may pass.
        """
        self._stores = stores
        self._pool = pool
        self._listener = listener
        self._crash_limit = crash_limit
        self._lock_dir = lock_dir
        self._cap_bytes = artifact_cap_bytes
        self._films_at_once = films_at_once
        self._ended = ended
        self._retries = retries
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

    def forget_decided(self, job: JobRecord) -> None:
        """Let what was decided for a job be decided anew."""
        self._stores.artifacts.delete(decided_key(LOCAL_OWNER, job.id))

    def under_way(self) -> list[str]:
        """Ids of the jobs that are under way here."""
        with self._lock:
            return list(self._live)

    def log_of(self, job_id: str) -> JobLog:
        """The log of a job."""
        return JobLog(job_id, self._stores.catalogue, self._listener)

    def _entered(self, job_id: str) -> JobRecord | None:
        """The job, running from now on; None where there is nothing to do."""
        job = self._stores.jobs.job(job_id)
        if job is None or job.state in ENDED or job.state is JobState.PAUSED:
            return None
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
            usage = _WORK[job.kind](self, job, live)
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

    def _stopped(self, job: JobRecord, live: Live) -> None:
        kept = self._stores.jobs.job(job.id)
        wanted = kept.wanted if kept is not None else None
        if wanted is JobState.CANCELLED:
            moved = self.moved(job, wanted, JobCancelled(), wanted=None, ended_at=now())
            self._give_back(job, live)
            self._end(moved, live)
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
        moved = self.moved(job, state, event, **ended)
        if live.begun is not None and failure.kind != NothingToClip.__name__:
            self._give_back(job, live)
        self._end(moved, live)

    def _give_back(self, job: JobRecord, live: Live) -> None:
        """Leave the folder as it was, where nothing was changed in it; no job fails for it."""
        if live.begun is None or live.folder is None or self._is_closing.is_set():
            return
        ask = Ask(Role.WORK, FIRST, "begin")
        order = _order(job, "give_back", begun=live.begun, folder=live.folder)
        try:
            with self._pool.lent(ask, job.id, threading.Event(), lambda why: None) as worker:
                worker.run(order, threading.Event(), lambda event: None)
        except (ReelRemixError, Stopped) as exc:
            _log.warning("the folder of job %s was not given back: %s", job.id, exc)

    def _end(self, job: JobRecord, live: Live) -> None:
        """See to what follows from an end; the job itself may be tried again already."""
        self._leave(live)
        self._ended(job)
        if self._cap_bytes is not None:
            self._stores.artifacts.collect(self._cap_bytes)

    def moved(self, job: JobRecord, state: JobState, *events: Event, **changes: Any) -> JobRecord:
        """Keep a job in another state, and tell, all or nothing. Raises JobError."""
        log, wanted = self.log_of(job.id), advance(job.state, state)
        with self._stores.catalogue.at_once():
            moved = self._stores.jobs.change(job.id, job.state, state=wanted, **changes)
            for event in events:
                log.emit(event)
        return moved

    # -- the steps of a clip job

    def _clip(self, job: JobRecord, live: Live) -> dict[str, float]:
        is_first = not any(
            isinstance(logged.event, JobStarted) for logged in self._stores.catalogue.events(job.id)
        )
        self._pool.expect(_ask(job, "hear"), SOON_S)  # whoever came first is heard first
        begun = self._do(job, live, "begin", is_first=is_first, source_id=job.source_id)
        live.begun = begun
        with self._alone(begun["source_id"], live):
            self._keep_folder(job, live, self._do(job, live, "hear", begun=begun), begun)
            outline = self._do(job, live, "decide", begun=begun)
            self._keep_folder(job, live, outline["folder"], begun)
            there: dict[str, Any] = {"begun": begun, "folder": live.folder}
            films = self._films(job, live, outline["clips"], there)
            listed = self._do(job, live, "finish", **there, films=films, costs=live.costs)
        if listed["failed"]:
            raise RenderError(
                SOME_FAILED.format(listed["failed"], listed["clips"]),
                hint=f"`reelremix jobs retry {job.id[:8]}` tries them again",
            )
        rendered = {film["clip_id"] for film in films}
        rendered_s = sum(c["length_s"] for c in outline["clips"] if c["id"] in rendered)
        return {"source_s": begun["source_s"], "rendered_s": round(rendered_s, 6)}

    def _keep_folder(
        self, job: JobRecord, live: Live, folder: str, begun: Mapping[str, Any]
    ) -> None:
        """Note where the clips go, the first time and where that has changed."""
        if live.folder != folder and job.folder != folder:
            found = {"folder": folder, "source_id": begun["source_id"]}
            self._stores.jobs.change(job.id, JobState.RUNNING, **found)
        live.folder = folder

    def _films(
        self,
        job: JobRecord,
        live: Live,
        outlined: Sequence[Mapping[str, Any]],
        there: Mapping[str, Any],
    ) -> list[Mapping[str, Any]]:
        """Render every clip; told as one stage, with progress over all of them."""
        if not outlined:
            return []
        began = time.monotonic()
        live.log.emit(StageStarted("render"))
        progress = _Frames(partial(self._tell, live), outlined)
        works = [
            (
                f"film:{clip['id']}",
                partial(
                    self._film, job, live,
                    {**there, "clip": clip["id"]}, progress.of(clip["id"]),
                ),
            )
            for clip in outlined
        ]  # fmt: skip
        wait = partial(self._wait, live)
        done = durable.steps_at_once(works, self._films_at_once, self._retries, wait)
        wall_s = round(time.monotonic() - began, 3)
        stage = StageFinished("render", wall_s, cached=progress.is_cached)
        live.log.emit(stage)
        live.costs.append(_rendering_cost([result["cost"] for result in done], stage))
        return [result["result"] for result in done if result["result"] is not None]

    def _film(
        self,
        job: JobRecord,
        live: Live,
        given: Mapping[str, Any],
        tell: Tell,
    ) -> dict[str, Any]:
        try:
            return self._attempt(job, live, "film", given, tell)
        finally:  # each is in a thread of its own
            self._stores.release_thread()

    def _do(self, job: JobRecord, live: Live, step: str, **given: Any) -> Any:
        """Do a step, unless it is done."""
        tell = partial(self._tell, live)
        work = partial(self._attempt, job, live, step, given, tell)
        done = durable.step(step, work, self._retries, partial(self._wait, live))
        live.costs.append(done["cost"])
        return done["result"]

    def _attempt(
        self,
        job: JobRecord,
        live: Live,
        step: str,
        given: Mapping[str, Any],
        tell: Tell,
    ) -> dict[str, Any]:
        """Have a worker do a step once."""
        ask, name = _ask(job, step), _named(step, given)
        with self._pool.lent(ask, job.id, live.stop, partial(_tell_wait, live)) as worker:
            _log.info("step begins", extra={"job": job.id, "step": name})
            done: Done = worker.run(_order(job, step, **given), live.stop, tell)
        wall_s = done.cost["wall_s"]
        _log.info("step is done", extra={"job": job.id, "step": name, "wall_s": wall_s})
        self._pool.measured(ask, done.cost["peak_rss_mb"])
        self._got_on(job)
        return {"result": done.result, "cost": done.cost}

    def _tell(self, live: Live, event: Event) -> None:
        """Log what a worker tells; a warning once a job."""
        if isinstance(event, Warned):
            if event.message in live.told:
                return
            live.told.add(event.message)
        live.log.emit(event)

    def _got_on(self, job: JobRecord) -> None:
        """Something was completed: what broke the job off before was not this."""
        if job.crashes:
            self._stores.jobs.change(job.id, JobState.RUNNING, crashes=0)

    def _wait(self, live: Live, error: ReelRemixError, wait_s: float) -> None:
        live.log.emit(Waiting(f"{error.message}; trying again in {wait_s:.0f} s"))
        if live.stop.wait(wait_s):
            raise Stopped

    @contextmanager
    def _alone(self, source_id: str, live: Live) -> Iterator[None]:
        """Hold the recording against runs of the command line and against other jobs."""
        holding = _Holding(self._lock_dir, live.log, _StopToken(live.stop))
        reason = "another run is working on this source"
        release = hold(f"{LOCAL_OWNER}-{source_id[:32]}", reason, holding)
        try:
            yield
        finally:
            release()


class _GivenUp(Exception):
    """A job is not tried once more."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.failure = Failure("JobError", message, "`reelremix jobs retry` begins it anew")


class _StopToken(CancelToken):
    """A job's wish to stop, as the engine asks for it."""

    def __init__(self, stop: threading.Event) -> None:
        self._event = stop

    def raise_if_set(self) -> None:
        """Raise Stopped when the job is to stop."""
        if self._event.is_set():
            raise Stopped


@dataclass(frozen=True, slots=True)
class _Holding:
    """What waiting for a lock needs to know of a job."""

    lock_dir: Path | None
    reporter: JobLog
    cancel: CancelToken


class _Frames:
    """Progress over the clips of a job."""

    def __init__(self, tell: Tell, outlined: Sequence[Mapping[str, Any]]) -> None:
        self._tell = tell
        self._total = sum(clip["frames"] for clip in outlined)
        self._done: dict[str, float] = {}
        self.is_cached = True
        """Whether every clip was there already."""

    def of(self, clip_id: str) -> Tell:
        """Who is told what happens while one clip is rendered."""

        def tell(event: Event) -> None:
            if isinstance(event, StageProgress):
                self.is_cached = False
                self._done[clip_id] = event.done
                done = sum(self._done.values())
                self._tell(StageProgress("render", done, self._total, "frames"))
            else:
                self._tell(event)

        return tell


def _tell_wait(live: Live, why: str) -> None:
    live.log.emit(Waiting(why))


def _ask(job: JobRecord, step: str) -> Ask:
    rank = (float(-job.priority), job.created_at)
    if step != "hear":
        return Ask(Role.WORK, rank, step)
    heard = job.request.get("transcribe", {})
    model, device = str(heard.get("model", "auto")), str(heard.get("device", "auto"))
    gpu_mb = GPU_NEEDS_MB.get(model, GPU_NEEDS_MB["large-v3"])
    return Ask(Role.HEAR, rank, f"hear {model}", 0 if device == "cpu" else gpu_mb)


def _rendering_cost(costs: Sequence[Mapping[str, Any]], stage: StageFinished) -> dict[str, Any]:
    """What clips that were rendered side by side took together."""
    told = {"name": stage.stage, "wall_s": stage.wall_s, "cached": stage.cached}
    return {
        "wall_s": stage.wall_s,
        "stages": [told],
        "peak_rss_mb": sum(sorted(cost["peak_rss_mb"] for cost in costs)[-2:]),
        "network": list(dict.fromkeys(call for cost in costs for call in cost["network"])),
    }


def _named(step: str, given: Mapping[str, Any]) -> str:
    return f"{step}:{given['clip']}" if "clip" in given else step


def _order(job: JobRecord, step: str, **given: Any) -> Order:
    return Order(step, job.id, job.kind, job.request, given)


def _failure(error: Exception) -> Failure:
    plain = plain_error(error)
    return Failure(str(plain["kind"]), str(plain["message"]), plain["hint"])


def _last_stage(stores: Stores, job: JobRecord) -> str:
    begun = [e.event for e in stores.catalogue.events(job.id) if isinstance(e.event, StageStarted)]
    return begun[-1].stage if begun else "begin"


def now() -> float:
    """Seconds since the epoch, UTC, as records and events have them."""
    return round(time.time(), 3)


_WORK: Mapping[str, Callable[[Runner, JobRecord, Live], dict[str, float]]] = {"clip": Runner._clip}
