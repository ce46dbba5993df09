"""What a list shows of sources and clips: little enough to be there at once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Order(StrEnum):
    """What comes first in a list."""

    TIME = "time"
    """The latest."""
    NAME = "name"
    """Of sources: in the order of their names."""
    SCORE = "score"
    """Of clips: the likeliest to be kept."""


class Standing(StrEnum):
    """What became of a clip."""

    KEPT = "kept"
    DROPPED = "dropped"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source in a list."""

    id: str
    name: str
    length_s: float | None
    """None where another version wrote it."""
    clips: int
    kept: int
    dropped: int
    seen_at: float
    """Seconds since the epoch, UTC."""
    manifest: str | None
    """Where its clips were last, if they were written to a folder."""


@dataclass(frozen=True, slots=True)
class ClipRow:
    """A clip in a list."""

    id: str
    source_id: str
    source: str | None
    """The name of its recording; None where that is not known any more."""
    rank: int
    title: str
    standing: Standing
    total: float | None
    """The chance in percent that an editor keeps it; None where nobody can tell."""
    start_s: float | None
    """Where it begins in its recording; None where another version wrote it."""
    length_s: float | None
    saved_at: float
    """Seconds since the epoch, UTC."""


@dataclass(frozen=True, slots=True)
class ClipFilter:
    """Which clips a list shows, and in what order."""

    source_id: str | None = None
    standing: Standing | None = None
    text: str = ""
    """In the title, whatever the case of its letters."""
    order: Order = Order.TIME


@dataclass(frozen=True, slots=True)
class ClipDue:
    """A clip whose meaning is not known as it reads now."""

    number: int
    """Of its text: a text that is changed gets another one."""
    text: str


@dataclass(frozen=True, slots=True)
class ClipHit:
    """A clip that a search found."""

    id: str
    score: float
    """The higher the nearer; compare only hits of one search."""


@dataclass(frozen=True, slots=True)
class FoundClip:
    """A clip with what is compared of it."""

    row: ClipRow
    text: str
    """Title, description and what is said, a line each."""
    terms: frozenset[str]
    """Its words without their endings, as they are looked for."""
    vector: bytes | None
    """What it means, a signed byte a number; None where only words can be compared."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What went with a source."""

    transcripts: int = 0
    windows: int = 0
    clips: int = 0
    manifests: int = 0
    """Places of manifests; the files themselves stay."""
    corrections: int = 0
