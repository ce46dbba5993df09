"""Rendering in processes of its own: clips go out, progress and results come back.

Two processes with single-threaded x264 render a set of clips faster than one process with all
threads; a native crash costs one clip.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from queue import Empty, Queue
from typing import Any

from reelremix.engine import codec
from reelremix.engine.domain.clip import Verdict
from reelremix.engine.domain.context import CancelToken
from reelremix.engine.domain.network import note_calls
from reelremix.engine.stages.render import RenderTask, remove_unfinished
from reelremix.errors import ConfigError

STOP_TIMEOUT_S = 0.4


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one task ended."""

    task: RenderTask
    gain_db: float | None = None
    verdict: Verdict | None = None
    error: str | None = None
    hint: str | None = None


def render_all(
    tasks: Sequence[RenderTask],
    jobs: int,
    cancel: CancelToken,
    progress: Callable[[RenderTask, int, int], None],
) -> Iterator[Outcome]:
    """Render tasks in at most `jobs` processes; outcomes come as they are ready.

    Raises:
        ConfigError: the folder cannot be written to or the disk is full.
        Cancelled: the user asked to stop; in any case all processes are gone and partial files
            removed.
    """
    pool = _Pool(tasks, jobs)
    try:
        yield from pool.outcomes(cancel, progress)
    finally:
        pool.stop()


@dataclass(frozen=True, slots=True)
class _Message:
    """What a worker said; `content` is None once it has ended."""

    process: _Process
    child: subprocess.Popen[str]
    content: dict[str, Any] | None


class _Pool:
    """Worker processes fed from one list."""

    def __init__(self, tasks: Sequence[RenderTask], jobs: int) -> None:
        self._waiting = list(tasks)
        self._messages: Queue[_Message] = Queue()
        self._processes = [_Process(self._messages) for _ in range(min(jobs, len(tasks)))]
        self._left = len(tasks)

    def outcomes(
        self, cancel: CancelToken, progress: Callable[[RenderTask, int, int], None]
    ) -> Iterator[Outcome]:
        for process in self._processes:
            self._feed(process)
        while self._left:
            cancel.raise_if_set()
            try:
                received = self._messages.get(timeout=0.1)
            except Empty:
                continue
            process, message = received.process, received.content
            task = process.task
            if task is None or received.child is not process.child:
                continue  # the last words of a process that was replaced
            if message is not None and message["type"] == "progress":
                progress(task, message["done"], message["total"])
                continue
            self._left -= 1
            if message is None:
                process.restart()
            self._feed(process)
            yield _outcome(task, message, process.exit_code)

    def stop(self) -> None:
        for process in self._processes:
            process.stop()

    def _feed(self, process: _Process) -> None:
        if self._waiting:
            process.give(self._waiting.pop(0))
        else:
            process.task = None


class _Process:
    """One worker process and the thread that reads from it."""

    def __init__(self, messages: Queue[_Message]) -> None:
        self._messages = messages
        self.task: RenderTask | None = None
        self.exit_code: int | None = None
        self._start()

    def give(self, task: RenderTask) -> None:
        self.task = task
        assert self.child.stdin is not None
        try:
            self.child.stdin.write(json.dumps(codec.to_plain(task)) + "\n")
            self.child.stdin.flush()
        except BrokenPipeError:
            self._messages.put(_Message(self, self.child, None))

    def restart(self) -> None:
        self.stop()
        self._start()

    def stop(self) -> None:
        """Ask politely, then insist; partial files go in any case."""
        assert self.child.stdin is not None and self.child.stdout is not None
        try:
            self.child.stdin.close()
        except BrokenPipeError:
            self.child.kill()
        try:
            self.child.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self._reader.join()
        self.child.stdout.close()
        if self.task is not None:
            remove_unfinished(self.task)

    def _start(self) -> None:
        self.child = subprocess.Popen(
            [sys.executable, "-P", "-m", "reelremix.engine.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._reader = threading.Thread(target=self._read, args=(self.child,), daemon=True)
        self._reader.start()

    def _read(self, child: subprocess.Popen[str]) -> None:
        assert child.stdout is not None
        for line in child.stdout:
            self._messages.put(_Message(self, child, json.loads(line)))
        self.exit_code = child.wait()
        self._messages.put(_Message(self, child, None))


def _outcome(task: RenderTask, message: dict[str, Any] | None, exit_code: int | None) -> Outcome:
    if message is None:
        return Outcome(
            task,
            error=f"the process rendering it ended unexpectedly (exit code {exit_code})",
            hint="`reelremix render` tries it again; `--jobs 1` needs less memory",
        )
    if message["type"] == "rendered":
        note_calls(tuple(message["network"]))
        verdict = codec.from_plain(message["verdict"], Verdict)
        return Outcome(task, message["gain_db"], verdict)
    if message["type"] == "unwritable":
        raise ConfigError(message["message"], hint=message["hint"])
    return Outcome(task, error=message.get("message", "cancelled"), hint=message.get("hint"))
