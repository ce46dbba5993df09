"""Queueing a job for a recording in a watched folder, once for its content."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from reelremix.daemon.folder_scan import may_be_recording
from reelremix.daemon.settling import Signature, is_being_written
from reelremix.engine.domain.context import Catalogue, FileIdentity
from reelremix.engine.domain.job import JobRecord
from reelremix.engine.domain.watch import Watch, Watched, WatchStore
from reelremix.engine.store.files import file_sha256
from reelremix.engine.store.sources import identify_file

Submit = Callable[[Watch, Path, str], JobRecord]
"""Queues a job for a watch's recording and the id of its content. Called by several threads; asked
for the same again, by a watcher that was broken off in between, it returns the job there is."""


class Changed(Exception):
    """A file is no longer as it was when it had settled."""


@dataclass(frozen=True, slots=True)
class Taker:
    """Whoever knows what was taken, and queues the rest."""

    watches: WatchStore
    catalogue: Catalogue
    submit: Submit

    def take(
        self, watch: Watch, path: Path, settled: Signature, check: Callable[[], None]
    ) -> JobRecord | None:
        """Queue a job for a file; None for what is no recording, or was taken before.

        Args:
            watch: of the folder that it lies in.
            path: of the file.
            settled: how it was when it had stopped growing.
            check: called from time to time while it is read; what it raises ends that.

        Raises:
            OSError: it cannot be read, or is gone.
            Changed: it was written to since, or while it was read, or is going to be.
            ReelRemixError: the job cannot be queued.
        """
        _require_text(path)
        if settled.size_bytes == 0 or not may_be_recording(path):
            return None
        if is_being_written(path):
            raise Changed
        source_id = self._content_of(path, settled, check)
        known = self.watches.seen(watch.id, source_id)
        if known is not None:
            self._follow(known, path)
            return None
        job = self.submit(watch, path, source_id)
        self.watches.remember(Watched(watch.id, source_id, str(path), job.id, time.time()))
        return job

    def _content_of(self, path: Path, settled: Signature, check: Callable[[], None]) -> str:
        """The id of a file's content, read whole only if it was not before."""
        identity = identify_file(path)
        _require_same(identity, settled)
        known = self.catalogue.recall_file(identity)
        if known is not None:
            return known
        source_id = file_sha256(path, lambda _: check())
        if identify_file(path) != identity:
            raise Changed
        self.catalogue.remember_file(identity, source_id)
        return source_id

    def _follow(self, known: Watched, path: Path) -> None:
        """Note where a recording is now if it was renamed; a copy changes nothing."""
        if known.path != str(path) and not os.path.lexists(known.path):
            self.watches.remember(replace(known, path=str(path)))


def _require_same(identity: FileIdentity, settled: Signature) -> None:
    if Signature(identity.size_bytes, identity.mtime_ns) != settled:
        raise Changed


def _require_text(path: Path) -> None:
    try:
        str(path).encode()
    except UnicodeEncodeError as exc:
        raise OSError(errno.EILSEQ, "its name is not Unicode text; rename it") from exc
