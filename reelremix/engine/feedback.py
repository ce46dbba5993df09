"""What the owner says of clips, and what platforms say of those that were published.

Decisions and imported results are appended to the catalogue and never removed; a reset is one more
entry, before which nothing counts. What is learned from them belongs to `engine.adapting`.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reelremix.config import expanded
from reelremix.engine.adapting import (
    IMPORTED,
    RESET,
    Standing,
    counting,
    latest_results,
    now,
    place_of,
    relearn,
)
from reelremix.engine.domain.clip import ClipEntry
from reelremix.engine.domain.context import Catalogue, Decision, RunContext
from reelremix.engine.domain.events import StageProgress
from reelremix.engine.export.analytics import AnalyticsRow, open_analytics
from reelremix.engine.export.clip_reading import clips_from_dict
from reelremix.engine.export.manifest import FILE_NAME, read_manifest
from reelremix.engine.stages.artifact import stage
from reelremix.engine.stages.match import ClipNames
from reelremix.errors import ConfigError

FEWEST_LETTERS = 4
"""Of an id, to name a clip by its beginning."""
MOST_LISTED = 20
"""Rows of an import that are listed by name; the others are counted."""
_EVERY_ROWS = 1000


@dataclass
class Import:
    """What was found in a table of results."""

    platform: str
    encoding: str
    used_columns: tuple[str, ...]
    ignored_columns: tuple[str, ...]
    results: dict[str, tuple[ClipEntry, dict[str, Any]]] = field(default_factory=dict)
    """By clip id."""
    rows: int = 0
    recorded: int = 0
    duplicates: int = 0
    """Rows about a clip that another row with more views is about."""
    totals: int = 0
    damaged: int = 0
    unmatched: list[str] = field(default_factory=list)
    """Titles, at most `MOST_LISTED`."""
    unmatched_rows: int = 0
    ambiguous: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    """Titles with the ids of the clips they may mean, at most `MOST_LISTED`."""
    ambiguous_rows: int = 0

    @property
    def unchanged(self) -> int:
        """Results that were known already."""
        return len(self.results) - self.recorded


def find_clip(text: str, catalogue: Catalogue) -> ClipEntry:
    """The clip that an id, the beginning of one, a clip's file or FOLDER#RANK names.

    Raises:
        ConfigError: there is none, or more than one.
    """
    named = _in_a_folder(text, catalogue)
    if named is not None:
        return named
    prefix = text.strip().lower()
    found = catalogue.find_clips(prefix) if len(prefix) >= FEWEST_LETTERS else ()
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigError(f"{text!r} begins the ids of several clips: {_listed(found)}")
    raise _unknown(text, catalogue)


def _in_a_folder(text: str, catalogue: Catalogue) -> ClipEntry | None:
    """The clip of a file or FOLDER#RANK; None where there is no such path."""
    folder, mark, rank = text.rpartition("#")
    try:
        is_rank = bool(mark) and rank.isascii() and rank.isdigit()
        if is_rank and (path := expanded(folder or ".", "the folder")).exists():
            return _of_manifest(path, rank, catalogue)
        path = expanded(text, "the clip")
        if path.is_file():
            return _of_manifest(path.parent, path.name, catalogue)
        is_folder = bool(text) and path.is_dir()
    except (OSError, ValueError):  # longer than a name can be, or not a name at all
        return None
    if is_folder:
        raise ConfigError(f"{text} is a folder of clips", hint=f"name one of them: '{text}#1'")
    return None


def decide(clips: Sequence[ClipEntry], kind: str, ctx: RunContext) -> Standing:
    """Record what the owner thinks of clips, and learn from it."""
    for clip in clips:
        ctx.catalogue.record(Decision(clip.id, kind, place_of(clip), now()))
    return relearn(ctx)


def import_results(path: Path, ctx: RunContext, *, dry_run: bool) -> Import:
    """Record the results in a table of a platform; `dry_run` only says what would be.

    Raises:
        ConfigError: the table cannot be read or understood; nothing is recorded then.
    """
    names = ClipNames(ctx.catalogue.find_clips(""))
    with stage(ctx, "import"), open_analytics(path) as table:
        found = Import(table.platform, table.encoding, table.used, table.ignored)
        for row in table:
            found.rows += 1
            if found.rows % _EVERY_ROWS == 0:
                ctx.cancel.raise_if_set()
                ctx.reporter.emit(StageProgress("import", found.rows, None, "rows"))
            _take(row, names.find(row.names), found)
        found.totals, found.damaged = table.totals, table.damaged
        known = latest_results(counting(ctx.catalogue.decisions()))
        for clip, result in found.results.values():
            if known.get((clip.id, found.platform), {}).items() >= result.items():
                continue
            found.recorded += 1
            if not dry_run:
                detail = {**place_of(clip), **result, "platform": found.platform, "file": path.name}
                ctx.catalogue.record(Decision(clip.id, IMPORTED, detail, now()))
    return found


def reset(ctx: RunContext) -> Standing:
    """Let nothing that was decided so far count; the entries stay."""
    ctx.catalogue.record(Decision("", RESET, {}, now()))
    return relearn(ctx)


def _take(row: AnalyticsRow, clips: Sequence[ClipEntry], found: Import) -> None:
    if not clips:
        found.unmatched_rows += 1
        if len(found.unmatched) < MOST_LISTED:
            found.unmatched.append(row.title)
        return
    if len(clips) > 1:
        found.ambiguous_rows += 1
        if len(found.ambiguous) < MOST_LISTED:
            found.ambiguous.append((row.title, tuple(clip.id for clip in clips)))
        return
    clip, result = clips[0], _result(row, clips[0])
    before = found.results.get(clip.id)
    if before is not None:
        found.duplicates += 1
        if (before[1]["views"] or 0.0) > (row.views or 0.0):
            return
    found.results[clip.id] = (clip, result)


def _result(row: AnalyticsRow, clip: ClipEntry) -> dict[str, Any]:
    """What is kept of a row."""
    retention = row.viewed
    if retention is None and row.watched_s is not None:
        length_s = sum(span.duration_s for span in clip.ranges)
        retention = row.watched_s / length_s if length_s > 0 else None
    if retention is None:
        retention = row.watched_full
    return {
        "views": row.views,
        "retention": None if retention is None else round(retention, 4),
        "published_as": row.title,
    }


def _of_manifest(folder: Path, name: str, catalogue: Catalogue) -> ClipEntry:
    """The clip of a finished folder with that rank or file."""
    path = folder if folder.name == FILE_NAME else folder / FILE_NAME
    content = read_manifest(path)
    for entry, clip in zip(content["clips"], clips_from_dict(content, path), strict=True):
        if name == str(clip.rank) or name in (entry.get("files") or {}).values():
            known = next((c for c in catalogue.find_clips(clip.id) if c.id == clip.id), None)
            source_id = str(content["source"]["id"])
            own = ClipEntry(clip.id, source_id, clip.title, clip.slug, clip.ranges)
            return known or own
    listed = ", ".join(f"{folder}#{entry['rank']}" for entry in content["clips"]) or "none"
    raise ConfigError(f"{path} has no clip {name!r}; it has: {listed}")


def _unknown(text: str, catalogue: Catalogue) -> ConfigError:
    clips = catalogue.find_clips("")
    if not clips:
        return ConfigError(
            f"there is no clip {text!r}: the library has none yet",
            hint="`reelremix clip RECORDING` makes clips; their ids are in clips.json",
        )
    names = {name: clip for clip in clips for name in (clip.id, clip.slug, clip.title)}
    near = difflib.get_close_matches(text, list(names), n=3, cutoff=0.5)
    found = list({names[name].id: names[name] for name in near}.values())
    like = f"; did you mean {_listed(found)}?" if found else ""
    return ConfigError(
        f"there is no clip {text!r} in the library{like}",
        hint="name an id from clips.json, a clip's file, or its folder and rank: 'clips/talk#2'",
    )


def _listed(clips: Sequence[ClipEntry]) -> str:
    more = f" and {len(clips) - 5} more" if len(clips) > 5 else ""
    return ", ".join(f"{clip.id} ({clip.title})" for clip in clips[:5]) + more
