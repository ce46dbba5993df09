"""A busy studio: everything happens to files at once, and nothing piles up."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from reelremix.engine.domain.job import JobState
from reelremix.engine.domain.watch import Watch, WhenDone
from reelremix.engine.store.catalogue import SqliteCatalogue
from reelremix.engine.store.database import Database
from reelremix.engine.store.watch_table import SqliteWatchStore
from tests.daemon.folders import QUICK, Studio, eventually, held

MOST_FILES = 60
LIVELY = replace(QUICK, settle_s=0.01, poll_s=0.005, rescan_s=0.05, check_s=0.02)


def disturb(folder: Path, chance: random.Random, number: int) -> None:
    """Something that people do to files."""
    files = list(folder.rglob("*.mp4"))
    if len(files) > MOST_FILES:
        for one in chance.sample(files, MOST_FILES // 2):
            one.unlink()
        return
    path = chance.choice(files) if files else None
    match chance.randrange(6):
        case 0 if path is not None:
            path.unlink(missing_ok=True)
        case 1 if path is not None:
            path.replace(folder / f"renamed {number}.mp4")
        case 2 if path is not None:
            path.write_bytes(path.read_bytes() + b"more")
        case 3 if path is not None:
            (folder / f"copy {number}.mp4").write_bytes(path.read_bytes())
        case 4:
            inside = folder / f"inside {number % 7}"
            inside.mkdir(exist_ok=True)
            (inside / f"{number}.mp4").write_bytes(str(number).encode())
        case _:
            (folder / f"{number}.mp4").write_bytes(str(number).encode())


@pytest.mark.parametrize("rounds", [150, pytest.param(2000, marks=pytest.mark.slow)])
def test_a_long_and_busy_life_leaves_nothing_behind(tmp_path: Path, rounds: int) -> None:
    database = Database(tmp_path / "library.sqlite3")
    stores = SqliteWatchStore(database), SqliteCatalogue(database)
    studio = Studio(tmp_path / "drop", *stores, timings=LIVELY, release=database.close_thread)
    watch = studio.watch(recursive=True, when_done=WhenDone.LEAVE)
    studio.takes_nothing_more()
    before, chance = held(), random.Random(7)
    for number in range(rounds):
        disturb(studio.folder, chance, number)
        if number % 40 == 0:
            _come_and_go(studio, watch, tmp_path / "other")
        if studio.queue.jobs:
            studio.end(chance.choice(studio.queue.jobs), JobState.SUCCEEDED)
        if number % 10 == 0:
            studio.drop(f"marker {number}.mp4")
            studio.eventually_takes(f"marker {number}.mp4")
    eventually(lambda: all(now <= then for now, then in zip(held(), before, strict=True)))
    contents = [job.source_id for job in studio.queue.jobs if job.origin == watch.origin]
    assert len(contents) == len(set(contents)) > rounds / 10
    studio.watcher.stop()
    database.close()


def _come_and_go(studio: Studio, watch: Watch, folder: Path) -> None:
    """Another folder is watched for a moment."""
    folder.mkdir(exist_ok=True)
    studio.store.add(replace(watch, id="other", folder=str(folder)))
    studio.watcher.reload()
    studio.store.remove("other")
    studio.watcher.reload()
