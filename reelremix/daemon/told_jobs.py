"""Of which jobs somebody was told that they have ended, kept across the end of the process."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path

from reelremix.engine.domain.job import JobRecord
from reelremix.engine.store.files import write_atomically
from reelremix.errors import ConfigError

MOST = 1000

_log = logging.getLogger("reelremix.daemon")


class ToldJobs:
    """The last jobs whose end was told or seen to, or given up on; in a small file."""

    def __init__(self, file: Path) -> None:
        """Read the file; where it is damaged, jobs are told of once more."""
        self._file = file
        self._lock = threading.Lock()
        self._told: dict[str, None] = {}
        try:
            self._told = dict.fromkeys(str(key) for key in json.loads(file.read_bytes()))
        except FileNotFoundError:
            pass
        except (OSError, ValueError, TypeError) as exc:
            _log.warning("who was told of which job is not known any more: %s", exc)

    def has(self, job: JobRecord) -> bool:
        """Whether the end of a job was told."""
        return _key(job) in self._told

    def add(self, job: JobRecord) -> None:
        """It was, or is told no more."""
        with self._lock:
            self._told[_key(job)] = None
            kept = list(self._told)[-MOST:]
            self._told = dict.fromkeys(kept)
            try:
                write_atomically(self._file, json.dumps(kept).encode())
            except ConfigError as exc:  # it is told once more after the next start
                _log.warning("that job %s was told of is not kept: %s", job.id, exc)


def _key(job: JobRecord) -> str:
    return f"{job.id}:{job.attempt}"
