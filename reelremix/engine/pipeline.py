"""A recording for the length of a run: its streams chosen, its bytes within reach, held alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.source import Source
from reelremix.engine.domain.subject import Subject
from reelremix.engine.fetching import path_of
from reelremix.engine.locks import alone
from reelremix.engine.media.probe import choose_streams
from reelremix.engine.stages.ingest import holds, ingest
from reelremix.errors import NoVideoStream, UnreadableMedia


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
        raise UnreadableMedia(
            f"the recording {source_id[:12]} is not known here",
            hint="`reelremix add FILE` makes it known",
        )
    _look_where_seen(described, ctx)
    with ctx.sources.open(source_id) as path:
        yield Subject(path, choose_streams(described, audio_stream))


def _look_where_seen(source: Source, ctx: RunContext) -> None:
    """Recognise a recording that lies where it was seen, but whose file was touched since."""
    for place in ctx.catalogue.locations(source.id):
        with suppress(OSError):  # a place where it is no more
            if holds(Path(place), source, ctx):
                return


@contextmanager
def recording_of(
    named: str | None, content: Mapping[str, Any], path: Path, ctx: RunContext
) -> Iterator[Subject]:
    """The recording of a manifest: as named, where it was last seen, or beside the manifest.

    Raises UnreadableMedia where it is not to be found.
    """
    source_id, name = str(content["source"]["id"]), str(content["source"]["name"])
    audio = audio_of(content["source"])
    with ExitStack() as stack:
        if named is not None:
            yield stack.enter_context(prepared(named, audio, ctx))
            return
        try:
            subject = stack.enter_context(reopened(source_id, audio, ctx))
        except UnreadableMedia as exc:
            places = (path.parent / name, path.parent.parent / name, Path(name))
            beside = next((place for place in places if place.is_file()), None)
            if beside is None:
                raise UnreadableMedia(
                    f"the recording {name} that {path} was made from is not to be found:"
                    f" {exc.message}",
                    hint="name its place with `--source FILE`",
                ) from exc
            subject = stack.enter_context(prepared(str(beside), audio, ctx))
        yield subject


def audio_of(source: Mapping[str, Any]) -> str | None:
    """The audio stream that a manifest's clips were made with."""
    stream = source.get("audio_stream")
    return None if stream is None else str(stream)


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


def require_same(subject: Subject, content: Mapping[str, Any], path: Path) -> None:
    """Raise UnreadableMedia for another recording than the one a manifest was made from."""
    if subject.source.id != content["source"]["id"]:
        raise UnreadableMedia(
            f"{subject.source.name} is not the recording {path} was made from",
            hint="name the right one with `--source FILE`",
        )
