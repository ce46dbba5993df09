"""The daemon's process: what listens, what is told when it ends, and in which order it does."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator

import httpx
import uvicorn
from fastapi import FastAPI

from reelremix import __version__
from reelremix.config import Settings
from reelremix.daemon.address import Address, DaemonFolder
from reelremix.daemon.app import create_app
from reelremix.daemon.protocol import PREFIX, PROTOCOL_VERSION
from reelremix.daemon.service import Daemon
from reelremix.errors import ConfigError, DaemonError

LOOPBACK = "127.0.0.1"
STOPPING = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name)
)
LOOK_S = 5.0
"""So often it is made sure that clients find the daemon."""
GRACE_S = 1
"""Streams that are open are cut off after that."""
UNREAD_S = 30.0
"""A client that takes nothing of what it was sent for so long is cut off (where the system can)."""

_log = logging.getLogger("reelremix.daemon")


def serve(settings: Settings, folder: DaemonFolder) -> bool:
    """Be the daemon of a folder that is claimed, until a signal or a client ends it.

    Returns whether it ended because another version is on disk and is to take over.

    Raises:
        DaemonError: its port is taken.
        ConfigError: a setting is wrong, or the library cannot be opened.
    """
    token = folder.new_token()
    with bound(settings.daemon_port) as own:
        daemon = Daemon(settings)
        try:
            asyncio.run(_serve(daemon, token, own, folder))
        finally:
            folder.withdraw()
            daemon.close()
    return daemon.version_on_disk is not None


async def _serve(daemon: Daemon, token: str, own: socket.socket, folder: DaemonFolder) -> None:
    loop, ending = asyncio.get_running_loop(), asyncio.Event()
    for number in STOPPING:
        loop.add_signal_handler(number, ending.set)

    def stop() -> None:
        loop.call_soon_threadsafe(ending.set)

    daemon.when_outdated(stop)
    app = create_app(daemon, token, stop)
    await warm(app, token)
    port = own.getsockname()[1]

    address = Address(port, os.getpid(), __version__, PROTOCOL_VERSION)
    tasks = [asyncio.create_task(daemon.hub.follow_library())]

    def ready() -> None:
        folder.announce(address, token)
        _log.info("answers on port %s", port)
        tasks.append(asyncio.create_task(_stay_found(folder, address, token)))

    await answer_until(ending, app, own, ready, daemon)
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def warm(app: FastAPI, token: str) -> None:
    """Answer before anybody asks: FastAPI makes its routes while it answers the first question."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    own = {"Authorization": f"Bearer {token}"}
    at = f"http://{LOOPBACK}{PREFIX}/"
    async with httpx.AsyncClient(transport=transport, base_url=at, headers=own) as client:
        await client.get("status")  # of the last routes: those before it are made on the way


async def _stay_found(folder: DaemonFolder, address: Address, token: str) -> None:
    """Say again where the daemon answers, where somebody removed or damaged its files."""
    while True:
        await asyncio.sleep(LOOK_S)
        try:
            await asyncio.to_thread(folder.announce, address, token)
        except ConfigError as exc:
            _log.warning("nobody can find the daemon: %s", exc)


async def answer_until(
    ending: asyncio.Event,
    app: FastAPI,
    own: socket.socket,
    ready: Callable[[], None],
    daemon: Daemon,
) -> None:
    """Answer until the event is set."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=30,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[own]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    if server.started:
        ready()
        waiting = asyncio.create_task(ending.wait())
        await asyncio.wait((serving, waiting), return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
    daemon.is_stopping.set()
    await daemon.hub.close()
    server.should_exit = True
    await serving


class _Server(uvicorn.Server):
    """A server that leaves signals alone: they are the daemon's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


@contextlib.contextmanager
def bound(port: int) -> Iterator[socket.socket]:
    """A socket on loopback. Raises DaemonError for a port that is taken."""
    # Named as TCP, or asyncio leaves its connections waiting for acknowledgements: 40 ms an answer.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as own:
        if os.name == "posix":
            own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # connections have it from the socket they come by
            limit_ms = round(UNREAD_S * 1000)
            own.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, limit_ms)
        try:
            own.bind((LOOPBACK, port))
        except OSError as exc:
            raise DaemonError(
                f"port {port} cannot be used: {(exc.strerror or str(exc)).lower()}",
                hint="`daemon_port = 0` takes a free one",
            ) from exc
        yield own
