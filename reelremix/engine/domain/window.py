"""What a search looks through: about a minute of one source, whole sentences."""

from __future__ import annotations

from dataclasses import dataclass

from reelremix.engine.domain.spacing import join_words
from reelremix.engine.domain.time import TimeRange


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence that may be quoted."""

    text: str
    range: TimeRange
    terms: tuple[str, ...]
    """Its words without their endings, as they are looked for, in order."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a window means, as whole numbers: a vector's numbers over its greatest, times 127."""

    window: bytes
    """One signed byte a number."""
    lines: bytes
    """The same for each line, one after the other."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch that is found as one."""

    range: TimeRange
    """From its first line to its last."""
    lines: tuple[Line, ...]
    meaning: Meaning | None = None
    """None where only words can be compared."""

    @property
    def text(self) -> str:
        """All that is said."""
        return join_words([line.text for line in self.lines])

    @property
    def terms(self) -> tuple[str, ...]:
        """The terms of all lines."""
        return tuple(term for line in self.lines for term in line.terms)


@dataclass(frozen=True, slots=True)
class WindowIndex:
    """Everything that can be found in one source."""

    source_id: str
    digest: str
    """Changes whenever what can be found does."""
    model: str | None
    """What was there to tell meanings; None without. It may know none of this language."""
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class Due:
    """A source whose transcript is not indexed as it is now."""

    source_id: str
    ticket: int
    """Says which transcript was due: a later one gets another ticket."""


@dataclass(frozen=True, slots=True)
class WindowHit:
    """A window that a search found."""

    window: int
    """Its number in the catalogue."""
    score: float
    """The higher the nearer; compare only hits of one search."""


@dataclass(frozen=True, slots=True)
class FoundWindow:
    """A window and where it is from."""

    source_id: str
    window: Window
