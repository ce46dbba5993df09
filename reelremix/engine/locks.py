"""Locks between runs on one machine: a second one waits, says so, and can be cancelled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from reelremix.engine.domain.context import CancelToken, Reporter
from reelremix.engine.domain.events import Waiting


class Surroundings(Protocol):
    """What waiting for a lock needs to know of a run."""

    @property
    def lock_dir(self) -> Path | None:
        """Folder for locks; None when the caller serialises runs."""

    @property
    def reporter(self) -> Reporter:
        """Whoever is told that it has to be waited for."""

    @property
    def cancel(self) -> CancelToken:
        """Ends the waiting."""


@contextmanager
def alone(name: str, reason: str, ctx: Surroundings) -> Iterator[None]:
    """Hold a name for the length of a block; `reason` is told where that has to be waited for."""
    release = hold(name, reason, ctx)
    try:
        yield
    finally:
        release()


def hold(name: str, reason: str, ctx: Surroundings) -> Callable[[], None]:
    """Hold a name until what is returned is called, in whatever thread. Raises Cancelled."""
    if ctx.lock_dir is None:
        return lambda: None
    ctx.lock_dir.mkdir(parents=True, exist_ok=True)
    lock = FileLock(ctx.lock_dir / f"{name}.lock", thread_local=False)
    told = False
    while True:
        try:
            lock.acquire(timeout=0.1)
        except Timeout:
            if not told:
                ctx.reporter.emit(Waiting(reason))
                told = True
            ctx.cancel.raise_if_set()
        else:
            return lock.release
