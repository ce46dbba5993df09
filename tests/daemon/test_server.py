"""What listens: clients that take nothing are cut off."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import TypeAdapter

from reelremix.config import Settings
from reelremix.daemon import server
from reelremix.daemon.app import create_app
from reelremix.daemon.gpu import NoGpus
from reelremix.daemon.service import Daemon
from reelremix.engine.domain.events import Waiting
from reelremix.engine.domain.job import JobRecord
from reelremix.engine.joblog import JobLog

ASKED = b"GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer token\r\n\r\n"
MORE_THAN_A_CONNECTION_HOLDS = 300


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the system cannot")
def test_a_listener_that_takes_nothing_for_long_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(server, "UNREAD_S", 1.0)
    daemon = Daemon(Settings(data_dir=str(tmp_path)), NoGpus())
    daemon.stores.jobs.add(JobRecord("a", "clip", "talk.mp4", {}, 1.0))
    log = JobLog("a", daemon.stores.catalogue, daemon.hub)

    async def listeners(count: int) -> None:
        async with asyncio.timeout(15):
            while daemon.hub.listeners != count:
                await asyncio.sleep(0.05)

    async def story() -> None:
        ending, ready = asyncio.Event(), asyncio.Event()
        app = create_app(daemon, "token", ending.set)
        following = asyncio.create_task(daemon.hub.follow_library())
        with server.bound(0) as own, socket.socket() as silent:
            serving = asyncio.create_task(server.answer_until(ending, app, own, ready.set, daemon))
            await ready.wait()
            silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            silent.connect(own.getsockname())
            silent.sendall(ASKED)
            await listeners(1)
            for _ in range(MORE_THAN_A_CONNECTION_HOLDS):
                log.emit(Waiting("x" * 60_000))
            await listeners(0)
            ending.set()
            await serving
        following.cancel()

    try:
        asyncio.run(story())
    finally:
        daemon.close()
    assert not [record for record in caplog.records if record.name.startswith("uvicorn")]


def test_nothing_is_left_to_be_made_for_the_first_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = Daemon(Settings(data_dir=str(tmp_path)), NoGpus())
    app = create_app(daemon, "token", lambda: None)
    made: list[object] = []
    begin = TypeAdapter.__init__

    def counted(self: TypeAdapter[Any], *args: Any, **more: Any) -> None:
        made.append(args[0])
        begin(self, *args, **more)

    monkeypatch.setattr(TypeAdapter, "__init__", counted)
    own = {"Authorization": "Bearer token"}
    try:
        asyncio.run(server.warm(app, "token"))
        assert made, "the forms of questions and answers are not made by pydantic any more"
        made.clear()
        client = TestClient(app, base_url="http://127.0.0.1", headers=own)
        assert [client.get(f"/v1/{name}").status_code for name in ("jobs", "status")] == [200, 200]
    finally:
        daemon.close()
    assert not made
