"""A process that renders clips: tasks in on stdin, messages out on stdout, one JSON line each.

Run as `python -m reelremix.engine.worker`. Its parent keeps stdin open; when the parent is gone,
however it went, stdin ends and the worker removes what it was writing and exits.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any, TextIO

from reelremix.engine import codec
from reelremix.engine.domain.context import CancelToken
from reelremix.engine.memory import keep_freed_memory
from reelremix.engine.network import network_calls, watch_network
from reelremix.engine.pipes import private_stdout
from reelremix.engine.stages.render import RenderTask, remove_unfinished, render_clip
from reelremix.errors import Cancelled, ConfigError, ReelRemixError

PROGRESS_INTERVAL_S = 0.1

Say = Callable[[dict[str, Any]], None]


def main() -> None:
    """Work until stdin ends."""
    messages = private_stdout()
    faulthandler.enable()
    keep_freed_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which decides
    watch_network()
    worker = _Worker(_sayer(messages))
    threading.Thread(target=worker.listen, daemon=True).start()
    worker.run()


def _sayer(messages: TextIO) -> Say:
    def say(message: dict[str, Any]) -> None:
        with contextlib.suppress(BrokenPipeError):  # nobody listens any more: stdin ends as well
            messages.write(json.dumps(message) + "\n")
            messages.flush()

    return say


class _Worker:
    """One task at a time; a second thread waits for the next line, or for the end."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._cancel = CancelToken()
        self._lines: list[str] = []
        self._arrived = threading.Condition()
        self._current: RenderTask | None = None

    def listen(self) -> None:
        """Queue tasks until stdin ends, then leave no partial file behind."""
        for line in sys.stdin:
            with self._arrived:
                self._lines.append(line)
                self._arrived.notify()
        self._cancel.set()
        with self._arrived:
            self._arrived.notify()
        if self._current is not None:
            time.sleep(0.3)  # the encoder lets go of the file at its next frame
            if self._current is not None:
                remove_unfinished(self._current)
        os._exit(0)

    def run(self) -> None:
        """Render tasks as they come."""
        while True:
            with self._arrived:
                while not self._lines and not self._cancel.is_set():
                    self._arrived.wait()
                if self._cancel.is_set():
                    return
                line = self._lines.pop(0)
            self._say(self._answer(line))

    def _answer(self, line: str) -> dict[str, Any]:
        """What became of a task. Whatever goes wrong with it, the next one has its turn."""
        try:
            self._current = codec.from_plain(json.loads(line), RenderTask)
            return _outcome(self._current, self._cancel, self._say)
        except Exception as exc:
            return _unexpected(exc)
        finally:
            self._current = None


def _outcome(task: RenderTask, cancel: CancelToken, say: Say) -> dict[str, Any]:
    try:
        return _render(task, cancel, say)
    except Cancelled:
        remove_unfinished(task)
        return {"type": "cancelled"}
    except ReelRemixError as exc:
        kind = "unwritable" if isinstance(exc, ConfigError) else "failed"
        return {"type": kind, "message": exc.message, "hint": exc.hint}


def _unexpected(exc: Exception) -> dict[str, Any]:
    return {
        "type": "failed",
        "message": f"unexpected {type(exc).__name__}: {exc}",
        "hint": "please report it with its stack, which is in the log",
        "stack": "".join(traceback.format_exception(exc)),
    }


def _render(task: RenderTask, cancel: CancelToken, say: Say) -> dict[str, Any]:
    written = render_clip(task, cancel, _throttled(say))
    return {
        "type": "rendered",
        "gain_db": written.level.gain_db,
        "verdict": codec.to_plain(written.verdict),
        "notice": written.notice,
        "network": network_calls(),
    }


def _throttled(say: Say) -> Callable[[int, int], None]:
    last = 0.0

    def progress(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= PROGRESS_INTERVAL_S or done == total:
            last = now
            say({"type": "progress", "done": done, "total": total})

    return progress


if __name__ == "__main__":
    main()
