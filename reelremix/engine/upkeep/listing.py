"""What a library holds, as published: pages of sources and clips, and everything about one.

Imports little, so that a list is on the screen before anything that listens or draws is loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.context import Catalogue
from reelremix.engine.domain.rows import ClipFilter, ClipRow, Order, SourceRow
from reelremix.engine.domain.source import Source
from reelremix.errors import ConfigError

VERSION = 1
FEWEST_LETTERS = 4
"""Of an id, to name something by its beginning."""


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list."""

    limit: int = 50
    offset: int = 0


def list_sources(catalogue: Catalogue, text: str, order: Order, page: Page) -> dict[str, Any]:
    """A page of sources, as published."""
    rows = catalogue.source_rows(text, page.limit + 1, page.offset, order)
    return {
        "version": VERSION,
        "sources": [source_to_plain(row, catalogue) for row in rows[: page.limit]],
        "next_offset": _next(rows, page),
    }


def list_clips(catalogue: Catalogue, wanted: ClipFilter, page: Page) -> dict[str, Any]:
    """A page of clips, as published."""
    rows = catalogue.clip_rows(wanted, page.limit + 1, page.offset)
    return {
        "version": VERSION,
        "clips": [clip_to_plain(row) for row in rows[: page.limit]],
        "next_offset": _next(rows, page),
    }


def show(catalogue: Catalogue, named: str) -> dict[str, Any]:
    """Everything about the source or clip that an id, a path or a name stands for.

    Raises ConfigError where there is none, or more than one.
    """
    sources = sources_named(catalogue, named)
    clips = catalogue.find_clips(named.lower()) if len(named) >= FEWEST_LETTERS else ()
    if len(sources) + len(clips) > 1:
        listed = ", ".join([f"{r.id[:12]} ({r.name})" for r in sources]
                           + [f"{c.id} ({c.title})" for c in clips][:5])  # fmt: skip
        raise ConfigError(f"{named!r} stands for several: {listed}", hint="name one by its id")
    if sources:
        return {"version": VERSION, "kind": "source", **_source(catalogue, sources[0])}
    if clips:
        return {"version": VERSION, "kind": "clip", **_clip(catalogue, clips[0].id)}
    raise unknown(named)


def unknown(named: str) -> ConfigError:
    """The error for a name that stands for nothing."""
    return ConfigError(
        f"nothing in the library is called {named!r}",
        hint="`reelremix library list` shows recordings, `reelremix library list --clips` clips",
    )


def sources_named(catalogue: Catalogue, named: str) -> list[SourceRow]:
    """Sources that a path, a name, an id or its beginning stands for."""
    path = str(Path(named).expanduser().absolute())
    ids = {id for identity, id in catalogue.files() if identity.path == path}
    if not ids:
        return list(catalogue.find_sources(named))
    return [row for id in ids for row in catalogue.find_sources(id)]


def source_to_plain(row: SourceRow, catalogue: Catalogue) -> dict[str, Any]:
    """A source in a list, as published."""
    return {
        "id": row.id,
        "name": row.name,
        "duration_s": row.length_s,
        "clips": row.clips,
        "kept": row.kept,
        "dropped": row.dropped,
        "seen_at": moment(row.seen_at),
        "manifest": row.manifest,
        "locations": list(catalogue.locations(row.id)),
    }


def clip_to_plain(row: ClipRow) -> dict[str, Any]:
    """A clip in a list, as published."""
    return {
        "id": row.id,
        "title": row.title,
        "status": str(row.standing),
        "total": row.total,
        "start_s": row.start_s,
        "duration_s": row.length_s,
        "source_rank": row.rank,
        "source": {"id": row.source_id, "name": row.source},
        "saved_at": moment(row.saved_at),
    }


def moment(at: float) -> str:
    """A time as it is published."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


def _next(rows: Sequence[object], page: Page) -> int | None:
    return page.offset + page.limit if len(rows) > page.limit else None


def _source(catalogue: Catalogue, row: SourceRow) -> dict[str, Any]:
    source, transcript = catalogue.source(row.id), catalogue.transcript(row.id)
    rows = catalogue.clip_rows(ClipFilter(source_id=row.id), limit=row.clips)
    return {
        **source_to_plain(row, catalogue),
        "places": [
            {"path": path, "is_there": Path(path).is_file()} for path in catalogue.locations(row.id)
        ],
        "size_bytes": source.size_bytes if source else None,
        "container": source.container if source else None,
        "streams": _streams(source) if source else [],
        "transcript": transcript
        and {
            "language": transcript.language,
            "model": transcript.model,
            "words": len(transcript.timed_words),
            "segments": len(transcript.segments),
        },
        "corrections": len(catalogue.corrections(row.id)),
        "clips": [clip_to_plain(own) for own in sorted(rows, key=lambda own: own.rank)],
        "manifests": [
            {
                "id": place.id,
                "path": place.path,
                "is_there": Path(place.path).is_file(),
                "edits": len(catalogue.edits(place.id)),
                "renders": _renders(catalogue, place.id),
            }
            for place in catalogue.manifests(row.id)
        ],
    }


def _streams(source: Source) -> list[dict[str, Any]]:
    return [
        {"index": s.index, "kind": str(s.kind), "codec": s.codec, "language": s.language}
        for s in source.streams
    ]


def _clip(catalogue: Catalogue, id: str) -> dict[str, Any]:
    [found] = catalogue.found_clips([id])
    assert found is not None
    clip, places = catalogue.clip(id), catalogue.manifests(found.row.source_id)
    return {
        **clip_to_plain(found.row),
        "text": found.text.split("\n", 2)[-1],
        "ranges": _ranges(clip) if clip else [],
        "hashtags": list(clip.hashtags) if clip else [],
        "decisions": [{"kind": own.kind, "at": moment(own.at)} for own in catalogue.decisions(id)],
        "edits": [
            {"manifest": place.path, "at": moment(edit.at), "op": edit.operation.op}
            for place in places
            for edit in catalogue.edits(place.id)
            if id in edit.changed and edit.operation.op != "begin"
        ],
        "renders": [
            {"manifest": place.path, **own}
            for place in places
            for own in _renders(catalogue, place.id)
            if own["clip"] == id
        ],
    }


def _ranges(clip: Clip) -> list[list[float]]:
    return [[r.start_s, r.end_s] for r in clip.ranges]


def _renders(catalogue: Catalogue, manifest_id: str) -> list[dict[str, Any]]:
    return [
        {"clip": r.clip_id, "video": r.video, "is_ok": r.is_ok, "at": moment(r.at)}
        for r in catalogue.renders(manifest_id)
    ]
