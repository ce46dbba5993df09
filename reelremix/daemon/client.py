"""The daemon as the command line sees it: questions, answers and streams over HTTP."""

from __future__ import annotations

import json
import ssl
import time
import uuid
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Any, TypeVar

import httpx

from reelremix.config import Settings
from reelremix.daemon.address import Address, DaemonFolder
from reelremix.daemon.protocol import (
    PREFIX,
    PROTOCOL_VERSION,
    Artifact,
    Health,
    JobList,
    JobView,
    NewWatch,
    Stats,
    Status,
    Submission,
    WatchView,
)
from reelremix.engine import codec
from reelremix.engine.domain.events import LoggedEvent
from reelremix.engine.domain.job import ENDED
from reelremix.errors import DaemonBusy, DaemonError, JobNotFound, error_of

T = TypeVar("T")
START = "`reelremix daemon start` starts it"
ANSWER_S = 45.0
"""Longer than the daemon waits for a library that another program holds."""
SILENT_S = 40.0
"""A stream beats every fifteen seconds: one that says nothing for so long is broken."""
AGAIN_S = 0.5
GIVEN_UP_S = 60.0
"""A daemon that was cut off is waited for so long: it may be restarting."""


class Unanswered(DaemonError):
    """The daemon was asked and did not answer: what was asked may be done or not."""


class DaemonClient:
    """A connection to the daemon of this user."""

    def __init__(self, settings: Settings) -> None:
        """Find the daemon.

        Raises:
            DaemonError: none runs, or it speaks another version.
        """
        self._folder = DaemonFolder(settings.daemon_path)
        self._http = _connected(self._folder)

    def __enter__(self) -> DaemonClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._http.close()

    def health(self) -> Health:
        """That it answers."""
        return self._get("/health", Health)

    def status(self) -> Status:
        """What it is doing."""
        return self._get("/status", Status)

    def stats(self, days: float) -> Stats:
        """What was done in the last days."""
        return self._get("/stats", Stats, days=days)

    def submit(self, new: Submission) -> JobView:
        """Queue a job; once, however often it has to be asked for."""
        keyed = replace(new, key=new.key or uuid.uuid4().hex)
        try:
            return self._post("/jobs", JobView, codec.to_plain(keyed))
        except Unanswered:
            self._again()
            return self._post("/jobs", JobView, codec.to_plain(keyed))

    def jobs(
        self,
        states: Sequence[str] = (),
        origin: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> JobList:
        """A page of jobs, the newest first."""
        asked: dict[str, Any] = {"limit": limit, "offset": offset, "state": list(states)}
        if origin is not None:
            asked["origin"] = origin
        return self._get("/jobs", JobList, **asked)

    def job(self, named: str) -> JobView:
        """One job, by its id or the beginning of it."""
        return self._get(f"/jobs/{_segment(named)}", JobView)

    def artifacts(self, named: str) -> list[Artifact]:
        """The files that a job made."""
        return self._get(f"/jobs/{_segment(named)}/artifacts", list[Artifact])

    def cancel(self, named: str) -> JobView:
        """Stop a job for good."""
        return self._post(f"/jobs/{_segment(named)}/cancel", JobView)

    def pause(self, named: str) -> JobView:
        """Stop a job until it is resumed."""
        return self._post(f"/jobs/{_segment(named)}/pause", JobView)

    def resume(self, named: str) -> JobView:
        """Go on with a paused job."""
        return self._post(f"/jobs/{_segment(named)}/resume", JobView)

    def retry(self, named: str, stage: str | None = None) -> JobView:
        """Try a job that has ended again."""
        return self._post(f"/jobs/{_segment(named)}/retry", JobView, {"stage": stage})

    def prioritise(self, named: str, priority: int) -> JobView:
        """Let a job go before or behind others."""
        path = f"{PREFIX}/jobs/{_segment(named)}"
        return _read(self._asked("PATCH", path, json={"priority": priority}), JobView)

    def purge(
        self, ids: Sequence[str] = (), states: Sequence[str] = (), older_than_s: float = 0.0
    ) -> int:
        """Forget jobs that have ended; returns how many went."""
        which = {"ids": list(ids), "states": list(states), "older_than_s": older_than_s}
        return int(self._asked("POST", f"{PREFIX}/jobs/purge", json=which).json()["jobs"])

    def watches(self) -> list[WatchView]:
        """Every watched folder."""
        return self._get("/watches", list[WatchView])

    def watch(self, new: NewWatch) -> WatchView:
        """Watch another folder."""
        return self._post("/watches", WatchView, codec.to_plain(new))

    def unwatch(self, id: str) -> WatchView:
        """Watch a folder no longer."""
        return _read(self._asked("DELETE", f"{PREFIX}/watches/{_segment(id)}"), WatchView)

    def pause_watch(self, id: str, *, paused: bool) -> WatchView:
        """Take no recordings from a folder for a while, or again."""
        action = "pause" if paused else "resume"
        return self._post(f"/watches/{_segment(id)}/{action}", WatchView)

    def stop(self) -> None:
        """End the daemon."""
        self._asked("POST", f"{PREFIX}/stop")

    def events(self, job_id: str, after: int = 0) -> Generator[LoggedEvent | None]:
        """What happens to a job, until it has ended; goes on where it was after an interruption.

        Yields None now and then while nothing happens, so that a caller can look around.

        Raises:
            DaemonError: the daemon went and did not come back.
            DaemonBusy: too many listen, and none of them went meanwhile.
        """
        lost_at: float | None = None
        while True:
            try:
                for logged in self._stream(f"/jobs/{job_id}/events", {"after": after}):
                    lost_at = None
                    if logged is not None:
                        after = max(after, logged.seq)
                    yield logged
                if self.job(job_id).state in ENDED:
                    return
                raise DaemonError("the daemon is ending")
            except (httpx.TransportError, DaemonError) as exc:
                lost_at = lost_at or time.monotonic()
                if time.monotonic() - lost_at > GIVEN_UP_S:
                    if isinstance(exc, DaemonBusy):
                        raise
                    raise DaemonError(
                        f"the daemon went away; the job {job_id[:8]} goes on when it is back",
                        hint=START,
                    ) from exc
                yield None
                time.sleep(AGAIN_S)
                self._again()

    def all_events(self) -> Iterator[LoggedEvent | None]:
        """What happens to all jobs from now on; None now and then while nothing does.

        Raises DaemonError when the daemon goes.
        """
        with _reached():
            yield from self._stream("/events", {})
        raise DaemonError("the daemon is ending", hint=START)

    def _stream(self, path: str, asked: Mapping[str, Any]) -> Iterator[LoggedEvent | None]:
        limit = httpx.Timeout(ANSWER_S, read=SILENT_S)
        with self._http.stream("GET", PREFIX + path, params=dict(asked), timeout=limit) as answer:
            if answer.status_code != httpx.codes.OK:
                answer.read()
                raise _refused(answer)
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    yield codec.event_from_plain(json.loads(line.removeprefix("data: ")))
                elif line.startswith(":"):
                    yield None

    def _again(self) -> None:
        """Look for the daemon anew: it may have begun anew, elsewhere and with another token."""
        try:
            http = _connected(self._folder)
        except DaemonError:
            return
        self._http.close()
        self._http = http

    def _get(self, path: str, kind: type[T], **asked: Any) -> T:
        return _read(self._asked("GET", PREFIX + path, params=asked), kind)

    def _post(self, path: str, kind: type[T], body: Any = None) -> T:
        return _read(self._asked("POST", PREFIX + path, json=body), kind)

    def _asked(self, method: str, path: str, **more: Any) -> httpx.Response:
        with _reached():
            answer = self._http.request(method, path, **more)
        if answer.is_error:
            raise _refused(answer)
        return answer


def _connected(folder: DaemonFolder) -> httpx.Client:
    if not folder.is_claimed():
        raise DaemonError("the daemon is not running", hint=START)
    address = folder.address()
    if address is None:
        raise DaemonError(
            f"the daemon (process {folder.pid() or 'unknown'}) does not say where it answers",
            hint="it may be starting; if not, `reelremix daemon restart` begins it anew",
        )
    http = httpx.Client(
        base_url=address.url,
        headers={"Authorization": f"Bearer {folder.token()}"},
        timeout=ANSWER_S,
        trust_env=False,
        verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),  # none speaks TLS: certificates load slowly
    )
    with _reached():
        answer = http.get(f"{PREFIX}/health")
    _check_version(address, answer)
    return http


def _check_version(address: Address, answer: httpx.Response) -> None:
    """Raise DaemonError for a daemon that speaks another version."""
    try:
        spoken = int(answer.json()["protocol"])
    except (ValueError, KeyError, TypeError) as exc:
        raise DaemonError(
            f"what answers on port {address.port} is not the daemon",
            hint="`reelremix daemon restart` begins it anew",
        ) from exc
    if spoken != PROTOCOL_VERSION:
        raise DaemonError(
            f"the daemon is of ReelRemix {address.version} and speaks version {spoken}; this one"
            f" speaks version {PROTOCOL_VERSION}",
            hint="`reelremix daemon restart` brings the one that is installed",
        )


@contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except httpx.TransportError as exc:
        raise Unanswered(f"the daemon does not answer: {exc}", hint=START) from exc


def _refused(answer: httpx.Response) -> Exception:
    try:
        return error_of(answer.json())
    except (ValueError, AttributeError):
        return DaemonError(f"the daemon answered {answer.status_code}", hint="see its log")


def _read(answer: httpx.Response, kind: type[T]) -> T:
    try:
        return codec.from_plain(answer.json(), kind)
    except ValueError as exc:
        raise DaemonError(f"the daemon's answer is not understood: {exc}") from exc


def _segment(named: str) -> str:
    """A name as a part of a path: none of ours has anything but letters and digits."""
    if not named or not named.isalnum():
        hint = "`reelremix jobs list` shows them"
        raise JobNotFound(f"there is no job {named!r}", hint=hint)
    return named
