"""A site on this machine that serves recordings well, badly, slowly or not at all."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LONGEST_HANG_S = 20.0


@dataclass
class Page:
    """What is behind a path."""

    body: bytes = b""
    kind: str = "video/mp4"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    sent: int | None = None
    """Bytes of the body that are sent before the line is cut; None sends all."""
    times: int | None = None
    """How often the line is cut; None is always."""
    hangs: bool = False
    """Sends nothing more, after `sent`, until the test is over."""


@dataclass
class MediaServer:
    """Pages by path, and what was asked of them."""

    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """Path and range of every request for a body."""
    cookies: list[str | None] = field(default_factory=list)
    port: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    hanging: threading.Event = field(default_factory=threading.Event)
    """Set while somebody waits for a page that hangs."""

    def url(self, path: str) -> str:
        """The address of a page."""
        return f"http://127.0.0.1:{self.port}{path}"


@contextlib.contextmanager
def serving() -> Iterator[MediaServer]:
    """A server for the length of a block."""
    server = MediaServer()
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler_for(server))
    server.port = http.server_address[1]
    thread = threading.Thread(target=http.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        http.shutdown()
        thread.join()
        http.server_close()


def _handler_for(server: MediaServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            server.asked.append((self.path, self.headers.get("range")))
            server.cookies.append(self.headers.get("cookie"))
            self._answer(with_body=True)

        def _answer(self, *, with_body: bool) -> None:
            page = server.pages.get(self.path, Page(b"", status=404))
            first = _first(self.headers.get("range"), page)
            self.send_response(206 if first else page.status)
            self.send_header("content-type", page.kind)
            self.send_header("content-length", str(len(page.body) - first))
            if first:
                last = len(page.body) - 1
                self.send_header("content-range", f"bytes {first}-{last}/{len(page.body)}")
            self.send_header("accept-ranges", "bytes")
            for name, value in page.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if with_body:
                with contextlib.suppress(ConnectionError):
                    self._send(page, first)

        def _send(self, page: Page, first: int) -> None:
            cut = page.sent if page.times is None or page.times > 0 else None
            self.wfile.write(page.body[first : len(page.body) if cut is None else max(first, cut)])
            if cut is None:
                return
            if page.times is not None:
                page.times -= 1
            if page.hangs:
                server.hanging.set()
                server.over.wait(LONGEST_HANG_S)
            self.close_connection = True

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler


def _first(asked: str | None, page: Page) -> int:
    """Where a range begins; 0 for the whole."""
    if asked is None or page.status != 200 or not asked.startswith("bytes="):
        return 0
    return min(int(asked.removeprefix("bytes=").split("-")[0] or 0), max(0, len(page.body) - 1))
