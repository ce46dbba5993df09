"""Rendering in processes of its own: clips go out, progress and results come back.

Two processes with single-threaded x264 render a set of clips faster than one process with all
threads; a native crash costs one clip.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from queue import Empty, Queue
from typing import Any

from reelremix.engine import codec
from reelremix.engine.domain.clip import Verdict
from reelremix.engine.domain.context import CancelToken
from reelremix.engine.network import note_calls
from reelremix.engine.pipes import Child
from reelremix.engine.stages.render import RenderTask, remove_unfinished, render_clip
from reelremix.errors import Cancelled, ConfigError, ReelRemixError

STOP_TIMEOUT_S = 0.4

_log = logging.getLogger("reelremix")
_log.addHandler(logging.NullHandler())  # stacks reach no terminal unless a program wants them there


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one task ended."""

    task: RenderTask
    gain_db: float | None = None
    verdict: Verdict | None = None
    error: str | None = None
    hint: str | None = None
    notice: str | None = None
    """What was done otherwise than asked."""


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


def render_here(
    tasks: Sequence[RenderTask],
    jobs: int,
    cancel: CancelToken,
    progress: Callable[[RenderTask, int, int], None],
) -> Iterator[Outcome]:
    """The same in this process, one after the other whatever `jobs` says: for a worker of others.

    Raises:
        ConfigError: the folder cannot be written to or the disk is full.
        Cancelled: somebody asked to stop; partial files are removed.
    """
    for task in tasks:
        try:
            written = render_clip(task, cancel, partial(progress, task))
        except (Cancelled, ConfigError):
            remove_unfinished(task)
            raise
        except ReelRemixError as exc:
            yield Outcome(task, error=exc.message, hint=exc.hint)
        else:
            yield Outcome(task, written.level.gain_db, written.verdict, notice=written.notice)


@dataclass(frozen=True, slots=True)
class _Message:
    """What a worker said; `content` is None once it has ended."""

    process: _Process
    number: int
    """Of the process, which may have been replaced since."""
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
            if task is None or received.number != process.number:
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
        """Ask all at once, then insist; partial files go in any case."""
        for process in self._processes:
            process.ask_to_end()
        deadline = time.monotonic() + STOP_TIMEOUT_S
        for process in self._processes:
            process.end_by(deadline)

    def _feed(self, process: _Process) -> None:
        if self._waiting:
            process.give(self._waiting.pop(0))
        else:
            process.task = None


class _Process:
    """One worker process after another."""

    def __init__(self, messages: Queue[_Message]) -> None:
        self._messages = messages
        self.task: RenderTask | None = None
        self.exit_code: int | None = None
        self.number = 0
        self._child = self._begun()

    def give(self, task: RenderTask) -> None:
        self.task = task
        if not self._child.tell(codec.to_plain(task)):
            self._messages.put(_Message(self, self.number, None))

    def restart(self) -> None:
        """Begin anew after the process has died."""
        self._child.let_go()
        self.exit_code = self._child.wait()
        if words := self._child.last_words():
            _log.error("a rendering process died (exit code %s):\n%s", self.exit_code, words)
        self.end_by(time.monotonic() + STOP_TIMEOUT_S)
        self.number += 1
        self._child = self._begun()

    def ask_to_end(self) -> None:
        self._child.let_go()

    def end_by(self, deadline: float) -> None:
        """Wait until then (`time.monotonic`), then kill; remove what it was writing."""
        self._child.end_by(max(0.0, deadline - time.monotonic()))
        if self.task is not None:
            remove_unfinished(self.task)

    def _begun(self) -> Child:
        number = self.number

        def heard(content: dict[str, Any] | None) -> None:
            self._messages.put(_Message(self, number, content))

        return Child("reelremix.engine.worker", heard, own_session=True)


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
        return Outcome(task, message["gain_db"], verdict, notice=message["notice"])
    if message["type"] == "unwritable":
        raise ConfigError(message["message"], hint=message["hint"])
    if stack := message.get("stack"):
        _log.error("clip %s failed:\n%s", task.clip.id, stack)
    return Outcome(task, error=message.get("message", "cancelled"), hint=message.get("hint"))
