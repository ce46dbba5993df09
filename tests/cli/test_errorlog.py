from __future__ import annotations

import logging
from pathlib import Path

import pytest

from reelremix.cli.errorlog import errors_logged


def report(text: str = "clip 1 failed:\nTraceback") -> None:
    """As the engine does."""
    logging.getLogger("reelremix").error(text)


def test_stacks_go_to_a_file_and_the_terminal_is_told_where(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with errors_logged(tmp_path / "logs"):
        report()
        report("clip 2 failed")
    log = tmp_path / "logs" / "errors.log"
    assert log.read_text() == "clip 1 failed:\nTraceback\nclip 2 failed\n"
    assert capfd.readouterr() == ("", f"hint: please report it with the stack in {log}\n")


def test_a_job_without_faults_leaves_no_log_and_says_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with errors_logged(tmp_path / "logs"):
        logging.getLogger("reelremix").warning("nothing to keep")
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_a_log_that_cannot_be_written_is_said_without_a_stack(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "logs").write_text("a file")
    with errors_logged(tmp_path / "logs"):
        report()
    told = capfd.readouterr().err
    assert told.startswith("hint: its stack could not be logged: ") and "Traceback" not in told
