"""Recordings found again by their content."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reelremix.engine import Library
from reelremix.engine.domain.context import CancelToken
from reelremix.engine.store.memory import MemoryArtifactStore, MemoryCatalogue
from reelremix.engine.store.sources import LocalSourceAccess, identify_file
from reelremix.engine.upkeep.relinking import Relinked, relink
from reelremix.errors import Cancelled, ConfigError
from tests.engine.examples import SOURCE
from tests.fakes import NoModels


@pytest.fixture
def library() -> Library:
    catalogue = MemoryCatalogue()
    return Library(catalogue, MemoryArtifactStore(), LocalSourceAccess(catalogue), NoModels())


def known(library: Library, path: Path, content: bytes) -> str:
    """A recording that the library has seen; returns its id."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    id = hashlib.sha256(content).hexdigest()
    library.catalogue.save_source(replace(SOURCE, id=id, name=path.name, size_bytes=len(content)))
    library.catalogue.remember_file(identify_file(path), id)
    return id


def look(library: Library, *folders: Path, **options: Any) -> Relinked:
    return library.look_after("relink", lambda ctx: relink(folders, ctx, **options))


def test_a_recording_that_was_moved_and_renamed_is_found(library: Library, tmp_path: Path) -> None:
    id = known(library, tmp_path / "in" / "talk.mp4", b"content")
    moved = tmp_path / "archive" / "2026" / "the talk.mp4"
    moved.parent.mkdir(parents=True)
    (tmp_path / "in" / "talk.mp4").rename(moved)
    found = look(library, tmp_path / "archive").to_plain()
    [one] = found["found"]
    assert (one["was"], one["path"]) == (str(tmp_path / "in" / "talk.mp4"), str(moved))
    assert found["missing"] == [] and found["looked_at"] == 1
    assert library.catalogue.recall_file(identify_file(moved)) == id
    source = library.catalogue.source(id)
    assert source is not None and source.name == "the talk.mp4"


def test_without_a_folder_it_looks_where_recordings_were_seen(
    library: Library, tmp_path: Path
) -> None:
    known(library, tmp_path / "in" / "talk.mp4", b"content")
    (tmp_path / "in" / "old").mkdir()
    (tmp_path / "in" / "talk.mp4").rename(tmp_path / "in" / "old" / "talk.mp4")
    result = look(library)
    assert len(result.found) == 1 and result.folders == (str(tmp_path / "in"),)


def test_a_file_of_the_same_length_is_no_proof(library: Library, tmp_path: Path) -> None:
    known(library, tmp_path / "talk.mp4", b"content")
    (tmp_path / "talk.mp4").unlink()
    (tmp_path / "other.mp4").write_bytes(b"CONTENT")
    result = look(library, tmp_path)
    assert result.found == [] and result.looked_at == 1
    [(source, was)] = result.missing
    assert (source.name, was) == ("talk.mp4", str(tmp_path / "talk.mp4"))


def test_a_place_with_another_content_is_told_and_forgotten(
    library: Library, tmp_path: Path
) -> None:
    id = known(library, tmp_path / "talk.mp4", b"content")
    (tmp_path / "talk.mp4").write_bytes(b"another recording")
    result = look(library, dry_run=True)
    assert [path for _, path in result.replaced] == [str(tmp_path / "talk.mp4")]
    assert list(library.catalogue.locations(id)) == [str(tmp_path / "talk.mp4")]
    look(library)
    assert list(library.catalogue.locations(id)) == []
    assert (tmp_path / "talk.mp4").read_bytes() == b"another recording"


def test_a_recording_that_was_only_touched_is_remembered_as_it_is(
    library: Library, tmp_path: Path
) -> None:
    path = tmp_path / "talk.mp4"
    id = known(library, path, b"content")
    os.utime(path, ns=(1, 1))
    assert library.catalogue.recall_file(identify_file(path)) is None
    assert look(library).to_plain()["missing"] == []
    assert library.catalogue.recall_file(identify_file(path)) == id


def test_a_dry_run_remembers_nothing(library: Library, tmp_path: Path) -> None:
    known(library, tmp_path / "talk.mp4", b"content")
    (tmp_path / "talk.mp4").rename(tmp_path / "new.mp4")
    assert len(look(library, dry_run=True).found) == 1
    assert library.catalogue.recall_file(identify_file(tmp_path / "new.mp4")) is None


def test_nothing_is_read_where_nothing_is_missing(library: Library, tmp_path: Path) -> None:
    known(library, tmp_path / "talk.mp4", b"content")
    (tmp_path / "copy.mp4").write_bytes(b"content")
    assert look(library, tmp_path).looked_at == 0


def test_hidden_folders_and_other_files_are_passed_over(library: Library, tmp_path: Path) -> None:
    known(library, tmp_path / "talk.mp4", b"content")
    (tmp_path / "talk.mp4").unlink()
    (tmp_path / ".trash").mkdir()
    (tmp_path / ".trash" / "talk.mp4").write_bytes(b"content")
    (tmp_path / "talk.txt").write_bytes(b"content")
    assert look(library, tmp_path).looked_at == 0


def test_a_folder_that_is_not_there_is_named(library: Library, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        look(library, tmp_path / "nowhere")


def test_it_can_be_cancelled(library: Library, tmp_path: Path) -> None:
    known(library, tmp_path / "talk.mp4", b"content")
    cancel = CancelToken()
    cancel.set()
    with pytest.raises(Cancelled):
        library.look_after("relink", lambda ctx: relink([tmp_path], ctx), cancel=cancel)
