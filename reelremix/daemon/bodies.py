"""What is sent to the API, looked at before it is read: of a sensible size, JSON, nothing absurd.

What no file name, no database and no answer can hold is refused here for all routes at once: null
bytes, halves of characters, numbers that are none. What a value means is not known here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reelremix.daemon.protocol import Told
from reelremix.errors import ConfigError, plain_error

MOST_BYTES = 1_000_000
MOST_DEPTH = 20
LARGEST = 2**53
"""Of a whole number: beyond it, other programs read another one."""
LONGEST_SHOWN = 60
API_HINT = "docs/daemon.md describes the API"
TOO_LARGE = Told("ConfigError", f"a body may have {MOST_BYTES} bytes at most", API_HINT)


class CheckedBodies:
    """Middleware that hands on what can be read, and answers the rest itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Look at the body of a request that has one."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        body = await _whole(scope, receive)
        if body is None:
            await JSONResponse(asdict(TOO_LARGE), 413)(scope, receive, send)
            return
        try:
            check_body(body)
        except ConfigError as exc:
            await JSONResponse(plain_error(exc), 422)(scope, receive, send)
            return
        await self._app(scope, _again(body, receive), send)


async def _whole(scope: Scope, receive: Receive) -> bytes | None:
    """The body; None for one that is too large, which is not read to its end."""
    said = dict(scope["headers"]).get(b"content-length", b"0")
    if said.isdigit() and (len(said) > len(str(MOST_BYTES)) or int(said) > MOST_BYTES):
        return None
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if len(body) > MOST_BYTES:
            return None
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return body


def _again(body: bytes, receive: Receive) -> Receive:
    """What hands out the body once more, and then whatever comes."""
    left = [body]

    async def received() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return received


def check_body(body: bytes) -> None:
    """Raise ConfigError for what is no JSON, or holds what cannot be kept; says where."""
    if not body:
        return
    try:
        content = json.loads(body.decode())
    except UnicodeDecodeError as exc:
        raise ConfigError("the body is not text in UTF-8", hint=API_HINT) from exc
    except RecursionError as exc:
        raise ConfigError("the body is nested too deeply", hint=API_HINT) from exc
    except ValueError as exc:
        raise ConfigError(f"the body is not JSON: {exc}", hint=API_HINT) from exc
    _check(content, "body", MOST_DEPTH)


def _check(value: Any, where: str, depth: int) -> None:
    if depth == 0:
        raise ConfigError(f"{where[:LONGEST_SHOWN]} is nested too deeply", hint=API_HINT)
    if isinstance(value, Mapping):
        for name, inside in value.items():
            _check_text(name, f"a name in {where}")
            _check(inside, f"{where}.{name[:LONGEST_SHOWN]}", depth - 1)
    elif isinstance(value, list):
        for at, inside in enumerate(value):
            _check(inside, f"{where}[{at}]", depth - 1)
    elif isinstance(value, str):
        _check_text(value, where)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{where} must be a number that is not endless (got {value})")
    elif isinstance(value, int) and abs(value) > LARGEST:
        raise ConfigError(f"{where} must be a number within 2^53")


def _check_text(text: str, where: str) -> None:
    if "\0" in text:
        raise ConfigError(f"{where} must not hold a null byte")
    try:
        text.encode()
    except UnicodeEncodeError as exc:
        raise ConfigError(
            f"{where} holds half a character, which is no Unicode text",
            hint="write it in UTF-8; a file whose name is none has to be renamed",
        ) from exc
