"""From a path to a Source: identified by content, described once, remembered."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from reelremix.engine.domain.context import FileIdentity, RunContext
from reelremix.engine.domain.events import StageFinished, StageProgress, StageStarted
from reelremix.engine.domain.source import Source
from reelremix.engine.media.faults import unreadable
from reelremix.engine.media.probe import probe
from reelremix.engine.store.files import file_sha256
from reelremix.engine.store.sources import identify_file
from reelremix.errors import UnreadableMedia

STAGE = "ingest"
VERSION = 1
"""Raise it whenever `probe` describes a file differently: known files are then looked at again."""


def ingest(path: Path, ctx: RunContext) -> Source:
    """Identify and describe a recording.

    A file is read whole once; later its path, size, mtime and inode are enough. What an older
    version of this stage described, or another version cannot read, is described anew.

    Raises:
        UnreadableMedia: missing, empty, not media, or without length.
        Cancelled: the user asked to stop.
    """
    began = time.monotonic()
    ctx.reporter.emit(StageStarted(STAGE))
    try:
        _require_file(path)
        identity = identify_file(path)
        known = ctx.catalogue.recall_file(identity)
        source = ctx.catalogue.source(known) if known else None
        cached = source is not None and source.probe_version == VERSION
        if source is None or not cached:
            found = probe(path, "")  # fails early: nobody waits for the hash of a broken file
            content = known or content_id(path, identity.size_bytes, ctx)
            source = replace(found, id=content, probe_version=VERSION)
            ctx.catalogue.save_source(source)
        source = replace(source, name=path.name)  # a copy may bear another name
        ctx.catalogue.remember_file(identity, source.id)
    except OSError as exc:
        raise unreadable(path, exc) from exc
    ctx.reporter.emit(StageFinished(STAGE, round(time.monotonic() - began, 3), cached))
    return source


def looked_at(path: Path, ctx: RunContext) -> Source:
    """A recording described, but not read whole: its id is empty where it is not known yet.

    Raises UnreadableMedia as `ingest` does.
    """
    try:
        _require_file(path)
        known = ctx.catalogue.recall_file(identify_file(path))
        source = ctx.catalogue.source(known) if known else None
        if source is None or source.probe_version != VERSION:
            source = replace(probe(path, ""), id=known or "")
        return replace(source, name=path.name)
    except OSError as exc:
        raise unreadable(path, exc) from exc


def _require_file(path: Path) -> None:
    """Raise UnreadableMedia for a folder, and for a name that is no text."""
    if readable(str(path)) != str(path):
        raise UnreadableMedia(
            f"{readable(path.name)} has a name that is not Unicode text", hint="rename the file"
        )
    if path.is_dir():
        raise UnreadableMedia(f"{path} is a folder", hint="name the recordings inside it")


_OTHERS: set[tuple[FileIdentity, str]] = set()
"""Files that were read whole and are not the recording that was looked for: once is enough."""


def holds(path: Path, source: Source, ctx: RunContext, *, remember: bool = True) -> bool:
    """Whether a file is a known recording; one that was only touched is read whole to tell.

    Raises:
        OSError: it is not there, or cannot be read.
        Cancelled: the user asked to stop.
    """
    identity = identify_file(path)
    if ctx.catalogue.recall_file(identity) == source.id:
        return True
    if identity.size_bytes != source.size_bytes or (identity, source.id) in _OTHERS:
        return False
    if content_id(path, identity.size_bytes, ctx) != source.id:
        _OTHERS.add((identity, source.id))
        return False
    if remember:
        ctx.catalogue.remember_file(identity, source.id)
    return True


def readable(name: str) -> str:
    """The name with bytes that are not UTF-8 spelled out."""
    return name.encode(errors="backslashreplace").decode()


def content_id(path: Path, size_bytes: int, ctx: RunContext) -> str:
    """The SHA-256 of a whole file, with progress. Raises OSError and Cancelled."""

    def advance(done: int) -> None:
        ctx.cancel.raise_if_set()
        ctx.reporter.emit(StageProgress(STAGE, done, size_bytes, "B"))

    return file_sha256(path, advance)
