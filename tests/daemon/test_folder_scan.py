from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reelremix.daemon.folder_scan import looks_like_media, may_be_recording, scan
from reelremix.engine.domain.watch import Watch, WhenDone
from reelremix.errors import Cancelled


def found(folder: Path, **changes: Any) -> list[str]:
    """Paths inside a folder that a watch of it would look at."""
    watch = replace(Watch(id="w", folder=str(folder), created_at=1.0), **changes)
    return sorted(p.relative_to(folder).as_posix() for p in scan(watch, lambda: None).files)


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def test_what_is_hidden_or_half_done_is_passed_over(tmp_path: Path) -> None:
    put(tmp_path, "talk.mp4", ".hidden.mp4", "~talk.mp4", "talk.mp4.part", "a.crdownload")
    put(tmp_path, "b.TMP", "talk.mp4.clips.txt", "talk.mp4.failed.txt", ".reelremix-1.part")
    assert found(tmp_path) == ["talk.mp4"]


def test_patterns_of_ones_own_are_passed_over_by_name_or_path(tmp_path: Path) -> None:
    put(tmp_path, "a.mp4", "a.draft.MP4", "old/b.mp4", "new/b.mp4")
    ignore = ("*.Draft.*", "old/*")
    assert found(tmp_path, recursive=True, ignore=ignore) == ["a.mp4", "new/b.mp4"]


def test_folders_inside_are_looked_through_if_that_is_wished(tmp_path: Path) -> None:
    put(tmp_path, "a.mp4", "x/b.mp4", "x/y/c.mp4", ".z/d.mp4")
    assert found(tmp_path) == ["a.mp4"]
    assert found(tmp_path, recursive=True) == ["a.mp4", "x/b.mp4", "x/y/c.mp4"]


@pytest.mark.parametrize("mark", ["clips.json", ".reelremix-run.json"])
def test_folders_of_clips_are_left_alone_with_all_that_is_in_them(
    tmp_path: Path, mark: str
) -> None:
    put(tmp_path, "a.mp4", "clips/talk/01-a.mp4", f"clips/talk/{mark}", "clips/talk/x/b.mp4")
    assert found(tmp_path, recursive=True) == ["a.mp4"]


def test_a_watched_folder_of_clips_says_so(tmp_path: Path) -> None:
    put(tmp_path, "01-a.mp4", "clips.json")
    watch = Watch(id="w", folder=str(tmp_path), created_at=1.0)
    result = scan(watch, lambda: None)
    assert result.is_output and not result.files


def test_folders_that_a_watch_moves_into_are_its_own(tmp_path: Path) -> None:
    put(tmp_path, "done/a.mp4", "failed/b.mp4", "x/done/c.mp4")
    move, leave = WhenDone.MOVE, WhenDone.LEAVE
    assert found(tmp_path, recursive=True, when_done=move) == ["x/done/c.mp4"]
    assert len(found(tmp_path, recursive=True, when_done=leave)) == 3


def test_links_that_lead_in_a_circle_are_no_trouble(tmp_path: Path) -> None:
    put(tmp_path, "x/a.mp4")
    (tmp_path / "x" / "up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "self.mp4").symlink_to(tmp_path / "self.mp4")
    (tmp_path / "nothing.mp4").symlink_to(tmp_path / "nowhere")
    (tmp_path / "linked.mp4").symlink_to(tmp_path / "x" / "a.mp4")
    watch = Watch(id="w", folder=str(tmp_path), created_at=1.0, recursive=True)
    result = scan(watch, lambda: None)
    assert {p.name for p in result.files} == {"a.mp4", "linked.mp4"} and not result.unreadable


def test_only_files_are_recordings(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "folder.mp4").mkdir()
    assert found(tmp_path) == []


def test_hostile_names_are_names(tmp_path: Path) -> None:
    names = ["a\nb.mp4", "é" * 125 + ".mp4", "%s $(x) '\".mp4", os.fsdecode(b"\xff.mp4")]
    put(tmp_path, *names)
    assert found(tmp_path) == sorted(names)


def test_a_scan_can_be_broken_off(tmp_path: Path) -> None:
    put(tmp_path, "a.mp4")

    def check() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        scan(Watch(id="w", folder=str(tmp_path), created_at=1.0), check)


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        found(tmp_path / "nowhere")


MEDIA = [
    b"\0\0\0\x20ftypisom", b"\0\0\0\x20ftypqt  ", b"\0\0\0\x08wide", b"\x1aE\xdf\xa3...",
    b"RIFF....WAVE", b"RIFF....AVI ", b"OggS", b"fLaC", b"ID3\x03", b"FLV\x01",
    (b"G" + b"\0" * 187) * 3,
]  # fmt: skip
OTHERS = [b"", b"G", b"Good morning", b"RIFF....WEBP", b"\0\0\0\x20ftypheic", b"\0\0\0\x18ftypavif",
          b"\xff\xd8\xff\xe0", b"\x89PNG", b"%PDF-1.7", b"PK\x03\x04", b"{}"]  # fmt: skip


@pytest.mark.parametrize("header", MEDIA)
def test_recordings_are_known_by_how_they_begin(header: bytes, tmp_path: Path) -> None:
    assert looks_like_media(header)
    (tmp_path / "nameless").write_bytes(header)
    assert may_be_recording(tmp_path / "nameless")


@pytest.mark.parametrize("header", OTHERS)
def test_pictures_and_texts_are_no_recordings(header: bytes) -> None:
    assert not looks_like_media(header)


def test_a_name_is_enough(tmp_path: Path) -> None:
    put(tmp_path, "a.MP4", "notes.txt")
    assert may_be_recording(tmp_path / "a.MP4") and not may_be_recording(tmp_path / "notes.txt")
