"""What every `WatchStore` promises; a new one joins by a line in `STORES`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reelremix.engine.domain.watch import Watch, Watched, WatchStore, WhenDone
from reelremix.engine.store.database import Database
from reelremix.engine.store.memory_watches import MemoryWatchStore
from reelremix.engine.store.watch_table import SqliteWatchStore

WATCH = Watch(
    id="w1",
    folder="/studio/drop",
    created_at=10.5,
    options={"captions": "none", "count": "5", "min": 20.0, "faces": False},
    ignore=("*.draft", "old/*"),
    when_done=WhenDone.MOVE,
    recursive=True,
    notify=True,
    webhook="https://example.org/hook",
)
TAKEN = Watched("w1", "ab" * 32, "/studio/drop/a\nb.mp4", "job", 20.25)


def in_sqlite(folder: Path) -> Iterator[WatchStore]:
    database = Database(folder / "library.sqlite3")
    yield SqliteWatchStore(database)
    database.close()


def in_memory(_: Path) -> Iterator[WatchStore]:
    yield MemoryWatchStore()


STORES: list[Callable[[Path], Iterator[WatchStore]]] = [in_sqlite, in_memory]


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[WatchStore]:
    """An empty store of each kind."""
    yield from request.param(tmp_path)


def test_watches_come_back_whole_and_the_oldest_first(store: WatchStore) -> None:
    older = Watch(id="w0", folder="/other", created_at=1.0)
    store.add(WATCH)
    store.add(older)
    assert list(store.watches()) == [older, WATCH]


def test_a_folder_need_not_have_a_unicode_name(store: WatchStore) -> None:
    watch = replace(WATCH, folder="/studio/\udcff")
    store.add(watch)
    assert list(store.watches()) == [watch]


def test_a_watch_is_kept_as_it_is_now(store: WatchStore) -> None:
    store.add(WATCH)
    store.save(replace(WATCH, paused=True))
    assert [watch.paused for watch in store.watches()] == [True]


def test_a_watch_that_was_removed_does_not_come_back(store: WatchStore) -> None:
    store.add(WATCH)
    assert store.remove(WATCH.id) and not store.remove(WATCH.id)
    store.save(WATCH)
    assert list(store.watches()) == []


def test_what_was_taken_is_known_by_its_content(store: WatchStore) -> None:
    assert store.seen("w1", TAKEN.source_id) is None
    store.remember(TAKEN)
    assert store.seen("w1", TAKEN.source_id) == TAKEN
    assert store.seen("w2", TAKEN.source_id) is None


def test_what_was_taken_is_known_by_its_job(store: WatchStore) -> None:
    store.remember(TAKEN)
    store.remember(replace(TAKEN, source_id="cd" * 32, job_id=None))
    assert store.of_job("w1", "job") == TAKEN
    assert store.of_job("w2", "job") is None and store.of_job("w1", "other") is None


def test_content_that_moved_is_kept_once(store: WatchStore) -> None:
    moved = replace(TAKEN, path="/studio/drop/c.mp4")
    store.remember(TAKEN)
    store.remember(moved)
    assert store.seen("w1", TAKEN.source_id) == moved and store.count("w1") == 1


def test_what_is_forgotten_can_be_taken_again(store: WatchStore) -> None:
    store.remember(TAKEN)
    store.remember(replace(TAKEN, watch_id="w2"))
    store.forget("w1", TAKEN.source_id)
    assert store.seen("w1", TAKEN.source_id) is None
    assert (store.count("w1"), store.count("w2")) == (0, 1)


def test_what_was_taken_goes_with_its_watch(store: WatchStore) -> None:
    store.add(WATCH)
    store.remember(TAKEN)
    store.remember(replace(TAKEN, watch_id="w2"))
    store.remove("w1")
    assert (store.count("w1"), store.count("w2")) == (0, 1)


def test_nobody_sees_the_watches_of_another(tmp_path: Path) -> None:
    database = Database(tmp_path / "library.sqlite3")
    ours, theirs = SqliteWatchStore(database), SqliteWatchStore(database, "somebody")
    ours.add(WATCH)
    ours.remember(TAKEN)
    assert list(theirs.watches()) == [] and theirs.seen("w1", TAKEN.source_id) is None
    assert not theirs.remove("w1") and ours.count("w1") == 1
    database.close()
