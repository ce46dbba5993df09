from __future__ import annotations

import threading

import pytest

from reelremix.engine import joblog
from reelremix.engine.domain.events import LoggedEvent, StageFinished, StageProgress, Waiting
from reelremix.engine.joblog import JobLog, Silence
from reelremix.engine.store.memory import MemoryCatalogue


class Keeps:
    """A listener that keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[LoggedEvent] = []

    def receive(self, logged: LoggedEvent) -> None:
        self.heard.append(logged)


def progress(done: float) -> StageProgress:
    return StageProgress("render", done, 100, "frames")


def test_facts_are_numbered_kept_and_passed_on() -> None:
    listener, catalogue = Keeps(), MemoryCatalogue()
    log = JobLog("job", catalogue, listener)
    for _ in range(3):
        log.emit(Waiting("turn"))
    assert [logged.seq for logged in listener.heard] == [1, 2, 3]
    assert list(catalogue.events("job")) == listener.heard


def test_progress_is_told_at_most_ten_times_a_second() -> None:
    listener = Keeps()
    log = JobLog("job", MemoryCatalogue(), listener)
    for done in range(1000):
        log.emit(progress(done))
    assert 1 <= len(listener.heard) <= 5


def test_facts_between_progress_are_never_dropped() -> None:
    listener = Keeps()
    log = JobLog("job", MemoryCatalogue(), listener)
    for done in range(50):
        log.emit(progress(done))
        log.emit(Waiting("turn"))
    assert sum(isinstance(logged.event, Waiting) for logged in listener.heard) == 50


def test_progress_carries_the_number_of_the_last_fact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joblog, "PROGRESS_INTERVAL_S", 0.0)
    listener = Keeps()
    log = JobLog("job", MemoryCatalogue(), listener)
    for event in (Waiting("turn"), progress(1), Waiting("turn"), progress(2)):
        log.emit(event)
    assert [logged.seq for logged in listener.heard] == [1, 1, 2, 2]


def test_stages_that_ended_are_remembered() -> None:
    log = JobLog("job", MemoryCatalogue(), Silence())
    log.emit(StageFinished("look", 1.5, True))
    log.emit(Waiting("turn"))
    assert log.stages == [StageFinished("look", 1.5, True)]


def test_threads_may_tell_at_once() -> None:
    listener = Keeps()
    log = JobLog("job", MemoryCatalogue(), listener)

    def tell() -> None:
        for _ in range(100):
            log.emit(Waiting("turn"))

    threads = [threading.Thread(target=tell) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [logged.seq for logged in listener.heard] == list(range(1, 401))
