"""A command's job, carried out by the daemon: the same events, errors and result as in-process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty, Queue
from typing import TYPE_CHECKING

from reelremix.cli.places import as_typed, located
from reelremix.config import expanded
from reelremix.daemon.address import DaemonFolder
from reelremix.engine import codec
from reelremix.engine.domain.job import JobState
from reelremix.errors import Cancelled, ReelRemixError, RenderError, error_of

if TYPE_CHECKING:
    from reelremix.config import Settings
    from reelremix.daemon.client import DaemonClient
    from reelremix.daemon.protocol import JobView
    from reelremix.engine.domain.context import CancelToken, PartialFiles
    from reelremix.engine.domain.events import LoggedEvent
    from reelremix.engine.domain.request import ClipRequest
    from reelremix.engine.joblog import Listener
    from reelremix.engine.jobs.films import ClipResult

LOOK_S = 0.1
COMING_S = 30.0
"""How long a daemon may take to answer after it began."""


def daemon_for(settings: Settings, *, local: bool) -> bool:
    """Whether a job goes through the daemon: one answers, and nobody insists on doing without.

    One that is about to is waited for; one that is ending is done without.
    """
    folder, deadline = DaemonFolder(settings.daemon_path), time.monotonic() + COMING_S
    while not local and folder.is_claimed() and time.monotonic() < deadline:
        if folder.address() is not None:
            return True
        time.sleep(LOOK_S)
    return False


def require_daemon(settings: Settings) -> None:
    """Raise DaemonError where none answers: best asked before anything is looked at."""
    from reelremix.daemon.client import DaemonClient  # deferred: httpx, 0.1 s

    with DaemonClient(settings):
        pass


def submit(settings: Settings, request: ClipRequest) -> JobView:
    """Queue a clip job, and wait for nothing."""
    from reelremix.daemon.client import DaemonClient  # deferred: httpx, 0.1 s

    with DaemonClient(settings) as client:
        return _submitted(client, request)


def clip(
    settings: Settings,
    request: ClipRequest,
    *,
    listener: Listener,
    cancel: CancelToken,
    partial_files: PartialFiles,
) -> ClipResult:
    """Have the daemon turn a recording into clips, and follow it.

    Raises the errors that `Library.clip` raises, and DaemonError.
    """
    from reelremix.daemon.client import DaemonClient  # deferred: httpx, 0.1 s

    with DaemonClient(settings) as client:
        job = _submitted(client, request)
        follow(client, job.id, listener.receive, cancel)
        return _result(client.job(job.id), request)


def follow(
    client: DaemonClient,
    job_id: str,
    tell: Callable[[LoggedEvent], None],
    cancel: CancelToken,
    *,
    stops_job: bool = True,
) -> None:
    """Tell everything that happens to a job until it has ended.

    Raises Cancelled, after the job was stopped if that is what being cancelled means.
    """
    told: Queue[LoggedEvent | Exception | None] = Queue()

    def read() -> None:
        try:
            for logged in client.events(job_id):
                if logged is not None:
                    told.put(logged)
            told.put(None)
        except Exception as exc:  # raised again where somebody waits
            told.put(exc)

    threading.Thread(target=read, daemon=True).start()
    while True:
        if cancel.is_set():
            if stops_job:
                client.cancel(job_id)
            raise Cancelled
        try:
            entry = told.get(timeout=LOOK_S)
        except Empty:
            continue
        if entry is None:
            return
        if isinstance(entry, Exception):
            raise entry
        tell(entry)


def _result(job: JobView, request: ClipRequest) -> ClipResult:
    """What a job left behind, as if it had run here."""
    from reelremix.engine.export.manifest import FILE_NAME, read_manifest
    from reelremix.engine.jobs.films import ClipResult
    from reelremix.errors import NothingToClip

    folder = Path(job.folder) if job.folder is not None else None
    shown = expanded(request.out, "--out") / folder.name if folder is not None else None
    if job.state == JobState.CANCELLED:
        raise Cancelled
    if (error := error_in(job)) is not None:
        if isinstance(error, NothingToClip):
            error.folder = shown
        raise as_typed(error, request, located(request))
    assert folder is not None and shown is not None
    manifest = read_manifest(folder / FILE_NAME)
    missing = sum((clip.get("files") or {}).get("video") is None for clip in manifest["clips"])
    return ClipResult(shown, manifest, 0 if request.plan_only else missing)


def error_in(job: JobView) -> ReelRemixError | None:
    """What a job failed of; None also where only some of its clips are missing."""
    from reelremix.engine.export.manifest import FILE_NAME

    if job.state not in (JobState.FAILED, JobState.DEAD) or job.failure is None:
        return None
    is_partial = job.failure.kind == RenderError.__name__ and job.folder is not None
    if is_partial and (Path(str(job.folder)) / FILE_NAME).is_file():
        return None
    return error_of(codec.to_plain(job.failure))


def _submitted(client: DaemonClient, request: ClipRequest) -> JobView:
    from reelremix.daemon.protocol import Submission

    asked = located(request)
    try:
        return client.submit(Submission(codec.to_plain(asked), origin="cli"))
    except ReelRemixError as exc:
        raise as_typed(exc, request, asked) from exc
