"""How much was done, how long it took, what failed, and what it takes on disk."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from statistics import median

from reelremix.config import Settings
from reelremix.daemon.protocol import FailureStats, StageStats, Stats
from reelremix.engine.domain.events import StageFinished
from reelremix.engine.domain.job import EVERY_JOB, JobRecord, JobState
from reelremix.engine.store.factory import Stores

PAGE = 500
MOST_JOBS = 5000
MOST_FAILURES = 10
DAY_S = 86_400


def stats_of(stores: Stores, settings: Settings, days: float) -> Stats:
    """Count the jobs of the last days."""
    jobs = _recent(stores, time.time() - days * DAY_S)
    done = [job for job in jobs if job.state is JobState.SUCCEEDED]
    source_s = sum(job.usage.get("source_s", 0.0) for job in done)
    work_s = sum(_took_s(job) for job in done)
    states = [job.state.value for job in jobs]
    library = settings.library_file
    return Stats(
        days=days,
        jobs={state: states.count(state) for state in sorted(set(states))},
        source_s=round(source_s, 1),
        rendered_s=round(sum(job.usage.get("rendered_s", 0.0) for job in done), 1),
        work_s=round(work_s, 1),
        realtime=round(source_s / work_s, 2) if work_s > 0 else None,
        stages=_stages(stores, jobs),
        failures=_failures(jobs),
        artifacts_bytes=stores.artifacts.size_bytes(),
        library_bytes=library.stat().st_size if library.exists() else 0,
        free_bytes=shutil.disk_usage(settings.data_path).free,
    )


def _took_s(job: JobRecord) -> float:
    """How long a job was worked on; a clock that was set back makes it no less than nothing."""
    return max(0.0, (job.ended_at or 0.0) - (job.started_at or 0.0))


def _recent(stores: Stores, since: float) -> list[JobRecord]:
    found: list[JobRecord] = []
    for offset in range(0, MOST_JOBS, PAGE):
        page = stores.jobs.jobs(EVERY_JOB, PAGE, offset)
        found += [job for job in page if job.created_at >= since]
        if len(page) < PAGE or page[-1].created_at < since:
            break
    return found


def _stages(stores: Stores, jobs: list[JobRecord]) -> list[StageStats]:
    """The longest first."""
    times: dict[str, list[float]] = {}
    cached: dict[str, int] = {}
    for job in jobs:
        for logged in stores.catalogue.events(job.id):
            event = logged.event
            if isinstance(event, StageFinished):
                times.setdefault(event.stage, []).append(event.wall_s)
                cached[event.stage] = cached.get(event.stage, 0) + event.cached
    found = [
        StageStats(name, len(own), cached[name], round(sum(own), 2), round(median(own), 3))
        for name, own in times.items()
    ]
    return sorted(found, key=lambda one: -one.total_s)


def _failures(jobs: list[JobRecord]) -> list[FailureStats]:
    counted = Counter(job.failure.message for job in jobs if job.failure is not None)
    return [FailureStats(message, times) for message, times in counted.most_common(MOST_FAILURES)]
