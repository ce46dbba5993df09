"""A process that renders clips: tasks in on stdin, messages out on stdout, one JSON line each.

Run as `python -m reelremix.engine.worker`. Its parent keeps stdin open; when the parent is gone,
however it went, stdin ends and the worker removes what it was writing and exits.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from reelremix.engine import codec
from reelremix.engine.domain.context import CancelToken
from reelremix.engine.domain.network import network_calls, watch_network
from reelremix.engine.stages.render import RenderTask, remove_unfinished, render_clip
from reelremix.errors import Cancelled, ConfigError, ReelRemixError

PROGRESS_INTERVAL_S = 0.1


def main() -> None:
    """Work until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which decides
    watch_network()
    worker = _Worker()
    threading.Thread(target=worker.listen, daemon=True).start()
    worker.run()


class _Worker:
    """One task at a time; a second thread waits for the next line, or for the end."""

    def __init__(self) -> None:
        self._cancel = CancelToken()
        self._tasks: list[RenderTask] = []
        self._arrived = threading.Condition()
        self._current: RenderTask | None = None

    def listen(self) -> None:
        """Queue tasks until stdin ends, then leave no partial file behind."""
        for line in sys.stdin:
            task = codec.from_plain(json.loads(line), RenderTask)
            with self._arrived:
                self._tasks.append(task)
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
                while not self._tasks and not self._cancel.is_set():
                    self._arrived.wait()
                if self._cancel.is_set():
                    return
                self._current = self._tasks.pop(0)
            _say(_outcome(self._current, self._cancel))
            self._current = None


def _outcome(task: RenderTask, cancel: CancelToken) -> dict[str, Any]:
    try:
        return _render(task, cancel)
    except Cancelled:
        remove_unfinished(task)
        return {"type": "cancelled"}
    except ReelRemixError as exc:
        kind = "unwritable" if isinstance(exc, ConfigError) else "failed"
        return {"type": kind, "message": exc.message, "hint": exc.hint}


def _render(task: RenderTask, cancel: CancelToken) -> dict[str, Any]:
    level, verdict = render_clip(task, cancel, _throttled())
    return {
        "type": "rendered",
        "gain_db": level.gain_db,
        "verdict": codec.to_plain(verdict),
        "network": network_calls(),
    }


def _throttled() -> Callable[[int, int], None]:
    last = 0.0

    def progress(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= PROGRESS_INTERVAL_S or done == total:
            last = now
            _say({"type": "progress", "done": done, "total": total})

    return progress


def _say(message: dict[str, Any]) -> None:
    with contextlib.suppress(BrokenPipeError):  # nobody listens any more: stdin ends as well
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
