"""Beginning a session, in this terminal or in a browser."""

from __future__ import annotations

import os
import sys

from reelremix.config import load_settings
from reelremix.errors import ConfigError, ModelError


def start(source: str | None) -> None:
    """Run the session in this terminal. Raises what kept it from opening."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigError(
            "a review needs a terminal",
            hint="`reelremix clip edit` changes clips from scripts, `--web` opens a browser's",
        )
    settings = load_settings().settings
    from reelremix.cli.tui.app import ReviewApp
    from reelremix.cli.tui.pictures import picture_widget

    error = ReviewApp(settings, source, picture_widget(settings.pictures, os.environ)).run()
    if error is not None:
        raise error


def serve(source: str | None, port: int) -> None:
    """Serve the session on the loopback interface until Ctrl-C."""
    try:
        from textual_serve.server import Server
    except ImportError as exc:
        raise ModelError(
            "textual-serve is not installed, so no browser can be served",
            hint="`pip install 'reelremix[review]'` adds it",
        ) from exc
    import shlex

    command = [sys.executable, "-m", "reelremix", "review", *([source] if source else [])]
    Server(shlex.join(command), host="127.0.0.1", port=port, title="ReelRemix").serve()
