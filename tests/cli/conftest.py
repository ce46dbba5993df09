"""The command line run inside the test's own process, which saves most of a second a run."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from reelremix.cli.entry import main
from tests.cli.commandline import Command, Ended, arguments
from tests.cli.serving import Serving, serving

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def reelremix(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Called with the arguments of a command, runs it and tells how it ended."""

    def run(*parts: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["reelremix", *(str(part) for part in parts)])
        capsys.readouterr()
        code: object = 0
        interrupt = signal.getsignal(signal.SIGINT)
        try:
            main()
        except SystemExit as exc:
            code = exc.code or 0
        finally:
            signal.signal(signal.SIGINT, interrupt)
        captured = capsys.readouterr()
        assert isinstance(code, int)
        return Ended(int(code), captured.out, captured.err)

    return run


@pytest.fixture
def start() -> Iterator[Start]:
    """Called with the arguments of a command, starts it and leaves it running."""
    running: list[subprocess.Popen[str]] = []

    def run(*parts: object) -> subprocess.Popen[str]:
        running.append(
            subprocess.Popen(
                arguments(*parts),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
            )
        )
        return running[-1]

    yield run
    for process in running:
        process.kill()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


@pytest.fixture(scope="module")
def daemon_of_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A daemon for all tests of a module."""
    with serving(tmp_path_factory.mktemp("data")) as served:
        yield served


@pytest.fixture
def served(daemon_of_module: Serving, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serving]:
    """The daemon that commands find, without jobs and watched folders."""
    monkeypatch.setenv("REELREMIX_DATA_DIR", str(daemon_of_module.data))
    yield daemon_of_module
    daemon_of_module.forget()
