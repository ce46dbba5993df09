"""The local catalogue: sources, transcripts, clips, decisions and job events in SQLite.

Sources, transcripts and clips that another version wrote and this one cannot read count as absent:
each can be made again, and a recording that is known must not be the one that cannot be clipped.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from reelremix.engine import codec
from reelremix.engine.domain.clip import Clip, ClipEntry
from reelremix.engine.domain.context import EVERY_CLIP, STATUSES, Decision, FileIdentity
from reelremix.engine.domain.corrections import corrected
from reelremix.engine.domain.edit import Correction, Edit, ManifestPlace, RenderRecord
from reelremix.engine.domain.events import Event, LoggedEvent, is_fact
from reelremix.engine.domain.owner import LOCAL_OWNER
from reelremix.engine.domain.rows import (
    ClipDue,
    ClipFilter,
    ClipHit,
    ClipRow,
    Forgotten,
    FoundClip,
    Order,
    SourceRow,
)
from reelremix.engine.domain.source import Source
from reelremix.engine.domain.transcript import Transcript
from reelremix.engine.domain.window import Due, FoundWindow, WindowHit, WindowIndex
from reelremix.engine.store.clip_table import ClipTable
from reelremix.engine.store.database import Database
from reelremix.engine.store.edit_table import EditTable
from reelremix.engine.store.forgetting import forget_source
from reelremix.engine.store.packing import packed, unpacked
from reelremix.engine.store.rows import find_sources, places, source_rows

if TYPE_CHECKING:
    from reelremix.engine.store.window_table import WindowTable

T = TypeVar("T")


class SqliteCatalogue:
    """`Catalogue` over one library file, for one owner."""

    def __init__(self, database: Database, owner: str = LOCAL_OWNER) -> None:
        self._db = database
        self._owner = owner
        self._edits = EditTable(database, owner)
        self._clips = ClipTable(database, owner)

    @cached_property
    def _windows(self) -> WindowTable:
        from reelremix.engine.store.window_table import WindowTable  # deferred: numpy, 150 ms

        return WindowTable(self._db, self._owner)

    def remember_file(self, identity: FileIdentity, source_id: str) -> None:
        """Remember the content behind an unchanged file."""
        with self._db.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    self._owner,
                    identity.path,
                    identity.size_bytes,
                    identity.mtime_ns,
                    identity.inode,
                    source_id,
                    time.time(),
                ),
            )

    def recall_file(self, identity: FileIdentity) -> str | None:
        """The source id of an unchanged file; None when it was never read or has changed."""
        return self._one(
            "SELECT source_id FROM files WHERE owner = ? AND path = ? AND size_bytes = ?"
            " AND mtime_ns = ? AND inode = ?",
            identity.path,
            identity.size_bytes,
            identity.mtime_ns,
            identity.inode,
        )

    def save_source(self, source: Source) -> None:
        """Add or refresh a source."""
        with self._db.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO sources VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    self._owner,
                    source.id,
                    source.name,
                    source.size_bytes,
                    codec.to_bytes(source),
                    time.time(),
                    source.duration.seconds,
                ),
            )

    def source(self, source_id: str) -> Source | None:
        """The source, or None."""
        query = "SELECT detail FROM sources WHERE owner = ? AND id = ?"
        return next(iter(self._read(Source, query, source_id)), None)

    def sources(self) -> Sequence[Source]:
        """All sources, the latest seen first."""
        return self._read(
            Source, "SELECT detail FROM sources WHERE owner = ? ORDER BY seen_at DESC"
        )

    def source_rows(
        self, text: str = "", limit: int = 50, offset: int = 0, order: Order = Order.TIME
    ) -> Sequence[SourceRow]:
        """Sources whose name has a text in it, with what became of them."""
        return source_rows(self._db, self._owner, text, limit, offset, order)

    def find_sources(self, text: str) -> Sequence[SourceRow]:
        """Sources of that name, with or without its ending, or else whose id begins so."""
        return find_sources(self._db, self._owner, text)

    def forget_source(self, source_id: str) -> Forgotten:
        """Remove a source and what was made from it; files, decisions and edits stay."""
        return forget_source(self._db, self._owner, source_id)

    def forget_file(self, path: str) -> None:
        """Forget what was behind a path."""
        with self._db.transaction() as connection:
            connection.execute(
                "DELETE FROM files WHERE owner = ? AND path = ?", (self._owner, path)
            )

    def files(self, source_id: str | None = None) -> Sequence[tuple[FileIdentity, str]]:
        """Where a source, or any, was seen, and the id of what it was; the latest first."""
        about = "" if source_id is None else " AND source_id = ?"
        rows: list[Any] = self._db.rows(
            f"SELECT path, size_bytes, mtime_ns, inode, source_id FROM files WHERE owner = ?{about}"
            " ORDER BY seen_at DESC",
            (self._owner,) if source_id is None else (self._owner, source_id),
        )
        return [(FileIdentity(*row[:4]), str(row[4])) for row in rows]

    def locations(self, source_id: str) -> Sequence[str]:
        """Paths where the source was seen, latest first."""
        rows = self._db.rows(
            "SELECT path FROM files WHERE owner = ? AND source_id = ? ORDER BY seen_at DESC",
            (self._owner, source_id),
        )
        return [str(row[0]) for row in rows]

    def places(self, source_ids: Sequence[str]) -> Mapping[str, tuple[str | None, Sequence[str]]]:
        """For each source its name, None where it is not known, and its locations."""
        return places(self._db, self._owner, source_ids)

    def save_transcript(self, source_id: str, transcript: Transcript) -> None:
        """Keep the latest transcript of a source, as it was heard."""
        with self._db.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO transcripts VALUES (?, ?, ?, ?, ?, ?)",
                (
                    self._owner,
                    source_id,
                    transcript.language,
                    transcript.model,
                    packed(codec.to_bytes(transcript)),
                    time.time(),
                ),
            )

    def transcript(self, source_id: str) -> Transcript | None:
        """The latest transcript of a source as a person corrected it, or None."""
        heard = self.heard_transcript(source_id)
        return corrected(heard, self.corrections(source_id)) if heard is not None else None

    def heard_transcript(self, source_id: str) -> Transcript | None:
        """The same as it was heard."""
        query = "SELECT detail FROM transcripts WHERE owner = ? AND source_id = ?"
        return next(iter(self._read(Transcript, query, source_id)), None)

    def transcript_digest(self, source_id: str) -> str | None:
        """Of the same, without reading it whole; None where there is none."""
        query = "SELECT detail FROM transcripts WHERE owner = ? AND source_id = ?"
        rows = self._db.rows(query, (self._owner, source_id))
        held = next((detail for (detail,) in rows if isinstance(detail, bytes)), None)
        if held is None:
            return None
        said = codec.to_bytes(list(self.corrections(source_id)))
        return hashlib.sha256(unpacked(held) + said).hexdigest()

    def save_clips(self, source_id: str, clips: Sequence[Clip]) -> None:
        """Add clips, or refresh those with the same id."""
        self._clips.save(source_id, clips)

    def remove_clips(self, ids: Sequence[str]) -> None:
        """Forget clips; what was decided about them stays."""
        self._clips.remove(ids)

    def clips(self, source_id: str) -> Sequence[Clip]:
        """The clips of a source by rank."""
        return self._clips.clips(source_id)

    def clip(self, clip_id: str) -> Clip | None:
        """The clip of that id, or None."""
        return self._clips.clip(clip_id)

    def find_clips(self, id_prefix: str) -> Sequence[ClipEntry]:
        """The clips whose id begins so, by id; an empty prefix finds all."""
        return self._clips.find(id_prefix)

    def clip_rows(
        self, wanted: ClipFilter = EVERY_CLIP, limit: int = 50, offset: int = 0
    ) -> Sequence[ClipRow]:
        """A page of a list of clips."""
        return self._clips.rows(wanted, limit, offset)

    def count_clips(self, wanted: ClipFilter = EVERY_CLIP) -> int:
        """How many clips a list would show."""
        return self._clips.count(wanted)

    def clips_due(self, model: str) -> Sequence[ClipDue]:
        """Clips whose meaning that model has not told as they read now."""
        return self._clips.due(model)

    def save_clip_meanings(self, model: str, vectors: Mapping[int, bytes | None]) -> None:
        """Keep what the texts of clips mean, by the number they were due under."""
        self._clips.save_meanings(model, vectors)

    def clips_saying(self, terms: Sequence[str], limit: int) -> Sequence[ClipHit]:
        """Clips with any of the terms, by BM25, the best first."""
        return self._clips.saying(terms, limit)

    def clips_meaning(self, vector: Sequence[float], limit: int) -> Sequence[ClipHit]:
        """The clips whose meaning is nearest to a vector, by cosine, the nearest first."""
        return self._clips.meaning(vector, limit)

    def found_clips(self, ids: Sequence[str]) -> Sequence[FoundClip | None]:
        """What hits stand for, in the same order; None for a clip that is gone since."""
        return self._clips.read(ids)

    def record(self, decision: Decision) -> None:
        """Append a decision; nothing is ever changed or removed."""
        with self._db.transaction() as connection:
            connection.execute(
                "INSERT INTO decisions (owner, clip_id, kind, detail, at) VALUES (?, ?, ?, ?, ?)",
                (
                    self._owner,
                    decision.clip_id,
                    decision.kind,
                    json.dumps(decision.detail, ensure_ascii=False),
                    decision.at,
                ),
            )
            if decision.kind in STATUSES:
                connection.execute(
                    "UPDATE clips SET status = ? WHERE owner = ? AND id = ?",
                    (STATUSES[decision.kind], self._owner, decision.clip_id),
                )

    def decisions(self, clip_id: str | None = None) -> Sequence[Decision]:
        """The decisions about a clip, or about all, oldest first."""
        about = "" if clip_id is None else " AND clip_id = ?"
        rows = self._db.rows(
            f"SELECT clip_id, kind, detail, at FROM decisions WHERE owner = ?{about}"
            " ORDER BY number",
            (self._owner,) if clip_id is None else (self._owner, clip_id),
        )
        return [
            Decision(str(clip), str(kind), json.loads(str(detail)), float(str(at)))
            for clip, kind, detail, at in rows
        ]

    def remember_manifest(self, place: ManifestPlace) -> None:
        """Add a manifest, or say where it is now."""
        self._edits.remember_manifest(place)

    def manifests(self, source_id: str | None = None) -> Sequence[ManifestPlace]:
        """The manifests of a source, or all, the last seen first."""
        return self._edits.manifests(source_id)

    def append_edits(self, manifest_id: str, edits: Sequence[Edit]) -> None:
        """Append edits, all or none; none is ever changed.

        Raises EditConflict where a number is taken.
        """
        self._edits.append(manifest_id, edits)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """What one thread writes meanwhile is written all at once, or not at all on an error."""
        with self._db.transaction():
            yield

    def edits(self, manifest_id: str, after: int = 0) -> Sequence[Edit]:
        """The edits of a manifest numbered above `after`, in order."""
        return self._edits.edits(manifest_id, after)

    def save_render(self, record: RenderRecord) -> None:
        """Keep what was made of a clip of a manifest, replacing what was made of it before."""
        self._edits.save_render(record)

    def renders(self, manifest_id: str) -> Sequence[RenderRecord]:
        """The films of a manifest's clips, in the order they were made."""
        return self._edits.renders(manifest_id)

    def correct(self, source_id: str, correction: Correction) -> None:
        """Keep what is said in a stretch of a source, whatever was heard there."""
        self._edits.correct(source_id, correction)

    def uncorrect(self, source_id: str, correction: Correction) -> None:
        """Forget such a correction, the last one where there are several."""
        self._edits.uncorrect(source_id, correction)

    def corrections(self, source_id: str) -> Sequence[Correction]:
        """What a person says is said in a source, each in what those before it led to."""
        return self._edits.corrections(source_id)

    def save_ranking(self, document: dict[str, Any]) -> None:
        """Keep what was learned from the decisions, replacing what was learned before."""
        with self._db.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO rankings VALUES (?, ?, ?)",
                (self._owner, json.dumps(document, ensure_ascii=False), time.time()),
            )

    def ranking(self) -> dict[str, Any] | None:
        """What was learned from the decisions, or None."""
        text = self._one("SELECT detail FROM rankings WHERE owner = ?")
        document = json.loads(text) if text is not None else None
        return document if isinstance(document, dict) else None

    def windows_due(self, model: str | None) -> Sequence[Due]:
        """Sources whose transcript is not indexed as it is now, or not by that model."""
        return self._windows.due(model)

    def save_windows(self, due: Due, index: WindowIndex) -> None:
        """Index a source, replacing what was indexed of it."""
        self._windows.save(due, index)

    def windows_saying(
        self, terms: Sequence[str], limit: int, sources: Collection[str] | None = None
    ) -> Sequence[WindowHit]:
        """Windows that say any of the terms, by BM25, the best first."""
        return self._windows.saying(terms, limit, sources)

    def windows_meaning(
        self, vector: Sequence[float], limit: int, sources: Collection[str] | None = None
    ) -> Sequence[WindowHit]:
        """The windows whose meaning is nearest to a vector, by cosine, the nearest first."""
        return self._windows.meaning(vector, limit, sources)

    def windows(self, numbers: Sequence[int]) -> Sequence[FoundWindow | None]:
        """What hits stand for, in the same order; None for a window that is gone since."""
        return self._windows.read(numbers)

    def append(self, job_id: str, event: Event) -> LoggedEvent:
        """Number a fact within its job and keep it; progress gets the last fact's number."""
        at = round(time.time(), 3)
        if not is_fact(event):
            return LoggedEvent(job_id, self._last_seq(job_id), at, event)
        with self._db.transaction() as connection:
            last = connection.execute(
                "SELECT COALESCE(MAX(seq), 0) FROM events WHERE owner = ? AND job_id = ?",
                (self._owner, job_id),
            ).fetchone()[0]
            logged = LoggedEvent(job_id, last + 1, at, event)
            connection.execute(
                "INSERT INTO events (owner, job_id, seq, at, type, detail)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    self._owner,
                    job_id,
                    logged.seq,
                    at,
                    event.type,
                    json.dumps(codec.event_to_plain(logged), ensure_ascii=False),
                ),
            )
        return logged

    def events(self, job_id: str, after_seq: int = 0) -> Sequence[LoggedEvent]:
        """The job's facts numbered above `after_seq`."""
        rows = self._db.rows(
            "SELECT detail FROM events WHERE owner = ? AND job_id = ? AND seq > ? ORDER BY seq",
            (self._owner, job_id, after_seq),
        )
        found = (codec.event_from_plain(json.loads(str(row[0]))) for row in rows)
        return [event for event in found if event is not None]

    def _last_seq(self, job_id: str) -> int:
        rows = self._db.rows(
            "SELECT COALESCE(MAX(seq), 0) FROM events WHERE owner = ? AND job_id = ?",
            (self._owner, job_id),
        )
        return int(str(rows[0][0]))

    def _one(self, query: str, *parameters: object) -> str | None:
        rows = self._db.rows(query, (self._owner, *parameters))
        return str(rows[0][0]) if rows else None

    def _read(self, kind: type[T], query: str, *parameters: object) -> list[T]:
        rows = self._db.rows(query, (self._owner, *parameters))
        return [value for (blob,) in rows if (value := _understood(blob, kind)) is not None]


def _understood(blob: object, kind: type[T]) -> T | None:
    """What a row holds; None when another version wrote it in another form."""
    if not isinstance(blob, bytes):
        return None
    try:
        return codec.from_bytes(unpacked(blob), kind)
    except ValueError:
        return None
