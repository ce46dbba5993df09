"""Worker processes that are disturbed: by Ctrl-C, faults, crashes and libraries that print."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import psutil
import pytest

from reelremix.engine.domain.clip import OutputFormat
from reelremix.engine.domain.context import CancelToken
from reelremix.engine.domain.layout import Layout
from reelremix.engine.media.encode import EncoderSettings
from reelremix.engine.media.hardware import HARDWARE, works
from reelremix.engine.pipes import message_in
from reelremix.engine.stages.render import RenderTask
from reelremix.engine.workers import Outcome, render_all
from reelremix.errors import Cancelled
from tests.fakes import clip_of, presented
from tests.media_factory import plain_film

pytestmark = pytest.mark.processes
OUTPUT = OutputFormat(90, 160, Fraction(25))
Told = Callable[[RenderTask, int, int], None]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds."""
    return plain_film(tmp_path_factory.mktemp("media") / "a.mp4", 10, size=(160, 90))


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the engine logs as errors, in place of the root logger."""
    logger, messages = logging.getLogger("reelremix"), list[str]()

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            messages.append(record.getMessage())

    monkeypatch.setattr(logger, "propagate", False)
    monkeypatch.setattr(logger, "handlers", [Keep()])
    return messages


def tasks(film: Path, folder: Path, count: int, seconds: float = 9) -> list[RenderTask]:
    presentation = presented(film)
    made = (replace(clip_of(presentation, 0, seconds, OUTPUT), id=f"clip{n}") for n in range(count))
    return [
        RenderTask(str(film), presentation, clip, EncoderSettings(preset="ultrafast"),
                   str(folder / f"{clip.id}-film.part"), str(folder / f"{clip.id}-still.part"))
        for clip in made
    ]  # fmt: skip


def outcomes(
    tasks: list[RenderTask], jobs: int, told: Told, cancel: CancelToken | None = None
) -> list[Outcome]:
    return list(render_all(tasks, jobs, cancel or CancelToken(), told))


def ignore(*_: object) -> None:
    """A listener that does not care."""


@pytest.mark.skipif(os.name != "posix", reason="sessions are a thing of POSIX")
def test_ctrl_c_at_the_terminal_does_not_reach_workers(film: Path, tmp_path: Path) -> None:
    sessions: set[int] = set()

    def look(*_: object) -> None:
        sessions.update(os.getsid(child.pid) for child in psutil.Process().children())

    outcomes(tasks(film, tmp_path, 1, 1), 1, look)
    assert sessions and os.getsid(0) not in sessions


def test_a_fault_nobody_foresaw_costs_one_clip_and_its_stack_is_logged(
    film: Path, tmp_path: Path, logged: list[str]
) -> None:
    broken, good = tasks(film, tmp_path, 2, 1)
    broken = replace(broken, clip=replace(broken.clip, layout=Layout(())))
    workers: set[int] = set()

    def look(*_: object) -> None:
        workers.update(child.pid for child in psutil.Process().children())

    failed, done = sorted(outcomes([broken, good], 1, look), key=lambda o: o.error is None)
    assert (failed.error or "").startswith("unexpected IndexError: ")
    assert "please report it" in (failed.hint or "")
    assert done.error is None and len(workers) == 1
    [stack] = logged
    assert stack.startswith("clip clip0 failed:\nTraceback") and "IndexError" in stack


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_what_a_process_said_when_it_crashed_is_logged(
    film: Path, tmp_path: Path, logged: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    crashed: list[int] = []

    def crash(*_: object) -> None:
        if not crashed:
            [child] = psutil.Process().children()
            child.send_signal(signal.SIGSEGV)
            crashed.append(child.pid)

    [outcome] = outcomes(tasks(film, tmp_path, 1), 1, crash)
    assert "ended unexpectedly" in (outcome.error or "")
    [words] = logged
    assert "a rendering process died (exit code -11)" in words and "Segmentation fault" in words
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(os.name != "posix", reason="stops processes in their tracks")
def test_workers_that_do_not_answer_are_all_ended_within_the_same_moment(
    film: Path, tmp_path: Path
) -> None:
    cancel, began = CancelToken(), list[float]()

    def freeze(*_: object) -> None:
        if not began:
            for child in psutil.Process().children():
                child.suspend()
            began.append(time.monotonic())
            cancel.set()

    with pytest.raises(Cancelled):
        outcomes(tasks(film, tmp_path, 3), 3, freeze, cancel)
    assert time.monotonic() - began[0] < 0.9
    assert not psutil.Process().children() and not list(tmp_path.iterdir())


@pytest.mark.parametrize("encoder", [name for name in HARDWARE if not works(name)][:1])
def test_a_clip_written_by_another_encoder_says_so(
    film: Path, tmp_path: Path, encoder: str
) -> None:
    [task] = tasks(film, tmp_path, 1, 1)
    [outcome] = outcomes([replace(task, settings=EncoderSettings(encoder))], 1, ignore)
    assert outcome.error is None and outcome.verdict is not None
    assert f"'{encoder}' does not open" in (outcome.notice or "")


def test_what_libraries_print_stays_out_of_the_messages() -> None:
    noisy = (
        "import os\n"
        "from reelremix.engine.worker import private_stdout\n"
        "os.write(1, b'loading')\n"
        "messages = private_stdout()\n"
        "os.write(1, b'native')\n"
        "print('python', flush=True)\n"
        'print(\'{"type": "said"}\', file=messages, flush=True)\n'
    )
    ended = subprocess.run(
        [sys.executable, "-c", noisy], capture_output=True, text=True, check=True
    )
    assert ended.stderr == "nativepython\n"
    assert [message_in(line) for line in ended.stdout.splitlines()] == [None, {"type": "said"}]


@pytest.mark.parametrize("line", ["", "loading 3 %", "3", "null", "[]", "{}", '{"a": 1}'])
def test_a_line_that_is_no_message_is_passed_over(line: str) -> None:
    assert message_in(line) is None
