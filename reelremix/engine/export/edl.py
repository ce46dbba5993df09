"""CMX 3600 edit decision lists: one a clip, with cuts and notes, without framing or captions.

OpenTimelineIO's own adapter writes no FCM line and no dropping timecode, so these are written here
and read back with it by the tests. The record side begins at one hour, as editors expect.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

from reelremix.engine.domain.timecode import timebase, timecode_of
from reelremix.engine.export.exporters import FOLDER, PROTOCOL, Document, Material, Recording
from reelremix.engine.export.limits import what_no_sequence_carries
from reelremix.engine.export.sequence import ClipSequence, Media
from reelremix.engine.export.sidecars import sidecars_of
from reelremix.engine.export.xmltext import plain_line
from reelremix.errors import ConfigError

REEL_LENGTH = 8
"""What every program that reads these lists takes."""
MOST_EVENTS = 999
LINE = 240
"""Notes are cut beyond; some readers have short lines."""


@dataclass(frozen=True, slots=True)
class Edl:
    """Writes a list a clip."""

    protocol: int = PROTOCOL
    suffix: str = ".edl"
    recording: Recording = Recording.NEEDED
    gathers: bool = False
    folder: str = FOLDER

    def notes(self, material: Material) -> Iterator[str]:
        """What no list of this kind can say."""
        yield "an EDL has cuts and notes only: no framing, layers or captions"
        yield from what_no_sequence_carries(material)

    def documents(self, material: Material, gathered: str | None) -> Iterator[Document]:
        """A list for each clip, and its subtitles."""
        if gathered is not None and len(material.sequences) > 1:
            raise ConfigError(
                f"{len(material.sequences)} clips cannot share one EDL: it is a single timeline",
                hint="name a folder with `--out DIR`, or one clip",
            )
        for sequence in material.sequences:
            name = gathered or f"{sequence.stem}{self.suffix}"
            yield Document(name, edl_of(sequence).encode())
        yield from sidecars_of(material, "srt")


EDL = Edl()


def edl_of(sequence: ClipSequence) -> str:
    """The list of a clip. Raises ConfigError where it has more cuts than a list can hold."""
    media, kept = sequence.media, sequence.kept
    if len(kept) > MOST_EVENTS:
        raise ConfigError(
            f"clip {sequence.clip.rank} has {len(kept)} cuts, an EDL holds {MOST_EVENTS}",
            hint="`--to otio`, `fcpxml` or `premiere` take any number",
        )
    hour = _hour(media)
    counting = "DROP FRAME" if media.drop else "NON-DROP FRAME"
    lines = [f"TITLE: {_ascii(sequence.name)}", f"FCM: {counting}", ""]
    for number, (at, first, end) in enumerate(kept, start=1):
        length = end - first
        times = (media.start + first, media.start + end, hour + at, hour + at + length)
        told = " ".join(timecode_of(frame, media.rate, drop=media.drop) for frame in times)
        lines.append(f"{number:03d}  {reel_name(media):<8} {_channels(media):<5} C        {told}")
        lines.append(f"* FROM CLIP NAME: {_ascii(media.name)}")
        lines += _notes(sequence, at, at + length)
        lines.append("")
    return "\r\n".join(lines)


def reel_name(media: Media) -> str:
    """A name of at most eight capital letters and digits, made of the file's."""
    letters = unicodedata.normalize("NFKD", PurePath(media.name).stem).upper()
    return re.sub(r"[^A-Z0-9_]", "", letters)[:REEL_LENGTH] or "RECORD"


def _notes(sequence: ClipSequence, begins: int, ends: int) -> Iterator[str]:
    """Markers inside an event, at their timecode in the sequence."""
    media = sequence.media
    for marker in sequence.markers:
        if begins <= marker.at < ends:
            at = timecode_of(_hour(media) + marker.at, media.rate, drop=media.drop)
            colour = "GREEN" if marker.is_chapter else "YELLOW"
            told = _ascii(": ".join(filter(None, (marker.name, marker.note))))
            yield f"* LOC: {at} {colour:<8}{told}"[:LINE]


def _hour(media: Media) -> int:
    """The frame that 01:00:00:00 counts."""
    base = timebase(media.rate)
    return 3600 * base - (54 * (base // 15) if media.drop else 0)


def _channels(media: Media) -> str:
    return {0: "V", 1: "B"}.get(media.channels, "AA/V")


def _ascii(text: str) -> str:
    """Text in the letters that readers of these lists take, on one line."""
    plain = unicodedata.normalize("NFKD", plain_line(text).translate(_QUOTES))
    return "".join(c for c in plain if c.isascii()).strip() or "-"


_QUOTES = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "..."})
