from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from reelremix.daemon import observing
from reelremix.daemon.observing import Observation, is_on_network
from tests.daemon.folders import eventually, held


@dataclass
class Mounted:
    """A file system as psutil tells of it."""

    mountpoint: str
    fstype: str
    opts: str = "rw"


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "smb3", "fuse.sshfs", "9p", "davfs", "SMBFS"])
def test_network_drives_are_known_by_their_kind(kind: str) -> None:
    mounts = [Mounted("/", "ext4"), Mounted("/mnt/nas", kind)]
    assert is_on_network(Path("/mnt/nas/drop"), mounts)
    assert not is_on_network(Path("/mnt/nasty"), mounts)
    assert not is_on_network(Path("/home"), mounts)


def test_the_nearest_file_system_counts() -> None:
    mounts = [Mounted("/mnt", "nfs"), Mounted("/", "nfs"), Mounted("/mnt/disk", "xfs")]
    assert not is_on_network(Path("/mnt/disk/drop"), mounts)


def test_windows_says_so_among_the_options() -> None:
    assert is_on_network(Path("/z/drop"), [Mounted("/z", "NTFS", "rw,remote")])
    assert not is_on_network(Path("/z/drop"), [])


def test_this_machine_can_be_asked(tmp_path: Path) -> None:
    assert is_on_network(tmp_path) in (True, False)


@pytest.fixture
def told() -> threading.Event:
    """Set when there was something."""
    return threading.Event()


@pytest.fixture
def observation(told: threading.Event) -> Iterator[Observation]:
    """One that is stopped at the end."""
    observation = Observation(told.set)
    yield observation
    observation.stop()


@pytest.mark.parametrize("poll_s", [None, 0.02])
def test_what_happens_in_a_folder_is_told(
    tmp_path: Path, observation: Observation, told: threading.Event, poll_s: float | None
) -> None:
    link = tmp_path / "link"
    (tmp_path / "real").mkdir()
    link.symlink_to(tmp_path / "real")
    observation.start(link, recursive=True, poll_s=poll_s)
    (link / "a.mp4").write_bytes(b"x")
    assert told.wait(10)
    told.clear()
    os.renames(link / "a.mp4", link / "inside" / "b.mp4")
    assert told.wait(10) and observation.is_on


def test_reading_is_not_told(
    tmp_path: Path, observation: Observation, told: threading.Event
) -> None:
    (tmp_path / "a.mp4").write_bytes(b"x")
    observation.start(tmp_path, recursive=False, poll_s=None)
    for _ in range(20):
        (tmp_path / "a.mp4").read_bytes()
    assert not told.wait(0.1)


@pytest.mark.parametrize("poll_s", [None, 0.02])
def test_a_folder_that_is_gone_is_no_longer_looked_out_in(
    tmp_path: Path, observation: Observation, poll_s: float | None
) -> None:
    folder = tmp_path / "drop"
    folder.mkdir()
    observation.start(folder, recursive=False, poll_s=poll_s)
    assert observation.is_on
    folder.rmdir()
    eventually(lambda: not observation.is_on)
    with pytest.raises(OSError):
        observation.start(folder, recursive=False, poll_s=poll_s)
    assert not observation.is_on


def test_a_system_without_room_for_more_is_done_without(
    tmp_path: Path,
    observation: Observation,
    told: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse() -> None:
        raise OSError(errno.EMFILE, "inotify instance limit reached")

    monkeypatch.setattr(observing, "Observer", refuse)
    monkeypatch.setattr(observing, "FALLBACK_POLL_S", 0.02)
    observation.start(tmp_path, recursive=False, poll_s=None)
    (tmp_path / "a.mp4").write_bytes(b"x")
    assert told.wait(10)


def test_nothing_is_left_running(tmp_path: Path, told: threading.Event) -> None:
    before = held()
    for poll_s in (None, 0.02) * 5:
        observation = Observation(told.set)
        observation.start(tmp_path, recursive=True, poll_s=poll_s)
        observation.stop()
    assert held() == before
