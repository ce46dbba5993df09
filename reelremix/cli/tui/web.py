"""The session in a browser on this machine, through textual-serve.

Whoever may reach the port may change clips, and every page of the web that is open in a browser may
reach it. So it answers nobody but the browser that opened the address with its token, and no page
but its own.
"""

from __future__ import annotations

import hmac
import secrets
import shlex
import sys
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware
from textual_serve.server import Server

from reelremix.cli import output
from reelremix.errors import ConfigError

HOST = "127.0.0.1"
COOKIE = "reelremix-review"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ReviewServer(Server):
    """Serves a review to those who know its token."""

    def __init__(self, named: str | None, port: int) -> None:
        command = [sys.executable, "-m", "reelremix", "review", *([named] if named else [])]
        super().__init__(shlex.join(command), host=HOST, port=port, title="ReelRemix")
        self.token = secrets.token_urlsafe(24)

    @property
    def address(self) -> str:
        """Where to go with a browser."""
        return f"http://{HOST}:{self.port}/?token={self.token}"

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self._guard())
        return app

    async def on_startup(self, app: web.Application) -> None:
        """Say nothing yet: nobody is answered before `serve` says where to go."""

    def serve(self, debug: bool = False) -> None:
        """Serve until Ctrl-C, and say where as soon as somebody is answered there."""

        def say(*_: object) -> None:
            output.show_text(f"{self.address}\n")
            sys.stdout.flush()

        web.run_app(self._make_app(), host=self.host, port=self.port, print=say)

    def _guard(self) -> Middleware:
        hosts = {f"{HOST}:{self.port}", f"localhost:{self.port}"}

        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            origin = request.headers.get("Origin")
            if request.host not in hosts or origin not in (None, f"http://{request.host}"):
                raise web.HTTPForbidden(text="this session is for its own page alone\n")
            if self._is_known(request.query.get("token")):
                answer = web.HTTPFound("/")
                answer.set_cookie(COOKIE, self.token, httponly=True, samesite="Strict")
                raise answer
            if not self._is_known(request.cookies.get(COOKIE)):
                raise web.HTTPForbidden(text="open the address that `reelremix review` printed\n")
            return await handler(request)

        return guard

    def _is_known(self, token: str | None) -> bool:
        return token is not None and hmac.compare_digest(token.encode(), self.token.encode())


def serve_review(named: str | None, port: int) -> None:
    """Serve until Ctrl-C. Raises ConfigError for a port that is taken."""
    try:
        ReviewServer(named, port).serve()
    except OSError as exc:
        raise ConfigError(
            f"port {port} cannot be used: {(exc.strerror or str(exc)).lower()}",
            hint="choose another one with `--port`",
        ) from exc
