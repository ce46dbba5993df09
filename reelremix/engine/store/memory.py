"""The store protocols held in memory: for tests, and for runs that should leave no trace."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from reelremix.engine import codec
from reelremix.engine.domain.clip import Clip, ClipEntry
from reelremix.engine.domain.context import STATUSES, ArtifactKey, Decision, FileIdentity
from reelremix.engine.domain.edit import Correction, Edit, ManifestPlace, RenderRecord
from reelremix.engine.domain.events import Event, LoggedEvent, is_fact
from reelremix.engine.domain.rows import SourceRow
from reelremix.engine.domain.source import Source
from reelremix.engine.domain.transcript import Transcript
from reelremix.engine.domain.window import Due, FoundWindow, WindowHit, WindowIndex
from reelremix.engine.store.memory_windows import MemoryWindows
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
        self._clips: dict[str, dict[str, Clip]] = {}
        self._decisions: list[Decision] = []
        self._manifests: dict[str, ManifestPlace] = {}
        self._edits: dict[str, list[Edit]] = {}
        self._renders: dict[tuple[str, str], RenderRecord] = {}
        self._corrections: dict[str, list[Correction]] = {}
        self._ranking: dict[str, Any] | None = None
        self._events: dict[str, list[LoggedEvent]] = {}
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

    def source_rows(self, text: str = "", limit: int = 50, offset: int = 0) -> Sequence[SourceRow]:
        """Sources whose name has a text in it, the latest seen first, with what became of them."""
        named = [s for s in self.sources() if text.lower() in s.name.lower()]
        return [self._source_row(source) for source in named[offset : offset + limit]]

    def _source_row(self, source: Source) -> SourceRow:
        clips = self._clips.get(source.id, {})
        kinds = [next((d.kind for d in reversed(self.decisions(id)) if d.kind in STATUSES), None)
                 for id in clips]  # fmt: skip
        place = next(iter(self.manifests(source.id)), None)
        return SourceRow(
            source.id,
            source.name,
            source.duration.seconds,
            len(clips),
            kinds.count("kept"),
            kinds.count("dropped"),
            self._seen_at[source.id],
            place.path if place is not None else None,
        )

    def locations(self, source_id: str) -> Sequence[str]:
        """Paths where the source was seen, latest first."""
        return [p for p, (_, known) in reversed(self._files.items()) if known == source_id]

    def save_transcript(self, source_id: str, transcript: Transcript) -> None:
        """Keep the latest transcript of a source."""
        self._transcripts[source_id] = transcript
        self._windows.become_due(source_id)

    def transcript(self, source_id: str) -> Transcript | None:
        """The latest transcript of a source, or None."""
        return self._transcripts.get(source_id)

    def transcript_digest(self, source_id: str) -> str | None:
        """Of the latest transcript, without reading it whole; None where there is none."""
        held = self._transcripts.get(source_id)
        return hashlib.sha256(codec.to_bytes(held)).hexdigest() if held is not None else None

    def save_clips(self, source_id: str, clips: Sequence[Clip]) -> None:
        """Add clips, or refresh those with the same id."""
        self._clips.setdefault(source_id, {}).update({clip.id: clip for clip in clips})

    def remove_clips(self, ids: Sequence[str]) -> None:
        """Forget clips; what was decided about them stays."""
        for held in self._clips.values():
            for id in ids:
                held.pop(id, None)

    def clips(self, source_id: str) -> Sequence[Clip]:
        """The clips of a source by rank."""
        held = self._clips.get(source_id, {})
        return sorted(held.values(), key=lambda clip: (clip.rank, clip.id))

    def find_clips(self, id_prefix: str) -> Sequence[ClipEntry]:
        """The clips whose id begins so, by id; an empty prefix finds all."""
        found = [
            ClipEntry(clip.id, source_id, clip.title, clip.slug, clip.ranges)
            for source_id, clips in self._clips.items()
            for clip in clips.values()
            if clip.id.startswith(id_prefix)
        ]
        return sorted(found, key=lambda entry: entry.id)

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

    def append_edit(self, manifest_id: str, edit: Edit) -> None:
        """Append an edit; none is ever changed. Raises EditConflict where its number is taken."""
        log = self._edits.setdefault(manifest_id, [])
        if any(edit.number == other.number for other in log):
            raise EditConflict("somebody else changed these clips meanwhile")
        log.append(edit)
        log.sort(key=lambda other: other.number)

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
        """Keep what is said in a stretch, in place of what was kept of any part of it."""
        span = correction.range
        held = self._corrections.get(source_id, [])
        apart = [c for c in held if c.range.start >= span.end or c.range.end <= span.start]
        self._corrections[source_id] = sorted([*apart, correction], key=lambda c: c.range.start)

    def corrections(self, source_id: str) -> Sequence[Correction]:
        """What a person says is said in a source, in order of time; none overlap."""
        return list(self._corrections.get(source_id, ()))

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
        return logged

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
