"""What is done in a watched folder when one of its jobs has ended.

What cannot be written or moved now is tried again later.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from reelremix.daemon.filing import file_away
from reelremix.daemon.folder_scan import DONE, FAILED
from reelremix.daemon.notices import tell_clips, tell_failure
from reelremix.daemon.troubles import Troubles, reason_of
from reelremix.engine.domain.context import Catalogue
from reelremix.engine.domain.job import JobRecord, JobState
from reelremix.engine.domain.watch import Watch, Watched, WatchStore, WhenDone
from reelremix.engine.store.sources import identify_file
from reelremix.errors import ReelRemixError

WITHOUT_CLIPS = (JobState.FAILED, JobState.DEAD)


class Endings:
    """Jobs of one watch that have ended and are not seen to."""

    def __init__(
        self,
        watches: WatchStore,
        catalogue: Catalogue,
        troubles: Troubles,
        clock: Callable[[], float],
        seen_to: Callable[[JobRecord], None] = lambda job: None,
    ) -> None:
        """Know of none yet; `seen_to` is called with each that is done with, and never raises."""
        self._seen_to = seen_to
        self._watches = watches
        self._catalogue = catalogue
        self._troubles = troubles
        self._clock = clock
        self._due: dict[str, tuple[JobRecord, float]] = {}
        """By the job's id, with the time from which on it is to be tried."""
        self._lock = threading.Lock()

    def add(self, job: JobRecord) -> None:
        """A job has ended."""
        with self._lock:
            self._due[job.id] = (job, self._clock())

    def attend(self, watch: Watch, retry_s: float) -> None:
        """See to all that are due; never raises for what a disk does."""
        for job in self._ready():
            subject = f"job {job.id}"
            try:
                self._see_to(watch, job)
            except (OSError, ReelRemixError) as exc:
                self._troubles.tell(subject, f"{job.name}: {reason_of(exc)}; it is tried again")
                self._later(job, self._clock() + retry_s)
            else:
                self._troubles.solve(subject)
                self._done(job)
                self._seen_to(job)

    def _ready(self) -> list[JobRecord]:
        now = self._clock()
        with self._lock:
            return [job for job, at in self._due.values() if at <= now]

    def _later(self, job: JobRecord, at: float) -> None:
        with self._lock:
            if self._due[job.id][0] is job:  # not told of again meanwhile
                self._due[job.id] = (job, at)

    def _done(self, job: JobRecord) -> None:
        with self._lock:
            if self._due[job.id][0] is job:
                del self._due[job.id]

    def _see_to(self, watch: Watch, job: JobRecord) -> None:
        watched = self._watched(watch, job)
        if watched is None:
            return
        beside = _beside(watch, Path(watched.path))
        if job.state is JobState.SUCCEEDED:
            tell_clips(job, beside)
            self._file(watch, watched, DONE)
        elif job.state in WITHOUT_CLIPS:
            tell_failure(job, beside)
            self._file(watch, watched, FAILED)

    def _watched(self, watch: Watch, job: JobRecord) -> Watched | None:
        known = self._watches.of_job(watch.id, job.id)
        if known is None and job.source_id is not None:
            known = self._watches.seen(watch.id, job.source_id)
        return known

    def _file(self, watch: Watch, watched: Watched, name: str) -> None:
        """Move the recording if that is wished; it is found there by its content afterwards."""
        if watch.when_done is not WhenDone.MOVE:
            return
        place = self._place(watch, watched)
        if place is None:
            return
        moved = file_away(place, Path(watch.folder) / name)
        if moved != place:
            self._catalogue.remember_file(identify_file(moved), watched.source_id)

    def _place(self, watch: Watch, watched: Watched) -> Path | None:
        """Where the recording is in the folder now, unchanged."""
        known = [watched.path, *self._catalogue.locations(watched.source_id)]
        root = Path(watch.folder).resolve()
        for path in map(Path, known):
            if path.is_file() and path.resolve().is_relative_to(root):
                found = self._catalogue.recall_file(identify_file(path))
                if found == watched.source_id:
                    return path
        return None


def _beside(watch: Watch, source: Path) -> Path:
    """Where a recording was, or the watched folder where that one is gone."""
    return source if source.parent.is_dir() else Path(watch.folder) / source.name
