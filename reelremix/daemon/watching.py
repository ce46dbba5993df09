"""Watched folders as the daemon has them: what their recordings are queued as, and who is told."""

from __future__ import annotations

import logging
import os
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from reelremix.config import Settings
from reelremix.daemon.folder_settings import settings_of
from reelremix.daemon.notify import Delivery, Desktop, Webhook, checked_address, desktop_command
from reelremix.daemon.queue import JobQueue, NewJob
from reelremix.daemon.requests import VERSION
from reelremix.daemon.told_jobs import ToldJobs
from reelremix.daemon.troubles import reason_of
from reelremix.daemon.watch import Watcher
from reelremix.engine import codec
from reelremix.engine.bounds import check_bounds
from reelremix.engine.domain.job import JobFilter, JobRecord, JobState
from reelremix.engine.domain.request import AUTO
from reelremix.engine.domain.watch import ORIGIN, Watch, WatchStatus
from reelremix.engine.models.registry import InstalledModels
from reelremix.engine.output_folder import check_writable
from reelremix.engine.requesting import clip_request
from reelremix.engine.store.factory import Stores
from reelremix.errors import ConfigError, JobNotFound, ReelRemixError

SECRET_VARIABLE = "REELREMIX_WEBHOOK_SECRET"
"""What messages to a webhook are signed with; never a setting, since settings are shown."""
AGAIN = 200
"""Jobs whose endings are told to the watcher once more at start: it may not have seen to them."""
DAEMONS = frozenset(
    {
        "data_dir", "downloads_dir", "models_dir", "stores", "jobs_at_once", "jobs_url", "executor",
        "daemon_port", "daemon_memory_mb", "worker_idle_s", "crash_limit", "artifact_cap_mb",
    }
)  # fmt: skip
"""Settings that a watched folder cannot have of its own."""
TITLES: Mapping[JobState, str] = {
    JobState.SUCCEEDED: "Clips are ready",
    JobState.FAILED: "No clips",
    JobState.DEAD: "No clips",
}

_log = logging.getLogger("reelremix.daemon")


class Watching:
    """The watched folders of a daemon."""

    def __init__(self, stores: Stores, queue: JobQueue, folder: Path) -> None:
        """Watch nothing yet; `folder` is the daemon's."""
        self._stores = stores
        self._queue = queue
        self._seen = ToldJobs(folder / "seen.json")
        self._watcher = Watcher(
            stores.watches,
            stores.catalogue,
            self._submit,
            release=stores.release_thread,
            seen_to=self._seen.add,
        )
        self._desktop = Desktop(desktop_command())
        self._webhook = Webhook(os.environ.get(SECRET_VARIABLE, ""), self._delivered)
        self._told = ToldJobs(folder / "told.json")

    def start(self) -> None:
        """Watch, and see to what ended while nobody did."""
        self._watcher.start()
        wanted = JobFilter(frozenset(TITLES))
        for job in reversed(self._stores.jobs.jobs(wanted, AGAIN)):
            if (watch := self._watch_of(job)) is not None:
                if not self._seen.has(job):
                    self._watcher.job_ended(job)
                self._tell_address(watch, job)

    def stop(self) -> None:
        """Watch no longer."""
        self._watcher.stop()
        self._desktop.stop()
        self._webhook.stop()

    def job_ended(self, job: JobRecord) -> None:
        """See to a job that has ended, in its folder and wherever else is asked; never raises."""
        try:
            watch = self._watch_of(job)
        except ReelRemixError as exc:
            _log.warning("the folder of job %s is not told of its end now: %s", job.id, exc)
            return
        if watch is None:
            return
        self._watcher.job_ended(job)
        if job.state not in TITLES:
            return
        if watch.notify:
            why = job.failure.message if job.failure is not None else job.folder or ""
            self._desktop.tell(f"{TITLES[job.state]}: {job.name}", why)
        self._tell_address(watch, job)

    def _tell_address(self, watch: Watch, job: JobRecord) -> None:
        """Tell the webhook of a watch, unless it was told already; never raises."""
        if watch.webhook is None or self._told.has(job):
            return
        try:
            _require_secret()
            self._webhook.send(watch.webhook, job)
        except ConfigError as exc:
            _log.warning("nobody is told of job %s: %s", job.id, exc)

    def _delivered(self, delivery: Delivery) -> None:
        self._told.add(delivery.job)
        told = "told %s that job %s is %s (attempt %s)"
        job = delivery.job
        arguments = (delivery.host, job.id, job.state, delivery.attempts)
        if delivery.failure is None:
            _log.info(told, *arguments)
        else:
            _log.warning("could not have " + told + ": %s", *arguments, delivery.failure)

    def add(self, watch: Watch) -> Watch:
        """Watch another folder.

        Raises:
            ConfigError: it is no folder, is watched already, or its settings are wrong, its webhook
                and where its clips go included.
            ModelNotInstalled: the model that they name is not there.
        """
        if not Path(watch.folder).is_absolute():
            raise ConfigError(f"the folder must be an absolute path (got {watch.folder!r})")
        folder = Path(watch.folder).resolve()
        watch = replace(watch, folder=str(folder))
        if daemons := DAEMONS & watch.options.keys():
            raise ConfigError(f"{min(daemons)} is no setting of clips, but of the daemon itself")
        _require_folder(folder)
        if any(Path(own.folder) == folder for own in self._stores.watches.watches()):
            raise ConfigError(
                f"{folder} is watched already", hint="`reelremix watch list` shows its id"
            )
        if watch.webhook is not None:
            checked_address(watch.webhook)
            _require_secret()
        settings = settings_of(watch).settings
        asked = clip_request(settings, str(folder / "recording.mp4"))
        check_bounds(asked)
        if settings.model != AUTO:
            InstalledModels(settings.model_roots).folder(settings.model)
        check_writable(Path(asked.out))
        kept = replace(watch, id=uuid.uuid4().hex[:8], created_at=round(time.time(), 3))
        self._stores.watches.add(kept)
        self._watcher.reload()
        return kept

    def remove(self, named: str) -> Watch:
        """Watch a folder no longer; its jobs and clips stay. Raises JobNotFound."""
        watch = self.find(named)
        self._stores.watches.remove(watch.id)
        self._watcher.reload()
        return watch

    def pause(self, named: str, *, paused: bool) -> Watch:
        """Take no recordings from a folder for a while, or again. Raises JobNotFound."""
        watch = replace(self.find(named), paused=paused)
        self._stores.watches.save(watch)
        self._watcher.reload()
        return watch

    def find(self, named: str) -> Watch:
        """The watch of that id, or of that folder. Raises JobNotFound."""
        for watch in self._stores.watches.watches():
            if named in (watch.id, watch.folder):
                return watch
        raise JobNotFound(
            f"no watch has the id or the folder {named!r}", hint="`reelremix watch list`"
        )

    def watches(self) -> Sequence[tuple[Watch, WatchStatus | None]]:
        """All, and what each is doing; None for one that is just being begun."""
        doing = {status.watch_id: status for status in self._watcher.status()}
        return [(watch, doing.get(watch.id)) for watch in self._stores.watches.watches()]

    def _watch_of(self, job: JobRecord) -> Watch | None:
        if not job.origin.startswith(ORIGIN):
            return None
        id = job.origin.removeprefix(ORIGIN)
        return next((own for own in self._stores.watches.watches() if own.id == id), None)

    def _submit(self, watch: Watch, path: Path, source_id: str) -> JobRecord:
        """Queue a recording as its folder wants it; the job that is there if it was already."""
        settings: Settings = settings_of(watch).settings
        request: dict[str, Any] = codec.to_plain(clip_request(settings, str(path)))
        new = NewJob(
            kind="clip",
            request={**request, "version": VERSION},
            name=path.name,
            origin=watch.origin,
            key=f"{watch.id}:{source_id}",
            source_id=source_id,
        )
        return self._queue.submit(new)


def _require_folder(folder: Path) -> None:
    try:
        is_there = folder.is_dir()
    except OSError as exc:
        raise ConfigError(f"the folder cannot be looked into: {reason_of(exc)}") from exc
    if not is_there:
        raise ConfigError(f"{folder} is not a folder", hint="make it first, or check its name")


def _require_secret() -> None:
    if not os.environ.get(SECRET_VARIABLE):
        raise ConfigError(
            "messages to a webhook are signed, and there is nothing to sign them with",
            hint=f"set {SECRET_VARIABLE} in the environment of the daemon and restart it",
        )
