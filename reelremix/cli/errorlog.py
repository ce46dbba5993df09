"""Where stacks go while a job runs: into the log of errors, never onto the terminal."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reelremix.cli import diagnostics


class ErrorLog(logging.Handler):
    """Appends errors to `errors.log`, which is made with its folder when first needed."""

    def __init__(self, folder: Path) -> None:
        super().__init__(logging.ERROR)
        self._folder = folder
        self.advice: str | None = None
        """What to tell the user about what was logged, if anything was."""

    def emit(self, record: logging.LogRecord) -> None:
        """Append one error."""
        self.advice = diagnostics.log_stack(self._folder, self.format(record))


@contextmanager
def errors_logged(folder: Path, *, quiet: bool = False) -> Iterator[None]:
    """Log what the engine reports meanwhile, and say where it is afterwards, unless `quiet`."""
    logger, handler = logging.getLogger("reelremix"), ErrorLog(folder)
    before, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = before
        if handler.advice and not quiet:
            diagnostics.say(f"hint: {handler.advice}")
