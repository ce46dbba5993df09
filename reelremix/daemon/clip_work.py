"""The steps of a clip job, done by worker processes one after the other, the films side by side.

It begins (looks at the recording), hears, decides, renders each clip as a step of its own, and
finishes (hears the films again, lists them). A step that is done is kept by `durable` and not done
again, whatever happens to this process.
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
from reelremix.daemon.gpu import smaller_models
from reelremix.daemon.pool import Ask, Lent, Role
from reelremix.daemon.process import Order
from reelremix.engine.domain.choice import GpuFull
from reelremix.engine.domain.context import CancelToken
from reelremix.engine.domain.events import (
    ClipFailed,
    Event,
    JobStarted,
    StageFinished,
    StageProgress,
    StageStarted,
    Waiting,
    Warned,
)
from reelremix.engine.domain.job import JobRecord, JobState
from reelremix.engine.domain.owner import LOCAL_OWNER
from reelremix.engine.joblog import JobLog
from reelremix.engine.locks import hold
from reelremix.engine.output_folder import OutputFolder
from reelremix.engine.store.factory import Stores
from reelremix.errors import NothingToClip, ReelRemixError, RenderError, WorkerDied

Tell = Callable[[Event], None]

RETRIES = Retries()
SOON_S = 2.0
"""How long a recording mostly takes to be looked at; others are not kept from listening longer."""
SOME_FAILED = "{} of {} clips could not be rendered"
NO_COST: Mapping[str, Any] = {"wall_s": 0.0, "stages": [], "peak_rss_mb": 0.0, "network": []}

_log = logging.getLogger("reelremix.daemon")


class Workers(Protocol):
    """Lends workers."""

    def lent(
        self, ask: Ask, job_id: str, stop: threading.Event, tell: Callable[[str], None]
    ) -> AbstractContextManager[Lent]:
        """One for the length of a block; `tell` is called with why that has to wait."""

    def expect(self, ask: Ask, job_id: str, within_s: float) -> None:
        """Keep a place in the line for a step that is about to be asked for, for so long."""

    def warm(self, ask: Ask, count: int = 1) -> None:
        """Begin processes of its kind until there are so many, for a step that is to come."""

    def rerank(self, job_id: str, rank: tuple[float, ...]) -> None:
        """Let a job that waits go before or behind others."""

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
    changes: Mapping[str, str] = field(default_factory=dict)
    """By what it listens otherwise than asked, because no GPU had room."""
    hears_on_gpu: bool = False
    """Whether its films are heard again on a GPU."""
    costs: list[dict[str, Any]] = field(default_factory=list)
    told: set[str] = field(default_factory=set)
    """Warnings that were told already, here or before the last end of the process."""


@dataclass(frozen=True, slots=True)
class WorkOptions:
    """How jobs are worked on."""

    lock_dir: Path | None = None
    """Of the locks that runs of the command line also take."""
    films_at_once: int = 2
    """Clips of one job that are rendered side by side."""
    retries: Retries = RETRIES
    """Of a step that failed in a way that may pass."""
    is_installed: Callable[[str], bool] = lambda model: True
    """Whether a recogniser is on this machine."""


class ClipWork:
    """Does clip jobs with the workers of this executor."""

    def __init__(self, stores: Stores, pool: Workers, options: WorkOptions) -> None:
        self._stores = stores
        self._pool = pool
        self._options = options

    def carry_out(self, job: JobRecord, live: Live) -> dict[str, float]:
        """Do what is left of a job; returns what it used.

        Raises:
            ReelRemixError: it failed.
            Stopped: it is to stop.
        """
        is_first = not any(
            isinstance(logged.event, JobStarted) for logged in self._stores.catalogue.events(job.id)
        )
        soon = self._ask(job, "hear", live)
        self._pool.expect(soon, job.id, SOON_S)  # whoever came first is heard first
        begun = self._do(job, live, "begin", is_first=is_first, source_id=job.source_id)
        live.begun = begun
        with self._alone(begun["source_id"], live), self._given_back(job, live):
            self._keep_folder(job, live, self._do(job, live, "hear", begun=begun), begun)
            outline = self._do(job, live, "decide", begun=begun)
            self._keep_folder(job, live, outline["folder"], begun)
            there: dict[str, Any] = {"begun": begun, "folder": live.folder}
            films = self._films(job, live, outline["clips"], there)
            live.hears_on_gpu = outline.get("device") == "cuda"
            listed = self._do(job, live, "finish", **there, films=films, costs=live.costs)
        if listed["failed"]:
            raise RenderError(
                SOME_FAILED.format(listed["failed"], listed["clips"]),
                hint=f"`reelremix jobs retry {job.id[:8]}` tries them again",
            )
        rendered = {film["clip_id"] for film in films}
        rendered_s = sum(c["length_s"] for c in outline["clips"] if c["id"] in rendered)
        return {"source_s": begun["source_s"], "rendered_s": round(rendered_s, 6)}

    @contextmanager
    def _given_back(self, job: JobRecord, live: Live) -> Iterator[None]:
        """Leave the folder as it was where a job ends without clips and has changed nothing in it.

        While the recording is held, so that nobody else has begun in it.
        """
        try:
            yield
        except NothingToClip:
            raise  # the folder says why
        except (Exception, Stopped):
            kept = self._stores.jobs.job(job.id)
            is_over = kept is not None and kept.wanted is JobState.CANCELLED
            if is_over or not live.stop.is_set():
                _release(live)
            raise

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
        done = durable.steps_at_once(
            works,
            self._options.films_at_once,
            self._options.retries,
            partial(self._wait, live),
            partial(_died_at, live),
        )
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
        done = durable.step(step, work, self._options.retries, partial(self._wait, live))
        live.costs.append(done["cost"])
        live.changes = done.get("changes") or live.changes
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
        name = _named(step, given)
        waits = partial(_tell_wait, live)
        with self._pool.lent(self._ask(job, step, live), job.id, live.stop, waits) as lent:
            ask = lent.ask
            self._warm_for_next(job, live, step)
            if ask.changes:
                self._tell(live, Warned(*_told_change(job, ask.changes)))
            _log.info("step begins", extra={"job": job.id, "step": name})
            order = _order(job, live, step, given, ask.changes)
            done = lent.worker.run(order, live.stop, tell, live.costs.append)
        wall_s = done.cost["wall_s"]
        _log.info("step is done", extra={"job": job.id, "step": name, "wall_s": wall_s})
        self._pool.measured(ask, done.cost["peak_rss_mb"])
        self._got_on(job)
        return {"result": done.result, "cost": done.cost, "changes": dict(ask.changes)}

    def _warm_for_next(self, job: JobRecord, live: Live, step: str) -> None:
        """Begin the processes that are needed after a step while it is done."""
        if step == "begin":
            self._pool.warm(self._ask(job, "hear", live))
        elif step == "hear" and not job.request.get("plan_only"):
            self._pool.warm(self._ask(job, "film", live), self._options.films_at_once)

    def _ask(self, job: JobRecord, step: str, live: Live) -> Ask:
        """What a step needs, and what may be done instead where that is not there."""
        kept = self._stores.jobs.job(job.id) or job  # its priority may have changed
        rank = rank_of(kept)
        heard = {**job.request.get("transcribe", {}), **live.changes}
        model, device = str(heard.get("model", "auto")), str(heard.get("device", "auto"))
        if step == "finish" and live.hears_on_gpu:  # with the model that is loaded there
            return Ask(Role.HEAR, rank, f"finish {model}", model)
        if step != "hear":
            return Ask(Role.WORK, rank, step)
        if device == "cpu":
            return Ask(Role.HEAR, rank, f"hear {model}")
        full = GpuFull(heard.get("gpu_full", GpuFull.WAIT))
        instead: tuple[Ask, ...] = ()
        if full is GpuFull.CPU:
            instead = (Ask(Role.HEAR, rank, f"hear {model} cpu", changes={"device": "cpu"}),)
        elif full is GpuFull.SMALLER:
            smaller = smaller_models(model, heard.get("language"))
            instead = tuple(
                Ask(Role.HEAR, rank, f"hear {name}", name, {"model": name})
                for name in smaller
                if self._options.is_installed(name)
            )
        return Ask(Role.HEAR, rank, f"hear {model}", model, instead=instead)

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
        holding = _Holding(self._options.lock_dir, live.log, _StopToken(live.stop))
        reason = "another run is working on this source"
        release = hold(f"{LOCAL_OWNER}-{source_id[:32]}", reason, holding)
        try:
            yield
        finally:
            release()


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


def _order(
    job: JobRecord,
    live: Live,
    step: str,
    given: Mapping[str, Any],
    changes: Mapping[str, str] | None = None,
) -> Order:
    """A step, asked for as the job was, but for how it listens."""
    changed = {**live.changes, **(changes or {})}
    request = dict(job.request)
    if changed:
        request["transcribe"] = {**request.get("transcribe", {}), **changed}
    return Order(step, job.id, job.kind, request, given)


def _told_change(job: JobRecord, changes: Mapping[str, str]) -> tuple[str, str]:
    """What is said of a job that listens otherwise than asked, and what to do about it."""
    model = job.request.get("transcribe", {}).get("model", "auto")
    how = f"with {changes['model']}" if "model" in changes else "on the CPU"
    return f"no GPU has room for model {model}: listening {how}", 'gpu_full = "wait" waits for it'


def _release(live: Live) -> None:
    """Give a folder back; no job fails for it."""
    if live.folder is None or live.begun is None:
        return
    try:
        OutputFolder(Path(live.folder), live.begun["source_id"], None).release()
    except OSError as exc:
        _log.warning("the folder %s was not given back: %s", live.folder, exc)


def _died_at(live: Live, name: str, error: ReelRemixError) -> dict[str, Any]:
    """A film whose process died each time: it fails, the others go on. Raises other errors."""
    if not isinstance(error, WorkerDied):
        raise error
    live.log.emit(ClipFailed(name.partition(":")[2], error.message, error.hint))
    return {"result": None, "cost": NO_COST, "changes": {}}


def rank_of(job: JobRecord) -> tuple[float, ...]:
    """Where a job stands in the line: by its priority, then by when it came."""
    return (float(-job.priority), job.created_at)
