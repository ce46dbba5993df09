"""Telling people outside that a job has ended: on their desktop, or at an address of theirs.

Each has a thread and a queue with an end of its own, so that whoever does not listen keeps nobody
waiting. What cannot be told is never an error of the job.
"""

from __future__ import annotations

import contextlib
import hashlib
import heapq
import hmac
import html
import itertools
import json
import logging
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

import httpx

from reelremix import __version__
from reelremix.engine.domain.job import JobRecord
from reelremix.engine.network import is_loopback
from reelremix.errors import ConfigError

_log = logging.getLogger("reelremix.daemon")
logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs addresses whole, with keys in them

VERSION = 1
"""Of what is sent to an address."""
WAITS_S = (1.0, 4.0, 16.0, 64.0, 256.0)
TIMEOUT_S = 10.0
STOP_S = 0.9
MOST_NOTES, MOST_MESSAGES = 20, 1000
TOO_MANY = 429
_STOP = None


def desktop_command(platform: str = sys.platform) -> Sequence[str] | None:
    """What shows a title and a text, which are put after it; None where nothing does."""
    if platform == "darwin":
        return (
            "osascript",
            *("-e", "on run argv"),
            *("-e", "display notification (item 2 of argv) with title (item 1 of argv)"),
            *("-e", "end run"),
        )
    return ("notify-send", "--app-name=ReelRemix", "--") if platform.startswith("linux") else None


class Desktop:
    """Shows notes on the desktop of whoever the daemon belongs to."""

    def __init__(self, command: Sequence[str] | None) -> None:
        """Show nothing yet; `command` as `desktop_command` gives it."""
        self._command = command
        self._notes: queue.Queue[tuple[str, str] | None] = queue.Queue(MOST_NOTES)
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._has_failed = False

    def tell(self, title: str, text: str) -> None:
        """Show a note if that can be done; returns at once and never raises."""
        if self._command is None:
            self._fail("there is nothing to show them with on this system")
            return
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="desktop", daemon=True)
                self._thread.start()
        try:
            self._notes.put_nowait((title, text))
        except queue.Full:
            self._fail("there are too many at once")

    def stop(self) -> None:
        """Show no more; within a second."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is None:
            return
        while True:  # what is not shown yet is worth less than an end
            try:
                self._notes.put_nowait(_STOP)
                break
            except queue.Full:
                with contextlib.suppress(queue.Empty):
                    self._notes.get_nowait()
        thread.join(STOP_S)

    def _run(self) -> None:
        while (note := self._notes.get()) is not _STOP:
            self._show(*note)

    def _show(self, title: str, text: str) -> None:
        assert self._command is not None
        program = shutil.which(self._command[0])
        if program is None:
            self._fail(f"{self._command[0]} is not installed")
            return
        # The text may hold marks on Linux, where a name is to be shown as it is.
        shown = text if self._command[0] == "osascript" else html.escape(text, quote=False)
        try:
            subprocess.run(
                [program, *self._command[1:], title.replace("\0", ""), shown.replace("\0", "")],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TIMEOUT_S,
                check=True,
            )
        except subprocess.CalledProcessError as exc:
            said = exc.stderr.decode(errors="replace").strip()
            self._fail(said or f"{self._command[0]} ended with {exc.returncode}")
        except (OSError, subprocess.TimeoutExpired) as exc:
            self._fail(str(exc))

    def _fail(self, reason: str) -> None:
        """Say why notes are not shown, once."""
        if not self._has_failed:
            self._has_failed = True
            _log.warning("desktop notifications are not shown: %s", reason)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of telling an address of a job."""

    host: str
    """Of the address; the rest may be a secret."""
    job: JobRecord
    attempts: int
    failure: str | None
    """Why it was given up; None where it arrived."""


@dataclass(frozen=True, slots=True)
class _Message:
    """What is still to be told."""

    url: httpx.URL
    job: JobRecord
    body: bytes
    attempts: int = 0


def checked_address(address: str) -> httpx.URL:
    """An address that may be told of jobs.

    Raises:
        ConfigError: it is none, or what is sent there could be read on the way.
    """
    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, TypeError) as exc:
        raise ConfigError(f"the webhook's address is none: {exc}") from exc
    if url.userinfo:
        raise ConfigError("the webhook's address must not hold a user name or a password")
    is_safe = url.scheme == "https" or (url.scheme == "http" and is_loopback(url.host))
    if not url.host or not is_safe:
        raise ConfigError(
            "the webhook's address must begin with https://",
            hint="http:// is for this machine only, such as http://127.0.0.1:8000/clips",
        )
    return url


def body_of(job: JobRecord, at: float) -> bytes:
    """What an address is told of a job that has ended."""
    told = {
        "version": VERSION,
        "type": f"job_{job.state}",
        "at": at,
        "job": {
            "id": job.id,
            "kind": job.kind,
            "name": job.name,
            "state": job.state,
            "origin": job.origin,
            "attempt": job.attempt,
            "source_id": job.source_id,
            "folder": job.folder,
            "created_at": job.created_at,
            "started_at": job.started_at,
            "ended_at": job.ended_at,
            "failure": None if job.failure is None else asdict(job.failure),
            "usage": job.usage,
        },
    }
    return json.dumps(told).encode()


def signature(secret: str, body: bytes, at: int) -> str:
    """The value of `ReelRemix-Signature`: when it was sent, and that it was by whom knows it."""
    signed = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
    return f"t={at},v1={signed.hexdigest()}"


class Webhook:
    """Tells addresses of jobs, again and again where that helps."""

    def __init__(
        self,
        secret: str,
        told: Callable[[Delivery], None],
        *,
        waits_s: Sequence[float] = WAITS_S,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """Tell nobody yet.

        Args:
            secret: what messages are signed with.
            told: is called, by the thread, with what became of each; must return quickly.
            waits_s: before each further attempt.
            timeout_s: of an attempt, for each thing that is waited for.
        """
        self._secret = secret
        self._told = told
        self._waits_s = waits_s
        self._timeout_s = timeout_s
        self._due: list[tuple[float, int, _Message]] = []
        """By the time of the next attempt, then in order."""
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._is_stopped = False
        self._thread: threading.Thread | None = None

    def send(self, address: str, job: JobRecord) -> None:
        """Tell an address of a job; returns at once.

        Raises:
            ConfigError: the address is not one that may be told.
        """
        message = _Message(checked_address(address), job, body_of(job, time.time()))
        with self._changed:
            if self._is_stopped:
                return
            is_full = len(self._due) >= MOST_MESSAGES
            if not is_full:
                self._queue(message, time.monotonic())
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="webhook", daemon=True)
                self._thread.start()
        if is_full:
            self._end(message, f"{MOST_MESSAGES} others wait already")

    def stop(self) -> None:
        """Tell nobody more; within a second, whatever is under way."""
        with self._changed:
            self._is_stopped = True
            self._due.clear()
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(STOP_S)

    def _queue(self, message: _Message, at: float) -> None:
        heapq.heappush(self._due, (at, next(self._numbers), message))
        self._changed.notify()

    def _run(self) -> None:
        clients: dict[bool, httpx.Client] = {}
        with contextlib.ExitStack() as open_clients:
            while (message := self._next()) is not None:
                is_here = is_loopback(message.url.host)
                try:
                    if is_here not in clients:
                        # A proxy named by the environment must not get to see what stays here.
                        client = self._client(trust_env=not is_here)
                        clients[is_here] = open_clients.enter_context(client)
                    self._attempt(clients[is_here], message)
                except Exception as exc:  # of whatever kind: others are to be told all the same
                    _log.exception("an address could not be told of job %s", message.job.id)
                    self._end(message, str(exc) or type(exc).__name__)

    def _client(self, *, trust_env: bool) -> httpx.Client:
        return httpx.Client(timeout=self._timeout_s, follow_redirects=False, trust_env=trust_env)

    def _next(self) -> _Message | None:
        """The next message when its time has come; None where there is to be no more."""
        with self._changed:
            while not self._is_stopped:
                wait_s = self._due[0][0] - time.monotonic() if self._due else None
                if wait_s is not None and wait_s <= 0:
                    return heapq.heappop(self._due)[2]
                self._changed.wait(wait_s)
        return None

    def _attempt(self, client: httpx.Client, message: _Message) -> None:
        message = replace(message, attempts=message.attempts + 1)
        failure, may_help = self._post(client, message)
        if failure is None or not may_help or message.attempts > len(self._waits_s):
            self._end(message, failure)
            return
        with self._changed:
            if not self._is_stopped:
                self._queue(message, time.monotonic() + self._waits_s[message.attempts - 1])

    def _post(self, client: httpx.Client, message: _Message) -> tuple[str | None, bool]:
        """Why an attempt failed, None if it did not, and whether another may help."""
        job, at = message.job, int(time.time())
        headers = {
            "content-type": "application/json",
            "user-agent": f"reelremix/{__version__}",
            "idempotency-key": f"{job.id}:{job.state}:{job.attempt}",
            "reelremix-signature": signature(self._secret, message.body, at),
        }
        try:
            with client.stream(
                "POST", message.url, content=message.body, headers=headers
            ) as response:
                status = response.status_code  # what else is answered is not waited for
        except httpx.TransportError as exc:
            return str(exc) or type(exc).__name__, True
        except (httpx.HTTPError, ValueError) as exc:  # such as a name that no look-up takes
            return str(exc) or type(exc).__name__, False
        if response.is_success:
            return None, False
        if response.is_redirect:
            return f"it answers {status}: go elsewhere, which is not followed", False
        return f"it answers {status}", status == TOO_MANY or response.is_server_error

    def _end(self, message: _Message, failure: str | None) -> None:
        job = message.job
        self._told(Delivery(message.url.host, job, message.attempts, failure))
