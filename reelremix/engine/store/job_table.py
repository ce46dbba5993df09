"""Jobs in SQLite: what is asked for, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from reelremix.engine import codec
from reelremix.engine.domain.events import LoggedEvent
from reelremix.engine.domain.job import ENDED, EVERY_JOB, JobFilter, JobRecord, JobState
from reelremix.engine.domain.owner import LOCAL_OWNER
from reelremix.engine.store.database import Database
from reelremix.errors import JobMoved

AT_ONCE = 500
"""Jobs that one statement removes."""


class SqliteJobStore:
    """`JobStore` over the library file."""

    def __init__(self, database: Database, owner: str = LOCAL_OWNER) -> None:
        self._db = database
        self._owner = owner

    def add(self, job: JobRecord) -> JobRecord:
        """Keep a new job; if one with its key is there already, return that one instead."""
        with self._db.transaction() as connection:
            if job.key is not None:
                found = connection.execute(
                    "SELECT detail FROM jobs WHERE owner = ? AND key = ?", (self._owner, job.key)
                ).fetchone()
                if found is not None:
                    return _job(found[0])
            connection.execute(
                "INSERT INTO jobs (owner, id, key, state, origin, created_at, detail)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (self._owner, job.id, job.key, job.state, job.origin, job.created_at, _text(job)),
            )
        return job

    def job(self, job_id: str) -> JobRecord | None:
        """The job, or None."""
        rows = self._db.rows(
            "SELECT detail FROM jobs WHERE owner = ? AND id = ?", (self._owner, job_id)
        )
        return _job(rows[0][0]) if rows else None

    def find(self, id_prefix: str) -> Sequence[JobRecord]:
        """Jobs whose id begins so, the newest first."""
        rows = self._db.rows(
            "SELECT detail FROM jobs WHERE owner = ? AND substr(id, 1, ?) = ? ORDER BY number DESC",
            (self._owner, len(id_prefix), id_prefix),
        )
        return [_job(row[0]) for row in rows]

    def change(self, job_id: str, was: JobState, **changes: Any) -> JobRecord:
        """Change some fields of a job and leave the others as they are; returns it as it is then.

        Raises JobMoved where its state is no longer as it `was`.
        """
        with self._db.transaction() as connection:
            found = connection.execute(
                "SELECT detail FROM jobs WHERE owner = ? AND id = ? AND state = ?",
                (self._owner, job_id, was),
            ).fetchone()
            if found is None:
                raise JobMoved(f"the job {job_id[:8]} is no longer {was}")
            job = replace(_job(found[0]), **changes)
            connection.execute(
                "UPDATE jobs SET state = ?, detail = ? WHERE owner = ? AND id = ?",
                (job.state, _text(job), self._owner, job_id),
            )
        return job

    def jobs(
        self, wanted: JobFilter = EVERY_JOB, limit: int = 50, offset: int = 0
    ) -> Sequence[JobRecord]:
        """A page of jobs, the newest first."""
        query, values = "SELECT detail FROM jobs WHERE owner = ?", [self._owner]
        if wanted.states:
            query += f" AND state IN ({', '.join('?' * len(wanted.states))})"
            values += sorted(wanted.states)
        if wanted.origin is not None:
            query += " AND origin = ?"
            values.append(wanted.origin)
        rows = self._db.rows(
            f"{query} ORDER BY number DESC LIMIT ? OFFSET ?", (*values, limit, offset)
        )
        return [_job(row[0]) for row in rows]

    def counts(self) -> Mapping[JobState, int]:
        """How many jobs there are of each state that has any."""
        rows = self._db.rows(
            "SELECT state, COUNT(*) FROM jobs WHERE owner = ? GROUP BY state", (self._owner,)
        )
        return {JobState(str(state)): int(str(number)) for state, number in rows}

    def remove(self, job_ids: Collection[str]) -> int:
        """Forget jobs that have ended, with their events; returns how many went."""
        gone = 0
        ended = ", ".join(f"'{state}'" for state in sorted(ENDED))
        wanted = sorted(job_ids)
        with self._db.transaction() as connection:
            for first in range(0, len(wanted), AT_ONCE):
                ids = wanted[first : first + AT_ONCE]
                marks = ", ".join("?" * len(ids))
                theirs = f"owner = ? AND id IN ({marks}) AND state IN ({ended})"
                connection.execute(
                    "DELETE FROM events WHERE owner = ? AND job_id IN"
                    f" (SELECT id FROM jobs WHERE {theirs})",
                    (self._owner, self._owner, *ids),
                )
                done = connection.execute(f"DELETE FROM jobs WHERE {theirs}", (self._owner, *ids))
                gone += done.rowcount
        return gone

    def last_number(self) -> int:
        """Of the last fact of any job; 0 where there is none."""
        rows = self._db.rows(
            "SELECT COALESCE(MAX(number), 0) FROM events WHERE owner = ?", (self._owner,)
        )
        return int(str(rows[0][0]))

    def facts(self, after: int, limit: int) -> Sequence[tuple[int, LoggedEvent]]:
        """Facts of all jobs in the order they were logged, those numbered above `after`."""
        rows = self._db.rows(
            "SELECT events.number, events.detail FROM events"
            " JOIN jobs ON jobs.owner = events.owner AND jobs.id = events.job_id"
            " WHERE events.owner = ? AND events.number > ? ORDER BY events.number LIMIT ?",
            (self._owner, after, limit),
        )
        found = (
            (int(str(number)), codec.event_from_plain(json.loads(str(detail))))
            for number, detail in rows
        )
        return [(number, logged) for number, logged in found if logged is not None]


def _text(job: JobRecord) -> str:
    return json.dumps(codec.to_plain(job), ensure_ascii=False)


def _job(detail: object) -> JobRecord:
    job: JobRecord = codec.from_plain(json.loads(str(detail)), JobRecord)
    return job
