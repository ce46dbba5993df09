"""Watched folders that are real, with waits of a few milliseconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from reelremix.daemon.timings import Timings
from reelremix.daemon.watch import Watcher
from reelremix.engine.domain.context import Catalogue
from reelremix.engine.domain.job import JobRecord, JobState
from reelremix.engine.domain.watch import Watch, WatchStatus, WatchStore
from reelremix.engine.store.memory import MemoryCatalogue
from reelremix.engine.store.memory_watches import MemoryWatchStore
from reelremix.errors import ReelRemixError

QUICK = Timings(
    settle_s=0.1,
    network_settle_s=0.1,
    poll_s=0.02,
    network_poll_s=0.05,
    rescan_s=0.3,
    check_s=0.1,
    retry_s=0.1,
)


def eventually(condition: Callable[[], object], timeout_s: float = 10.0) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.005)


def held() -> tuple[int, int]:
    """File descriptors and threads of this process."""
    return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()


@dataclass
class Queue:
    """Takes jobs, and fails as it is told."""

    jobs: list[JobRecord] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    watches: list[Watch] = field(default_factory=list)
    fails: ReelRemixError | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def submit(self, watch: Watch, path: Path, source_id: str) -> JobRecord:
        """Take a job."""
        with self.lock:
            if self.fails is not None:
                raise self.fails
            job = JobRecord(
                id=f"{len(self.jobs):08}abcd",
                kind="clip",
                name=path.name,
                request={},
                created_at=0.0,
                origin=watch.origin,
                source_id=source_id,
            )
            self.jobs.append(job)
            self.paths.append(path)
            self.watches.append(watch)
            return job

    @property
    def names(self) -> list[str]:
        """Of the files that were taken, in order."""
        return [path.name for path in self.paths]


@dataclass
class Studio:
    """A folder, what watches it, and where its jobs go."""

    folder: Path
    store: WatchStore = field(default_factory=MemoryWatchStore)
    catalogue: Catalogue = field(default_factory=MemoryCatalogue)
    queue: Queue = field(default_factory=Queue)
    timings: Timings = QUICK
    watcher: Watcher = field(init=False)
    release: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.again()

    def again(self) -> None:
        """A watcher that knows nothing but what is stored."""
        self.watcher = Watcher(
            self.store,
            self.catalogue,
            self.queue.submit,
            timings=self.timings,
            release=self.release,
        )

    def watch(self, **changes: Any) -> Watch:
        """Watch the folder from now on."""
        watch = replace(Watch(id="w1", folder=str(self.folder), created_at=1.0), **changes)
        self.store.add(watch)
        self.watcher.start()
        return watch

    def drop(self, name: str, content: bytes | None = None) -> Path:
        """Put a file into the folder; without content, one like no other."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode() if content is None else content)
        return path

    def eventually_took(self, *names: str) -> None:
        """Wait until just these were taken, in whatever order."""
        eventually(lambda: len(self.queue.names) >= len(names))
        assert sorted(self.queue.names) == sorted(names)

    def eventually_takes(self, name: str) -> None:
        """Wait until a file of that name was taken."""
        eventually(lambda: name in self.queue.names)

    def takes_nothing_more(self) -> None:
        """Wait until everything that lies in the folder was looked at; nothing of it is taken."""
        before = list(self.queue.names)
        self.drop("marker.mp4", str(len(before)).encode() + b"marker")
        eventually(lambda: "marker.mp4" in self.queue.names[len(before) :])
        assert self.queue.names == [*before, "marker.mp4"]
        (self.folder / "marker.mp4").unlink()

    def end(self, job: JobRecord, state: JobState, **changes: Any) -> JobRecord:
        """Let a job end."""
        ended = replace(job, state=state, **changes)
        self.watcher.job_ended(ended)
        return ended

    @property
    def status(self) -> WatchStatus:
        """Of the one watch."""
        [status] = self.watcher.status()
        return status

    def names(self) -> list[str]:
        """What lies in the folder."""
        return sorted(path.name for path in self.folder.iterdir())
