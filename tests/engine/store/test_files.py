from __future__ import annotations

import errno
from pathlib import Path

import pytest

from reelremix.engine.domain.context import PartialFiles
from reelremix.engine.store.files import (
    PIECE_BYTES,
    file_sha256,
    replacing,
    write_atomically,
)
from reelremix.engine.store.memory import MemoryCatalogue
from reelremix.engine.store.sources import LocalSourceAccess, identify_file
from reelremix.errors import Cancelled, ConfigError, UnreadableMedia


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_whole_with_its_folders(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a" / "b.json", b"{}")
    assert (tmp_path / "a" / "b.json").read_bytes() == b"{}"
    assert names(tmp_path / "a") == ["b.json"]


def test_a_failed_write_keeps_the_old_content_and_leaves_no_part(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    target.write_bytes(b"old")
    partial = PartialFiles()
    with pytest.raises(RuntimeError), replacing(target, partial) as part:
        part.write_bytes(b"new")
        assert list(partial) == [part] and part.parent == tmp_path
        raise RuntimeError
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["a.json"] and not list(partial)


def test_a_full_disk_is_a_plain_error_with_the_file_in_it(tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    said = pytest.raises(ConfigError, match=r"a\.json: no space left")
    with said as caught, replacing(tmp_path / "a.json"):
        raise full
    assert "--out DIR" in (caught.value.hint or "")


def test_a_file_in_place_of_a_folder_is_a_plain_error(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(ConfigError, match="cannot write"):
        write_atomically(tmp_path / "a" / "b.json", b"{}")


def test_a_link_is_the_file_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"film")
    (tmp_path / "link.mp4").symlink_to(tmp_path / "a.mp4")
    assert identify_file(tmp_path / "link.mp4") == identify_file(tmp_path / "a.mp4")


def test_links_that_lead_round_in_a_circle_are_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    loop = tmp_path / "loop.mp4"
    loop.symlink_to(loop)
    with pytest.raises(OSError) as caught:
        identify_file(loop)
    assert caught.value.errno == errno.ELOOP


def test_a_source_is_found_where_it_was_seen_last_unchanged(tmp_path: Path) -> None:
    catalogue = MemoryCatalogue()
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).write_bytes(b"film")
        catalogue.remember_file(identify_file(tmp_path / name), "source")
    access = LocalSourceAccess(catalogue)
    with access.open("source") as path:
        assert path.name == "b.mp4"
    (tmp_path / "b.mp4").write_bytes(b"another film")
    with access.open("source") as path:
        assert path.name == "a.mp4"
    (tmp_path / "a.mp4").unlink()
    with pytest.raises(UnreadableMedia, match=r"b\.mp4 is another file now") as caught:
        access.open("source").__enter__()
    assert "`reelremix library relink FOLDER`" in str(caught.value.hint)
    (tmp_path / "b.mp4").unlink()
    with pytest.raises(UnreadableMedia, match="no longer where") as caught:
        access.open("source").__enter__()
    assert "`reelremix library relink FOLDER`" in str(caught.value.hint)


def test_hashing_tells_how_far_it_is_and_can_be_broken_off(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"x" * (PIECE_BYTES + 5))
    told: list[int] = []
    assert file_sha256(path, told.append) == file_sha256(path)
    assert told == [PIECE_BYTES, PIECE_BYTES + 5]

    def stop(_: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        file_sha256(path, stop)
