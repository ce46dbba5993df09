"""What surrounds a run: who listens, who may cancel, where things are kept.

Protocols only, so that one machine, a test and a server can each bring their own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from reelremix.engine.domain.clip import Clip, ClipEntry
from reelremix.engine.domain.edit import Correction, Edit, ManifestPlace, RenderRecord
from reelremix.engine.domain.events import Event, LoggedEvent
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
from reelremix.errors import Cancelled

T = TypeVar("T")

STATUSES: dict[str, str | None] = {"kept": "kept", "dropped": "dropped", "reopened": None}
"""What decisions of these kinds make of a clip."""
EVERY_CLIP = ClipFilter()


class CancelToken:
    """Set once, seen by every stage."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """Ask the run to stop."""
        self._event.set()

    def is_set(self) -> bool:
        """Whether somebody asked to stop."""
        return self._event.is_set()

    def raise_if_set(self) -> None:
        """Raise Cancelled when somebody asked to stop."""
        if self._event.is_set():
            raise Cancelled

    def wait(self, timeout_s: float) -> bool:
        """Sleep until set or timed out; returns whether it is set."""
        return self._event.wait(timeout_s)


class Reporter(Protocol):
    """Whoever is told what happens."""

    def emit(self, event: Event) -> None:
        """Take one event; must return quickly and never raise."""


@dataclass(frozen=True, slots=True)
class ArtifactKey:
    """Names a stage's result by everything that can change it."""

    owner: str
    stage: str
    digest: str
    """SHA-256 over the stage's version, its inputs and the parameters that matter to it."""


class ArtifactStore(Protocol):
    """Bytes by key. A stored artifact is complete or absent, never partial."""

    def get(self, key: ArtifactKey) -> bytes | None:
        """The bytes; None when absent, or when damaged (the damaged copy is dropped)."""

    def put(self, key: ArtifactKey, content: bytes) -> None:
        """Store atomically, replacing what was there."""

    def delete(self, key: ArtifactKey) -> None:
        """Forget the artifact if it is there."""

    def collect(self, cap_bytes: int) -> int:
        """Drop the least recently used until at most `cap_bytes` remain; returns bytes freed."""

    def size_bytes(self) -> int:
        """Bytes held for all owners."""


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """How a file is recognised without reading it again."""

    path: str
    size_bytes: int
    mtime_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class Decision:
    """One entry of the append-only list of decisions and edits about a clip."""

    clip_id: str
    kind: str
    """`proposed`, `kept`, `dropped`, `imported`, `reset`, ..."""
    detail: dict[str, Any]
    at: float
    """Seconds since the epoch, UTC."""


class Catalogue(Protocol):
    """What is known about sources, transcripts, clips, decisions and jobs of one owner."""

    def remember_file(self, identity: FileIdentity, source_id: str) -> None:
        """Remember the content behind an unchanged file."""

    def recall_file(self, identity: FileIdentity) -> str | None:
        """The source id of an unchanged file; None when it was never read or has changed."""

    def save_source(self, source: Source) -> None:
        """Add or refresh a source."""

    def source(self, source_id: str) -> Source | None:
        """The source, or None."""

    def sources(self) -> Sequence[Source]:
        """All sources, the latest seen first."""

    def source_rows(
        self, text: str = "", limit: int = 50, offset: int = 0, order: Order = Order.TIME
    ) -> Sequence[SourceRow]:
        """Sources whose name has a text in it, with what became of them."""

    def find_sources(self, text: str) -> Sequence[SourceRow]:
        """Sources of that name, with or without its ending, or else whose id begins so."""

    def forget_source(self, source_id: str) -> Forgotten:
        """Remove a source and what was made from it; files, decisions and edits stay."""

    def forget_file(self, path: str) -> None:
        """Forget what was behind a path."""

    def files(self, source_id: str | None = None) -> Sequence[tuple[FileIdentity, str]]:
        """Where a source, or any, was seen, and the id of what it was; the latest first."""

    def locations(self, source_id: str) -> Sequence[str]:
        """Paths where the source was seen, latest first."""

    def places(self, source_ids: Sequence[str]) -> Mapping[str, tuple[str | None, Sequence[str]]]:
        """For each source its name, None where it is not known, and its locations."""

    def save_transcript(self, source_id: str, transcript: Transcript) -> None:
        """Keep the latest transcript of a source, as it was heard."""

    def transcript(self, source_id: str) -> Transcript | None:
        """The latest transcript of a source as a person corrected it, or None."""

    def heard_transcript(self, source_id: str) -> Transcript | None:
        """The same as it was heard."""

    def transcript_digest(self, source_id: str) -> str | None:
        """Of the same, without reading it whole; None where there is none."""

    def save_clips(self, source_id: str, clips: Sequence[Clip]) -> None:
        """Add clips, or refresh those with the same id."""

    def remove_clips(self, ids: Sequence[str]) -> None:
        """Forget clips; what was decided about them stays."""

    def clips(self, source_id: str) -> Sequence[Clip]:
        """The clips of a source by rank."""

    def clip(self, clip_id: str) -> Clip | None:
        """The clip of that id, or None."""

    def find_clips(self, id_prefix: str) -> Sequence[ClipEntry]:
        """The clips whose id begins so, by id; an empty prefix finds all."""

    def clip_rows(
        self, wanted: ClipFilter = EVERY_CLIP, limit: int = 50, offset: int = 0
    ) -> Sequence[ClipRow]:
        """A page of a list of clips."""

    def count_clips(self, wanted: ClipFilter = EVERY_CLIP) -> int:
        """How many clips a list would show."""

    def clips_due(self, model: str) -> Sequence[ClipDue]:
        """Clips whose meaning that model has not told as they read now, the first saved first."""

    def save_clip_meanings(self, model: str, vectors: Mapping[int, bytes | None]) -> None:
        """Keep what the texts of clips mean, by the number they were due under; None for one whose
        language the model does not know. A text that was changed meanwhile stays due."""

    def clips_saying(self, terms: Sequence[str], limit: int) -> Sequence[ClipHit]:
        """Clips with any of the terms, by BM25, the best first. Terms that more than a tenth of all
        clips have do not count beside rarer ones."""

    def clips_meaning(self, vector: Sequence[float], limit: int) -> Sequence[ClipHit]:
        """The clips whose meaning is nearest to a vector, by cosine, the nearest first."""

    def found_clips(self, ids: Sequence[str]) -> Sequence[FoundClip | None]:
        """What hits stand for, in the same order; None for a clip that is gone since."""

    def record(self, decision: Decision) -> None:
        """Append a decision; nothing is ever changed or removed."""

    def decisions(self, clip_id: str | None = None) -> Sequence[Decision]:
        """The decisions about a clip, or about all, oldest first."""

    def remember_manifest(self, place: ManifestPlace) -> None:
        """Add a manifest, or say where it is now."""

    def manifests(self, source_id: str | None = None) -> Sequence[ManifestPlace]:
        """The manifests of a source, or all, the last seen first."""

    def append_edits(self, manifest_id: str, edits: Sequence[Edit]) -> None:
        """Append edits, all or none; none is ever changed.

        Raises EditConflict where a number is taken.
        """

    def at_once(self) -> AbstractContextManager[None]:
        """What one thread writes meanwhile is written all at once, or not at all on an error."""

    def edits(self, manifest_id: str, after: int = 0) -> Sequence[Edit]:
        """The edits of a manifest numbered above `after`, in order."""

    def save_render(self, record: RenderRecord) -> None:
        """Keep what was made of a clip of a manifest, replacing what was made of it before."""

    def renders(self, manifest_id: str) -> Sequence[RenderRecord]:
        """The films of a manifest's clips, in the order they were made."""

    def correct(self, source_id: str, correction: Correction) -> None:
        """Keep what is said in a stretch of a source, whatever was heard there."""

    def uncorrect(self, source_id: str, correction: Correction) -> None:
        """Forget such a correction, the last one where there are several."""

    def corrections(self, source_id: str) -> Sequence[Correction]:
        """What a person says is said in a source, each in what those before it led to."""

    def save_ranking(self, document: dict[str, Any]) -> None:
        """Keep what was learned from the decisions, replacing what was learned before."""

    def ranking(self) -> dict[str, Any] | None:
        """What was learned from the decisions, or None."""

    def windows_due(self, model: str | None) -> Sequence[Due]:
        """Sources whose transcript is not indexed as it is now, the longest due first; with a
        model, also those that were indexed without that one."""

    def save_windows(self, due: Due, index: WindowIndex) -> None:
        """Index a source, replacing what was indexed of it; an index with the digest of the one
        that is there changes nothing. A transcript saved since `due` was told stays due."""

    def windows_saying(
        self, terms: Sequence[str], limit: int, sources: Collection[str] | None = None
    ) -> Sequence[WindowHit]:
        """Windows that say any of the terms, by BM25, the best first; of these sources only, unless
        None. Terms said in more than a tenth of all windows do not count beside rarer ones."""

    def windows_meaning(
        self, vector: Sequence[float], limit: int, sources: Collection[str] | None = None
    ) -> Sequence[WindowHit]:
        """The windows whose meaning is nearest to a vector, by cosine, the nearest first."""

    def windows(self, numbers: Sequence[int]) -> Sequence[FoundWindow | None]:
        """What hits stand for, in the same order; None for a window that is gone since."""

    def append(self, job_id: str, event: Event) -> LoggedEvent:
        """Number a fact within its job and keep it; progress gets the last fact's number."""

    def events(self, job_id: str, after_seq: int = 0) -> Sequence[LoggedEvent]:
        """The job's facts numbered above `after_seq`."""


class SourceAccess(Protocol):
    """Gives a source as a local path for the length of a step."""

    def open(self, source_id: str) -> AbstractContextManager[Path]:
        """Raises UnreadableMedia when the source is nowhere to be found."""


class ModelProvider(Protocol):
    """Finds installed weights by name, and may keep models that were loaded."""

    def folder(self, name: str) -> Path:
        """The folder holding the model's files. Raises ModelNotInstalled saying what to type."""

    def loaded(self, kind: str, key: Hashable, load: Callable[[], T]) -> T:
        """A model of a kind: the one that was loaded before, where it is kept and has that key."""


class PartialFiles:
    """Files being written now, so that a forced end can remove them."""

    def __init__(self) -> None:
        self._paths: set[Path] = set()
        self._lock = threading.Lock()

    def add(self, path: Path) -> None:
        """Start caring for `path`."""
        with self._lock:
            self._paths.add(path)

    def discard(self, path: Path) -> None:
        """Stop caring: it was renamed or removed."""
        with self._lock:
            self._paths.discard(path)

    def __iter__(self) -> Iterator[Path]:
        with self._lock:
            return iter(tuple(self._paths))


@dataclass(frozen=True)
class RunContext:
    """Everything a stage may touch besides its input."""

    reporter: Reporter
    catalogue: Catalogue
    artifacts: ArtifactStore
    sources: SourceAccess
    models: ModelProvider
    cancel: CancelToken = field(default_factory=CancelToken)
    partial_files: PartialFiles = field(default_factory=PartialFiles)
    owner: str = LOCAL_OWNER
    downloads_dir: Path | None = None
    """Where recordings from the web are kept; None where none are fetched."""
    presets_dir: Path | None = None
    """Folder of the user's caption presets; None where there is none."""
    lock_dir: Path | None = None
    """Folder for locks between processes on one machine; None when the caller serialises runs."""
