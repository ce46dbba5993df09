"""Worker processes, lent to one step at a time: who gets one next, and why others wait.

Two kinds of work are kept apart. What listens (`hear`) takes a GPU, or all of a CPU for long; there
is one such process a GPU, or one. Everything else is work on recordings that were heard: those
processes go before it on the CPU, so that what was begun is finished before the next is heard.

A process stays, with its models loaded, until nobody has used it for a while or others need its
memory. What a step takes is measured each time it is done and kept for the next one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum

from reelremix.daemon.durable import Stopped
from reelremix.daemon.gpu import Device, Gpus
from reelremix.daemon.needs import Needs
from reelremix.daemon.process import Start, Worker, WorkerProcess

TELL_AFTER_S = 0.3
"""Shorter waits are not told."""
LOOK_S = 0.1
FOR_EVER = float("inf")
YIELDING = 15
"""How much processes that listen yield on the CPU: a twentieth of it is left to them."""

_log = logging.getLogger("reelremix.daemon")


class Role(StrEnum):
    """What a process does."""

    HEAR = "hear"
    WORK = "work"


@dataclass(frozen=True, slots=True)
class Ask:
    """What a step needs."""

    role: Role
    rank: tuple[float, ...]
    """The lowest goes first."""
    what: str
    """What is measured together: the step, and the model it uses."""
    gpu_model: str | None = None
    """The recogniser that is to be on a GPU; None for a step that takes none."""
    changes: Mapping[str, str] = field(default_factory=dict)
    """By what its request's options of listening differ from what was asked for."""
    instead: tuple[Ask, ...] = ()
    """What may be done where no GPU has room for it, the best first."""


@dataclass(frozen=True, slots=True)
class Lent:
    """A process, and what of that which was asked for it is to do."""

    worker: Worker
    ask: Ask


@dataclass(eq=False, slots=True)
class _Entry:
    """Somebody in the line."""

    ask: Ask
    job_id: str
    until: float
    """Until when that counts against others (`time.monotonic`)."""
    waits_for_gpu: bool = False
    """Whether it lacks room on a GPU: whoever needs none may pass it."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A place for a step, or why there is none."""

    slot: Slot | None = None
    ask: Ask | None = None
    why: str = ""
    surplus: tuple[WorkerProcess, ...] = ()
    """Processes that nobody uses and whose memory it needs: once they have ended, look again."""


@dataclass(eq=False, slots=True)
class Slot:
    """A place for one process."""

    role: Role
    device: str | None = None
    """The GPU that its process sees; None where there is none, or it may see all."""
    worker: WorkerProcess | None = None
    what: str | None = None
    """The step it is lent to; None while it is free."""
    job_id: str | None = None
    free_since: float = field(default_factory=time.monotonic)
    lent: int = 0
    """How often it was."""
    gpu_model: str | None = None
    """The recogniser that its process holds on its GPU."""


Tell = Callable[[str], None]


class Pool:
    """The processes of this daemon."""

    def __init__(
        self,
        start: Start,
        workers: int,
        gpus: Gpus,
        needs: Needs,
        limit_mb: int,
        idle_s: float,
        spawn: Callable[[Start], WorkerProcess] = WorkerProcess,
    ) -> None:
        """Start none yet.

        Args:
            start: how each is begun.
            workers: of the kind that does not listen.
            gpus: one process listens for each; one on the CPU if there are none.
            needs: what steps take.
            limit_mb: memory that all processes may take together.
            idle_s: after which a process that nobody uses is ended.
            spawn: begins one.
        """
        self._start = start
        self._gpus = gpus
        self._needs = needs
        self._limit_mb = limit_mb
        self._idle_s = idle_s
        self._spawn = spawn
        devices: list[str | None] = [device.id for device in gpus.devices()]
        self.slots = [
            *(Slot(Role.HEAR, device) for device in devices or [None]),
            *(Slot(Role.WORK, device=None) for _ in range(workers)),
        ]
        self._line: list[_Entry] = []
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._sweeper = threading.Thread(target=self._sweep, daemon=True)
        self._sweeper.start()

    @contextmanager
    def lent(self, ask: Ask, job_id: str, stop: threading.Event, tell: Tell) -> Iterator[Lent]:
        """A process for the length of a block; `tell` is called with why that has to wait.

        Raises:
            Stopped: somebody wants the job to stop.
        """
        slot, chosen = self._taken(ask, job_id, stop, tell)
        worker = slot.worker
        assert worker is not None
        try:
            yield Lent(worker, chosen)
        finally:
            self._given_back(slot, chosen)

    def expect(self, ask: Ask, job_id: str, within_s: float) -> None:
        """Keep a place in the line for a step that is about to be asked for, for so long."""
        with self._changed:
            self._line.append(_Entry(ask, job_id, time.monotonic() + within_s))

    def warm(self, ask: Ask, count: int = 1) -> None:
        """Begin processes of its kind until there are so many, as far as there is memory, for a
        step that is to come; whoever is next takes them.
        """
        with self._changed:
            of_kind = [slot for slot in self.slots if slot.role is ask.role]
            lacking = count - sum(slot.worker is not None for slot in of_kind)
            need_mb, coming_mb = self._needs.of(ask.what), 0
            for slot in [slot for slot in of_kind if slot.worker is None][: max(0, lacking)]:
                coming_mb += need_mb
                if self._closed.is_set() or self._taken_mb(slot) + coming_mb > self._limit_mb:
                    return
                try:
                    slot.worker, slot.gpu_model = self._begun(slot), None
                except OSError as exc:  # whoever needs it tries again, and says so
                    _log.warning("no process could be begun ahead: %s", exc)
                    return
                slot.free_since = time.monotonic()

    def rerank(self, job_id: str, rank: tuple[float, ...]) -> None:
        """Let a job that waits go before or behind others."""
        with self._changed:
            for entry in self._line:
                if entry.job_id == job_id:
                    entry.ask = replace(entry.ask, rank=rank)
            self._changed.notify_all()

    def measured(self, ask: Ask, peak_mb: float) -> None:
        """Keep what a step took."""
        self._needs.note(ask.what, peak_mb)

    def close(self) -> None:
        """End every process."""
        self._closed.set()
        with self._changed:
            workers = [slot.worker for slot in self.slots if slot.worker is not None]
            self._changed.notify_all()
        for worker in workers:
            worker.let_go()
        for worker in workers:
            worker.end()
        self._sweeper.join()

    def unload(self) -> int:
        """End processes that nobody uses; returns how many there were."""
        return self._end_idle(0.0)

    @property
    def held_mb(self) -> int:
        """Memory that all processes hold."""
        workers = [slot.worker for slot in self.slots]
        return sum(worker.rss_mb for worker in workers if worker is not None)

    @property
    def limit_mb(self) -> int:
        """Memory that all processes may take together."""
        return self._limit_mb

    def _taken(self, ask: Ask, job_id: str, stop: threading.Event, tell: Tell) -> tuple[Slot, Ask]:
        began, told = time.monotonic(), ""
        with self._in_line(ask, job_id) as entry:
            while True:
                with self._changed:
                    if stop.is_set() or self._closed.is_set():
                        raise Stopped
                    found = self._found(entry)
                    if found.slot is not None and found.ask is not None:
                        return self._occupied(found.slot, found.ask, job_id), found.ask
                    if not found.surplus:
                        self._changed.wait(LOOK_S)
                for worker in found.surplus:
                    worker.end()
                if found.why not in ("", told) and time.monotonic() - began > TELL_AFTER_S:
                    told = found.why
                    tell(told)

    @contextmanager
    def _in_line(self, ask: Ask, job_id: str) -> Iterator[_Entry]:
        """A place in the line, that which was kept for the step if there is one."""
        entry = _Entry(ask, job_id, FOR_EVER)
        with self._changed:
            self._line = [
                own
                for own in self._line
                if (own.job_id, own.ask.what) != (job_id, ask.what) or own.until == FOR_EVER
            ]
            self._line.append(entry)
        try:
            yield entry
        finally:
            with self._changed:
                self._line.remove(entry)

    def _occupied(self, slot: Slot, ask: Ask, job_id: str) -> Slot:
        """A place with a process in it, for somebody."""
        if slot.worker is not None and not slot.worker.is_alive:
            slot.worker.end()
            slot.worker = None
        if slot.worker is None:
            slot.worker, slot.gpu_model = self._begun(slot), None
        slot.what, slot.job_id, slot.lent = ask.what, job_id, slot.lent + 1
        slot.gpu_model = ask.gpu_model or slot.gpu_model
        return slot

    def _found(self, entry: _Entry) -> _Found:
        """A place for a step, or why there is none."""
        ask = entry.ask
        free = [slot for slot in self.slots if slot.role is ask.role and slot.what is None]
        if not free:
            verb = "listened to" if ask.role is Role.HEAR else "worked on"
            return _Found(why=f"another recording is being {verb}")
        now = time.monotonic()
        self._line = [own for own in self._line if own.until > now]
        ahead = [
            own
            for own in self._line
            if own.ask.role is ask.role
            and own.ask.rank < ask.rank
            and not (own.waits_for_gpu and ask.gpu_model is None)
        ]
        if len(ahead) >= len(free):
            return _Found(why="another job goes first")
        chosen, free, why = self._with_room(free, ask)
        entry.waits_for_gpu = not free
        if not free:
            return _Found(why=why)
        slot = min(free, key=lambda slot: (slot.worker is None, slot.free_since))
        surplus, lacking = self._memory_for(slot, chosen)
        if surplus or lacking:
            return _Found(why=lacking, surplus=surplus)
        return _Found(slot, chosen)

    def _with_room(self, slots: list[Slot], ask: Ask) -> tuple[Ask, list[Slot], str]:
        """What can be done of what is asked for and where, or why nothing can."""
        if ask.gpu_model is None or slots[0].device is None:
            return ask, slots, ""
        devices = {device.id: device for device in self._gpus.devices()}
        for own in (ask, *ask.instead):
            if own.gpu_model is None:
                return own, slots, ""
            need_mb = self._needs.on_gpu(own.gpu_model)
            if found := [slot for slot in slots if self._room_mb(slot, devices) >= need_mb]:
                return own, found, ""
        most_mb = max((device.free_mb for device in devices.values()), default=0)
        need_mb = self._needs.on_gpu(ask.gpu_model)
        why = f"the GPU is busy: {need_mb / 1000:.1f} GB are needed, {most_mb / 1000:.1f} GB free"
        return ask, [], why

    def _room_mb(self, slot: Slot, devices: Mapping[str, Device]) -> float:
        """What a process in that place could take of its GPU, with what it holds already."""
        if slot.device is None or slot.device not in devices:
            return 0.0
        free_mb = devices[slot.device].free_mb
        if slot.worker is None or slot.gpu_model is None:
            return free_mb
        held_mb = self._gpus.used_mb(slot.device, slot.worker.pid)
        return FOR_EVER if held_mb is None else free_mb + held_mb

    def _memory_for(self, slot: Slot, ask: Ask) -> tuple[tuple[WorkerProcess, ...], str]:
        """Processes whose memory a step needs, or why it has to wait for memory.

        They are those that nobody uses, no more of them than are needed, the oldest first.
        """
        need_mb = min(self._needs.of(ask.what), self._limit_mb)  # all of it for one that is large
        taken_mb = self._taken_mb(slot)
        surplus: list[WorkerProcess] = []
        for other in self._others_by_age(slot):
            if taken_mb + need_mb <= self._limit_mb:
                break
            if other.what is None and other.worker is not None:
                taken_mb -= other.worker.rss_mb
                surplus.append(other.worker)
                other.worker = None
        if surplus or taken_mb + need_mb <= self._limit_mb:
            return tuple(surplus), ""
        return (), (
            f"not enough memory: {need_mb / 1000:.1f} GB are needed, {taken_mb / 1000:.1f} of"
            f" {self._limit_mb / 1000:.1f} GB are in use"
        )

    def _others_by_age(self, slot: Slot) -> list[Slot]:
        return sorted((own for own in self.slots if own is not slot), key=lambda s: s.free_since)

    def _taken_mb(self, slot: Slot) -> int:
        """What all but one take, or may come to take."""
        return sum(
            max(own.worker.rss_mb, self._needs.of(own.what) if own.what is not None else 0)
            for own in self.slots
            if own is not slot and own.worker is not None
        )

    def _begun(self, slot: Slot) -> WorkerProcess:
        nice = YIELDING if slot.role is Role.HEAR else 0
        return self._spawn(replace(self._start, nice=nice, device=slot.device))

    def _given_back(self, slot: Slot, ask: Ask) -> None:
        if ask.gpu_model is not None and slot.device is not None and slot.worker is not None:
            used_mb = self._gpus.used_mb(slot.device, slot.worker.pid)
            if used_mb:  # its models stay loaded: it takes as much now as it did
                self._needs.note_gpu(ask.gpu_model, used_mb)
        with self._changed:
            slot.what = slot.job_id = None
            slot.free_since = time.monotonic()
            if slot.worker is not None and not slot.worker.is_alive:
                slot.worker.end()
                slot.worker = None
            self._changed.notify_all()

    def _sweep(self) -> None:
        while not self._closed.wait(min(5.0, self._idle_s / 4)):
            self._end_idle(self._idle_s)

    def _end_idle(self, idle_s: float) -> int:
        before = time.monotonic() - idle_s
        ended = []
        with self._changed:
            for slot in self.slots:
                if slot.worker is not None and slot.what is None and slot.free_since <= before:
                    ended.append(slot.worker)
                    slot.worker = None
        for worker in ended:
            worker.end()
        return len(ended)


def described(slots: Sequence[Slot]) -> list[Mapping[str, object]]:
    """The places and what is in them, as plain data."""
    return [
        {
            "role": slot.role.value,
            "device": slot.device,
            "pid": worker.pid if worker is not None and worker.is_alive else None,
            "rss_mb": worker.rss_mb if worker is not None else 0,
            "step": slot.what,
            "job_id": slot.job_id,
            "lent": slot.lent,
        }
        for slot, worker in [(slot, slot.worker) for slot in slots]
    ]
