"""Rendering in processes of its own: clips go out, progress and results come back.

Two processes with single-threaded x264 render a set of clips faster than one process with all
threads; a native crash costs one clip.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from queue import Empty, Queue
from typing import IO, Any

from reelremix.engine import codec
from reelremix.engine.domain.clip import Verdict
from reelremix.engine.domain.context import CancelToken
from reelremix.engine.network import note_calls
from reelremix.engine.pipes import OWN_GROUP, message_in
from reelremix.engine.stages.render import RenderTask, remove_unfinished, render_clip
from reelremix.errors import Cancelled, ConfigError, ReelRemixError

STOP_TIMEOUT_S = 0.4
LAST_WORDS_BYTES = 8192
"""How much of what a process printed before it died is worth logging."""

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
        """Begin anew after the process has died."""
        self.ask_to_end()
        self._log_last_words()
        self.end_by(time.monotonic() + STOP_TIMEOUT_S)
        self._start()

    def ask_to_end(self) -> None:
        assert self.child.stdin is not None
        try:
            self.child.stdin.close()
        except BrokenPipeError:
            self.child.kill()

    def end_by(self, deadline: float) -> None:
        """Wait until then (`time.monotonic`), then kill; remove what it was writing."""
        assert self.child.stdout is not None
        try:
            self.child.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self._reader.join()
        self.child.stdout.close()
        self._chatter.close()
        if self.task is not None:
            remove_unfinished(self.task)

    def _log_last_words(self) -> None:
        size = self._chatter.seek(0, os.SEEK_END)
        self._chatter.seek(max(0, size - LAST_WORDS_BYTES))
        words = self._chatter.read().decode(errors="replace").strip()
        if words:
            _log.error("a rendering process died (exit code %s):\n%s", self.exit_code, words)

    def _start(self) -> None:
        self._chatter = _unseen_file()
        self.child = subprocess.Popen(
            [sys.executable, "-P", "-m", "reelremix.engine.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._chatter,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=os.name == "posix",
            creationflags=OWN_GROUP,
        )
        self._reader = threading.Thread(target=self._read, args=(self.child,), daemon=True)
        self._reader.start()

    def _read(self, child: subprocess.Popen[str]) -> None:
        assert child.stdout is not None
        for line in child.stdout:
            if (content := message_in(line)) is not None:
                self._messages.put(_Message(self, child, content))
        self.exit_code = child.wait()
        self._messages.put(_Message(self, child, None))


def _unseen_file() -> IO[bytes]:
    """For what native libraries print, which is worth reading only after a crash."""
    return tempfile.TemporaryFile()


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
