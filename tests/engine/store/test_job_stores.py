"""What every `JobStore` promises; a new one joins by a line in `STORES`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest

from reelremix.engine.domain.context import Catalogue
from reelremix.engine.domain.events import JobQueued, StageProgress, Waiting
from reelremix.engine.domain.job import Failure, JobFilter, JobRecord, JobState, JobStore
from reelremix.engine.store.catalogue import SqliteCatalogue
from reelremix.engine.store.database import Database
from reelremix.engine.store.job_table import SqliteJobStore
from reelremix.engine.store.memory import MemoryCatalogue
from reelremix.engine.store.memory_jobs import MemoryJobStore
from reelremix.errors import JobError

Both = tuple[JobStore, Catalogue]
QUEUED, RUNNING, FAILED = JobState.QUEUED, JobState.RUNNING, JobState.FAILED


def in_sqlite(folder: Path) -> Iterator[Both]:
    database = Database(folder / "library.sqlite3")
    yield SqliteJobStore(database), SqliteCatalogue(database)
    database.close()


def in_memory(_: Path) -> Iterator[Both]:
    catalogue = MemoryCatalogue()
    yield MemoryJobStore(catalogue), catalogue


STORES: list[Callable[[Path], Iterator[Both]]] = [in_sqlite, in_memory]


@pytest.fixture(params=STORES)
def both(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Both]:
    """An empty store of each kind, and the catalogue with its events."""
    yield from request.param(tmp_path)


@pytest.fixture
def jobs(both: Both) -> JobStore:
    """An empty store of each kind."""
    return both[0]


def job(
    id: str, state: JobState = QUEUED, key: str | None = None, origin: str = "api"
) -> JobRecord:
    return JobRecord(
        id, "clip", f"{id}.mp4", {"source": f"/{id}.mp4", "version": 1}, 1.5, state,
        key=key, origin=origin, failure=Failure("JobError", "no", "try"), usage={"source_s": 2.5},
    )  # fmt: skip


def test_a_job_comes_back_whole(jobs: JobStore) -> None:
    kept = jobs.add(job("a"))
    assert jobs.job("a") == kept == job("a")
    assert jobs.job("b") is None


def test_one_key_is_one_job(jobs: JobStore) -> None:
    jobs.add(job("a", key="k"))
    assert jobs.add(job("b", key="k")).id == "a"
    assert jobs.job("b") is None
    assert jobs.add(job("c")).id == "c" and jobs.add(job("d")).id == "d"


def test_jobs_are_found_by_the_beginning_of_their_ids(jobs: JobStore) -> None:
    for id in ("abc1", "abd2", "x_c3", "x%c4"):
        jobs.add(job(id))
    assert [found.id for found in jobs.find("ab")] == ["abd2", "abc1"]
    assert [found.id for found in jobs.find("x_")] == ["x_c3"]
    assert list(jobs.find("none")) == []


def test_some_fields_are_changed_and_the_others_stay(jobs: JobStore) -> None:
    jobs.add(job("a"))
    changed = jobs.change("a", QUEUED, state=RUNNING, started_at=3.5)
    assert changed == jobs.job("a")
    assert (
        changed.state is RUNNING
        and changed.started_at == 3.5
        and changed.usage == {"source_s": 2.5}
    )


def test_a_job_that_is_no_longer_so_is_not_changed(jobs: JobStore) -> None:
    jobs.add(job("a", RUNNING))
    with pytest.raises(JobError, match="is no longer queued"):
        jobs.change("a", QUEUED, priority=9)
    with pytest.raises(JobError, match="is no longer queued"):
        jobs.change("gone", QUEUED, priority=9)
    assert jobs.job("a") == job("a", RUNNING)


def test_pages_are_listed_newest_first_and_by_state_and_origin(jobs: JobStore) -> None:
    for number in range(5):
        state = FAILED if number % 2 else QUEUED
        jobs.add(job(f"j{number}", state, origin="watch a" if number == 4 else "api"))
    assert [own.id for own in jobs.jobs(limit=2)] == ["j4", "j3"]
    assert [own.id for own in jobs.jobs(limit=2, offset=3)] == ["j1", "j0"]
    assert [own.id for own in jobs.jobs(JobFilter(frozenset({FAILED})))] == ["j3", "j1"]
    assert [own.id for own in jobs.jobs(JobFilter(origin="watch a"))] == ["j4"]
    assert jobs.counts() == {QUEUED: 3, FAILED: 2}


def test_only_jobs_that_ended_are_forgotten_with_their_events(both: Both) -> None:
    jobs, catalogue = both
    for own in (job("a", FAILED), job("b", RUNNING)):
        jobs.add(own)
        catalogue.append(own.id, JobQueued())
    assert jobs.remove(["a", "b", "c"]) == 1
    assert jobs.job("a") is None and jobs.job("b") is not None
    assert not catalogue.events("a") and len(catalogue.events("b")) == 1


def test_facts_of_all_jobs_have_numbers_that_only_grow(both: Both) -> None:
    jobs, catalogue = both
    jobs.add(job("a"))
    jobs.add(job("b"))
    for number in range(3):
        catalogue.append("ab"[number % 2], Waiting(str(number)))
        catalogue.append("a", StageProgress("render", 1, 2, "x"))
        catalogue.append("no job", Waiting("not told"))
    facts = jobs.facts(0, 10)
    assert [logged.event for _, logged in facts] == [Waiting(str(n)) for n in range(3)]
    numbers = [number for number, _ in facts]
    assert numbers == sorted(set(numbers))
    assert jobs.facts(numbers[0], 1) == [facts[1]]
    assert jobs.last_number() >= numbers[-1]


def test_changes_of_several_threads_are_all_kept(tmp_path: Path) -> None:
    database = Database(tmp_path / "library.sqlite3")
    jobs = SqliteJobStore(database)
    jobs.add(job("a"))

    def change(name: str) -> None:
        for number in range(20):
            jobs.change("a", QUEUED, **{name: number})
        database.close_thread()

    threads = [Thread(target=change, args=(name,)) for name in ("priority", "crashes", "attempt")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = jobs.job("a")
    assert found is not None and (found.priority, found.crashes, found.attempt) == (19, 19, 19)
    database.close()
