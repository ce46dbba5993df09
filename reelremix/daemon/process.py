"""A worker process, seen from the daemon: it is given steps, and stopped, politely at first."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from typing import IO, Any, Protocol

import psutil

from reelremix import __version__
from reelremix.config import Settings
from reelremix.daemon.durable import Stopped
from reelremix.engine import codec
from reelremix.engine.domain.events import Event
from reelremix.engine.pipes import OWN_GROUP, message_in
from reelremix.errors import ReelRemixError, WorkerDied, error_of

POLITE_S = 0.5
"""How long a step may take to stop before its process is killed."""
LOOK_S = 0.05
LAST_WORDS_BYTES = 8192
KILLED = 9
"""The signal by which a system that is out of memory ends a process."""

_log = logging.getLogger("reelremix.daemon")


@dataclass(frozen=True, slots=True)
class Order:
    """A step of a job, as plain data."""

    step: str
    job_id: str
    kind: str
    request: Mapping[str, Any]
    given: Mapping[str, Any]
    """What earlier steps left."""


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a step."""

    result: Any
    cost: dict[str, Any]


Spent = Callable[[dict[str, Any]], None]


class Worker(Protocol):
    """Does one step at a time."""

    def run(
        self,
        order: Order,
        stop: threading.Event,
        tell: Callable[[Event], None],
        spent: Spent = lambda cost: None,
    ) -> Done:
        """Do a step.

        Args:
            order: the step.
            stop: set by whoever wants it to stop.
            tell: called with what happens.
            spent: called with the cost of a step that failed.

        Raises:
            ReelRemixError: it failed.
            WorkerDied: its process ended by itself.
            Stopped: it was stopped; no partial file is left.
        """


@dataclass(frozen=True, slots=True)
class Start:
    """How a process is begun."""

    settings: Settings
    nice: int = 0
    """How much it yields to others on the CPU, 0 to 19."""
    device: str | None = None
    """The GPU it may see; None leaves that as it is."""
    outdated: Callable[[str], None] = lambda version: None
    """Called with the version of ReelRemix that is on disk now, if that is another one."""


class _Answered(Exception):
    """How an order ended, if not well; the process is ready for the next one, or gone."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error


class WorkerProcess:
    """One process; does one step at a time."""

    def __init__(self, start: Start) -> None:
        """Begin it; it is ready a second later, steps may be given before."""
        self._outdated = start.outdated
        self._number = 0
        """Of the last order."""
        self._messages: Queue[dict[str, Any] | None] = Queue()
        self._writing: set[Path] = set()
        self._chatter: IO[bytes] = _unseen_file()
        # A process group, against Ctrl-C, and no session: Linux shares the CPU between sessions
        # first, and only within one does it look at who yields (`sched_autogroup_enabled`).
        environment = dict(os.environ)
        if start.device is not None:
            environment["CUDA_VISIBLE_DEVICES"] = start.device
        self.child = subprocess.Popen(
            [sys.executable, "-P", "-m", "reelremix.daemon.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._chatter,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=environment,
            process_group=0 if os.name == "posix" else None,
            creationflags=OWN_GROUP,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._order({"do": "open", "settings": codec.to_plain(start.settings), "nice": start.nice})

    @property
    def is_alive(self) -> bool:
        """Whether it can be given steps."""
        return self.child.poll() is None

    @property
    def rss_mb(self) -> int:
        """Memory that it holds; 0 once it has ended."""
        try:
            return int(psutil.Process(self.child.pid).memory_info().rss) // 1_000_000
        except psutil.Error:
            return 0

    def run(
        self,
        order: Order,
        stop: threading.Event,
        tell: Callable[[Event], None],
        spent: Spent = lambda cost: None,
    ) -> Done:
        """Do a step, as `Worker` says."""
        self._number += 1
        job = {"id": order.job_id, "kind": order.kind, "request": dict(order.request)}
        given = {"step": order.step, "job": job, "given": dict(order.given)}
        self._order({"do": "step", "number": self._number, **given})
        try:
            return self._answer(order, stop, tell, spent)
        except _Answered as exc:
            raise exc.error from exc.error.__cause__
        except BaseException:  # nobody listens to the rest of it
            self.kill()
            raise

    def _answer(
        self, order: Order, stop: threading.Event, tell: Callable[[Event], None], spent: Spent
    ) -> Done:
        """What comes of the order that was just given."""
        asked_at: float | None = None
        while True:
            if stop.is_set() and asked_at is None:
                asked_at = time.monotonic()
                self._order({"do": "cancel", "number": self._number})
            if asked_at is not None and time.monotonic() - asked_at > POLITE_S:
                raise Stopped
            try:
                message = self._messages.get(timeout=LOOK_S)
            except Empty:
                continue
            if message is None:
                raise _Answered(self._died(order))
            if message["type"] == "ready" and message["version"] != __version__:
                self._outdated(message["version"])
                raise Stopped
            if message["type"] == "unable":
                raise error_of(message["error"])
            if message.get("number") != self._number:
                continue  # of an order that nobody waits for any more
            if message["type"] == "event":
                told = codec.event_from_plain(message["event"])
                if told is not None:
                    tell(told.event)
            elif message["type"] == "done":
                return Done(message["result"], message["cost"])
            elif message["type"] == "stopped":
                raise _Answered(Stopped())
            elif message["type"] == "failed":
                spent(message["cost"])
                raise _Answered(self._failed(message, order))

    def end(self, timeout_s: float = POLITE_S) -> None:
        """Let it go, and with it the models it holds; kill it if it does not."""
        self._close_stdin()
        try:
            self.child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
        self._forget()

    def kill(self) -> None:
        """End it at once, and remove what it was writing."""
        self.child.kill()
        self.child.wait()
        self._forget()
        for path in tuple(self._writing):
            path.unlink(missing_ok=True)

    def _order(self, order: dict[str, Any]) -> None:
        assert self.child.stdin is not None
        try:
            self.child.stdin.write(json.dumps(order) + "\n")
            self.child.stdin.flush()
        except (BrokenPipeError, ValueError):
            self._messages.put(None)

    def _read(self) -> None:
        assert self.child.stdout is not None
        for line in self.child.stdout:
            message = message_in(line)
            if message is None:
                continue
            if message["type"] == "writing":
                self._writing.add(Path(message["path"]))
            elif message["type"] == "written":
                self._writing.discard(Path(message["path"]))
            else:
                self._messages.put(message)
        self._messages.put(None)

    def _failed(self, message: Mapping[str, Any], order: Order) -> ReelRemixError:
        if message["stack"]:
            _log.error("step %s of job %s failed:\n%s", order.step, order.job_id, message["stack"])
        return error_of(message["error"])

    def _died(self, order: Order) -> WorkerDied:
        code = self.child.wait()
        for path in tuple(self._writing):
            path.unlink(missing_ok=True)
        words = self._last_words()
        _log.error(
            "the process doing step %s of job %s ended (exit code %s):\n%s",
            order.step, order.job_id, code, words,
        )  # fmt: skip
        self._forget()
        if -code == KILLED:
            return WorkerDied(
                f"the process doing its step `{order.step}` was killed, as a system does that runs"
                " out of memory",
                hint="close other programs, or choose a smaller model with `--model`",
            )
        return WorkerDied(
            f"the process doing its step `{order.step}` crashed ({_manner(code)})",
            hint="`reelremix daemon logs` shows its last words",
        )

    def _last_words(self) -> str:
        size = self._chatter.seek(0, os.SEEK_END)
        self._chatter.seek(max(0, size - LAST_WORDS_BYTES))
        return self._chatter.read().decode(errors="replace").strip()

    def _close_stdin(self) -> None:
        assert self.child.stdin is not None
        try:
            self.child.stdin.close()
        except BrokenPipeError:
            self.child.kill()

    def _forget(self) -> None:
        """Close what belongs to a process that has ended."""
        self._reader.join()
        assert self.child.stdout is not None
        self._close_stdin()
        self.child.stdout.close()
        self._chatter.close()


def _unseen_file() -> IO[bytes]:
    """For what native libraries print, which is worth reading only after a crash."""
    return tempfile.TemporaryFile()


def _manner(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
