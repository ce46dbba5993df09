"""What every `ArtifactStore` promises; a new one joins by a line in `STORES`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reelremix.engine.domain.context import ArtifactKey, ArtifactStore
from reelremix.engine.store.artifacts import STRAY_AGE_S, FileArtifactStore
from reelremix.engine.store.database import Database
from reelremix.engine.store.memory import MemoryArtifactStore

KEY = ArtifactKey("local", "transcribe", "ab" * 32)
OTHER = replace(KEY, digest="cd" * 32)
THIRD = replace(KEY, digest="ef" * 32)


def in_files(folder: Path) -> Iterator[ArtifactStore]:
    database = Database(folder / "library.sqlite3")
    yield FileArtifactStore(database, folder / "artifacts")
    database.close()


def in_memory(_: Path) -> Iterator[ArtifactStore]:
    yield MemoryArtifactStore()


STORES: list[Callable[[Path], Iterator[ArtifactStore]]] = [in_files, in_memory]


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ArtifactStore]:
    """An empty store of each kind."""
    yield from request.param(tmp_path)


@pytest.mark.parametrize("content", [b"words", b"", bytes(range(256)) * 1000])
def test_bytes_come_back_as_they_were(store: ArtifactStore, content: bytes) -> None:
    assert store.get(KEY) is None
    store.put(KEY, content)
    assert store.get(KEY) == content


def test_a_later_result_replaces_the_earlier(store: ArtifactStore) -> None:
    store.put(KEY, b"first")
    store.put(KEY, b"second")
    assert store.get(KEY) == b"second"
    assert store.size_bytes() == 6


def test_a_deleted_artifact_is_gone_and_may_be_deleted_twice(store: ArtifactStore) -> None:
    store.put(KEY, b"words")
    store.delete(KEY)
    store.delete(KEY)
    assert store.get(KEY) is None and store.size_bytes() == 0


@pytest.mark.parametrize("other", [replace(KEY, owner="someone"), replace(KEY, stage="look"),
                                   OTHER])  # fmt: skip
def test_owners_stages_and_digests_are_kept_apart(store: ArtifactStore, other: ArtifactKey) -> None:
    store.put(KEY, b"mine")
    assert store.get(other) is None
    store.put(other, b"theirs")
    store.delete(other)
    assert store.get(KEY) == b"mine"


def test_the_least_recently_used_go_first(store: ArtifactStore) -> None:
    for key in (KEY, OTHER, THIRD):
        store.put(key, b"x" * 100)
    assert store.get(KEY) is not None
    assert store.collect(200) == 100
    assert [store.get(key) is not None for key in (KEY, OTHER, THIRD)] == [True, False, True]


def test_nothing_is_dropped_below_the_cap(store: ArtifactStore) -> None:
    store.put(KEY, b"x" * 100)
    assert store.collect(100) == 0
    assert store.collect(0) == 100
    assert store.collect(0) == 0


def artifact_files(folder: Path) -> list[Path]:
    return [path for path in (folder / "artifacts").rglob("*") if path.is_file()]


@pytest.fixture
def files(tmp_path: Path) -> Iterator[FileArtifactStore]:
    """A store over files."""
    for store in in_files(tmp_path):
        assert isinstance(store, FileArtifactStore)
        yield store


@pytest.mark.parametrize("damage", [b"", b"wordz", b"words and more"])
def test_a_damaged_file_is_dropped_and_not_given(
    files: FileArtifactStore, tmp_path: Path, damage: bytes
) -> None:
    files.put(KEY, b"words")
    [file] = artifact_files(tmp_path)
    file.write_bytes(damage)
    assert files.get(KEY) is None
    assert not artifact_files(tmp_path) and files.size_bytes() == 0


def test_a_file_that_vanished_is_absent(files: FileArtifactStore, tmp_path: Path) -> None:
    files.put(KEY, b"words")
    artifact_files(tmp_path)[0].unlink()
    assert files.get(KEY) is None
    files.put(KEY, b"again")
    assert files.get(KEY) == b"again"


def test_a_file_nobody_recorded_does_not_count(files: FileArtifactStore, tmp_path: Path) -> None:
    files.put(KEY, b"words")
    [file] = artifact_files(tmp_path)
    stray = file.parent.parent / OTHER.digest[:2] / OTHER.digest
    stray.parent.mkdir()
    stray.write_bytes(b"words")
    assert files.get(OTHER) is None


def stray(folder: Path, name: str, age_s: float) -> Path:
    """A file of a hundred bytes that the index does not know."""
    path = folder / "artifacts" / OTHER.owner / OTHER.stage / OTHER.digest[:2] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * 100)
    os.utime(path, (time.time() - age_s,) * 2)
    return path


STRAYS = [OTHER.digest, ".reelremix-0123456789ab.part"]


@pytest.mark.parametrize("name", STRAYS)
def test_what_a_killed_process_left_counts_and_is_swept(
    files: FileArtifactStore, tmp_path: Path, name: str
) -> None:
    files.put(KEY, b"words")
    left = stray(tmp_path, name, 2 * STRAY_AGE_S)
    assert files.size_bytes() == 105
    assert files.collect(1000) == 100
    assert not left.exists() and files.size_bytes() == 5 and files.get(KEY) == b"words"


@pytest.mark.parametrize("name", STRAYS)
def test_what_another_process_may_just_be_writing_is_left_alone(
    files: FileArtifactStore, tmp_path: Path, name: str
) -> None:
    left = stray(tmp_path, name, 0)
    assert files.collect(0) == 0 and left.exists()


def test_files_that_are_not_artifacts_are_never_touched(
    files: FileArtifactStore, tmp_path: Path
) -> None:
    left = stray(tmp_path, "notes.txt", 2 * STRAY_AGE_S)
    backup = left.rename(tmp_path / "artifacts" / "artifacts.zip")
    stray(tmp_path, "notes.txt", 2 * STRAY_AGE_S)
    assert files.collect(0) == 0 and files.size_bytes() == 0
    assert left.exists() and backup.exists()


def test_an_old_artifact_is_no_stray(files: FileArtifactStore, tmp_path: Path) -> None:
    files.put(KEY, b"words")
    [file] = artifact_files(tmp_path)
    os.utime(file, (1, 1))
    assert files.collect(1000) == 0 and files.get(KEY) == b"words"


def test_only_bytes_that_were_there_count_as_freed(
    files: FileArtifactStore, tmp_path: Path
) -> None:
    files.put(KEY, b"words")
    files.put(OTHER, b"more words")
    next(f for f in artifact_files(tmp_path) if f.name == KEY.digest).unlink()
    assert files.collect(0) == 10


def test_no_partial_file_stays_behind(files: FileArtifactStore, tmp_path: Path) -> None:
    for number in range(5):
        files.put(KEY, b"x" * number)
    assert len(artifact_files(tmp_path)) == 1
