"""The store protocols held in memory: for tests, and for runs that should leave no trace."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import Any

from reelremix.engine import codec
from reelremix.engine.domain.clip import Clip, ClipEntry
from reelremix.engine.domain.context import (
    EVERY_CLIP,
    STATUSES,
    ArtifactKey,
    Decision,
    FileIdentity,
)
from reelremix.engine.domain.corrections import corrected
from reelremix.engine.domain.edit import Correction, Edit, ManifestPlace, RenderRecord
from reelremix.engine.domain.events import Event, LoggedEvent, is_fact
from reelremix.engine.domain.rows import (
    ClipDue,
    ClipFilter,
    ClipHit,
    ClipRow,
    Forgotten,
    FoundClip,
    Order,
    SourceRow,
    Standing,
)
from reelremix.engine.domain.source import Source
from reelremix.engine.domain.transcript import Transcript
from reelremix.engine.domain.window import Due, FoundWindow, WindowHit, WindowIndex
from reelremix.engine.store.memory_clips import MemoryClips
from reelremix.engine.store.memory_windows import MemoryWindows
from reelremix.engine.store.rows import FEWEST_LETTERS
from reelremix.errors import EditConflict, UnreadableMedia


class MemoryArtifactStore:
    """`ArtifactStore` in a dict, least recently used first."""

    def __init__(self) -> None:
        self._held: dict[ArtifactKey, bytes] = {}

    def get(self, key: ArtifactKey) -> bytes | None:
        """The bytes; None when absent."""
        content = self._held.pop(key, None)
        if content is not None:
            self._held[key] = content
        return content

    def put(self, key: ArtifactKey, content: bytes) -> None:
        """Store, replacing what was there."""
        self._held.pop(key, None)
        self._held[key] = content

    def delete(self, key: ArtifactKey) -> None:
        """Forget the artifact if it is there."""
        self._held.pop(key, None)

    def size_bytes(self) -> int:
        """Bytes held for all owners."""
        return sum(len(content) for content in self._held.values())

    def collect(self, cap_bytes: int) -> int:
        """Drop the least recently used until at most `cap_bytes` remain; returns bytes freed."""
        before = self.size_bytes()
        while self._held and self.size_bytes() > cap_bytes:
            del self._held[next(iter(self._held))]
        return before - self.size_bytes()


class MemoryCatalogue:
    """`Catalogue` in dicts and lists, for one owner."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[FileIdentity, str]] = {}
        self._sources: dict[str, Source] = {}
        self._seen_at: dict[str, float] = {}
        self._transcripts: dict[str, Transcript] = {}
        self._clips = MemoryClips(self._standing, self._named)
        self._decisions: list[Decision] = []
        self._manifests: dict[str, ManifestPlace] = {}
        self._edits: dict[str, list[Edit]] = {}
        self._renders: dict[tuple[str, str], RenderRecord] = {}
        self._corrections: dict[str, list[Correction]] = {}
        self._ranking: dict[str, Any] | None = None
        self._events: dict[str, list[LoggedEvent]] = {}
        self.facts: list[LoggedEvent | None] = []
        """Of all jobs, in order; None for those of jobs that are forgotten."""
        self._windows = MemoryWindows()

    def remember_file(self, identity: FileIdentity, source_id: str) -> None:
        """Remember the content behind an unchanged file."""
        self._files.pop(identity.path, None)
        self._files[identity.path] = (identity, source_id)

    def recall_file(self, identity: FileIdentity) -> str | None:
        """The source id of an unchanged file; None when it was never read or has changed."""
        known, source_id = self._files.get(identity.path, (None, None))
        return source_id if known == identity else None

    def save_source(self, source: Source) -> None:
        """Add or refresh a source."""
        self._sources.pop(source.id, None)
        self._sources[source.id] = source
        self._seen_at[source.id] = time.time()

    def source(self, source_id: str) -> Source | None:
        """The source, or None."""
        return self._sources.get(source_id)

    def sources(self) -> Sequence[Source]:
        """All sources, the latest seen first."""
        return list(reversed(self._sources.values()))

    def source_rows(
        self, text: str = "", limit: int = 50, offset: int = 0, order: Order = Order.TIME
    ) -> Sequence[SourceRow]:
        """Sources whose name has a text in it, with what became of them."""
        named = [s for s in self.sources() if text.lower() in s.name.lower()]
        if order is Order.NAME:
            named.sort(key=lambda source: source.name.lower())
        return [self._source_row(source) for source in named[offset : offset + limit]]

    def find_sources(self, text: str) -> Sequence[SourceRow]:
        """Sources of that name, with or without its ending, or else whose id begins so."""
        wanted, rows = text.lower(), self.source_rows(limit=len(self._sources), order=Order.NAME)
        named = [r for r in rows if wanted in (r.name.lower(), PurePath(r.name).stem.lower())]
        is_id = len(text) >= FEWEST_LETTERS
        return named or [r for r in rows if is_id and r.id.startswith(wanted)]

    def forget_source(self, source_id: str) -> Forgotten:
        """Remove a source and what was made from it; files, decisions and edits stay."""
        places = [place.id for place in self.manifests(source_id)]
        clips = [clip.id for clip in self.clips(source_id)]
        gone = Forgotten(
            transcripts=int(self._transcripts.pop(source_id, None) is not None),
            windows=self._windows.forget(source_id),
            clips=len(clips),
            manifests=len(places),
            corrections=len(self._corrections.pop(source_id, ())),
        )
        self._clips.remove(clips)
        for id in places:
            del self._manifests[id]
        for path in self.locations(source_id):
            del self._files[path]
        self._sources.pop(source_id, None)
        return gone

    def forget_file(self, path: str) -> None:
        """Forget what was behind a path."""
        self._files.pop(path, None)

    def files(self, source_id: str | None = None) -> Sequence[tuple[FileIdentity, str]]:
        """Where a source, or any, was seen, and the id of what it was; the latest first."""
        return [own for own in reversed(self._files.values()) if source_id in (None, own[1])]

    def _standing(self, clip_id: str) -> Standing:
        decided = (d.kind for d in reversed(self.decisions(clip_id)) if d.kind in STATUSES)
        status = STATUSES[next(decided, "reopened")]
        return Standing.OPEN if status is None else Standing(status)

    def _named(self, source_id: str) -> str | None:
        source = self._sources.get(source_id)
        return source.name if source is not None else None

    def _source_row(self, source: Source) -> SourceRow:
        standings = [self._standing(clip.id) for clip in self.clips(source.id)]
        place = next(iter(self.manifests(source.id)), None)
        return SourceRow(
            source.id,
            source.name,
            source.duration.seconds,
            len(standings),
            standings.count(Standing.KEPT),
            standings.count(Standing.DROPPED),
            self._seen_at[source.id],
            place.path if place is not None else None,
        )

    def locations(self, source_id: str) -> Sequence[str]:
        """Paths where the source was seen, latest first."""
        return [p for p, (_, known) in reversed(self._files.items()) if known == source_id]

    def places(self, source_ids: Sequence[str]) -> Mapping[str, tuple[str | None, Sequence[str]]]:
        """For each source its name, None where it is not known, and its locations."""
        return {id: (self._named(id), self.locations(id)) for id in source_ids}

    def save_transcript(self, source_id: str, transcript: Transcript) -> None:
        """Keep the latest transcript of a source, as it was heard."""
        self._transcripts[source_id] = transcript
        self._windows.become_due(source_id)

    def transcript(self, source_id: str) -> Transcript | None:
        """The latest transcript of a source as a person corrected it, or None."""
        heard = self.heard_transcript(source_id)
        return corrected(heard, self.corrections(source_id)) if heard is not None else None

    def heard_transcript(self, source_id: str) -> Transcript | None:
        """The same as it was heard."""
        return self._transcripts.get(source_id)

    def transcript_digest(self, source_id: str) -> str | None:
        """Of the same, without reading it whole; None where there is none."""
        held = self.transcript(source_id)
        return hashlib.sha256(codec.to_bytes(held)).hexdigest() if held is not None else None

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
        return self._clips.listed(wanted)[offset : offset + limit]

    def count_clips(self, wanted: ClipFilter = EVERY_CLIP) -> int:
        """How many clips a list would show."""
        return len(self._clips.listed(wanted))

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
        self._decisions.append(decision)

    def decisions(self, clip_id: str | None = None) -> Sequence[Decision]:
        """The decisions about a clip, or about all, oldest first."""
        return [d for d in self._decisions if clip_id in (None, d.clip_id)]

    def remember_manifest(self, place: ManifestPlace) -> None:
        """Add a manifest, or say where it is now."""
        self._manifests.pop(place.id, None)
        self._manifests[place.id] = place

    def manifests(self, source_id: str | None = None) -> Sequence[ManifestPlace]:
        """The manifests of a source, or all, the last seen first."""
        places = reversed(self._manifests.values())
        return [place for place in places if source_id in (None, place.source_id)]

    def append_edits(self, manifest_id: str, edits: Sequence[Edit]) -> None:
        """Append edits, all or none; none is ever changed.

        Raises EditConflict where a number is taken.
        """
        log = self._edits.setdefault(manifest_id, [])
        if {edit.number for edit in edits} & {other.number for other in log}:
            raise EditConflict("somebody else changed these clips meanwhile")
        log += edits
        log.sort(key=lambda other: other.number)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Writes one after the other: nothing of it outlives the process anyway."""
        yield

    def edits(self, manifest_id: str, after: int = 0) -> Sequence[Edit]:
        """The edits of a manifest numbered above `after`, in order."""
        return [edit for edit in self._edits.get(manifest_id, ()) if edit.number > after]

    def save_render(self, record: RenderRecord) -> None:
        """Keep what was made of a clip of a manifest, replacing what was made of it before."""
        self._renders[record.manifest_id, record.clip_id] = record

    def renders(self, manifest_id: str) -> Sequence[RenderRecord]:
        """The films of a manifest's clips, in the order they were made."""
        found = [record for record in self._renders.values() if record.manifest_id == manifest_id]
        return sorted(found, key=lambda record: (record.at, record.clip_id))

    def correct(self, source_id: str, correction: Correction) -> None:
        """Keep what is said in a stretch of a source, whatever was heard there."""
        self._corrections.setdefault(source_id, []).append(correction)
        self._become_due(source_id)

    def uncorrect(self, source_id: str, correction: Correction) -> None:
        """Forget such a correction, the last one where there are several."""
        held = self._corrections.get(source_id, [])
        if correction in held:
            del held[len(held) - 1 - held[::-1].index(correction)]
            self._become_due(source_id)

    def corrections(self, source_id: str) -> Sequence[Correction]:
        """What a person says is said in a source, each in what those before it led to."""
        return list(self._corrections.get(source_id, ()))

    def _become_due(self, source_id: str) -> None:
        if source_id in self._transcripts:
            self._windows.become_due(source_id)

    def save_ranking(self, document: dict[str, Any]) -> None:
        """Keep what was learned from the decisions, replacing what was learned before."""
        self._ranking = dict(document)

    def ranking(self) -> dict[str, Any] | None:
        """What was learned from the decisions, or None."""
        return None if self._ranking is None else dict(self._ranking)

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
        log = self._events.setdefault(job_id, [])
        last = log[-1].seq if log else 0
        logged = LoggedEvent(job_id, last + is_fact(event), round(time.time(), 3), event)
        if is_fact(event):
            log.append(logged)
            self.facts.append(logged)
        return logged

    def forget_events(self, job_id: str) -> None:
        """Forget what a job logged."""
        self._events.pop(job_id, None)
        self.facts = [e if e is not None and e.job_id != job_id else None for e in self.facts]

    def events(self, job_id: str, after_seq: int = 0) -> Sequence[LoggedEvent]:
        """The job's facts numbered above `after_seq`."""
        return [e for e in self._events.get(job_id, []) if e.seq > after_seq]


class MemorySourceAccess:
    """`SourceAccess` over bytes: each source is a file only while somebody has it open."""

    def __init__(self) -> None:
        self._held: dict[str, bytes] = {}

    def hold(self, source_id: str, content: bytes) -> None:
        """Keep a source's bytes."""
        self._held[source_id] = content

    @contextmanager
    def open(self, source_id: str) -> Iterator[Path]:
        """A file with the source's bytes, gone afterwards. Raises UnreadableMedia."""
        if source_id not in self._held:
            raise UnreadableMedia(f"the source {source_id[:12]} is not held in memory")
        with TemporaryDirectory(prefix="reelremix-") as folder:
            path = Path(folder, source_id[:12])
            path.write_bytes(self._held[source_id])
            yield path
