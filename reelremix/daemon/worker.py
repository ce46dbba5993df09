"""A process that does steps of jobs, with models that stay loaded from one step to the next.

Run as `python -m reelremix.daemon.worker`: settings and steps come in on stdin, what happens goes
out on stdout, one JSON object a line. Its parent keeps stdin open; when the parent is gone, however
it went, stdin ends and the worker removes what it was writing and exits.

    in   {"do": "open", "settings": {...}, "nice": 10}
         {"do": "step", "number": 1, "step": "film", "job": {"id", "kind", "request"}, "given": {}}
         {"do": "cancel", "number": 1}
    out  {"type": "ready", "version": "0.1.0"}   {"type": "unable", "error": {...}}
         {"type": "event", "number": 1, "event": {...}}
         {"type": "writing", "path": "..."}   {"type": "written", "path": "..."}
         {"type": "done", "number": 1, "result": ..., "cost": {...}}
         {"type": "failed", "number": 1, "error": {...}, "stack": "..." or null, "cost": {...}}
         {"type": "stopped", "number": 1}
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reelremix import __version__
from reelremix.config import Settings
from reelremix.daemon.steps import LATE, STEPS, Step
from reelremix.engine import codec
from reelremix.engine.domain.context import CancelToken, PartialFiles
from reelremix.engine.domain.events import Event, LoggedEvent, StageFinished, StageProgress
from reelremix.engine.joblog import PROGRESS_INTERVAL_S
from reelremix.engine.jobs.job import Job, counted
from reelremix.engine.library import Library
from reelremix.engine.memory import keep_freed_memory
from reelremix.engine.models.warm import WarmModels
from reelremix.engine.pipes import private_stdout
from reelremix.errors import Cancelled, ReelRemixError, plain_error

LAST_WORDS_S = 0.3
"""How long a step that is to stop may take to let go of its files."""

Say = Callable[[dict[str, Any]], None]


def main() -> None:
    """Work until stdin ends."""
    out = private_stdout()
    lock = threading.Lock()

    def say(message: dict[str, Any]) -> None:
        with lock, contextlib.suppress(BrokenPipeError):
            out.write(json.dumps(message, ensure_ascii=False) + "\n")
            out.flush()

    faulthandler.enable()
    keep_freed_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which decides
    worker = Worker(say)
    threading.Thread(target=worker.listen, daemon=True).start()
    worker.run()


class Worker:
    """Takes steps from one thread and does them in another."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._steps: list[dict[str, Any]] = []
        self._arrived = threading.Condition()
        self._tokens: dict[int, CancelToken] = {}
        """By the number of the order that each stops."""
        self._writing = _ToldFiles(say)
        self._library: Library | None = None

    def listen(self) -> None:
        """Take orders until stdin ends, then leave no partial file behind."""
        for line in sys.stdin:
            order = json.loads(line)
            if order["do"] == "cancel":
                if (token := self._tokens.get(order["number"])) is not None:
                    token.set()
                continue
            if order["do"] == "step":
                self._tokens[order["number"]] = CancelToken()
            with self._arrived:
                self._steps.append(order)
                self._arrived.notify()
        under_way = tuple(self._tokens.values())
        for token in under_way:
            token.set()
        if under_way:
            time.sleep(LAST_WORDS_S)
        for path in self._writing:
            path.unlink(missing_ok=True)
        os._exit(0)

    def run(self) -> None:
        """Do what is ordered, one step after the other."""
        while True:
            with self._arrived:
                while not self._steps:
                    self._arrived.wait()
                order = self._steps.pop(0)
            if order["do"] == "open":
                self._say(self._opened(order))
            else:
                self._say({**self._answer(order), "number": order["number"]})

    def _opened(self, order: dict[str, Any]) -> dict[str, Any]:
        if nice := order.get("nice"):
            os.nice(nice)
        else:
            for name in LATE:  # so that the time of a step is its own
                importlib.import_module(name)
        try:
            settings = codec.from_plain(order["settings"], Settings)
            self._library = Library.open(settings, models=WarmModels(settings.model_roots))
        except ReelRemixError as exc:
            return {"type": "unable", "error": plain_error(exc)}
        return {"type": "ready", "version": __version__}

    def _answer(self, order: dict[str, Any]) -> dict[str, Any]:
        """What became of a step. Whatever goes wrong with it, the next one has its turn."""
        assert self._library is not None
        number = order["number"]
        told = _Told(lambda message: self._say({**message, "number": number}))
        ctx = self._library.context(told, self._tokens[number], self._writing)
        try:
            with counted(order["job"]["id"], ctx, told.stages) as part:
                answer = _outcome(order, part)
                return {**answer, "cost": codec.to_plain(part.cost)}
        finally:
            self._library.release_thread()
            del self._tokens[number]


def _outcome(order: dict[str, Any], part: Job) -> dict[str, Any]:
    job = order["job"]
    try:
        step: Step = STEPS[job["kind"]][order["step"]]
        result = step(job["request"], order["given"], part)
    except Cancelled:
        return {"type": "stopped"}
    except ReelRemixError as exc:
        return {"type": "failed", "error": plain_error(exc), "stack": None}
    except Exception as exc:
        stack = "".join(traceback.format_exception(exc))
        return {"type": "failed", "error": plain_error(exc), "stack": stack}
    return {"type": "done", "result": codec.to_plain(result)}


class _Told:
    """The reporter of a step: passes on what happens, progress at most ten times a second."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._last_progress = 0.0
        self._lock = threading.Lock()
        self.stages: list[StageFinished] = []

    def emit(self, event: Event) -> None:
        """Say it."""
        with self._lock:
            if isinstance(event, StageProgress):
                now = time.monotonic()
                if now - self._last_progress < PROGRESS_INTERVAL_S:
                    return
                self._last_progress = now
            elif isinstance(event, StageFinished):
                self.stages.append(event)
        self._say({"type": "event", "event": codec.event_to_plain(LoggedEvent("", 0, 0.0, event))})


class _ToldFiles(PartialFiles):
    """Files being written now, which the parent removes if this process is killed."""

    def __init__(self, say: Say) -> None:
        super().__init__()
        self._say = say

    def add(self, path: Path) -> None:
        """Start caring for `path`."""
        super().add(path)
        self._say({"type": "writing", "path": str(path)})

    def discard(self, path: Path) -> None:
        """Stop caring: it was renamed or removed."""
        super().discard(path)
        self._say({"type": "written", "path": str(path)})


if __name__ == "__main__":
    main()
