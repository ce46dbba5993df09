"""A judge on this machine that answers as it is told: well, badly, late or not at all."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LONGEST_HANG_S = 20.0


@dataclass(frozen=True)
class Asked:
    """A request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)

    @property
    def instructions(self) -> str:
        """The system message."""
        return str(self.json["messages"][0]["content"])

    @property
    def material(self) -> dict[str, str]:
        """The passages in the user message."""
        return dict(json.loads(self.json["messages"][1]["content"]))

    @property
    def is_comparison(self) -> bool:
        """Whether two clips are compared, rather than one put into words."""
        return "A" in self.material


@dataclass(frozen=True)
class Answer:
    """A response, and what goes wrong with it."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    sent: int | None = None
    """Bytes that are sent before the line is cut; None sends all."""
    hangs: bool = False
    """Sends nothing until the test is over."""
    drips: bool = False
    """Sends a space every few milliseconds, for ever."""


def completion(content: object, tokens: int | None = 10, finish: str = "stop") -> Answer:
    """A chat completion; what is not text becomes JSON."""
    text = content if isinstance(content, str) else json.dumps(content)
    message = {"role": "assistant", "content": text}
    body: dict[str, Any] = {"choices": [{"message": message, "finish_reason": finish}]}
    if tokens is not None:
        body["usage"] = {"total_tokens": tokens}
    return Answer(json.dumps(body).encode())


def wording(clip: str, **changed: object) -> dict[str, object]:
    """What a good judge says of a clip: it begins and ends where the clip does."""
    words = clip.split()
    said: dict[str, object] = {
        "title": f"About {words[0]}",
        "hook": "Wait for it",
        "description": "What nobody tells you.",
        "hashtags": ["habits", "#Reading", "books"],
        "first_words": " ".join(words[:4]),
        "last_words": " ".join(words[-4:]),
    }
    return said | changed


def fair(asked: Asked) -> Answer:
    """A judge that always prefers the longer text, and words every clip well."""
    if asked.method == "GET":
        return Answer(json.dumps({"data": [{"id": "small"}, {"id": "large"}]}).encode())
    material = asked.material
    if asked.is_comparison:
        return completion({"winner": "A" if len(material["A"]) >= len(material["B"]) else "B"})
    return completion(wording(material["clip"]))


class JudgeServer:
    """The server, and everything it was asked."""

    def __init__(self, answer: Callable[[Asked], Answer]) -> None:
        self.answer = answer
        self.asked: list[Asked] = []
        self.over = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._http.server_address[1])

    @property
    def url(self) -> str:
        """Its address, as people type it."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def questions(self) -> list[Asked]:
        """What was asked, lists of models left out."""
        return [asked for asked in self.asked if asked.method == "POST"]

    def start(self) -> None:
        """Listen."""
        self._thread.start()

    def stop(self) -> None:
        """Let go of whoever waits, and listen no more."""
        self.over.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # 40 ms an answer otherwise

            def do_GET(self) -> None:
                self._serve()

            def do_POST(self) -> None:
                self._serve()

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.command, self.path, headers, body)
                server.asked.append(asked)
                with contextlib.suppress(OSError):  # whoever asked may be gone
                    server._send(self, server.answer(asked))

        return Handler

    def _send(self, handler: BaseHTTPRequestHandler, answer: Answer) -> None:
        if answer.hangs:
            self.over.wait(LONGEST_HANG_S)
            handler.close_connection = True
            return
        handler.send_response(answer.status)
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        size = 10_000_000 if answer.drips else len(answer.body)
        handler.send_header("content-length", str(size))
        handler.end_headers()
        while answer.drips and not self.over.wait(0.01):
            handler.wfile.write(b" ")
            handler.wfile.flush()
        handler.wfile.write(answer.body[: answer.sent])
        if answer.drips or answer.sent is not None:
            handler.close_connection = True


@contextlib.contextmanager
def judge_server(answer: Callable[[Asked], Answer] = fair) -> Iterator[JudgeServer]:
    """A server that answers while the block runs."""
    server = JudgeServer(answer)
    server.start()
    try:
        yield server
    finally:
        server.stop()
