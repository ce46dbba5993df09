"""Events as they happen, over HTTP (server-sent events), from a number on that a client knows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse

from reelremix.daemon import protocol
from reelremix.daemon.service import Daemon
from reelremix.engine import codec
from reelremix.engine.domain.events import LoggedEvent
from reelremix.engine.domain.job import ENDED
from reelremix.errors import ConfigError, DaemonBusy

BEAT_S = 15.0
"""A stream in which nothing happens says so this often."""
MOST_LISTENERS = 4096
LONGEST_NUMBER, LONGEST_SHOWN = 16, 60
BEGIN, BEAT = ": listening\n\n", ": still here\n\n"


class EventStream(StreamingResponse):
    """Server-sent events."""

    media_type = "text/event-stream"

    def __init__(self, content: AsyncIterator[str], status_code: int = 200) -> None:
        super().__init__(content, status_code, headers={"Cache-Control": "no-store"})


def stream_routes(daemon: Daemon) -> APIRouter:
    """The streams of a daemon."""
    router = APIRouter(prefix=protocol.PREFIX, tags=["events"])

    @router.get("/events", response_class=EventStream)
    async def events(
        after: Annotated[int | None, Query(ge=0, le=2**53)] = None,
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> EventStream:
        """What happens to all jobs: after the fact with that number, or from now on."""
        _require_room(daemon)
        return EventStream(_all_events(daemon, _place(last_event_id, after)))

    @router.get("/jobs/{named}/events", response_class=EventStream)
    async def job_events(
        named: str,
        after: Annotated[int, Query(ge=0, le=2**53)] = 0,
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> EventStream:
        """What happens to one job, after its fact of that number; ends when the job has ended."""
        _require_room(daemon)
        job = await asyncio.to_thread(daemon.queue.find, named)
        return EventStream(events_of(daemon, job.id, _place(last_event_id, after) or 0))

    return router


def _require_room(daemon: Daemon) -> None:
    if daemon.hub.listeners >= MOST_LISTENERS:
        raise DaemonBusy(
            f"{MOST_LISTENERS} listeners are connected already",
            hint="try again when some of them have gone",
        )


def _place(header: str | None, after: int | None) -> int | None:
    """Where a client that was cut off goes on; browsers say so in a header."""
    if header is None:
        return after
    if not (header.isascii() and header.isdigit() and len(header) <= LONGEST_NUMBER):
        raise ConfigError(
            f"Last-Event-ID must be the number of an event (got {header[:LONGEST_SHOWN]!r})"
        )
    return int(header)


async def _all_events(daemon: Daemon, after: int | None) -> AsyncIterator[str]:
    yield BEGIN
    async for entry in daemon.hub.listen(after, BEAT_S):
        yield BEAT if entry is None else _sent(entry.logged, entry.number)


async def events_of(daemon: Daemon, job_id: str, after: int) -> AsyncIterator[str]:
    """What happens to one job, until it has ended or is forgotten.

    `after` may be a number that its facts have not reached: they are passed over until then.
    """
    place = daemon.hub.last
    yield BEGIN
    for logged in await asyncio.to_thread(daemon.stores.catalogue.events, job_id, after):
        after = logged.seq
        yield _sent(logged, after)
    if await asyncio.to_thread(_has_ended, daemon, job_id, after):
        return
    async for entry in daemon.hub.listen(place, BEAT_S):
        if entry is None:
            yield BEAT
        elif entry.logged.job_id != job_id:
            continue
        elif entry.number is None:
            yield _sent(entry.logged, None)
            continue
        elif entry.logged.seq > after:
            after = entry.logged.seq
            yield _sent(entry.logged, after)
        # Also where nothing was sent: it may be forgotten, or `after` a number that never comes.
        if await asyncio.to_thread(_has_ended, daemon, job_id, after):
            return


def _has_ended(daemon: Daemon, job_id: str, seq: int) -> bool:
    """Whether nothing more is to come: the job has ended, and that was told."""
    job = daemon.stores.jobs.job(job_id)
    is_ended = job is None or job.state in ENDED
    return is_ended and not daemon.stores.catalogue.events(job_id, seq)


def _sent(logged: LoggedEvent, id: int | None) -> str:
    """One event as a stream has it; progress has no number.

    In ASCII: some clients end a line at U+2028 too, which names of files may hold.
    """
    plain = codec.event_to_plain(logged)
    numbered = f"id: {id}\n" if id is not None else ""
    return f"{numbered}event: {plain['type']}\ndata: {json.dumps(plain)}\n\n"
