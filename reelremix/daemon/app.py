"""The local HTTP API: who may ask, and what can be asked. Its stream of events is in `streams`.

It answers on loopback alone. A random token is asked of everybody; requests that name another host
or come from a web page elsewhere are refused before that, so that no name that is made to point
here (DNS rebinding) and no page in a browser can use it.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse
from starlette.exceptions import HTTPException

from reelremix.daemon import protocol
from reelremix.daemon.artifacts import artifact_path, artifacts_of
from reelremix.daemon.bodies import API_HINT, CheckedBodies
from reelremix.daemon.metrics import metrics_text
from reelremix.daemon.protocol import (
    MOST_AT_ONCE,
    Artifact,
    Change,
    Health,
    JobList,
    JobView,
    NewWatch,
    Purge,
    Purged,
    Retry,
    Stats,
    Status,
    Submission,
    Told,
    WatchView,
)
from reelremix.daemon.queue import NewJob
from reelremix.daemon.requests import checked_label, checked_request
from reelremix.daemon.service import Daemon, watch_views
from reelremix.daemon.stats import stats_of
from reelremix.daemon.streams import stream_routes
from reelremix.engine import codec
from reelremix.engine.domain.events import Waiting
from reelremix.engine.domain.job import ENDED, JobFilter, JobRecord, JobState
from reelremix.engine.domain.watch import IGNORED, Watch, WhenDone
from reelremix.errors import (
    ConfigError,
    DaemonBusy,
    DiskFull,
    JobError,
    JobNotFound,
    LibraryHeld,
    ModelError,
    ReelRemixError,
    SourceError,
    Unauthorized,
    plain_error,
)

OWN_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
MOST = 2**53
BROKEN_OFF = "it was broken off, by a full disk perhaps, and is gone on with soon"
REFUSED = Told("DaemonError", "the daemon answers programs on this machine alone")

Call = Callable[[Request], Awaitable[Any]]


def create_app(daemon: Daemon, token: str, stop: Callable[[], None]) -> FastAPI:
    """The API of a daemon.

    Args:
        daemon: what answers.
        token: what everybody has to send.
        stop: ends the process, some time after it was called.
    """
    app = FastAPI(
        title="ReelRemix daemon",
        version=str(protocol.PROTOCOL_VERSION),
        description="Jobs, events and the library of one machine. Send `Authorization: Bearer`"
        " with the token that is in the daemon's folder.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.add_exception_handler(ReelRemixError, _told)
    app.add_exception_handler(RequestValidationError, _misread)
    app.add_exception_handler(HTTPException, _unanswered)
    app.add_middleware(CheckedBodies)
    app.middleware("http")(_from_here)
    app.include_router(_open_routes(daemon))
    answers: dict[int | str, dict[str, Any]] = {
        code: {"model": Told} for code in (401, 403, 404, 409, 413, 422, 503, 507)
    }
    routers = (
        _job_routes(daemon),
        stream_routes(daemon),
        _watch_routes(daemon),
        _daemon_routes(daemon, stop),
    )
    for router in routers:
        app.include_router(router, dependencies=[Depends(_guard(token))], responses=answers)
    return app


async def _from_here(request: Request, go_on: Call) -> Any:
    """Refuse whoever names another host, or comes from a page that is not ours."""
    headers = request.headers
    is_own = (
        _is_own(headers.get("host", ""))
        and _may_come_from(headers.get("origin"))
        and headers.get("sec-fetch-site", "none") in ("none", "same-origin")
    )
    return await go_on(request) if is_own else JSONResponse(codec.to_plain(REFUSED), 403)


def _is_own(host: str) -> bool:
    """Whether a host, with or without a port, is this machine by one of its own names."""
    name, colon, port = host.rpartition(":")
    return host in OWN_NAMES or (bool(colon) and name in OWN_NAMES and port.isdigit())


def _may_come_from(origin: str | None) -> bool:
    return origin is None or (
        origin.startswith("http://") and _is_own(origin.removeprefix("http://"))
    )


def _guard(token: str) -> Callable[[str], None]:
    def check(authorization: Annotated[str, Header()] = "") -> None:
        sent = authorization.removeprefix("Bearer ").encode()
        if not hmac.compare_digest(sent, token.encode()):
            raise Unauthorized(
                "the token is missing or wrong",
                hint="send `Authorization: Bearer TOKEN`; it is in the daemon's folder",
            )

    return check


async def _told(_: Request, exc: Exception) -> JSONResponse:
    """An error as the body of an answer."""
    code = next((code for kind, code in CODES if isinstance(exc, kind)), 500)
    return JSONResponse(plain_error(exc), code)


async def _misread(_: Request, exc: Exception) -> JSONResponse:
    """What is wrong with the form of a request."""
    assert isinstance(exc, RequestValidationError)
    first = exc.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return JSONResponse(plain_error(ConfigError(f"{where}: {first['msg']}", hint=API_HINT)), 422)


async def _unanswered(request: Request, exc: Exception) -> JSONResponse:
    """A request that no route takes, or whose body none can read."""
    assert isinstance(exc, HTTPException)
    asked = f"{request.method} {request.url.path}"
    messages = {404: f"there is no {asked}", 405: f"there is no {asked}"}
    code = 422 if exc.status_code == 400 else exc.status_code
    told = ConfigError(messages.get(exc.status_code, str(exc.detail)), hint=API_HINT)
    return JSONResponse(plain_error(told), code)


CODES: tuple[tuple[type[ReelRemixError], int], ...] = (
    (Unauthorized, 401), (JobNotFound, 404), (JobError, 409),
    (LibraryHeld, 503), (DaemonBusy, 503), (DiskFull, 507),
    (ConfigError, 422), (SourceError, 422), (ModelError, 422),
)  # fmt: skip


def _open_routes(daemon: Daemon) -> APIRouter:
    router = APIRouter(prefix=protocol.PREFIX, tags=["daemon"])

    @router.get("/health")
    def health() -> Health:
        """Whether the daemon answers; the only question that needs no token."""
        return daemon.health()

    return router


def _job_routes(daemon: Daemon) -> APIRouter:
    router = APIRouter(prefix=f"{protocol.PREFIX}/jobs", tags=["jobs"])
    queue, jobs = daemon.queue, daemon.stores.jobs

    def view(job: JobRecord) -> JobView:
        return JobView.of(job, _waits_for(daemon, job))

    @router.post("", status_code=201)
    def submit(new: Submission) -> JobView:
        """Queue a job."""
        request, name = checked_request(new.kind, new.request)
        origin = checked_label("origin", new.origin)
        key = None if new.key is None else checked_label("key", new.key)
        asked = NewJob(new.kind, request, name, new.priority, origin, key)
        return JobView.of(queue.submit(asked))

    @router.get("")
    def page(
        state: Annotated[list[JobState] | None, Query()] = None,
        origin: str | None = None,
        limit: Annotated[int, Query(ge=1, le=MOST_AT_ONCE)] = 50,
        offset: Annotated[int, Query(ge=0, le=MOST)] = 0,
    ) -> JobList:
        """A page of jobs, the newest first."""
        wanted = JobFilter(frozenset(state or ()), origin)
        found = [view(job) for job in jobs.jobs(wanted, limit, offset)]
        return JobList(found, {s.value: n for s, n in jobs.counts().items()})

    @router.post("/purge")
    def purge(which: Purge) -> Purged:
        """Forget jobs that have ended; their clips stay."""
        return Purged(queue.purge([job.id for job in _purged(daemon, which)]))

    @router.get("/{named}")
    def show(named: str) -> JobView:
        """One job, by its id or the beginning of it."""
        return view(queue.find(named))

    @router.patch("/{named}")
    def change(named: str, what: Change) -> JobView:
        """Change a job's priority."""
        return JobView.of(queue.prioritise(queue.find(named).id, what.priority))

    @router.post("/{named}/cancel")
    def cancel(named: str) -> JobView:
        """Stop a job for good."""
        return JobView.of(queue.cancel(queue.find(named).id))

    @router.post("/{named}/pause")
    def pause(named: str) -> JobView:
        """Stop a job until it is resumed."""
        return JobView.of(queue.pause(queue.find(named).id))

    @router.post("/{named}/resume")
    def resume(named: str) -> JobView:
        """Go on with a paused job."""
        return JobView.of(queue.resume(queue.find(named).id))

    @router.post("/{named}/retry")
    def retry(named: str, how: Retry) -> JobView:
        """Try a job that has ended again."""
        return JobView.of(queue.retry(queue.find(named).id, how.stage))

    @router.get("/{named}/artifacts")
    def artifacts(named: str) -> list[Artifact]:
        """The files that a job made."""
        return artifacts_of(queue.find(named))

    @router.get("/{named}/artifacts/{name}", response_class=FileResponse)
    def artifact(named: str, name: str) -> FileResponse:
        """One of them."""
        return FileResponse(artifact_path(queue.find(named), name))

    return router


def _waits_for(daemon: Daemon, job: JobRecord) -> str | None:
    """Why a job that is under way does nothing now: what it told last, if that was of waiting."""
    if job.state is not JobState.RUNNING:
        return None
    if not daemon.runner.is_under_way(job.id):
        return BROKEN_OFF
    told = daemon.stores.catalogue.events(job.id)
    last = told[-1].event if told else None
    return last.reason if isinstance(last, Waiting) else None


def _purged(daemon: Daemon, which: Purge) -> list[JobRecord]:
    """The jobs that are meant. Raises JobError for one that is named and has not ended."""
    if not which.older_than_s >= 0:
        raise ConfigError(f"older_than_s must be 0 or more (got {which.older_than_s:g})")
    if which.ids and (which.states or which.older_than_s):
        raise ConfigError(
            "jobs are either named, or chosen by how and when they ended",
            hint="leave one of them out",
        )
    if which.ids:
        named = [daemon.queue.find(id) for id in which.ids]
        for job in named:
            _require_ended(job)
        return named
    unknown = set(which.states) - {state.value for state in ENDED}
    if unknown:
        ways = ", ".join(sorted(state.value for state in ENDED))
        raise ConfigError(f"only {ways} jobs can be forgotten (got {min(unknown)!r})")
    wanted = JobFilter(frozenset(JobState(state) for state in which.states) or ENDED)
    before = time.time() - which.older_than_s
    found: list[JobRecord] = []
    offset = 0
    while page := daemon.stores.jobs.jobs(wanted, MOST_AT_ONCE, offset):
        found += [job for job in page if (job.ended_at or job.created_at) <= before]
        offset += len(page)
    return found


def _require_ended(job: JobRecord) -> None:
    if job.state not in ENDED:
        raise JobError(
            f"the job {job.id[:8]} is {job.state}, so nothing was forgotten",
            hint=f"`reelremix jobs cancel {job.id[:8]}` stops it for good; then it can be",
        )


def _watch_routes(daemon: Daemon) -> APIRouter:
    router = APIRouter(prefix=f"{protocol.PREFIX}/watches", tags=["watched folders"])
    watching = daemon.watching

    def view(watch: Watch) -> WatchView:
        doing = dict((own.id, status) for own, status in watching.watches())
        return WatchView.of(watch, doing.get(watch.id))

    @router.get("")
    def watches() -> list[WatchView]:
        """Every watched folder."""
        return watch_views(watching)

    @router.post("", status_code=201)
    def add(new: NewWatch) -> WatchView:
        """Watch another folder."""
        return view(watching.add(_watch_of(new)))

    @router.delete("/{id}")
    def remove(id: str) -> WatchView:
        """Watch a folder no longer; its jobs and clips stay."""
        return WatchView.of(watching.remove(id), None)

    @router.post("/{id}/pause")
    def pause(id: str) -> WatchView:
        """Take no recordings from a folder for a while."""
        return view(watching.pause(id, paused=True))

    @router.post("/{id}/resume")
    def resume(id: str) -> WatchView:
        """Take them again."""
        return view(watching.pause(id, paused=False))

    return router


def _watch_of(new: NewWatch) -> Watch:
    if new.when_done not in {when.value for when in WhenDone}:
        raise ConfigError(f"when_done must be leave or move (got {new.when_done!r})")
    return Watch(
        id="",
        folder=new.folder,
        created_at=0.0,
        options=new.options,
        ignore=IGNORED if new.ignore is None else tuple(new.ignore),
        when_done=WhenDone(new.when_done),
        recursive=new.recursive,
        notify=new.notify,
        webhook=new.webhook,
    )


def _daemon_routes(daemon: Daemon, stop: Callable[[], None]) -> APIRouter:
    router = APIRouter(prefix=protocol.PREFIX, tags=["daemon"])

    @router.get("/status")
    def status() -> Status:
        """What the daemon is doing."""
        return daemon.status()

    @router.get("/stats")
    def stats(days: Annotated[float, Query(gt=0, le=3650)] = 30.0) -> Stats:
        """Throughput, times, failures and disk."""
        return stats_of(daemon.stores, daemon.settings, days)

    @router.get("/metrics", response_class=PlainTextResponse)
    def metrics() -> str:
        """The same for Prometheus."""
        return metrics_text(daemon.status())

    @router.post("/unload")
    def unload() -> dict[str, int]:
        """End processes that nobody uses, and with them the models they hold."""
        return {"ended": daemon.pool.unload()}

    @router.post("/stop", status_code=202)
    def end() -> dict[str, str]:
        """End the daemon; what is under way is gone on with by the next one."""
        stop()
        return {"status": "stopping"}

    @router.get("/library/sources")
    def sources(
        text: str = "",
        limit: Annotated[int, Query(ge=1, le=MOST_AT_ONCE)] = 50,
        offset: Annotated[int, Query(ge=0, le=MOST)] = 0,
    ) -> list[dict[str, Any]]:
        """Recordings that are known, the latest seen first."""
        rows = daemon.stores.catalogue.source_rows(text, limit, offset)
        return [codec.to_plain(row) for row in rows]

    @router.get("/library/clips")
    def clips(
        limit: Annotated[int, Query(ge=1, le=MOST_AT_ONCE)] = 50,
        offset: Annotated[int, Query(ge=0, le=MOST)] = 0,
    ) -> list[dict[str, Any]]:
        """Clips, the latest first."""
        rows = daemon.stores.catalogue.clip_rows(limit=limit, offset=offset)
        return [codec.to_plain(row) for row in rows]

    return router
