"""Recordings become known here, without anything being made of them yet."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reelremix.engine import hearing, pipeline
from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.origin import Origin
from reelremix.engine.domain.request import AddRequest
from reelremix.engine.domain.source import MEDIA_SUFFIXES, Chapter, Source
from reelremix.engine.domain.subject import Subject
from reelremix.engine.export.origin import SUFFIX, read_origin
from reelremix.engine.fetching import fetched, listed
from reelremix.engine.stages.hints import SIDECARS, chapters_of
from reelremix.engine.web import is_url
from reelremix.errors import ConfigError, ReelRemixError, UnreadableMedia


@dataclass(frozen=True, slots=True)
class Added:
    """A recording that is known now."""

    source: str
    """As it was named, or found in a folder."""
    path: Path
    recording: Source
    chapters: tuple[Chapter, ...]
    origin: Origin | None
    words: int | None
    """Of the transcript that came with it; None where none did."""
    is_new: bool
    """Whether its content was not known before."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file in a folder that is none."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Something that was named, or looks like a recording, and cannot be used."""

    source: str
    error: ReelRemixError


Outcome = Added | Skipped | Failed


def add(request: AddRequest, ctx: RunContext) -> tuple[Outcome, ...]:
    """Identify and describe every recording that is named, in order; one does not stop another.

    Raises:
        ConfigError: a transcript goes with one recording, and there are several.
        Cancelled: the user asked to stop; what was added stays.
    """
    cookies = Path(request.cookies) if request.cookies else None
    found: list[str | Skipped | Failed] = []
    for source in request.sources:
        found += _expanded(source, request, cookies, ctx)
    if request.transcribe.transcript and sum(isinstance(item, str) for item in found) > 1:
        raise ConfigError("--transcript goes with one recording, not with several")
    known = {source.id for source in ctx.catalogue.sources()}
    outcomes: list[Outcome] = []
    for item in found:
        if isinstance(item, Skipped | Failed):
            outcomes.append(item)
            continue
        outcome = _attempted(item, known, request, cookies, ctx)
        if isinstance(outcome, Added):
            known.add(outcome.recording.id)
        outcomes.append(outcome)
    return tuple(outcomes)


def _expanded(
    source: str, request: AddRequest, cookies: Path | None, ctx: RunContext
) -> list[str | Skipped | Failed]:
    """The recordings that a source stands for."""
    try:
        if not source.strip():
            raise UnreadableMedia("a recording has no empty name", hint="name a file or a folder")
        if is_url(source):
            return [*(listed(source, ctx, cookies) if request.playlist else (source,))]
        path = Path(source)
        if not path.is_dir():
            return [source]
        inside = list(_inside(path))
        if not any(isinstance(item, str) for item in inside):
            raise UnreadableMedia(
                f"{source} holds no recordings", hint="name a file, or another folder"
            )
        return inside
    except ReelRemixError as exc:
        return [Failed(source, exc)]


def _inside(folder: Path) -> Iterator[str | Skipped | Failed]:
    """What lies in a folder and the folders in it, hidden ones left out, by name."""
    unreadable: list[OSError] = []
    for place, folders, names in os.walk(folder, onerror=unreadable.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(name for name in names if not name.startswith(".")):
            path = Path(place) / name
            if path.suffix.lower() in MEDIA_SUFFIXES:
                yield str(path)
            else:
                yield Skipped(path, _why_not(path))
    for error in unreadable:
        reason = (error.strerror or str(error)).lower()
        what = f"{error.filename} cannot be opened: {reason}"
        hint = "check who may read the folder with `ls -ld`"
        yield Failed(str(error.filename), UnreadableMedia(what, hint=hint))


def _why_not(path: Path) -> str:
    if path.name.endswith(SUFFIX) or path.suffix.lower() in SIDECARS:
        return "goes with a recording"
    suffix = path.suffix.lower()
    return f"{suffix} is not a kind of recording" if suffix else "its name says of no kind"


def _attempted(
    source: str, known: set[str], request: AddRequest, cookies: Path | None, ctx: RunContext
) -> Outcome:
    try:
        path = fetched(source, ctx, cookies) if is_url(source) else Path(source)
        with pipeline.prepared(str(path), request.audio_stream, ctx) as subject:
            words = _words(subject, request, ctx)
            origin = read_origin(path)
            return Added(
                source,
                path,
                subject.source,
                chapters_of(subject, origin),
                origin,
                words,
                subject.source.id not in known,
            )
    except ReelRemixError as exc:
        return Failed(source, exc)


def _words(subject: Subject, request: AddRequest, ctx: RunContext) -> int | None:
    """How many words the transcript that was brought has; it is kept."""
    if request.transcribe.transcript is None:
        return None
    with pipeline.alone_on(subject.source.id, ctx):
        heard = hearing.hear(subject, request.transcribe, ctx, with_sounds=False)
    return len(heard.transcript.timed_words)
