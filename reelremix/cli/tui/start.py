"""Beginning a session, in this terminal or in a browser."""

from __future__ import annotations

import importlib.util
import os
import sys

from reelremix.config import load_settings
from reelremix.errors import ConfigError, ModelError, ReelRemixError


def start(source: str | None) -> None:
    """Run the session in this terminal. Raises what kept it from opening."""
    is_served = "TEXTUAL_DRIVER" in os.environ  # a browser is its terminal
    if not is_served and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigError(
            "a review needs a terminal",
            hint="`reelremix clip edit` changes clips from scripts, `--web` opens a browser's",
        )
    settings = load_settings().settings
    from reelremix.cli.errorlog import errors_logged
    from reelremix.cli.tui.app import ReviewApp
    from reelremix.cli.tui.pictures import picture_widget

    picture = None if is_served else picture_widget(settings.pictures, os.environ)
    app = ReviewApp(settings, source, picture)
    with errors_logged(settings.log_path):
        error = app.run()
        try:
            app.desk.close()
        except ReelRemixError as exc:
            app.desk.untold.append(exc)
    for untold in (error, *app.desk.untold):
        if untold is not None:
            raise untold
    if app.return_code:
        raise SystemExit(app.return_code)


def serve(source: str | None, port: int) -> None:
    """Serve the session to a browser on this machine until Ctrl-C."""
    if importlib.util.find_spec("textual_serve") is None:
        raise ModelError(
            "textual-serve is not installed, so no browser can be served",
            hint="`pip install 'reelremix[review]'` adds it",
        )
    from reelremix.cli.tui.web import serve_review

    serve_review(source, port)
