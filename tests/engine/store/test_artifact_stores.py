"""What every `ArtifactStore` promises; a new one joins by a line in `STORES`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reelremix.engine.domain.context import ArtifactKey, ArtifactStore
from reelremix.engine.store.artifacts import FileArtifactStore
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


def test_no_partial_file_stays_behind(files: FileArtifactStore, tmp_path: Path) -> None:
    for number in range(5):
        files.put(KEY, b"x" * number)
    assert len(artifact_files(tmp_path)) == 1
