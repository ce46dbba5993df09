"""Standard streams as shells and pipes hand them over: full, closed, or gone half-way."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.media_factory import plain_film

pytestmark = pytest.mark.slow

COMMAND = f"{sys.executable} -m reelremix"
needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")


def shell(line: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a line of bash; `$R` is the command."""
    import os

    env = {**os.environ, "R": COMMAND, **environ}
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, env=env)


def test_a_reader_that_goes_away_is_no_failure() -> None:
    ended = shell("$R models list --json | head -1; echo ${PIPESTATUS[0]}")
    assert ended.stdout.split() == ["{", "0"] and ended.stderr == ""


@needs_full
@pytest.mark.parametrize("command", ["--version", "models list"])
def test_a_full_disk_behind_stdout_ends_with_2(command: str) -> None:
    ended = shell(f"$R {command} > /dev/full")
    assert ended.returncode == 2
    assert ended.stderr == (
        "reelremix: error: the result cannot be written: no space left on device\n"
    )


def test_closed_streams_change_no_exit_code(tmp_path: Path) -> None:
    film = plain_film(tmp_path / "a.mp4", 1)
    assert shell(f"$R probe {film} >&-").returncode == 0
    assert shell("$R probe nothing.mp4 2>&-").returncode == 4
    assert shell("$R probe nothing.mp4 2>&-").stdout == ""


def test_letters_the_terminal_lacks_are_spelled_out(tmp_path: Path) -> None:
    film = plain_film(tmp_path / "\N{SNOWMAN}.mp4", 1)
    ended = shell(f"$R probe '{film}'", PYTHONIOENCODING="ascii")
    assert ended.returncode == 0 and r"\u2603.mp4" in ended.stdout


def test_errors_in_json_progress_are_json_too() -> None:
    ended = shell("$R clip nothing.mp4 --progress json")
    assert ended.returncode == 4
    assert all(line.startswith("{") for line in ended.stderr.splitlines())
    assert '"type": "job_failed"' in ended.stderr.splitlines()[-1]


def test_no_home_is_explained() -> None:
    ended = shell("env -u HOME REELREMIX_DATA_DIR='~nobody-here/x' $R library list")
    assert ended.returncode == 2 and "Traceback" not in ended.stderr
    assert "data_dir ~nobody-here/x cannot be found" in ended.stderr
