"""A daemon that answers the command line from a thread of the test's own process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from reelremix import __version__
from reelremix.config import Settings
from reelremix.daemon.address import Address, DaemonFolder
from reelremix.daemon.app import create_app
from reelremix.daemon.gpu import NoGpus
from reelremix.daemon.protocol import PROTOCOL_VERSION
from reelremix.daemon.service import Daemon
from reelremix.engine.domain.job import JobRecord
from tests.daemon.rig import eventually


class Serving:
    """A daemon over a folder, and the jobs that tests put into its library."""

    def __init__(self, daemon: Daemon, data: Path) -> None:
        self.daemon = daemon
        self.data = data

    def keep(self, id: str, **more: Any) -> JobRecord:
        """A job as if somebody had queued it long ago; nobody is going to do it."""
        name = str(more.pop("name", f"{id}.mp4"))
        request = more.pop("request", {"source": f"/films/{name}", "out": "/clips", "version": 1})
        return self.daemon.stores.jobs.add(JobRecord(id, "clip", name, request, 1.0, **more))

    @property
    def queued(self) -> list[JobRecord]:
        """All jobs, the newest first."""
        return list(self.daemon.stores.jobs.jobs())

    def forget(self) -> None:
        """Forget everything that has ended, and every watched folder."""
        self.daemon.queue.purge([job.id for job in self.queued])
        for watch, _ in self.daemon.watching.watches():
            self.daemon.watching.remove(watch.id)


@contextmanager
def serving(data: Path) -> Iterator[Serving]:
    """A daemon for the length of a block."""
    settings = Settings(data_dir=str(data))
    folder = DaemonFolder(settings.daemon_path)
    folder.claim()
    daemon = Daemon(settings, NoGpus())
    token = folder.new_token()
    app = create_app(daemon, token, lambda: None)
    own = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)

    async def serve() -> None:
        following = asyncio.create_task(daemon.hub.follow_library())
        await server.serve(sockets=[own])
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    eventually(lambda: server.started, 20)
    port = own.getsockname()[1]
    folder.announce(Address(port, os.getpid(), __version__, PROTOCOL_VERSION), token)
    try:
        yield Serving(daemon, data)
    finally:
        server.should_exit = True
        thread.join(10)
        own.close()
        folder.withdraw()
        daemon.close()
