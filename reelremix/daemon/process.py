"""A worker process, seen from the daemon: it is given steps, and stopped, politely at first."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from typing import Any, Protocol

import psutil

from reelremix import __version__
from reelremix.config import Settings
from reelremix.daemon.durable import Stopped
from reelremix.engine import codec
from reelremix.engine.domain.events import Event
from reelremix.engine.pipes import Child
from reelremix.errors import ReelRemixError, WorkerDied, error_of

POLITE_S = 0.5
"""How long a step may take to stop before its process is killed."""
LOOK_S = 0.05
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
        environment = dict(os.environ)
        if start.device is not None:
            environment["CUDA_VISIBLE_DEVICES"] = start.device
        self._child = Child(
            "reelremix.daemon.worker", self._hear, own_session=False, environment=environment
        )
        self.pid = self._child.pid
        self._order({"do": "open", "settings": codec.to_plain(start.settings), "nice": start.nice})

    @property
    def is_alive(self) -> bool:
        """Whether it can be given steps."""
        return self._child.is_alive

    @property
    def rss_mb(self) -> int:
        """Memory that it holds; 0 once it has ended."""
        try:
            return int(psutil.Process(self.pid).memory_info().rss) // 1_000_000
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

    def let_go(self) -> None:
        """Ask it to end, and wait for nothing."""
        self._child.let_go()

    def end(self, timeout_s: float = POLITE_S) -> None:
        """Let it go, and with it the models it holds; kill it if it does not."""
        self.let_go()
        self._child.end_by(timeout_s)
        self._remove_unfinished()

    def kill(self) -> None:
        """End it at once, and remove what it was writing."""
        self._child.end_by(0.0)
        self._remove_unfinished()

    def _remove_unfinished(self) -> None:
        for path in tuple(self._writing):
            try:
                path.unlink(missing_ok=True)
            except OSError as exc:  # its disk is gone
                _log.warning("what was being written stays: %s", exc)
        self._writing.clear()

    def _order(self, order: dict[str, Any]) -> None:
        if not self._child.tell(order):
            self._messages.put(None)

    def _hear(self, message: dict[str, Any] | None) -> None:
        if message is not None and message["type"] == "writing":
            self._writing.add(Path(message["path"]))
        elif message is not None and message["type"] == "written":
            self._writing.discard(Path(message["path"]))
        else:
            self._messages.put(message)

    def _failed(self, message: Mapping[str, Any], order: Order) -> ReelRemixError:
        if message["stack"]:
            _log.error("step %s of job %s failed:\n%s", order.step, order.job_id, message["stack"])
        return error_of(message["error"])

    def _died(self, order: Order) -> WorkerDied:
        code = self._child.wait()
        _log.error(
            "the process doing step %s of job %s ended (exit code %s):\n%s",
            order.step, order.job_id, code, self._child.last_words(),
        )  # fmt: skip
        self._child.forget()
        self._remove_unfinished()
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


def _manner(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
