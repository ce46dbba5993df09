"""What a person did to clips, in SQLite: manifests, edits, films and corrected words."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence

from reelremix.engine import codec
from reelremix.engine.domain.edit import (
    Changed,
    Correction,
    Edit,
    ManifestPlace,
    RenderRecord,
)
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Track
from reelremix.engine.store.database import Database
from reelremix.engine.store.packing import packed, unpacked
from reelremix.errors import EditConflict


class EditTable:
    """The edits of one owner."""

    def __init__(self, database: Database, owner: str) -> None:
        self._db = database
        self._owner = owner

    def remember_manifest(self, place: ManifestPlace) -> None:
        """Add a manifest, or say where it is now."""
        with self._db.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO manifests VALUES (?, ?, ?, ?, ?)",
                (self._owner, place.id, place.source_id, place.path, time.time()),
            )

    def manifests(self, source_id: str | None) -> list[ManifestPlace]:
        """Those of a source, or all, the last seen first."""
        about = "" if source_id is None else " AND source_id = ?"
        rows = self._db.rows(
            f"SELECT id, source_id, path FROM manifests WHERE owner = ?{about}"
            " ORDER BY seen_at DESC",
            (self._owner,) if source_id is None else (self._owner, source_id),
        )
        return [ManifestPlace(*(str(value) for value in row)) for row in rows]

    def append(self, manifest_id: str, edits: Sequence[Edit]) -> None:
        """Append edits, all or none. Raises EditConflict where a number is taken."""
        rows = [(self._owner, manifest_id, e.number, e.at, *_columns(e)) for e in edits]
        try:
            with self._db.transaction() as connection:
                connection.executemany("INSERT INTO edits VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        except sqlite3.IntegrityError as exc:
            raise EditConflict(
                "somebody else changed these clips meanwhile", hint="look at them, and try again"
            ) from exc

    def edits(self, manifest_id: str, after: int) -> list[Edit]:
        """The edits numbered above `after`, in order."""
        rows = self._db.rows(
            "SELECT number, at, operation, changed, faces FROM edits"
            " WHERE owner = ? AND manifest_id = ? AND number > ? ORDER BY number",
            (self._owner, manifest_id, after),
        )
        return [_edit(*row) for row in rows]

    def save_render(self, record: RenderRecord) -> None:
        """Keep what was made of a clip, replacing what was made before."""
        with self._db.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO renders VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    self._owner,
                    record.manifest_id,
                    record.clip_id,
                    record.video,
                    record.sha256,
                    record.drawn,
                    record.is_ok,
                    record.at,
                ),
            )

    def renders(self, manifest_id: str) -> list[RenderRecord]:
        """The films of a manifest's clips."""
        rows = self._db.rows(
            "SELECT clip_id, video, sha256, drawn, is_ok, at FROM renders"
            " WHERE owner = ? AND manifest_id = ? ORDER BY at, clip_id",
            (self._owner, manifest_id),
        )
        return [
            RenderRecord(
                manifest_id, str(clip), str(video), str(sha256), str(drawn), bool(is_ok),
                float(str(at)),
            )
            for clip, video, sha256, drawn, is_ok, at in rows
        ]  # fmt: skip

    def correct(self, source_id: str, correction: Correction) -> None:
        """Keep what is said in a stretch."""
        with self._db.transaction() as connection:
            connection.execute(
                "INSERT INTO corrections (owner, source_id, start_us, end_us, words, at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (self._owner, source_id, *_said(correction), time.time()),
            )

    def uncorrect(self, source_id: str, correction: Correction) -> None:
        """Forget the last one that says so."""
        with self._db.transaction() as connection:
            connection.execute(
                "DELETE FROM corrections WHERE number = (SELECT MAX(number) FROM corrections"
                " WHERE owner = ? AND source_id = ? AND start_us = ? AND end_us = ? AND words = ?)",
                (self._owner, source_id, *_said(correction)),
            )

    def corrections(self, source_id: str) -> list[Correction]:
        """What a person says is said in a source, in the order it was said."""
        rows = self._db.rows(
            "SELECT start_us, end_us, words FROM corrections WHERE owner = ? AND source_id = ?"
            " ORDER BY number",
            (self._owner, source_id),
        )
        return [
            Correction(
                TimeRange(Timestamp(int(str(start))), Timestamp(int(str(end)))),
                tuple(json.loads(str(words))),
            )
            for start, end, words in rows
        ]


def _said(correction: Correction) -> tuple[int, int, str]:
    span = correction.range
    return _us(span.start), _us(span.end), json.dumps(correction.words)


def _us(moment: Timestamp) -> int:
    return round(moment.exact * 1_000_000)


def _columns(edit: Edit) -> tuple[str, bytes, bytes | None]:
    changed = {
        clip: None if own is None else {"values": own.values, "gone": own.gone}
        for clip, own in edit.changed.items()
    }
    operation = json.dumps(codec.operation_to_plain(edit.operation), ensure_ascii=False)
    faces = packed(codec.to_bytes(dict(edit.faces))) if edit.faces else None
    return operation, packed(json.dumps(changed, ensure_ascii=False).encode()), faces


def _edit(number: object, at: object, operation: object, detail: object, faces: object) -> Edit:
    assert isinstance(detail, bytes)
    changed = {
        clip: None if own is None else Changed(own["values"], tuple(own["gone"]))
        for clip, own in json.loads(unpacked(detail)).items()
    }
    plain = json.loads(str(operation))
    seen: dict[str, tuple[Track, ...]] = {}
    if isinstance(faces, bytes):
        seen = codec.from_bytes(unpacked(faces), dict[str, tuple[Track, ...]])
    return Edit(int(str(number)), float(str(at)), codec.operation_from_plain(plain), changed, seen)
