"""Processes of ours, and what they say to each other over pipes: JSON objects, one a line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from typing import IO, Any, TextIO

LAST_WORDS_BYTES = 8192
"""How much of what a process printed before it died is worth logging."""

OWN_GROUP = int(getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0))
"""Windows' way to keep Ctrl-C from a child; elsewhere it gets a session of its own."""


def private_stdout() -> TextIO:
    """What was stdout, for messages alone; what libraries print goes to stderr from here on."""
    sys.stdout.flush()
    messages = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    messages.write("\n")  # ends a line that somebody may have begun
    return messages


def message_in(line: str) -> dict[str, Any] | None:
    """What a process says on a line; None for what a library printed there."""
    try:
        content = json.loads(line)
    except ValueError:
        return None
    return content if isinstance(content, dict) and "type" in content else None


class Child:
    """A process of ours: told on stdin, heard on stdout; what it prints is kept for a crash."""

    def __init__(
        self,
        module: str,
        heard: Callable[[dict[str, Any] | None], None],
        *,
        own_session: bool,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Begin `python -m module`.

        Args:
            module: what runs.
            heard: called, in a thread, with every message, and with None once it has ended.
            own_session: whether it gets a session of its own, or just a group; both keep Ctrl-C
                from it. Linux shares the CPU between sessions first, and only within one does it
                look at who yields (`sched_autogroup_enabled`).
            environment: None for that of this process.
        """
        self._heard = heard
        self._chatter = _unseen_file()
        is_posix = os.name == "posix"
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._chatter,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=environment,
            start_new_session=is_posix and own_session,
            process_group=0 if is_posix and not own_session else None,
            creationflags=OWN_GROUP,
        )
        self.pid = self._process.pid
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def is_alive(self) -> bool:
        """Whether it can be told something."""
        return self._process.poll() is None

    def tell(self, message: Mapping[str, Any]) -> bool:
        """Say something to it; returns whether it could be said."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError):
            return False
        return True

    def let_go(self) -> None:
        """Say nothing more, at which it ends."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
        except BrokenPipeError:
            self._process.kill()

    def wait(self, timeout_s: float | None = None) -> int:
        """Its exit code, once it has ended. Raises `subprocess.TimeoutExpired`."""
        return self._process.wait(timeout_s)

    def end_by(self, timeout_s: float) -> None:
        """Wait for its end for so long, then kill it; forget it."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.forget()

    def forget(self) -> None:
        """Close what belongs to it, once it has ended; all it said was heard then."""
        self._reader.join()
        assert self._process.stdout is not None
        self.let_go()
        self._process.stdout.close()
        self._chatter.close()

    def last_words(self) -> str:
        """The end of what it and its libraries printed."""
        size = self._chatter.seek(0, os.SEEK_END)
        self._chatter.seek(max(0, size - LAST_WORDS_BYTES))
        return self._chatter.read().decode(errors="replace").strip()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if (content := message_in(line)) is not None:
                self._heard(content)
        self._process.wait()
        self._heard(None)


def _unseen_file() -> IO[bytes]:
    """For what native libraries print, which is worth reading only after a crash."""
    return tempfile.TemporaryFile()
