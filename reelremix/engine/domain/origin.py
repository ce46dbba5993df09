"""Where on the web a recording comes from, and what is said of it there."""

from __future__ import annotations

from dataclasses import dataclass

from reelremix.engine.domain.source import Chapter


@dataclass(frozen=True, slots=True)
class Subtitles:
    """What somebody, or something, wrote down of a recording."""

    file: str
    """Name of the file, which lies beside the recording."""
    language: str | None
    is_automatic: bool
    """Whether a program wrote it."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a site says of a recording."""

    url: str
    """As it was asked for."""
    title: str
    site: str
    channel: str | None = None
    uploaded: str | None = None
    """The day as YYYY-MM-DD."""
    language: str | None = None
    chapters: tuple[Chapter, ...] = ()
    subtitles: Subtitles | None = None
