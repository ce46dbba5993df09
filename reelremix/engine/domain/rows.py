"""What a list shows of sources and clips: little enough to be there at once."""

from __future__ import annotations

from dataclasses import dataclass


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
