"""What turns clips into files of other programs: the protocol, and who has registered.

An exporter is an entry point of the group `reelremix.exporter` that names an object of this
protocol. Names are listed without loading anything; only the one asked for is imported. Those that
come with ReelRemix register in the same way.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Protocol

from reelremix.engine.domain.clip import Clip
from reelremix.engine.export.sequence import ClipSequence
from reelremix.errors import ConfigError, ModelError

GROUP = "reelremix.exporter"
FOLDER = "export"
"""Where most exporters' files go: apart from the clips' own, which may have the same names."""
PROTOCOL = 1
"""Raised when an exporter of before can no longer be used."""


class Recording(StrEnum):
    """What an exporter wants of the recording."""

    NEEDED = "needed"
    """It refers to the file."""
    HELPS = "helps"
    """It says more where the file is at hand."""
    UNUSED = "unused"


@dataclass(frozen=True, slots=True)
class Material:
    """What is to be exported."""

    name: str
    """What a file with all clips is called, without suffix."""
    clips: tuple[Clip, ...]
    entries: tuple[Mapping[str, Any], ...]
    """The same clips as the manifest has them."""
    manifest: Mapping[str, Any]
    folder: Path
    """Of the manifest."""
    sequences: tuple[ClipSequence, ...] = ()
    """The same clips on frames of a media file; empty where none was wanted or found."""

    @property
    def has_backdrop(self) -> bool:
        """Whether something is shown that no region covers."""
        segments = (segment for sequence in self.sequences for segment in sequence.segments)
        return any(layer.is_backdrop for segment in segments for layer in segment.layers)


@dataclass(frozen=True, slots=True)
class Document:
    """A file to be written."""

    name: str
    """Without folders."""
    content: bytes


class Exporter(Protocol):
    """Writes clips in one format. It opens, changes and fetches nothing."""

    protocol: int
    """The version of this protocol it was written for."""
    suffix: str
    """Of its files, such as `.fcpxml`."""
    recording: Recording
    gathers: bool
    """Whether all clips go into one file; otherwise there is one a clip."""
    folder: str
    """Beside the manifest, where its files go unless told otherwise; empty for the same folder."""

    def notes(self, material: Material) -> Iterator[str]:
        """What of these clips the format does not carry, a sentence each."""

    def documents(self, material: Material, gathered: str | None) -> Iterator[Document]:
        """The files. `gathered` names the one file that the user wants, if they named one.

        Raises:
            ConfigError: these clips cannot be put into one file.
            ModelError: a library it needs is not installed.
        """


def registered() -> dict[str, EntryPoint]:
    """Every exporter by its name; nothing is imported."""
    return {point.name: point for point in sorted(entry_points(group=GROUP), key=_name)}


def find_exporter(name: str) -> Exporter:
    """The exporter of that name.

    Raises:
        ConfigError: there is none.
        ModelError: it cannot be loaded, or is for another ReelRemix.
    """
    known = registered()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise ConfigError(
            f"--to {name!r} is no format that is installed{meant}",
            hint=f"there are {', '.join(known) or 'none: install ReelRemix again'}",
        )
    try:
        exporter: Exporter = known[name].load()
    except (ImportError, AttributeError) as exc:
        raise ModelError(
            f"the exporter '{name}' cannot be loaded: {exc}",
            hint="install the package it comes from again",
        ) from exc
    if getattr(exporter, "protocol", None) != PROTOCOL:
        raise ModelError(
            f"the exporter '{name}' is for another ReelRemix: it speaks protocol"
            f" {getattr(exporter, 'protocol', None)}, this one {PROTOCOL}",
            hint="upgrade the package it comes from",
        )
    return exporter


def _name(point: EntryPoint) -> str:
    return point.name
