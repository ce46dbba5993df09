"""The daemon as a whole: everything it is made of, begun and ended in order."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import asdict

import psutil

from reelremix import __version__
from reelremix.config import Settings
from reelremix.daemon.clip_work import WorkOptions
from reelremix.daemon.durable import Durable
from reelremix.daemon.gpu import Gpus, NvidiaGpus
from reelremix.daemon.hub import Hub
from reelremix.daemon.needs import Needs
from reelremix.daemon.pool import Pool, Role, described
from reelremix.daemon.process import Start
from reelremix.daemon.protocol import PROTOCOL_VERSION, Health, Status, WatchView
from reelremix.daemon.queue import JobQueue
from reelremix.daemon.watching import Watching
from reelremix.daemon.workflows import Runner
from reelremix.engine.cores import side_by_side
from reelremix.engine.domain.job import JobRecord
from reelremix.engine.models.registry import InstalledModels
from reelremix.engine.store.factory import Stores, open_stores
from reelremix.engine.store.integrity import set_aside_if_damaged

MB = 1_000_000
LEFT_TO_OTHERS = 0.2
"""Of the machine's memory, where nothing else is set."""
STOP_WITHIN_S = 3.0
SETTLE_S = 20.0

_log = logging.getLogger("reelremix.daemon")


class Daemon:
    """One executor: its queue, its processes, and who listens."""

    def __init__(self, settings: Settings, gpus: Gpus | None = None) -> None:
        """Open everything and go on with what is left to do.

        Raises:
            ConfigError: the settings are wrong, or the library cannot be opened.
        """
        self.settings = settings
        self.began = time.monotonic()
        self.is_stopping = threading.Event()
        self.version_on_disk: str | None = None
        """Set where another version was installed meanwhile: this process is to begin anew."""
        self._outdated: Callable[[], None] = lambda: None
        self.gpus = gpus or NvidiaGpus()
        self.stores: Stores = open_stores(settings)
        self.hub = Hub(self.stores.jobs)
        workers, _ = side_by_side()
        self.pool = Pool(
            Start(settings, outdated=self._tell_outdated),
            workers,
            self.gpus,
            Needs(settings.daemon_path / "needs.json"),
            _memory_limit_mb(settings),
            settings.worker_idle_s,
        )
        self._ended: list[Callable[[JobRecord], None]] = []
        self.runner = Runner(
            self.stores,
            self.pool,
            self.hub,
            WorkOptions(
                lock_dir=settings.locks_path,
                films_at_once=workers,
                is_installed=InstalledModels(settings.model_roots).has,
            ),
            crash_limit=settings.crash_limit,
            artifact_cap_bytes=settings.artifact_cap_mb * MB,
            ended=self._tell_ended,
        )
        listening = sum(slot.role is Role.HEAR for slot in self.pool.slots)
        self.durable = Durable(
            _queue_url(settings),
            settings.executor,
            settings.jobs_at_once or listening + 2,
            self.runner.run,
        )
        self.queue = JobQueue(self.stores, self.durable, self.runner)
        self.watching = Watching(self.stores, self.queue, settings.daemon_path)
        self.when_ended(self.watching.job_ended)
        try:
            self.queue.settle()
            self.watching.start()
        except BaseException:
            self.close()
            raise
        self._settler = threading.Thread(target=self._settle, daemon=True)
        self._settler.start()

    def when_ended(self, told: Callable[[JobRecord], None]) -> None:
        """Have somebody told of every job that has ended; must return quickly and never raise."""
        self._ended.append(told)

    def when_outdated(self, told: Callable[[], None]) -> None:
        """Have somebody told that another version is on disk; in whatever thread."""
        self._outdated = told

    def close(self) -> None:
        """Stop where everything is, to be gone on with by the next process."""
        self.is_stopping.set()
        self.watching.stop()
        self.runner.close(STOP_WITHIN_S)
        self.pool.close()
        self.queue.close()
        self.durable.close()

    def health(self) -> Health:
        """That it answers."""
        status = "stopping" if self.is_stopping.is_set() else "ok"
        return Health(status, __version__, PROTOCOL_VERSION, os.getpid(), self.uptime_s)

    def status(self) -> Status:
        """What it is doing."""
        counts = self.stores.jobs.counts()
        return Status(
            version=__version__,
            pid=os.getpid(),
            uptime_s=self.uptime_s,
            rss_mb=psutil.Process().memory_info().rss // MB,
            limit_mb=self.pool.limit_mb,
            held_mb=self.pool.held_mb,
            jobs={state.value: number for state, number in counts.items()},
            under_way=self.runner.under_way(),
            workers=[dict(one) for one in described(self.pool.slots)],
            gpus=[asdict(device) for device in self.gpus.devices()],
            listeners=self.hub.listeners,
            watches=watch_views(self.watching),
        )

    @property
    def uptime_s(self) -> float:
        """Since it began."""
        return round(time.monotonic() - self.began, 1)

    def _settle(self) -> None:
        """Now and then, look for jobs that nobody works on although somebody should."""
        while not self.is_stopping.wait(SETTLE_S):
            try:
                self.queue.settle()
            except Exception:  # of whatever kind: it is looked again, and that is worth knowing
                _log.exception("jobs could not be looked through")
            finally:
                self.stores.release_thread()

    def _tell_outdated(self, version: str) -> None:
        _log.warning("ReelRemix %s is on disk now: the daemon begins anew", version)
        self.version_on_disk = version
        self._outdated()

    def _tell_ended(self, job: JobRecord) -> None:
        for told in self._ended:
            told(job)


def watch_views(watching: Watching) -> list[WatchView]:
    """Watched folders, as they are shown."""
    return [WatchView.of(watch, status) for watch, status in watching.watches()]


def _memory_limit_mb(settings: Settings) -> int:
    if settings.daemon_memory_mb:
        return settings.daemon_memory_mb
    return int(psutil.virtual_memory().total * (1 - LEFT_TO_OTHERS)) // MB


def _queue_url(settings: Settings) -> str:
    if settings.jobs_url:
        return settings.jobs_url
    settings.jobs_file.parent.mkdir(parents=True, exist_ok=True)
    set_aside_if_damaged(settings.jobs_file)
    return f"sqlite:///{settings.jobs_file}"
