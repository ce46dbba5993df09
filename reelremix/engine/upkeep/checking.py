"""Whether a library is sound, what is wrong with it, and what can be put right.

The file is looked at first: one that cannot even be opened is saved row by row, and the rest is
checked on what was saved. What only a person can put right, a recording that is gone, is told.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reelremix.config import Settings
from reelremix.engine.domain.context import Catalogue
from reelremix.engine.store.database import Database
from reelremix.engine.store.files import file_sha256
from reelremix.engine.store.integrity import (
    Fault,
    artifact_faults,
    file_faults,
    forget_artifacts,
    mend,
    search_faults,
)
from reelremix.engine.store.salvage import Salvaged, salvage
from reelremix.engine.store.sources import identify_file
from reelremix.engine.store.trouble import is_damage
from reelremix.engine.store.vector_file import TABLES, VectorFile
from reelremix.engine.upkeep.shelf import Shelf, open_shelf
from reelremix.errors import ConfigError

VERSION = 1


@dataclass
class Report:
    """What was found and put right."""

    faults: list[tuple[Fault, bool]] = field(default_factory=list)
    """Each with whether it was put right."""
    salvaged: Salvaged | None = None

    @property
    def is_ok(self) -> bool:
        """Whether nothing is wrong any more."""
        return all(is_repaired for _, is_repaired in self.faults)

    def to_plain(self) -> dict[str, Any]:
        """As published."""
        saved = self.salvaged
        return {
            "version": VERSION,
            "ok": self.is_ok,
            "faults": [
                {"kind": f.kind, "message": f.message, "repaired": done} for f, done in self.faults
            ],
            "salvaged": saved
            and {
                "kept_at": str(saved.kept_at),
                "tables": [
                    {"table": t.table, "rows": t.rows, "lost": t.lost} for t in saved.tables
                ],
            },
        }


def check(settings: Settings, *, full: bool, repair: bool) -> Report:
    """Look at everything; with `repair`, put right what can be.

    Raises:
        ConfigError: the library is held by another program, is newer, or cannot be saved.
    """
    report = Report()
    _check_file(settings, report, full=full, repair=repair)
    if any(fault.kind == "file" and not done for fault, done in report.faults):
        return report  # what rests on a damaged file cannot be judged
    with open_shelf(settings) as shelf:
        found = list(_found(shelf, full=full))
        if repair and any(fault.can_repair for fault in found):
            _repair(shelf, {fault.kind for fault in found})
        report.faults += [(fault, repair and fault.can_repair) for fault in found]
    return report


def _check_file(settings: Settings, report: Report, *, full: bool, repair: bool) -> None:
    path = settings.library_file
    if not path.exists():
        return
    found = _file_faults(path, full=full)
    if found and repair:
        if not _mended(path, full=full):
            report.salvaged = salvage(path)
        for kind in TABLES:
            _forget_vectors(path, kind)
    report.faults += [(fault, repair) for fault in found]


def _file_faults(path: Path, *, full: bool) -> list[Fault]:
    """What is wrong with the file itself. Raises ConfigError for what is no damage."""
    with contextlib.closing(Database(path)) as database:
        try:
            return [f for f in file_faults(database, full=full) if f.kind == "file"]
        except ConfigError as exc:
            if not isinstance(exc.__cause__, sqlite3.Error) or not is_damage(exc.__cause__):
                raise
            return [Fault("file", f"the file is damaged: {exc.__cause__}", True)]


def _mended(path: Path, *, full: bool) -> bool:
    """Whether making its indexes anew was enough."""
    with contextlib.closing(Database(path)) as database:
        try:
            mend(database)
            return not list(file_faults(database, full=full))
        except (ConfigError, sqlite3.Error):
            return False


def _forget_vectors(path: Path, kind: str) -> None:
    for file in path.with_name(f"{path.name}-vectors").glob(f"*-{kind}.bin"):
        file.unlink(missing_ok=True)


def _found(shelf: Shelf, *, full: bool) -> Iterator[Fault]:
    yield from (f for f in file_faults(shelf.database, full=False) if f.kind != "file")
    yield from search_faults(shelf.database)
    for kind in TABLES:
        file = VectorFile(shelf.database, shelf.owner, kind)
        if said := file.faults():
            yield Fault("vectors", f"the file of vectors {file.path} {said}", True)
    yield from artifact_faults(shelf.database, shelf.settings.artifacts_path, full=full)
    yield from _source_faults(shelf.catalogue, full=full)


def _source_faults(catalogue: Catalogue, *, full: bool) -> Iterator[Fault]:
    """Recordings that are nowhere any more, or are another one now.

    Those of the same size count as the same, unless `full` reads them whole.
    """
    seen: dict[str, list[str]] = {}
    for identity, source_id in catalogue.files():
        seen.setdefault(source_id, []).append(
            _state(Path(identity.path), identity.size_bytes, source_id, full=full)
        )
    for row in catalogue.source_rows(limit=-1):
        states = seen.get(row.id, [])
        if "there" not in states:
            said = "was replaced by another" if "replaced" in states else "is gone"
            yield Fault("source", f"the recording {row.name} ({row.id[:12]}) {said}", False)


def _state(path: Path, size_bytes: int, source_id: str, *, full: bool) -> str:
    try:
        found = identify_file(path)
        is_same = found.size_bytes == size_bytes
        if full and is_same:
            is_same = file_sha256(path) == source_id
    except OSError:
        return "gone"
    return "there" if is_same else "replaced"


def _repair(shelf: Shelf, kinds: set[str]) -> None:
    if kinds & {"search", "reference"}:
        mend(shelf.database)
    if "vectors" in kinds:
        for kind in TABLES:
            VectorFile(shelf.database, shelf.owner, kind).rebuild()
    if "artifact" in kinds:
        forget_artifacts(shelf.database, shelf.settings.artifacts_path)
