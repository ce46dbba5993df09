"""Jobs held in memory, beside the catalogue that has their events."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from reelremix.engine.domain.events import LoggedEvent
from reelremix.engine.domain.job import ENDED, EVERY_JOB, JobFilter, JobRecord, JobState
from reelremix.engine.store.memory import MemoryCatalogue
from reelremix.errors import JobMoved


class MemoryJobStore:
    """`JobStore` in a dict."""

    def __init__(self, catalogue: MemoryCatalogue) -> None:
        self._catalogue = catalogue
        self._jobs: dict[str, JobRecord] = {}

    def add(self, job: JobRecord) -> JobRecord:
        """Keep a new job; if one with its key is there already, return that one instead."""
        same = [own for own in self._jobs.values() if job.key is not None and own.key == job.key]
        if same:
            return same[0]
        self._jobs[job.id] = job
        return job

    def job(self, job_id: str) -> JobRecord | None:
        """The job, or None."""
        return self._jobs.get(job_id)

    def find(self, id_prefix: str) -> Sequence[JobRecord]:
        """Jobs whose id begins so, the newest first."""
        return [job for job in self._newest if job.id.startswith(id_prefix)]

    def change(self, job_id: str, was: JobState, **changes: Any) -> JobRecord:
        """Change some fields of a job and leave the others as they are; returns it as it is then.

        Raises JobMoved where its state is no longer as it `was`.
        """
        if job_id not in self._jobs or self._jobs[job_id].state is not was:
            raise JobMoved(f"the job {job_id[:8]} is no longer {was}")
        self._jobs[job_id] = replace(self._jobs[job_id], **changes)
        return self._jobs[job_id]

    def jobs(
        self, wanted: JobFilter = EVERY_JOB, limit: int = 50, offset: int = 0
    ) -> Sequence[JobRecord]:
        """A page of jobs, the newest first."""
        found = [
            job
            for job in self._newest
            if (not wanted.states or job.state in wanted.states)
            and wanted.origin in (None, job.origin)
        ]
        return found[offset : offset + limit]

    def counts(self) -> Mapping[JobState, int]:
        """How many jobs there are of each state that has any."""
        states = [job.state for job in self._jobs.values()]
        return {state: states.count(state) for state in set(states)}

    def remove(self, job_ids: Collection[str]) -> int:
        """Forget jobs that have ended, with their events; returns how many went."""
        ended = [own for own in job_ids if own in self._jobs and self._jobs[own].state in ENDED]
        for own in ended:
            del self._jobs[own]
            self._catalogue.forget_events(own)
        return len(ended)

    def last_number(self) -> int:
        """Of the last fact of any job; 0 where there is none."""
        return len(self._catalogue.facts)

    def facts(self, after: int, limit: int) -> Sequence[tuple[int, LoggedEvent]]:
        """Facts of all jobs in the order they were logged, those numbered above `after`."""
        numbered = enumerate(self._catalogue.facts, start=1)
        return [
            (number, logged)
            for number, logged in numbered
            if number > after and logged is not None and logged.job_id in self._jobs
        ][:limit]

    @property
    def _newest(self) -> list[JobRecord]:
        return list(reversed(self._jobs.values()))
