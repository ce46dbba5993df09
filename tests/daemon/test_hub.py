"""What listeners are given; facts are real ones, in a library of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest

from reelremix.daemon import hub as hubs
from reelremix.daemon.hub import Hub, Numbered
from reelremix.engine.domain.events import StageProgress, Waiting
from reelremix.engine.domain.job import JobRecord
from reelremix.engine.joblog import JobLog
from reelremix.engine.store.memory import MemoryCatalogue
from reelremix.engine.store.memory_jobs import MemoryJobStore

Told = list[Numbered | None]


class House:
    """A hub, and a job that tells it things."""

    def __init__(self) -> None:
        self.catalogue = MemoryCatalogue()
        self.jobs = MemoryJobStore(self.catalogue)
        self.jobs.add(JobRecord("a", "clip", "talk.mp4", {}, 1.0))
        self.hub = Hub(self.jobs)
        self.log = JobLog("a", self.catalogue, self.hub)

    def tell(self, first: int, last: int) -> None:
        """Facts with those numbers in their text."""
        for number in range(first, last + 1):
            self.log.emit(Waiting(str(number)))


def together(story: Callable[[House], Coroutine[Any, Any, None]]) -> None:
    """Run a story while the hub follows its library."""

    async def run() -> None:
        house = House()
        following = asyncio.create_task(house.hub.follow_library())
        await asyncio.sleep(0)
        try:
            await asyncio.wait_for(story(house), 10)
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following

    asyncio.run(run())


async def taken(stream: AsyncIterator[Numbered | None], count: int) -> list[str]:
    """The texts of the next facts."""
    found: list[str] = []
    async for entry in stream:
        if entry is not None and isinstance(entry.logged.event, Waiting):
            found.append(entry.logged.event.reason)
        if len(found) == count:
            break
    return found


def numbers(first: int, last: int) -> list[str]:
    return [str(number) for number in range(first, last + 1)]


def test_every_listener_gets_every_fact_in_order() -> None:
    async def story(house: House) -> None:
        streams = [house.hub.listen(None, 5) for _ in range(20)]
        listening = [asyncio.create_task(taken(stream, 30)) for stream in streams]
        await asyncio.sleep(0.05)
        house.tell(1, 30)
        assert await asyncio.gather(*listening) == [numbers(1, 30)] * 20

    together(story)


def test_a_listener_goes_on_from_a_number() -> None:
    async def story(house: House) -> None:
        house.tell(1, 10)
        assert await taken(house.hub.listen(0, 5), 10) == numbers(1, 10)
        assert await taken(house.hub.listen(7, 5), 3) == numbers(8, 10)

    together(story)


def test_one_that_fell_behind_reads_on_from_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "READ_AT_ONCE", 7)

    async def story(house: House) -> None:
        house.hub._held = type(house.hub._held)(maxlen=5)
        stream = house.hub.listen(None, 5)
        house.tell(1, 1)
        assert await taken(stream, 1) == ["1"]
        house.tell(2, 60)  # nobody reads meanwhile
        await asyncio.sleep(0.2)
        assert await taken(house.hub.listen(1, 5), 59) == numbers(2, 60)

    together(story)


def test_a_slow_listener_loses_progress_and_no_fact() -> None:
    async def story(house: House) -> None:
        stream = house.hub.listen(None, 5)
        house.tell(1, 1)
        await anext(stream)
        for done in range(5):
            house.hub.receive(house.catalogue.append("a", StageProgress("render", done, 5, "x")))
        await asyncio.sleep(0.1)
        entry = await anext(stream)
        assert entry is not None and entry.number is None
        assert entry.logged.event == StageProgress("render", 4, 5, "x")
        house.tell(2, 2)
        assert await taken(stream, 1) == ["2"]

    together(story)


def test_a_stream_in_which_nothing_happens_says_so() -> None:
    async def story(house: House) -> None:
        assert await anext(house.hub.listen(None, 0.05)) is None

    together(story)


def test_facts_that_others_log_are_told_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "LOOK_S", 0.05)

    async def story(house: House) -> None:
        stream = house.hub.listen(None, 5)
        house.catalogue.append("a", Waiting("elsewhere"))
        assert await taken(stream, 1) == ["elsewhere"]

    together(story)


def test_listeners_are_counted() -> None:
    async def story(house: House) -> None:
        stream = house.hub.listen(None, 0.01)
        await anext(stream)
        assert house.hub.listeners == 1
        await stream.aclose()  # type: ignore[attr-defined]
        assert house.hub.listeners == 0

    together(story)
