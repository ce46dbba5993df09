"""A recording for the length of a run: its streams chosen, its bytes within reach, held alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.subject import Subject
from reelremix.engine.fetching import path_of
from reelremix.engine.locks import alone
from reelremix.engine.media.probe import choose_streams
from reelremix.engine.stages.ingest import ingest
from reelremix.errors import (
    NoVideoStream,
    UnreadableMedia,
)


@contextmanager
def prepared(source: str, audio_stream: str | None, ctx: RunContext) -> Iterator[Subject]:
    """The recording with its streams chosen, and its bytes within reach while the block runs.

    Raises:
        UnreadableMedia: it cannot be read.
        DownloadFailed: it is on the web and cannot be fetched.
        ConfigError: it has no such audio stream.
    """
    described = ingest(path_of(source, ctx), ctx)
    with ctx.sources.open(described.id) as path:
        yield Subject(path, choose_streams(described, audio_stream))


@contextmanager
def reopened(source_id: str, audio_stream: str | None, ctx: RunContext) -> Iterator[Subject]:
    """The same for a recording that is known by its content.

    Raises:
        UnreadableMedia: it is not known here, or no longer where it was.
        ConfigError: it has no such audio stream.
    """
    described = ctx.catalogue.source(source_id)
    if described is None:
        raise UnreadableMedia(f"the source {source_id[:12]} is not known here")
    with ctx.sources.open(source_id) as path:
        yield Subject(path, choose_streams(described, audio_stream))


def alone_on(source_id: str, ctx: RunContext) -> AbstractContextManager[None]:
    """Hold the source for this run; a second run waits, and says so."""
    reason = "another run is working on this source"
    return alone(f"{ctx.owner}-{source_id[:32]}", reason, ctx)


def alone_in(folder: Path, ctx: RunContext) -> AbstractContextManager[None]:
    """Hold the choice of folders inside an output folder, for the moment that it takes."""
    name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:32]
    return alone(f"folder-{name}", f"another run is choosing its folder in {folder}", ctx)


def alone_at(file: Path, ctx: RunContext) -> AbstractContextManager[None]:
    """Hold a file that several programs read and write, for the moment that it takes."""
    name = hashlib.sha256(str(file.resolve()).encode()).hexdigest()[:32]
    return alone(f"file-{name}", f"another program is writing {file}", ctx)


def require_video(subject: Subject) -> None:
    """Raise NoVideoStream for a recording that has only sound."""
    if subject.presentation.video is None or subject.presentation.video.video is None:
        raise NoVideoStream(
            f"{subject.source.name} has no video stream, so there is nothing to frame",
            hint="`reelremix transcribe` and `reelremix score` work with sound alone",
        )
