"""A real daemon in a folder of its own: begun, asked, killed and begun anew."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reelremix.config import Settings
from reelremix.daemon.address import DaemonFolder
from reelremix.daemon.client import DaemonClient
from reelremix.daemon.logs import LOG_NAME
from reelremix.daemon.protocol import JobView, Submission
from reelremix.engine import codec
from reelremix.engine.domain.request import ClipRequest

REPOSITORY = Path(__file__).parents[2]
UP_WITHIN_S = 30.0
ENDED = frozenset({"succeeded", "failed", "dead", "cancelled"})


class Rig:
    """One data folder and the daemon over it."""

    def __init__(
        self, data: Path, models: str | None = None, code: Path = REPOSITORY, **settings: Any
    ) -> None:
        """Begin nothing yet; `settings` are those of the daemon, `code` is where it comes from."""
        self.data = data
        self.settings = Settings(data_dir=str(data), models_dir=models or "", **settings)
        self._environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join((str(code), str(REPOSITORY))),  # of stores in the tests
            "REELREMIX_DATA_DIR": str(data),
            **({"REELREMIX_MODELS_DIR": models} if models else {}),
            **{f"REELREMIX_{name.upper()}": str(value) for name, value in settings.items()},
        }
        self.child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin the daemon and wait until it answers."""
        self.begin()
        self.wait_until_up()

    def begin(self) -> None:
        """Begin the daemon and wait for nothing."""
        self.child = subprocess.Popen(
            [sys.executable, "-P", "-m", "reelremix", "daemon", "start", "--foreground"],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def wait_until_up(self) -> None:
        """Wait until the daemon answers."""
        assert self.child is not None
        folder = DaemonFolder(self.settings.daemon_path)
        eventually(lambda: _answers(folder, self.child), UP_WITHIN_S)

    def kill(self) -> None:
        """End the daemon at once; its workers are left to notice."""
        assert self.child is not None
        self.child.send_signal(signal.SIGKILL)
        self.child.wait()

    def stop(self, number: int = signal.SIGTERM, within_s: float = 10.0) -> int:
        """End the daemon politely; returns its exit code."""
        assert self.child is not None
        self.child.send_signal(number)
        return self.child.wait(within_s)

    @contextmanager
    def running(self) -> Iterator[DaemonClient]:
        """The daemon for the length of a block."""
        self.start()
        try:
            with self.client() as client:
                yield client
        finally:
            if self.child is not None and self.child.poll() is None:
                self.stop()

    def client(self) -> DaemonClient:
        """A new connection."""
        return DaemonClient(self.settings)

    def log(self) -> list[Mapping[str, Any]]:
        """Everything that it logged."""
        file = self.settings.daemon_path / LOG_NAME
        return [json.loads(line) for line in file.read_text().splitlines() if line.startswith("{")]


def submission(request: ClipRequest, **more: Any) -> Submission:
    """A job for a request."""
    return Submission(codec.to_plain(request), **more)


def wait_for(client: DaemonClient, job_id: str, within_s: float = 60.0) -> JobView:
    """The job once it has ended."""
    eventually(lambda: client.job(job_id).state in ENDED, within_s)
    return client.job(job_id)


def eventually(is_so: Callable[[], bool], within_s: float) -> None:
    """Wait until something is so. Raises AssertionError where it does not come to be."""
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline, f"not so within {within_s:g} s"
        time.sleep(0.02)


def _answers(folder: DaemonFolder, child: subprocess.Popen[bytes] | None) -> bool:
    assert child is not None
    assert child.poll() is None, f"the daemon ended with {child.returncode}"
    address = folder.address()
    return address is not None and address.pid == child.pid
