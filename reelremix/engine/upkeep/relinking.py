"""Recordings that were moved, renamed or replaced, told by their content.

A file of the same length is only a suggestion: the SHA-256 of all of it decides. A file where a
recording was, that holds something else now, is not that recording any more.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from reelremix.engine.domain.context import Catalogue, RunContext
from reelremix.engine.domain.events import StageProgress
from reelremix.engine.domain.source import MEDIA_SUFFIXES, Source
from reelremix.engine.stages.artifact import stage
from reelremix.engine.stages.ingest import content_id, holds
from reelremix.engine.store.sources import identify_file
from reelremix.errors import ConfigError

VERSION = 1
STAGE = "relink"


@dataclass
class Relinked:
    """What came of looking."""

    found: list[tuple[Source, str | None, str]] = field(default_factory=list)
    """Each with where it was last, and where it is."""
    missing: list[tuple[Source, str | None]] = field(default_factory=list)
    replaced: list[tuple[Source, str]] = field(default_factory=list)
    """Places where another content is now."""
    folders: tuple[str, ...] = ()
    looked_at: int = 0
    """Files that might have been one of them."""

    def to_plain(self) -> dict[str, Any]:
        """As published."""
        return {
            "version": VERSION,
            "found": [
                {"id": s.id, "name": s.name, "was": was, "path": path}
                for s, was, path in self.found
            ],
            "missing": [{"id": s.id, "name": s.name, "was": was} for s, was in self.missing],
            "replaced": [{"id": s.id, "name": s.name, "path": path} for s, path in self.replaced],
            "folders": list(self.folders),
            "looked_at": self.looked_at,
        }


def relink(paths: Sequence[Path], ctx: RunContext, *, dry_run: bool = False) -> Relinked:
    """Look for recordings that are not where they were, in these folders and below.

    Without any, in the folders where they were seen. `dry_run` remembers nothing.

    Raises:
        ConfigError: there is no such folder.
        Cancelled: the user asked to stop; what was found is kept.
    """
    for path in paths:
        if not path.exists():
            raise ConfigError(f"there is no {path} to look through", hint="name a folder")
    result = Relinked()
    with stage(ctx, STAGE):
        missing = _missing(ctx, result, dry_run=dry_run)
        folders = list(paths) or _seen_folders(missing)
        result.folders = tuple(str(folder) for folder in folders)
        _look(folders, missing, ctx, result, dry_run=dry_run)
    result.missing = [(source, _last(places)) for source, places in missing.values()]
    return result


Missing = dict[str, tuple[Source, list[str]]]
"""By id: the source and where it was."""


def _missing(ctx: RunContext, result: Relinked, *, dry_run: bool) -> Missing:
    """Sources that are nowhere they were; what is elsewhere unchanged is left alone."""
    missing: Missing = {}
    for source in ctx.catalogue.sources():
        ctx.cancel.raise_if_set()
        places = list(ctx.catalogue.locations(source.id))
        if not any(_is_there(Path(p), source, ctx, result, dry_run=dry_run) for p in places):
            missing[source.id] = (source, places)
    return missing


def _is_there(
    path: Path, source: Source, ctx: RunContext, result: Relinked, *, dry_run: bool
) -> bool:
    """Whether a place still holds a source; one that was only touched is remembered as it is."""
    try:
        is_same = holds(path, source, ctx, remember=not dry_run)
    except OSError:
        return False
    if not is_same:
        result.replaced.append((source, str(path)))
        if not dry_run:
            ctx.catalogue.forget_file(str(path))
    return is_same


def _seen_folders(missing: Missing) -> list[Path]:
    """The folders where they were, the outermost of nested ones."""
    seen = {Path(place).parent for _, places in missing.values() for place in places}
    there = {folder for folder in seen if folder.is_dir()}
    return sorted(folder for folder in there if not there & set(folder.parents))


def _look(
    folders: Sequence[Path],
    missing: Missing,
    ctx: RunContext,
    result: Relinked,
    *,
    dry_run: bool,
) -> None:
    for path in _recordings(folders):
        ctx.cancel.raise_if_set()
        if not missing:
            return
        try:
            identity = identify_file(path)
            lengths = {source.size_bytes for source, _ in missing.values()}
            if identity.size_bytes not in lengths or _is_known(ctx.catalogue, path):
                continue
            result.looked_at += 1
            ctx.reporter.emit(StageProgress(STAGE, result.looked_at, None, "files"))
            id = content_id(path, identity.size_bytes, ctx)
        except OSError:  # gone or unreadable: it cannot be one of them now
            continue
        if id not in missing:
            continue
        source, places = missing.pop(id)
        result.found.append((source, _last(places), identity.path))
        if not dry_run:
            ctx.catalogue.remember_file(identity, id)
            if source.name != path.name:
                ctx.catalogue.save_source(replace(source, name=path.name))


def _is_known(catalogue: Catalogue, path: Path) -> bool:
    return catalogue.recall_file(identify_file(path)) is not None


def _recordings(folders: Sequence[Path]) -> Iterator[Path]:
    """Files that may be recordings, hidden folders left out."""
    for folder in folders:
        if folder.is_file():
            yield folder
        for here, below, names in os.walk(folder):
            below[:] = sorted(name for name in below if not name.startswith("."))
            for name in sorted(names):
                if Path(name).suffix.lower() in MEDIA_SUFFIXES:
                    yield Path(here, name)


def _last(places: Sequence[str]) -> str | None:
    return places[0] if places else None
