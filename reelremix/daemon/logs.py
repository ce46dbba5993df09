"""What the daemon logs: one JSON object a line, in files that are replaced when they are full."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

from reelremix.errors import ConfigError, DaemonError

LOG_NAME = "daemon.log"
MOST_BYTES, KEPT_FILES = 5_000_000, 5
LOOK_S = 0.2
EXTRAS = ("job", "step", "wall_s", "watch", "path")
"""What a message is about, each under a key of its own."""


class JsonLines(logging.Formatter):
    """`{"at", "level", "logger", "message"}`, what it is about, and the `stack` of an error."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        entry = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        entry |= {key: record.__dict__[key] for key in EXTRAS if key in record.__dict__}
        if record.exc_info:
            entry["stack"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def log_to(folder: Path, *, foreground: bool = False) -> None:
    """Log to files in a folder, and what is wrong to the terminal as well.

    Raises ConfigError where they cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = RotatingFileHandler(
            folder / LOG_NAME, maxBytes=MOST_BYTES, backupCount=KEPT_FILES, encoding="utf-8"
        )
    except OSError as exc:
        raise ConfigError(
            f"the daemon cannot log to {folder}: {(exc.strerror or str(exc)).lower()}",
            hint="set REELREMIX_DATA_DIR to a folder you can write to",
        ) from exc
    file.setFormatter(JsonLines())
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    root.addHandler(file)
    if foreground:
        terminal = logging.StreamHandler(sys.stderr)
        terminal.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        root.addHandler(terminal)
    for noisy in ("httpx", "httpcore", "dbos", "uvicorn", "watchdog"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def entries(folder: Path, lines: int, *, follow: bool = False) -> Iterator[str]:
    """The last lines of the log, oldest first; then what is added, if that is to be followed.

    Raises DaemonError where nothing was logged yet.
    """
    file = folder / LOG_NAME
    if not file.exists():
        raise DaemonError(
            f"nothing was logged yet in {folder}", hint="`reelremix daemon start` starts the daemon"
        )
    with file.open(encoding="utf-8", errors="replace") as log:
        yield from [line.rstrip("\n") for line in log.readlines()[-lines:]]
        place = log.tell()
    while follow:
        time.sleep(LOOK_S)
        with file.open(encoding="utf-8", errors="replace") as log:
            log.seek(place if file.stat().st_size >= place else 0)  # it was replaced meanwhile
            yield from (line.rstrip("\n") for line in log.readlines())
            place = log.tell()


def told(entry: str) -> str:
    """A line of the log for people."""
    try:
        content = json.loads(entry)
        stack = f"\n{content['stack']}" if content.get("stack") else ""
        about = " ".join(f"{key}={content[key]}" for key in EXTRAS if key in content)
        said = f"{content['message']} {about}".rstrip()
        return f"{content['at'][:19]} {content['level']:<7} {said}{stack}"
    except (ValueError, KeyError, TypeError):
        return entry
