"""Who gets a process next, and why others wait; the processes are not real."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from reelremix.config import Settings
from reelremix.daemon.durable import Stopped
from reelremix.daemon.gpu import Device, Gpus, NoGpus, smaller_models
from reelremix.daemon.needs import Needs
from reelremix.daemon.pool import YIELDING, Ask, Pool, Role, described
from reelremix.daemon.process import Start
from tests.daemon.rig import eventually

NEVER = threading.Event()


class Process:
    """A `WorkerProcess` that does nothing."""

    def __init__(self, start: Start, rss_mb: int = 100) -> None:
        self.start = start
        self.rss_mb = rss_mb
        self.is_alive = True
        self.is_let_go = False
        self.all_were_let_go = False
        self.others: list[Process] = []
        self.pid = id(self)

    def let_go(self) -> None:
        """It ends when it is ended."""
        self.is_let_go = True

    def end(self, timeout_s: float = 0.0) -> None:
        """Go."""
        self.is_alive = False
        self.all_were_let_go = all(process.is_let_go for process in self.others)


class Machine:
    """Begins such processes and remembers them; has GPUs."""

    def __init__(self, *devices: Device, rss_mb: int = 100) -> None:
        self.begun: list[Process] = []
        self.gpus = list(devices)
        self.used: int | None = None
        self._rss_mb = rss_mb

    def spawn(self, start: Start) -> Any:
        """Begin one."""
        self.begun.append(Process(start, self._rss_mb))
        self.begun[-1].others = self.begun
        return self.begun[-1]

    def devices(self) -> Sequence[Device]:
        """As they are now."""
        return self.gpus

    def used_mb(self, id: str, pid: int) -> int | None:
        """What its process takes."""
        return self.used


@pytest.fixture
def pools(tmp_path: Path) -> Iterator[Callable[..., Pool]]:
    """Makes pools that are closed afterwards."""
    made: list[Pool] = []

    def make(machine: Machine, workers: int = 2, limit_mb: int = 9000, idle_s: float = 60) -> Pool:
        needs = Needs(tmp_path / "needs.json")
        gpus: Gpus = machine if machine.gpus else NoGpus()
        start = Start(Settings(data_dir=str(tmp_path)))
        made.append(Pool(start, workers, gpus, needs, limit_mb, idle_s, machine.spawn))
        return made[-1]

    yield make
    for pool in made:
        pool.close()


def work(rank: float = 0, what: str = "film") -> Ask:
    return Ask(Role.WORK, (rank,), what)


def hear(rank: float = 0, model: str | None = None, *instead: Ask) -> Ask:
    return Ask(Role.HEAR, (rank,), "hear base", model, instead=instead)


def test_a_process_is_begun_once_and_lent_again(pools: Any) -> None:
    machine = Machine()
    pool = pools(machine)
    for _ in range(5):
        with pool.lent(work(), "job", NEVER, print):
            pass
    assert len(machine.begun) == 1
    assert [slot["lent"] for slot in described(pool.slots)] == [0, 5, 0]


def test_processes_are_begun_ahead_and_lent_to_nobody(pools: Any) -> None:
    machine = Machine()
    pool = pools(machine)
    with pool.lent(work(), "a", NEVER, print):
        pool.warm(hear())
        pool.warm(work(), 2)
        pool.warm(work(), 2)
        assert [process.start.nice for process in machine.begun] == [0, YIELDING, 0]
        assert [slot["step"] for slot in described(pool.slots)] == [None, "film", None]
    with pool.lent(hear(), "a", NEVER, print):
        assert len(machine.begun) == 3


def test_nothing_is_begun_ahead_that_has_no_room(pools: Any) -> None:
    machine = Machine(rss_mb=800)
    pool = pools(machine, limit_mb=1000)
    with pool.lent(work(), "a", NEVER, print):
        pool.warm(hear())
        assert len(machine.begun) == 1
    pool.close()
    pool.warm(work(), 2)
    assert len(machine.begun) == 1


def test_what_is_begun_ahead_is_counted_before_it_has_grown(pools: Any) -> None:
    machine = Machine(rss_mb=1)
    pool = pools(machine, limit_mb=1000)
    pool.warm(work(what="film"), 2)  # of 600 MB each
    assert len(machine.begun) == 1


def test_all_are_let_go_before_one_is_waited_for(pools: Any) -> None:
    machine = Machine()
    pool = pools(machine)
    pool.warm(hear())
    pool.warm(work(), 2)
    pool.close()
    assert [process.all_were_let_go for process in machine.begun] == [True] * 3


def test_those_that_listen_yield_to_those_that_work(pools: Any) -> None:
    machine = Machine()
    pool = pools(machine)
    with pool.lent(hear(), "a", NEVER, print), pool.lent(work(), "b", NEVER, print):
        assert [process.start.nice for process in machine.begun] == [YIELDING, 0]


def test_the_next_one_is_the_one_that_ranks_first(pools: Any) -> None:
    pool, order = pools(Machine(), workers=1), list[float]()
    taken = threading.Event()

    def take(rank: float) -> None:
        with pool.lent(work(rank), str(rank), NEVER, lambda why: None):
            order.append(rank)

    with ThreadPoolExecutor(5) as threads:
        with pool.lent(work(), "first", NEVER, print):
            waiting = [threads.submit(take, rank) for rank in (3.0, 1.0, 2.0)]
            eventually(lambda: len(pool._line) == 3, 5)
            taken.set()
        for one in waiting:
            one.result(5)
    assert order == [1.0, 2.0, 3.0]


def test_who_waits_is_told_why(pools: Any) -> None:
    pool, told, stop = pools(Machine(), workers=1), list[str](), threading.Event()

    def tell(why: str) -> None:
        told.append(why)
        stop.set()

    with (
        pool.lent(work(), "a", NEVER, print),
        pytest.raises(Stopped),
        pool.lent(work(), "b", stop, tell),
    ):
        pass
    assert told == ["another recording is being worked on"]


def test_who_is_to_stop_gets_none(pools: Any) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped), pools(Machine()).lent(work(), "a", stop, print):
        pass


def test_a_process_that_ended_is_begun_anew(pools: Any) -> None:
    machine = Machine()
    pool = pools(machine)
    with pool.lent(work(), "a", NEVER, print) as lent:
        process: Any = lent.worker
        process.is_alive = False
    with pool.lent(work(), "a", NEVER, print) as lent:
        process = lent.worker
        assert process.is_alive
    assert len(machine.begun) == 2


def test_what_nobody_uses_is_unloaded_after_a_while(pools: Any) -> None:
    machine = Machine()
    pool = pools(machine, idle_s=0.1)
    with pool.lent(work(), "a", NEVER, print):
        time.sleep(0.3)
        assert machine.begun[0].is_alive
    eventually(lambda: not machine.begun[0].is_alive, 5)
    assert pool.held_mb == 0


def test_a_step_waits_for_memory_and_says_so(pools: Any) -> None:
    pool, told, stop = pools(Machine(), limit_mb=1000), list[str](), threading.Event()

    def tell(why: str) -> None:
        told.append(why)
        stop.set()

    with (
        pool.lent(work(), "a", NEVER, print),
        pytest.raises(Stopped),
        pool.lent(work(), "b", stop, tell),
    ):
        pass
    assert told == ["not enough memory: 0.6 GB are needed, 0.6 of 1.0 GB are in use"]


def test_processes_that_nobody_uses_make_room(pools: Any) -> None:
    machine = Machine(rss_mb=700)
    pool = pools(machine, limit_mb=1200)
    with pool.lent(hear(), "a", NEVER, print):
        pass
    with pool.lent(work(), "b", NEVER, print):
        assert [process.is_alive for process in machine.begun] == [False, True]


def test_a_step_that_takes_more_than_there_is_has_all_of_it_alone(pools: Any) -> None:
    machine = Machine()
    pool = pools(machine, limit_mb=500)
    with pool.lent(hear(), "a", NEVER, print):
        pass
    with pool.lent(work(), "b", NEVER, print):
        assert [process.is_alive for process in machine.begun] == [False, True]


def test_what_steps_take_is_measured(pools: Any, tmp_path: Path) -> None:
    pool = pools(Machine())
    pool.measured(work(), 900.0)
    assert Needs(tmp_path / "needs.json").of("film") == 900
    pool.measured(work(), 400.0)
    assert Needs(tmp_path / "needs.json").of("film") == 750


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"film": "much"}'])
def test_measurements_that_are_damaged_are_as_good_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "needs.json").write_text(text)
    assert Needs(tmp_path / "needs.json").of("film") == 600


def test_each_gpu_has_a_process_that_listens(pools: Any) -> None:
    machine = Machine(Device("GPU-a", "H", 8000, 8000), Device("GPU-b", "H", 8000, 8000))
    pool = pools(machine)
    first, second = (pool.lent(hear(model="large-v3-turbo"), job, NEVER, print) for job in "ab")
    with first, second:
        assert {process.start.device for process in machine.begun} == {"GPU-a", "GPU-b"}


def test_a_gpu_without_room_is_waited_for(pools: Any) -> None:
    machine = Machine(Device("GPU-a", "H", 8000, 3100))
    pool, told = pools(machine), list[str]()

    def tell(why: str) -> None:
        told.append(why)
        machine.gpus = [Device("GPU-a", "H", 8000, 6000)]

    with pool.lent(hear(model="large-v3"), "a", NEVER, tell):
        assert told == ["the GPU is busy: 5.5 GB are needed, 3.1 GB free"]


def test_the_gpu_with_room_is_taken(pools: Any) -> None:
    machine = Machine(Device("GPU-a", "H", 8000, 1000), Device("GPU-b", "H", 8000, 7000))
    with pools(machine).lent(hear(model="large-v3-turbo"), "a", NEVER, print):
        assert machine.begun[0].start.device == "GPU-b"


def test_a_smaller_model_or_the_cpu_is_taken_where_that_was_asked_for(pools: Any) -> None:
    machine = Machine(Device("GPU-a", "H", 8000, 1500))
    smaller = [hear(0, name) for name in ("medium", "small", "base")]
    with pools(machine).lent(hear(0, "large-v3", *smaller), "a", NEVER, print) as lent:
        assert lent.ask.gpu_model == "small"
    cpu = Ask(Role.HEAR, (0.0,), "hear large-v3 cpu", changes={"device": "cpu"})
    with pools(machine).lent(hear(0, "large-v3", cpu), "a", NEVER, print) as lent:
        assert lent.ask.changes == {"device": "cpu"}


def test_what_is_asked_for_is_done_where_there_is_room(pools: Any) -> None:
    machine = Machine(Device("GPU-a", "H", 8000, 7000))
    with pools(machine).lent(hear(0, "large-v3", hear(0, "base")), "a", NEVER, print) as lent:
        assert lent.ask.gpu_model == "large-v3"


def test_what_a_model_takes_of_a_gpu_is_measured(pools: Any, tmp_path: Path) -> None:
    machine = Machine(Device("GPU-a", "H", 8000, 7000))
    machine.used = 2100
    with pools(machine).lent(hear(0, "small"), "a", NEVER, print):
        pass
    assert Needs(tmp_path / "needs.json").on_gpu("small") == 2100


def test_what_its_process_holds_of_a_gpu_counts_as_room(pools: Any) -> None:
    machine = Machine(Device("GPU-a", "H", 8000, 7000))
    pool, told, stop = pools(machine), list[str](), threading.Event()
    with pool.lent(hear(0, "base"), "a", NEVER, print):
        machine.used, machine.gpus = 3000, [Device("GPU-a", "H", 8000, 2000)]
    with pool.lent(hear(0, "large-v3-turbo"), "b", NEVER, print):
        machine.used = 1000

    def tell(why: str) -> None:
        told.append(why)
        stop.set()

    with pytest.raises(Stopped), pool.lent(hear(0, "large-v3"), "c", stop, tell):
        pass
    assert told == ["the GPU is busy: 5.5 GB are needed, 2.0 GB free"]


def test_a_process_that_holds_nothing_of_a_gpu_is_given_no_room_for_it(pools: Any) -> None:
    machine = Machine(Device("GPU-a", "H", 8000, 1500))
    pool = pools(machine)
    cpu = Ask(Role.HEAR, (0.0,), "hear large-v3 cpu", changes={"device": "cpu"})
    for _ in range(2):
        with pool.lent(hear(0, "large-v3", cpu), "a", NEVER, print) as lent:
            assert lent.ask.changes == {"device": "cpu"}


def test_who_needs_no_gpu_passes_those_that_wait_for_one(pools: Any) -> None:
    machine, stop = Machine(Device("GPU-a", "H", 8000, 100)), threading.Event()
    pool = pools(machine)

    def wait() -> None:
        with pytest.raises(Stopped), pool.lent(hear(0, "large-v3"), "a", stop, lambda why: None):
            pass

    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(wait)
        eventually(lambda: any(own.waits_for_gpu for own in pool._line), 5)
        with pool.lent(hear(1), "b", NEVER, print) as lent:
            assert lent.ask.gpu_model is None
        stop.set()
        waiting.result(5)


def test_smaller_models_are_named_the_largest_first_and_in_the_language() -> None:
    assert smaller_models("large-v3-turbo", None) == ("medium", "small", "base")
    assert smaller_models("small", "en") == ("base", "tiny.en")
    assert smaller_models("/my/own", "de")[0] == "large-v3-turbo"


def test_who_waits_goes_first_once_that_is_wanted(pools: Any) -> None:
    pool, order = pools(Machine(), workers=1), list[str]()

    def take(rank: float, name: str) -> None:
        with pool.lent(work(rank), name, NEVER, lambda why: None):
            order.append(name)

    with ThreadPoolExecutor(2) as threads:
        with pool.lent(work(), "now", NEVER, print):
            waiting = [threads.submit(take, rank, name) for rank, name in ((1, "a"), (2, "b"))]
            eventually(lambda: len(pool._line) == 2, 5)
            pool.rerank("b", (0.0,))
        for one in waiting:
            one.result(5)
    assert order == ["b", "a"]


def test_a_step_on_the_cpu_needs_no_gpu(pools: Any) -> None:
    machine = Machine(Device("GPU-a", "H", 8000, 0))
    with pools(machine).lent(hear(), "a", NEVER, print):
        assert len(machine.begun) == 1


def test_a_pool_that_closes_lends_no_more(pools: Any) -> None:
    pool = pools(Machine())
    pool.close()
    with pytest.raises(Stopped), pool.lent(work(), "a", NEVER, print):
        pass


def test_a_place_is_kept_for_who_comes_first_but_not_for_long(pools: Any) -> None:
    pool, order = pools(Machine()), list[str]()

    def take(rank: float, name: str) -> None:
        with pool.lent(hear(rank), name, NEVER, lambda why: None):
            order.append(name)

    with ThreadPoolExecutor(2) as threads:
        pool.expect(hear(1.0), "first", 5.0)
        later = threads.submit(take, 2.0, "later")
        eventually(lambda: len(pool._line) == 2, 5)
        threads.submit(take, 1.0, "first").result(5)
        later.result(5)
        assert order == ["first", "later"]
        pool.expect(hear(1.0), "first", 0.2)
        threads.submit(take, 2.0, "nobody came").result(5)
