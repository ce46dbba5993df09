from __future__ import annotations

import threading
from pathlib import Path

import pytest

from reelremix.daemon.filing import file_away


def test_a_recording_goes_into_a_folder_beside_it(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"x")
    moved = file_away(tmp_path / "a.mp4", tmp_path / "done")
    assert moved == tmp_path / "done" / "a.mp4" and moved.read_bytes() == b"x"
    assert not (tmp_path / "a.mp4").exists()
    assert file_away(moved, tmp_path / "done") == moved


def test_nothing_is_ever_overwritten(tmp_path: Path) -> None:
    done = tmp_path / "done"
    for content in (b"1", b"2", b"3"):
        (tmp_path / "a.b.mp4").write_bytes(content)
        file_away(tmp_path / "a.b.mp4", done)
    contents = {path.name: path.read_bytes() for path in done.iterdir()}
    assert contents == {"a.b.mp4": b"1", "a.b (2).mp4": b"2", "a.b (3).mp4": b"3"}


@pytest.mark.parametrize("name", ["x" * 255, "é" * 125 + ".mp4", "a." + "b" * 250, "a\nb.mp4"])
def test_long_names_stay_possible(tmp_path: Path, name: str) -> None:
    for content in (b"1", b"2"):
        (tmp_path / name).write_bytes(content)
        file_away(tmp_path / name, tmp_path / "done")
    held = sorted(path.read_bytes() for path in (tmp_path / "done").iterdir())
    assert held == [b"1", b"2"]


def test_a_link_stays_where_it_leads_somewhere(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"x")
    (tmp_path / "b.mp4").symlink_to("a.mp4")
    assert file_away(tmp_path / "b.mp4", tmp_path / "done") == tmp_path / "b.mp4"


def test_what_cannot_be_moved_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        file_away(tmp_path / "gone.mp4", tmp_path / "done")
    assert list((tmp_path / "done").iterdir()) == []


def test_several_at_once_lose_nothing(tmp_path: Path) -> None:
    sources = [tmp_path / str(number) / "a.mp4" for number in range(20)]
    for number, source in enumerate(sources):
        source.parent.mkdir()
        source.write_text(str(number))
    done = tmp_path / "done"
    threads = [threading.Thread(target=file_away, args=(s, done)) for s in sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(int(path.read_text()) for path in done.iterdir()) == list(range(20))
