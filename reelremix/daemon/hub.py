"""What happens to jobs, for any number of listeners, none of which can hold the others up.

Facts are kept in the library with numbers that only ever grow. The hub holds the last few of them,
once for all; a listener is a place in that row, and whoever falls behind it reads on from the
library: facts are never lost, and a listener that never reads holds nothing. Of progress the hub
holds the last of each job; what came before it is lost.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

from reelremix.engine.domain.events import LoggedEvent, is_fact
from reelremix.engine.domain.job import JobStore
from reelremix.errors import ReelRemixError

_log = logging.getLogger("reelremix.daemon")

HELD = 4096
"""Facts that are held for those who are nearly up to date."""
READ_AT_ONCE = 500
COMMITTED_S = 0.05
LOOK_S = 2.0
"""How often the library is asked anyway: others may write to it."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """What a listener is given: a fact with its number, or progress without one."""

    number: int | None
    logged: LoggedEvent


class Hub:
    """A `Listener` to every job log of this process, and the source of every stream."""

    def __init__(self, jobs: JobStore) -> None:
        self._jobs = jobs
        self._held: deque[Numbered] = deque(maxlen=HELD)
        self._progress: dict[str, LoggedEvent] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told = asyncio.Event()
        self._arrived = asyncio.Condition()
        self._turn = 0
        self._is_closed = False
        self.last = jobs.last_number()
        """Number of the last fact that is held or was there before."""
        self.listeners = 0

    def receive(self, logged: LoggedEvent) -> None:
        """Take what a job tells, in whatever thread."""
        if not is_fact(logged.event):
            self._progress[logged.job_id] = logged
        else:
            self._progress.pop(logged.job_id, None)
        if self._loop is not None:
            with suppress(RuntimeError):  # it is closed: nobody listens any more
                self._loop.call_soon_threadsafe(self._told.set)

    async def follow_library(self) -> None:
        """Hand on what was logged, until cancelled; to be run once, in the listeners' loop."""
        self._loop = asyncio.get_running_loop()
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), LOOK_S)
            is_told = self._told.is_set()
            self._told.clear()
            try:
                has_more = await self._take_up()
                if is_told and not has_more:  # told of before it was committed
                    await asyncio.sleep(COMMITTED_S)
                    await self._take_up()
            except ReelRemixError as exc:
                _log.warning("events cannot be read now: %s", exc)
            async with self._arrived:
                self._turn += 1
                self._arrived.notify_all()

    async def close(self) -> None:
        """End every stream: the daemon ends."""
        async with self._arrived:
            self._is_closed = True
            self._turn += 1
            self._arrived.notify_all()

    async def _take_up(self) -> bool:
        """Hold the facts that are new; returns whether there were any."""
        before = self.last
        while True:
            facts = await self._read(self.last)
            self._held.extend(facts)
            if facts:
                self.last = facts[-1].number or self.last
            if len(facts) < READ_AT_ONCE:
                return self.last > before

    async def listen(self, after: int | None, idle_s: float) -> AsyncIterator[Numbered | None]:
        """Everything after a fact's number, None for what comes from now on, until it is closed.

        Yields None when nothing happened for so many seconds.
        """
        place = self.last if after is None else after
        shown: dict[str, LoggedEvent] = {}
        self.listeners += 1
        try:
            while not self._is_closed:
                turn, last = self._turn, self.last
                found = await self._since(place)
                for entry in found:
                    assert entry.number is not None
                    place = entry.number
                    shown.pop(entry.logged.job_id, None)
                    yield entry
                for job_id, logged in tuple(self._progress.items()):
                    if shown.get(job_id) is not logged and place >= self.last:
                        shown[job_id] = logged
                        yield Numbered(None, logged)
                if len(found) < READ_AT_ONCE:  # numbers behind it are of jobs that are forgotten
                    place = max(place, last)
                if place < self.last:
                    continue
                try:
                    async with asyncio.timeout(idle_s), self._arrived:
                        while self._turn == turn:
                            await self._arrived.wait()
                except TimeoutError:
                    yield None
        finally:
            self.listeners -= 1

    async def _since(self, place: int) -> list[Numbered]:
        """Facts numbered above a place: those that are held, or the next ones of the library."""
        if place >= self.last:
            return []
        if self._held and (self._held[0].number or 0) <= place + 1:
            return [entry for entry in self._held if (entry.number or 0) > place]
        return await self._read(place)

    async def _read(self, after: int) -> list[Numbered]:
        return await asyncio.to_thread(self._facts, after)

    def _facts(self, after: int) -> list[Numbered]:
        facts = self._jobs.facts(after, READ_AT_ONCE)
        return [Numbered(number, logged) for number, logged in facts]
