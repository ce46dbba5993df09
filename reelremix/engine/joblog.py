"""A job's log: numbers facts through the catalogue and passes everything on."""

from __future__ import annotations

import threading
import time
from typing import Protocol

from reelremix.engine.domain.context import Catalogue
from reelremix.engine.domain.events import Event, LoggedEvent, StageFinished, StageProgress

PROGRESS_INTERVAL_S = 0.1


class Listener(Protocol):
    """Whoever follows a job: a terminal, a file of JSON lines, a test."""

    def receive(self, logged: LoggedEvent) -> None:
        """Take one event; must return quickly and never raise."""


class Silence:
    """A listener that does not care."""

    def receive(self, logged: LoggedEvent) -> None:
        """Forget it."""


class Unheard:
    """A reporter for what is looked up and is no job."""

    def emit(self, event: Event) -> None:
        """Forget it."""


class JobLog:
    """The `Reporter` of a job. Progress beyond ten events a second is dropped."""

    def __init__(self, job_id: str, catalogue: Catalogue, listener: Listener) -> None:
        self.job_id = job_id
        self._catalogue = catalogue
        self._listener = listener
        self._last_progress = 0.0
        self._lock = threading.Lock()
        self.stages: list[StageFinished] = []
        """Stages that ended, in order."""

    def emit(self, event: Event) -> None:
        """Log a fact, or pass on progress if it is time."""
        with self._lock:
            if isinstance(event, StageProgress) and self._is_too_soon():
                return
            if isinstance(event, StageFinished):
                self.stages.append(event)
            self._listener.receive(self._catalogue.append(self.job_id, event))

    def _is_too_soon(self) -> bool:
        now = time.monotonic()
        if now - self._last_progress < PROGRESS_INTERVAL_S:
            return True
        self._last_progress = now
        return False
