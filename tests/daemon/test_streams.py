"""Streams of one job: from any number on, and to an end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, cast

import pytest

from reelremix.daemon import streams
from reelremix.daemon.service import Daemon
from reelremix.daemon.streams import events_of
from reelremix.engine.domain.events import JobCancelled, Waiting
from reelremix.engine.domain.job import JobState
from tests.daemon.test_hub import House, together


@dataclass
class Served:
    """What a stream needs of a daemon."""

    house: House

    @property
    def hub(self) -> Any:
        """Of the house."""
        return self.house.hub

    @property
    def stores(self) -> House:
        """It has what is asked of them."""
        return self.house


def listened(house: House, after: int) -> AsyncIterator[str]:
    """A stream of its job."""
    return events_of(cast(Daemon, Served(house)), "a", after)


async def heard_to_the_end(stream: AsyncIterator[str]) -> str:
    """All that a stream says."""
    return "".join([part async for part in stream])


def test_a_number_that_never_comes_is_waited_for_until_the_job_has_ended() -> None:
    async def story(house: House) -> None:
        house.tell(1, 2)
        hearing = asyncio.create_task(heard_to_the_end(listened(house, 99)))
        await asyncio.sleep(0.1)
        house.tell(3, 4)
        await asyncio.sleep(0.1)
        assert not hearing.done()
        house.jobs.change("a", JobState.QUEUED, state=JobState.CANCELLED)
        house.log.emit(JobCancelled())
        assert "data: " not in await asyncio.wait_for(hearing, 5)

    together(story)


def test_an_event_is_one_line_whatever_it_holds() -> None:
    async def story(house: House) -> None:
        house.log.emit(Waiting("a\u2028b\u0085c\n\rd\ud800"))
        stream = listened(house, 0)
        await anext(stream)
        assert len((await anext(stream)).encode().decode().splitlines()) == 4  # the last is empty

    together(story)


def test_facts_behind_that_number_are_told() -> None:
    async def story(house: House) -> None:
        house.tell(1, 1)
        stream = listened(house, 2)
        assert await anext(stream) == streams.BEGIN
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.1)
        house.tell(2, 3)
        assert "id: 3\n" in await asyncio.wait_for(waiting, 5)

    together(story)


def test_a_stream_of_a_job_that_is_forgotten_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "BEAT_S", 0.1)

    async def story(house: House) -> None:
        hearing = asyncio.create_task(heard_to_the_end(listened(house, 0)))
        await asyncio.sleep(0.05)
        house.jobs.change("a", JobState.QUEUED, state=JobState.CANCELLED)
        house.jobs.remove(["a"])
        assert streams.BEAT in await asyncio.wait_for(hearing, 5)

    together(story)
