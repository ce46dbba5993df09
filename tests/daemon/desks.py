"""The queue with workers that are not there: what a step returns, or raises, is written down."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reelremix.config import Settings
from reelremix.daemon.clip_work import WorkOptions
from reelremix.daemon.durable import Durable, Retries, Stopped
from reelremix.daemon.pool import Ask, Lent
from reelremix.daemon.process import Done, Order, Spent
from reelremix.daemon.queue import UNFINISHED, JobQueue, NewJob
from reelremix.daemon.workflows import Runner
from reelremix.engine.domain.events import Event, JobStarted, LoggedEvent, StageFinished
from reelremix.engine.domain.job import JobFilter, JobRecord, JobState
from reelremix.engine.store.factory import open_local
from reelremix.errors import ReelRemixError
from tests.daemon.rig import eventually

BEGUN: dict[str, Any] = {"source_id": "ab" * 32, "name": "talk.mp4", "source_s": 20.0}
FOLDER = tempfile.gettempdir()
"""Any that is there."""
OUTLINED = [{"id": f"clip{n}", "frames": 100, "length_s": 4.0} for n in (1, 2)]
COST = {"wall_s": 0.1, "stages": [], "peak_rss_mb": 100.0, "network": []}
FAILED_COST = {**COST, "network": ["https://example.org/talk.mp4"]}
QUICK = Retries(attempts=3, wait_s=0.01, factor=1.0)
WITHIN_S = 10.0

Answer = Callable[[Order, threading.Event, Callable[[Event], None]], Any]


def answered(order: Order, stop: threading.Event, tell: Callable[[Event], None]) -> Any:
    """What steps return where nothing goes wrong."""
    if order.step == "begin":
        if order.given["is_first"]:
            tell(JobStarted("talk.mp4"))
        return BEGUN
    if order.step == "hear":
        tell(StageFinished("transcribe", 0.1, False))
        return FOLDER
    if order.step == "decide":
        return {"folder": FOLDER, "clips": OUTLINED}
    if order.step == "film":
        return {"clip_id": order.given["clip"]}
    if order.step == "finish":
        return {"clips": 2, "failed": 2 - len(order.given["films"])}
    return None


class Hands:
    """A `Pool` whose one worker answers as it is told; notes what was asked."""

    def __init__(self, answer: Answer = answered) -> None:
        self.answer = answer
        self.orders: list[Order] = []
        self.warmed: list[tuple[str, int]] = []
        self.asks: list[Ask] = []
        self.ranks: list[tuple[float, ...]] = []
        """Those that were given to jobs that wait."""
        self.gpu_is_full = False

    @contextmanager
    def lent(
        self, ask: Ask, job_id: str, stop: threading.Event, tell: Callable[[str], None]
    ) -> Iterator[Lent]:
        """This one."""
        if stop.is_set():
            raise Stopped
        self.asks.append(ask)
        yield Lent(self, ask.instead[0] if self.gpu_is_full and ask.instead else ask)

    def run(
        self,
        order: Order,
        stop: threading.Event,
        tell: Callable[[Event], None],
        spent: Spent = lambda cost: None,
    ) -> Done:
        """Answer."""
        self.orders.append(order)
        try:
            return Done(self.answer(order, stop, tell), COST)
        except ReelRemixError:
            spent(FAILED_COST)
            raise

    def expect(self, ask: Ask, job_id: str, within_s: float) -> None:
        """There is no line."""

    def warm(self, ask: Ask, count: int = 1) -> None:
        """Note it; there is one."""
        self.warmed.append((ask.what, count))

    def rerank(self, job_id: str, rank: tuple[float, ...]) -> None:
        """Note it."""
        self.ranks.append(rank)

    def measured(self, ask: Ask, peak_mb: float) -> None:
        """Nothing is learned from it."""

    @property
    def steps(self) -> list[str]:
        """Names of the steps that were asked for, in order; clips stand behind `film`."""
        return [
            f"{order.step}:{order.given['clip']}" if "clip" in order.given else order.step
            for order in self.orders
        ]


class Shared:
    """One queue underneath for many desks: to begin and end one takes two seconds."""

    def __init__(self, file: Path) -> None:
        self._running: dict[str, Callable[[str], None]] = {}
        self.held = threading.RLock()
        self.durable = Durable(f"sqlite:///{file}", "local", 2, self._run, poll_s=0.02)

    def enter(self, job_id: str, run: Callable[[str], None]) -> None:
        """Have a desk's runner carry out its job."""
        self._running[job_id] = run

    def _run(self, job_id: str) -> None:
        with self.held:
            run = self._running[job_id]
        run(job_id)


class Desk:
    """A queue over a folder; may be closed and opened again, as by another process."""

    def __init__(
        self,
        folder: Path,
        hands: Hands | None = None,
        shared: Shared | None = None,
        **more: Any,
    ) -> None:
        self.hands = hands or Hands()
        self.ended: list[JobRecord] = []
        self.heard: list[LoggedEvent] = []
        settings = Settings(data_dir=str(folder))
        self.stores = open_local(settings)
        options = WorkOptions(folder / "locks", retries=QUICK)
        self.runner = Runner(
            self.stores,
            self.hands,
            self,
            options,
            ended=self.ended.append,
            **{"crash_limit": 3, **more},
        )
        folder.mkdir(parents=True, exist_ok=True)
        self._shared = shared
        if shared is not None:
            self.durable = shared.durable
        else:
            url = f"sqlite:///{settings.jobs_file}"
            self.durable = Durable(url, "local", 2, self.runner.run, poll_s=0.02)
        self.queue = JobQueue(self.stores, self.durable, self.runner)
        self.queue.settle()

    def receive(self, logged: LoggedEvent) -> None:
        """Note what happens."""
        self.heard.append(logged)

    def close(self) -> None:
        """Stop as the daemon does; nothing is left for a queue that outlives the desk."""
        if self._shared is not None:
            for job in self.stores.jobs.jobs(JobFilter(UNFINISHED)):
                self.queue.cancel(job.id)
        self.runner.close(1.0)
        self.queue.close()
        if self._shared is None:
            self.durable.close()
        self.stores.release_thread()

    def submit(self, **more: Any) -> JobRecord:
        """Queue a job."""
        asked = {"source": "/talk.mp4", **more.pop("request", {})}
        new = NewJob(more.pop("kind", "clip"), asked, "talk.mp4", **more)
        if self._shared is None:
            return self.queue.submit(new)
        with self._shared.held:  # nobody takes it before it is known whose it is
            job = self.queue.submit(new)
            self._shared.enter(job.id, self.runner.run)
            return job

    def job(self, job_id: str) -> JobRecord:
        """The job as it is kept."""
        found = self.stores.jobs.job(job_id)
        assert found is not None
        return found

    def until(self, job_id: str, *states: JobState) -> JobRecord:
        """The job once it is one of these."""
        eventually(lambda: self.job(job_id).state in states, WITHIN_S)
        return self.job(job_id)

    def types(self, job_id: str) -> Sequence[str]:
        """What happened to a job, in order, as the library has it."""
        return [logged.event.type for logged in self.stores.catalogue.events(job_id)]


def held_at(step: str) -> tuple[Answer, threading.Event]:
    """Answers that stay at a step until they are stopped; the event is set once one is there."""
    there = threading.Event()

    def answer(order: Order, stop: threading.Event, tell: Callable[[Event], None]) -> Any:
        if order.step == step:
            there.set()
            assert stop.wait(WITHIN_S)
            raise Stopped
        return answered(order, stop, tell)

    return answer, there


def failing_at(step: str, *errors: Exception) -> Answer:
    """Answers that raise these errors at a step, one after the other, and then go on."""
    left = list(errors)

    def answer(order: Order, stop: threading.Event, tell: Callable[[Event], None]) -> Any:
        if order.step == step and left:
            raise left.pop(0)
        return answered(order, stop, tell)

    return answer
