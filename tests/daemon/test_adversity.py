"""The daemon where the world around it misbehaves: full disks, folders that go, servers that hang.

Real daemons over short recordings; each test says what must be so afterwards.
"""

from __future__ import annotations

import json
import shutil
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from reelremix.config import Settings
from reelremix.daemon.address import DaemonFolder
from reelremix.daemon.client import DaemonClient
from reelremix.daemon.protocol import NewWatch
from reelremix.daemon.watching import SECRET_VARIABLE
from reelremix.engine.domain.context import ArtifactKey
from reelremix.engine.domain.events import Waiting
from reelremix.engine.store.factory import Stores, open_local
from reelremix.errors import DiskFull
from tests.daemon.chaos import PassedOn
from tests.daemon.rig import Rig, eventually, submission, wait_for
from tests.daemon.test_daemon import PARTS, client, endless, films, house, request, rig, talk

__all__ = ["client", "endless", "films", "house", "rig", "talk"]
pytestmark = [pytest.mark.slow, pytest.mark.alone]
HELD_UP_S = 10.0
"""Whoever takes longer was kept waiting by one that hangs for good, or for a minute."""
FULL_UNTIL = "room"
"""While there is no such file in the data folder, artifacts cannot be stored."""


def open_full(settings: Settings) -> Stores:
    """The stores of this machine over a disk that is full until somebody makes room."""
    stores = open_local(settings)
    return replace(stores, artifacts=_Full(stores.artifacts, settings.data_path / FULL_UNTIL))


@dataclass(frozen=True)
class _Full(PassedOn):
    room: Path

    def put(self, key: ArtifactKey, content: bytes) -> None:
        if not self.room.exists():
            raise DiskFull("cannot write: no space left on device", hint="free some space")
        self.inner.put(key, content)


class Hook:
    """A server on loopback that notes what it is told, and hangs while it is to."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.hangs = threading.Event()
        self.asked = 0
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                hook.asked += 1
                body = self.rfile.read(int(self.headers["content-length"]))
                if hook.hangs.is_set():
                    time.sleep(60)
                    return
                hook.told.append(json.loads(body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}/clips"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def hook() -> Iterator[Hook]:
    """Such a server."""
    made = Hook()
    yield made
    made.close()


def test_a_disk_that_is_full_for_a_while_is_waited_for(talk: Any, tmp_path: Path) -> None:
    rig = Rig(tmp_path / "data", stores="tests.daemon.test_adversity:open_full")
    with rig.running() as client:
        job = client.submit(submission(talk))
        with closing(client.events(job.id)) as events:
            waits = (e.event for e in events if e is not None and isinstance(e.event, Waiting))
            assert any("no space left" in wait.reason for wait in waits)
        (rig.data / FULL_UNTIL).touch()
        assert wait_for(client, job.id).state == "succeeded"


def test_a_folder_of_clips_that_goes_fails_its_job_and_can_be_tried_again(
    client: DaemonClient, endless: Any, tmp_path: Path
) -> None:
    drive = tmp_path / "drive"
    drive.mkdir()
    asked = replace(endless, out=str(drive / "clips"))
    job = client.submit(submission(asked))
    eventually(lambda: list(tmp_path.rglob(PARTS)) != [], 40)
    client.pause(job.id)
    shutil.rmtree(drive)
    drive.write_text("not mounted")
    client.resume(job.id)
    failed = wait_for(client, job.id)
    assert failed.state == "failed" and failed.failure is not None
    assert str(drive) in failed.failure.message and failed.failure.hint
    drive.unlink()
    drive.mkdir()
    client.retry(job.id, "hear")
    eventually(lambda: list(tmp_path.rglob(PARTS)) != [], 40)
    client.cancel(job.id)
    eventually(lambda: not list(tmp_path.rglob(PARTS)), 2)


def test_a_webhook_that_hangs_holds_nothing_up_and_is_told_after_a_restart(
    hook: Hook, talk: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, "secret")
    rig, studio = Rig(tmp_path / "data"), tmp_path / "studio"
    studio.mkdir()
    hook.hangs.set()
    given = {"captions": "none", "faces": False, "out": str(tmp_path / "clips"), "count": "1"}
    (studio / ".reelremix.toml").write_text("speakers = 'off'\n")
    with rig.running() as client:
        client.watch(NewWatch(str(studio), given, webhook=hook.address))
        shutil.copy(talk.source, studio / "talk.mp4")
        eventually(lambda: client.jobs().jobs != [], 20)
        job = wait_for(client, client.jobs().jobs[0].id)
        eventually(lambda: hook.asked == 1, 10)
        began = time.monotonic()
        assert client.jobs().jobs[0].id == job.id
        assert time.monotonic() - began < HELD_UP_S
        assert rig.stop() == 0
        assert time.monotonic() - began < HELD_UP_S
    hook.hangs.clear()
    with rig.running():
        eventually(lambda: [told["job"]["id"] for told in hook.told] == [job.id], 20)
        time.sleep(0.5)
    with rig.running():
        time.sleep(1.5)
    assert len(hook.told) == 1


def test_a_listener_that_never_reads_keeps_nobody_waiting(rig: Rig, talk: Any) -> None:
    with rig.running() as client:
        folder = DaemonFolder(rig.settings.daemon_path)
        address = folder.address()
        assert address is not None
        asked = (
            f"GET /v1/events?after=0 HTTP/1.1\r\nHost: 127.0.0.1:{address.port}\r\n"
            f"Authorization: Bearer {folder.token()}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", address.port)) as silent:
            silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            silent.sendall(asked.encode())
            eventually(lambda: client.status().listeners == 1, 5)
            assert wait_for(client, client.submit(submission(talk)).id).state == "succeeded"
            began = time.monotonic()
            assert rig.stop() == 0
            assert time.monotonic() - began < HELD_UP_S
    assert not [entry for entry in rig.log() if entry["level"] == "error"]


def test_streams_that_are_open_end_with_the_daemon_and_nothing_is_logged_as_an_error(
    rig: Rig, endless: Any
) -> None:
    rig.start()
    with rig.client() as client:
        job = client.submit(submission(endless))
        stream = client.events(job.id)
        next(stream)
        assert rig.stop() == 0
        rig.start()
        with rig.client() as again:
            again.cancel(job.id)
        told = [logged.event.type for logged in stream if logged is not None]
    assert told[-1] == "job_cancelled"
    rig.stop()
    assert not [entry for entry in rig.log() if entry["level"] == "error"]


def test_a_library_that_is_held_is_waited_for(house: Rig, client: DaemonClient, talk: Any) -> None:
    with closing(sqlite3.connect(house.settings.library_file)) as other:
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        submitted: list[Any] = []
        asking = threading.Thread(target=lambda: submitted.append(client.submit(submission(talk))))
        asking.start()
        time.sleep(3)
        assert not submitted
        other.execute("ROLLBACK")
        asking.join(10)
    assert wait_for(client, submitted[0].id).state == "succeeded"


def test_a_clock_that_is_set_back_changes_nothing(rig: Rig, talk: Any) -> None:
    with rig.running() as client:
        first = wait_for(client, client.submit(submission(talk)).id)
    with closing(sqlite3.connect(rig.settings.library_file)) as library:
        ahead = f"$.created_at, {time.time() + 86_400}"
        path, at = ahead.split(", ")
        library.execute(
            "UPDATE jobs SET detail = json_set(detail, ?, ?, '$.started_at', ?)",
            (path, float(at), float(at)),
        )
        library.commit()
    with rig.running() as client:
        again = request(
            Path(talk.source), Path(str(talk.transcribe.transcript)), Path(f"{talk.out}2")
        )
        second = wait_for(client, client.submit(submission(again)).id)
        assert second.state == "succeeded"
        assert [job.id for job in client.jobs().jobs] == [second.id, first.id]
        assert client.stats(30).work_s >= 0
