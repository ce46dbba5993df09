"""A command's job, carried out by the daemon: the same events, errors and result as in-process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from queue import Empty, Queue
from typing import TYPE_CHECKING

from reelremix.config import expanded
from reelremix.daemon.address import DaemonFolder
from reelremix.engine import codec
from reelremix.engine.domain.job import JobState
from reelremix.errors import Cancelled, error_of

if TYPE_CHECKING:
    from reelremix.config import Settings
    from reelremix.daemon.client import DaemonClient
    from reelremix.daemon.protocol import JobView, Submission
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


def submit(settings: Settings, request: ClipRequest) -> JobView:
    """Queue a clip job, and wait for nothing."""
    from reelremix.daemon.client import DaemonClient  # deferred: httpx, 0.1 s

    with DaemonClient(settings) as client:
        return client.submit(_submission(request))


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
        job = client.submit(_submission(request))
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
    if job.failure is not None:
        error = error_of(codec.to_plain(job.failure))
        if isinstance(error, NothingToClip):
            error.folder = shown
        is_partial = job.failure.kind == "RenderError" and folder is not None
        if not is_partial or not (folder and (folder / FILE_NAME).is_file()):
            raise error
    assert folder is not None and shown is not None
    manifest = read_manifest(folder / FILE_NAME)
    missing = sum((clip.get("files") or {}).get("video") is None for clip in manifest["clips"])
    return ClipResult(shown, manifest, 0 if request.plan_only else missing)


def _submission(request: ClipRequest) -> Submission:
    from reelremix.daemon.protocol import Submission

    return Submission(codec.to_plain(located(request)), origin="cli")


def located(request: ClipRequest) -> ClipRequest:
    """The request with every path in full: the daemon is in another folder."""
    heard, sound = request.transcribe, request.sound
    return replace(
        request,
        source=_full(request.source),
        out=_full(request.out),
        captions=_full_preset(request.captions),
        brand=_full_preset(request.brand),
        transcribe=replace(
            heard,
            transcript=_full(heard.transcript) if heard.transcript else heard.transcript,
            model=_full_preset(heard.model) or heard.model,
        ),
        sound=replace(
            sound,
            music=_full(sound.music) if sound.music else sound.music,
            censor_words=_full(sound.censor_words) if sound.censor_words else sound.censor_words,
        ),
    )


def _full(path: str) -> str:
    from reelremix.engine.web import is_url

    if is_url(path):
        return path
    return str(Path.cwd() / expanded(path, "a path"))


def _full_preset(name: str | None) -> str | None:
    """A name as it is, a path in full."""
    if name is None or not (name.endswith(".toml") or "/" in name or "\\" in name):
        return name
    return _full(name)
