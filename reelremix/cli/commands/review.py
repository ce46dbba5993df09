"""`reelremix review`: a session in the terminal, or in a browser."""

from __future__ import annotations

from typing import Annotated

import typer

WEB_PORT = 8765


def review(
    source: Annotated[
        str | None,
        typer.Argument(help="A folder of clips, a recording, or the name or id of one."),
    ] = None,
    web: Annotated[
        bool, typer.Option("--web", help="Serve the session to a browser on this machine.")
    ] = False,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port for --web.")] = WEB_PORT,
) -> None:
    """Review clips: keep, drop, cut, correct and render them, with the keyboard or the mouse."""
    from reelremix.cli.tui.start import serve, start

    if web:
        serve(source, port)
    else:
        start(source)
