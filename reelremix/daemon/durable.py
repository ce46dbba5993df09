"""Work that survives the end of the process, by DBOS: the only module that knows of it.

A job is a workflow, known by the job's id. Its steps are numbered in the order they are begun; what
a step returned is kept and not asked for again, however often the workflow is gone on with. DBOS
keeps all that in SQLite on one machine and in PostgreSQL on many.

Kept are plain JSON values and errors of `reelremix.errors`, readable in the database and by later
versions.
"""

from __future__ import annotations

import contextvars
import itertools
import json
import logging
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy
from dbos import DBOS, DBOSConfig, SetEnqueueOptions, SetWorkflowID
from dbos._error import (
    DBOSAwaitedWorkflowCancelledError,
    DBOSNonExistentWorkflowError,
    DBOSWorkflowCancelledError,
    DBOSWorkflowConflictIDError,
)
from dbos._serialization import Serializer

from reelremix.engine.domain.job import HIGHEST_PRIORITY
from reelremix.errors import (
    ConfigError,
    DiskFull,
    LibraryHeld,
    ReelRemixError,
    error_of,
    plain_error,
)

APPLICATION = "reelremix"
APPLICATION_VERSION = "1"
"""Of the order of steps: with another one, jobs of earlier versions would not be gone on with."""
QUEUE = "jobs"
POLL_S = 0.5
"""Each look costs 6 ms of a core. Nobody waits for it but a job that finds nothing under way."""
ACTIVE = ("PENDING", "ENQUEUED", "DELAYED")
NOTHING = "nothing"
"""What a step that returns None keeps: DBOS takes None for a step that is not done."""

_log = logging.getLogger("reelremix.daemon")


class Stopped(DBOSWorkflowCancelledError):
    """A job is to stop here: what it has completed is kept, nothing is recorded of this step.

    Outside `Exception`, as DBOS wants it, so that no handler of errors swallows it.
    """

    def __init__(self) -> None:
        super().__init__("stopped")


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a step that failed is tried again."""

    attempts: int = 5
    """The first one included."""
    wait_s: float = 1.0
    factor: float = 3.0
    """By which the wait grows each time."""


@dataclass(frozen=True, slots=True)
class StepRecord:
    """A step that is done."""

    number: int
    name: str
    output: Any
    """What it returned; None where it failed."""
    is_failed: bool


class Durable:
    """Workflows of this executor. One a process: DBOS has one instance."""

    def __init__(
        self,
        url: str,
        executor_id: str,
        at_once: int,
        run: Callable[[str], None],
        poll_s: float = POLL_S,
    ) -> None:
        """Begin to work off what is queued.

        Args:
            url: the database, as SQLAlchemy writes it.
            executor_id: stable and no other executor's, so that it finds its own work again.
            at_once: jobs that run here at a time.
            run: carries out a job from its first step on; steps that are done return at once.
            poll_s: seconds between two looks at the queue.

        Raises:
            ConfigError: the database cannot be used. So do the other methods.
        """
        config: DBOSConfig = {
            "name": APPLICATION,
            "system_database_url": url,
            "executor_id": executor_id,
            "application_version": APPLICATION_VERSION,
            "serializer": PlainSerializer(),
            "run_migrations": True,
            "enable_otlp": False,
            "log_level": "WARNING",
        }
        self._executor_id = executor_id
        _quiet()
        with _told_trouble():
            if url.startswith("sqlite"):
                config["system_database_engine"] = _sqlite(url)
            self._launch(config, at_once, run, poll_s)

    def _launch(
        self, config: DBOSConfig, at_once: int, run: Callable[[str], None], poll_s: float
    ) -> None:
        DBOS(config=config)

        def job(job_id: str) -> None:
            run(job_id)

        self._workflow = DBOS.workflow(name="job", max_recovery_attempts=None)(job)
        DBOS.listen_queues([QUEUE])
        DBOS.launch()
        self._queue = DBOS.register_queue(
            QUEUE, worker_concurrency=at_once, polling_interval_sec=poll_s
        )

    def enqueue(self, job_id: str, priority: int) -> None:
        """Queue a job; one that is known already is left as it is."""
        rank = SetEnqueueOptions(priority=_rank(priority))
        with _told_trouble(), SetWorkflowID(job_id), rank:
            self._queue.enqueue(self._workflow, job_id)

    def is_known(self, job_id: str) -> bool:
        """Whether a job was ever queued."""
        with _told_trouble():
            return DBOS.get_workflow_status(job_id) is not None

    def stop(self, job_id: str) -> None:
        """Let a job not go on; its steps raise `Stopped`, what they have completed is kept."""
        with _told_trouble():
            DBOS.cancel_workflow(job_id)

    def rewind(self, job_id: str, step: int) -> None:
        """Queue a job that has ended again, from a step on."""
        with _told_trouble():
            DBOS.rewind_workflow(job_id, start_step=step, queue_name=QUEUE)

    def reprioritise(self, job_id: str, priority: int) -> None:
        """Let a job that waits go before or behind others."""
        system = _system()
        table = system.tables.workflow_status
        with _told_trouble(), system.engine.begin() as connection:
            connection.execute(
                sqlalchemy.update(table)
                .where(table.c.workflow_uuid == job_id)
                .values(priority=_rank(priority))
            )

    def steps(self, job_id: str) -> list[StepRecord]:
        """The steps that a job which is known has done, in order."""
        with _told_trouble():
            kept = DBOS.list_workflow_steps(job_id)
        return [
            StepRecord(
                step["function_id"],
                step["function_name"],
                step["output"],
                step["error"] is not None,
            )
            for step in kept
        ]

    def forget(self, job_ids: Sequence[str]) -> None:
        """Remove what is kept of jobs that have ended."""
        if job_ids:
            with _told_trouble():
                DBOS.delete_workflows(list(job_ids))

    def is_waiting(self, job_id: str) -> bool:
        """Whether a job waits in the queue, or is another executor's."""
        with _told_trouble():
            status = DBOS.get_workflow_status(job_id)
        if status is None:
            return False
        is_elsewhere = status.status == "PENDING" and status.executor_id != self._executor_id
        return status.status in ("ENQUEUED", "DELAYED") or is_elsewhere

    def is_active(self, job_id: str) -> bool:
        """Whether a job is queued or under way."""
        with _told_trouble():
            status = DBOS.get_workflow_status(job_id)
        return status is not None and status.status in ACTIVE

    def close(self) -> None:
        """Begin no more jobs. Those under way are gone on with by the next process."""
        DBOS.destroy()


Wait = Callable[[ReelRemixError, float], None]
"""Called before another try with the error and the seconds until then, for which it waits."""


def step(name: str, work: Callable[[], Any], retries: Retries, wait: Wait) -> Any:
    """Do a step of the job that this thread carries out, unless it is done already.

    Args:
        name: of the step.
        work: does it and returns a plain value. Errors that pass are tried again.
        retries: how often.
        wait: called before another try.

    Raises:
        ReelRemixError: it failed, now or before.
        Stopped: the job is to stop.
    """
    with _stopping():
        result = DBOS.run_step({"name": name}, _tried(work, retries, wait))
    return None if result == NOTHING else result


@contextmanager
def _stopping() -> Iterator[None]:
    """Workflows that DBOS was told to cancel end as those that stop by themselves."""
    try:
        with _told_trouble():
            yield
    except (DBOSWorkflowCancelledError, DBOSWorkflowConflictIDError) as exc:
        raise Stopped from exc


@contextmanager
def _told_trouble() -> Iterator[None]:
    """Say in our words what is wrong with the database."""
    try:
        yield
    except sqlalchemy.exc.SQLAlchemyError as exc:
        raise _trouble(exc) from exc


def _trouble(exc: sqlalchemy.exc.SQLAlchemyError) -> ConfigError:
    cause = getattr(exc, "orig", None) or exc
    said = str(cause).strip().partition("\n")[0]
    if isinstance(cause, sqlite3.Error):
        if cause.sqlite_errorcode & 0xFF == sqlite3.SQLITE_FULL:
            return DiskFull(f"the daemon's queue cannot be written: {said}", hint="free some space")
        if cause.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return LibraryHeld(
                "another program holds the daemon's queue", hint="try again when it lets go"
            )
    return ConfigError(
        f"the daemon's queue cannot be used: {said}",
        hint="`reelremix config show` says what `jobs_url` is, and where that comes from",
    )


Otherwise = Callable[[str, ReelRemixError], Any]
"""Called with a step's name and its last error: returns what it comes to all the same, or raises
it."""


def steps_at_once(
    works: Sequence[tuple[str, Callable[[], Any]]],
    at_once: int,
    retries: Retries,
    wait: Wait,
    otherwise: Otherwise,
) -> list[Any]:
    """Do steps that do not depend on each other, so many at a time; returns what each returned.

    Raises as `step` does, once those that are under way have ended; others do not begin then.
    """
    reserved = [(DBOS.reserve_step(), name, work) for name, work in works]

    def one(entry: tuple[Any, str, Callable[[], Any]]) -> Any:
        place, name, work = entry

        def tried() -> Any:
            try:
                return _tried(work, retries, wait)()
            except ReelRemixError as exc:
                return otherwise(name, exc)

        with _stopping():
            result = place.run({"name": name}, tried)
        return None if result == NOTHING else result

    with ThreadPoolExecutor(max(1, at_once), thread_name_prefix="steps") as pool:
        under_way = [pool.submit(contextvars.copy_context().run, one, e) for e in reserved]
        done, _ = futures.wait(under_way, return_when=futures.FIRST_EXCEPTION)
        if failed := [future for future in done if future.exception() is not None]:
            pool.shutdown(cancel_futures=True)
            failed[0].result()
        return [future.result() for future in under_way]


def _tried(work: Callable[[], Any], retries: Retries, wait: Wait) -> Callable[[], Any]:
    """The work, tried again while its errors pass."""

    def tries() -> Any:
        wait_s = retries.wait_s
        for attempt in itertools.count(1):
            try:
                result = work()
            except ReelRemixError as exc:
                if not exc.passes or attempt >= retries.attempts:
                    raise
                wait(exc, wait_s)
                wait_s *= retries.factor
            else:
                return NOTHING if result is None else result
        raise AssertionError("the last try returns or raises")

    return tries


class PlainSerializer(Serializer):
    """Values as JSON, errors by the name of their class."""

    def name(self) -> str:
        """What DBOS notes beside each value."""
        return "reelremix_json"

    def serialize(self, data: Any) -> str:
        """A value or an error as text."""
        if isinstance(data, BaseException):
            data = {"__error__": plain_error(data)}
        return json.dumps(data, ensure_ascii=False, separators=(",", ":"))

    def deserialize(self, serialized_data: str) -> Any:
        """The inverse."""
        value = json.loads(serialized_data)
        if isinstance(value, dict) and value.keys() == {"__error__"}:
            return error_of(value["__error__"])
        return value


def _rank(priority: int) -> int:
    """DBOS begins with the lowest number."""
    return 1 + HIGHEST_PRIORITY - priority


def _sqlite(url: str) -> sqlalchemy.Engine:
    """An engine as DBOS makes it, in write-ahead mode: writers wait for no reader, and not for the
    disk. A power cut may cost the last records; what they were of is found again."""
    engine = sqlalchemy.create_engine(url)

    @sqlalchemy.event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        connection.isolation_level = "IMMEDIATE"
        connection.execute("PRAGMA busy_timeout=30000")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")

    return engine


def _system() -> Any:
    """DBOS's own tables: it has no call that changes a priority."""
    from dbos._dbos import _get_dbos_instance

    return _get_dbos_instance()._sys_db


def _quiet() -> None:
    """Let what DBOS logs go where ours goes."""
    logger = logging.getLogger("dbos")
    logger.handlers = [logging.NullHandler()]
    logger.propagate = True
    logger.filters = [_Expected()]


class _Expected(logging.Filter):
    """Leaves out what DBOS says, with a stack, of jobs that are stopped or forgotten on purpose."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is worth logging."""
        error = record.exc_info[1] if record.exc_info else None
        return not (
            isinstance(error, DBOSAwaitedWorkflowCancelledError | DBOSNonExistentWorkflowError)
            or "Waiting for the" in record.getMessage()
        )
