"""The command line as users meet it, in a process of its own, and what it leaves behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reelremix.engine.domain.transcript import Transcript
from reelremix.engine.export.transcript import format_transcript
from tests.fakes import spoken

ERROR = "reelremix: error: "
TALK = (
    "Why did nobody tell me that ten minutes a day is enough?",
    "Most people quit because they start with an hour and hate it.",
    "So I began with one page, and after a year I had read forty books.",
    "The secret is never to miss twice.",
)
QUICK = ("--no-faces", "--captions", "none", "--fps", "10", "--encoder-preset", "ultrafast")
"""Options that make rendering a second of film cheap."""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        """The error lines."""
        return [line for line in self.err.splitlines() if line.startswith(ERROR)]

    @property
    def json(self) -> Any:
        """The result as JSON."""
        return json.loads(self.out)

    def failed_politely(self, code: int, said: str) -> bool:
        """One line that says it, a hint, the right code, and no stack."""
        assert (self.code, len(self.errors)) == (code, 1), self.err
        assert said in self.errors[0], self.errors
        assert "Traceback" not in self.err + self.out
        assert self.out == ""
        return True


Command = Callable[..., Ended]


def arguments(*parts: object) -> list[str]:
    """The command line of a process of its own."""
    return [sys.executable, "-m", "reelremix", *(str(part) for part in parts)]


def in_process(*parts: object, prefix: Sequence[str] = (), timeout_s: float = 60) -> Ended:
    """Run a command to its end."""
    done = subprocess.run(
        [*prefix, *arguments(*parts)],
        capture_output=True, text=True, encoding="utf-8", timeout=timeout_s, check=False,
    )  # fmt: skip
    return Ended(done.returncode, done.stdout, done.stderr)


def wait_for(process: subprocess.Popen[str], event: str, **fields: object) -> dict[str, Any]:
    """Read a command's JSON progress until it tells of an event."""
    assert process.stderr is not None
    for line in process.stderr:
        found = json.loads(line) if line.startswith("{") else {}
        if found.get("type") == event and fields.items() <= found.items():
            return dict(found)
    raise AssertionError(f"{event} never came")


def end_of(process: subprocess.Popen[str], timeout_s: float = 60) -> Ended:
    """Wait for the end of a command that was started."""
    out, err = process.communicate(timeout=timeout_s)
    return Ended(process.returncode, out, err)


def words_file(path: Path, transcript: Transcript | None = None) -> Path:
    """A transcript to give with `--transcript`."""
    content = format_transcript(transcript or spoken(*TALK), "json")
    path.write_text(content, encoding="utf-8")
    return path


def partial_files() -> list[Path]:
    """Files of unfinished work, anywhere a test may write."""
    return [*Path(os.environ["HOME"]).rglob("*.part"), *Path(os.environ["HOME"]).rglob("*.part.*")]


def manifest_in(folder: Path) -> dict[str, Any]:
    """The content of a folder's clips.json."""
    return dict(json.loads((folder / "clips.json").read_text(encoding="utf-8")))
