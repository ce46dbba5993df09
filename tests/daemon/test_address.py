from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reelremix.daemon.address import Address, DaemonFolder
from reelremix.errors import DaemonError
from tests.daemon.rig import eventually

ADDRESS = Address(4000, 123, "0.1.0", 1)
CLAIM = (
    "import sys, time; from pathlib import Path; from reelremix.daemon.address import DaemonFolder;"
    "folder = DaemonFolder(Path(sys.argv[1])); folder.claim();"
    "print('held', flush=True); time.sleep(60)"
)


def test_there_is_one_daemon_a_folder(tmp_path: Path) -> None:
    first, second = DaemonFolder(tmp_path / "daemon"), DaemonFolder(tmp_path / "daemon")
    assert not second.is_claimed()
    first.claim()
    assert second.is_claimed()
    with pytest.raises(DaemonError, match="a daemon runs already"):
        second.claim()


def test_a_lock_goes_with_the_process_that_held_it(tmp_path: Path) -> None:
    folder = DaemonFolder(tmp_path)
    child = subprocess.Popen(
        [sys.executable, "-c", CLAIM, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    with child.stdout:
        assert child.stdout.readline() == "held\n"
        folder.announce(ADDRESS, folder.new_token())
        assert folder.is_claimed()
        child.kill()
        child.wait()
    eventually(lambda: not folder.is_claimed(), 2)
    folder.claim()


def test_nobody_else_can_read_the_token(tmp_path: Path) -> None:
    folder = DaemonFolder(tmp_path / "daemon")
    folder.claim()
    token = folder.new_token()
    assert folder.token() == token and len(token) > 40
    assert stat.S_IMODE((folder.path / "token").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700


def test_every_daemon_has_another_token(tmp_path: Path) -> None:
    folder = DaemonFolder(tmp_path)
    (tmp_path / "token").symlink_to(tmp_path / "elsewhere")
    assert folder.new_token() != folder.new_token()
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.skipif(os.name != "posix", reason="access lists are Windows' way")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_token_that_others_can_read_is_not_used(tmp_path: Path, mode: int) -> None:
    folder = DaemonFolder(tmp_path)
    folder.new_token()
    (tmp_path / "token").chmod(mode)
    with pytest.raises(DaemonError, match="others can read the daemon's token") as caught:
        folder.token()
    assert "restart" in (caught.value.hint or "")


def test_an_address_is_read_as_it_was_announced(tmp_path: Path) -> None:
    folder = DaemonFolder(tmp_path)
    assert folder.address() is None
    folder.announce(ADDRESS, folder.new_token())
    assert folder.address() == ADDRESS and ADDRESS.url == "http://127.0.0.1:4000"
    folder.withdraw()
    assert folder.address() is None


@pytest.mark.parametrize("lost", ["token", "address.json"])
@pytest.mark.parametrize("how", ["gone", "damaged"])
def test_what_a_daemon_is_found_by_is_written_again(tmp_path: Path, lost: str, how: str) -> None:
    folder = DaemonFolder(tmp_path)
    token = folder.new_token()
    folder.announce(ADDRESS, token)
    (tmp_path / lost).unlink()
    if how == "damaged":
        (tmp_path / lost).write_bytes(b"\xff[]")
    folder.announce(ADDRESS, token)
    assert folder.address() == ADDRESS and folder.token() == token


def test_a_token_that_others_could_read_is_not_made_to_look_sound(tmp_path: Path) -> None:
    folder = DaemonFolder(tmp_path)
    token = folder.new_token()
    (tmp_path / "token").chmod(0o644)
    folder.announce(ADDRESS, token)
    with pytest.raises(DaemonError, match="others can read"):
        folder.token()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"port": "x"}', '{"port": 1}', "null"])
def test_an_address_that_is_not_understood_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "address.json").write_text(text)
    assert DaemonFolder(tmp_path).address() is None


def test_a_missing_token_is_told(tmp_path: Path) -> None:
    with pytest.raises(DaemonError, match="cannot be read: no such file"):
        DaemonFolder(tmp_path).token()


def test_looking_for_a_daemon_makes_no_folder(tmp_path: Path) -> None:
    began = time.monotonic()
    assert not DaemonFolder(tmp_path / "none").is_claimed()
    assert not (tmp_path / "none").exists() and time.monotonic() - began < 1
