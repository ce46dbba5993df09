"""Jobs across the end of the process: each desk here is opened over what the one before it left."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from reelremix.engine.domain.job import JobState
from tests.daemon.desks import Desk, Hands, held_at

SUCCEEDED = JobState.SUCCEEDED


@pytest.fixture
def desks(tmp_path: Path) -> Iterator[Any]:
    """Opens queues over one folder, one after the other."""
    opened: list[Desk] = []

    def open_desk(hands: Hands | None = None, **more: Any) -> Desk:
        opened.append(Desk(tmp_path / "data", hands, **more))
        return opened[-1]

    yield open_desk
    opened[-1].close()


@pytest.mark.slow
@pytest.mark.parametrize("step", ["begin", "hear", "decide", "film", "finish"])
def test_an_ordered_end_loses_nothing_and_counts_as_no_crash(desks: Any, step: str) -> None:
    answer, there = held_at(step)
    first = desks(Hands(answer))
    job = first.submit()
    assert there.wait(5)
    first.close()
    assert first.job(job.id).state is JobState.QUEUED
    second = desks()
    ended = second.until(job.id, SUCCEEDED)
    assert ended.crashes == 0
    assert second.hands.steps[0].split(":")[0] == step
    assert "job_resumed" in second.types(job.id)


def test_a_queue_that_is_lost_is_made_anew_from_the_records(desks: Any, tmp_path: Path) -> None:
    answer, there = held_at("hear")
    first = desks(Hands(answer))
    job = first.submit()
    assert there.wait(5)
    first.close()
    for file in (tmp_path / "data").glob("jobs.sqlite3*"):
        file.unlink()
    second = desks()
    assert second.until(job.id, SUCCEEDED).usage["rendered_s"] == 8.0


@pytest.mark.slow
def test_a_queue_that_another_program_holds_is_written_once_it_lets_go(
    desks: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reelremix.daemon.queue.PATIENCE_S", 0.2)
    desk = desks()
    desk.until(desk.submit().id, SUCCEEDED)
    with closing(sqlite3.connect(tmp_path / "data" / "jobs.sqlite3")) as other:
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        job = desk.submit()
        assert time.monotonic() - began < 2
        assert desk.job(job.id).state is JobState.QUEUED
        other.execute("ROLLBACK")
    desk.until(job.id, SUCCEEDED)
