"""What lies in a watched folder and may be a recording.

Names decide here, and the first bytes of a file whose name says nothing. Whether a file is whole,
and whether it was taken before, is decided elsewhere.
"""

from __future__ import annotations

import fnmatch
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from reelremix.daemon.notices import is_notice
from reelremix.daemon.settling import Signature, signature_of
from reelremix.engine.domain.source import MEDIA_SUFFIXES
from reelremix.engine.domain.watch import Watch, WhenDone
from reelremix.engine.export.manifest import FILE_NAME
from reelremix.engine.output_folder import NOTE_NAME

DONE, FAILED = "done", "failed"
"""Folders that a watch moves recordings into."""
HEADER_BYTES = 512


@dataclass(slots=True)
class FolderScan:
    """What was found."""

    files: dict[Path, Signature] = field(default_factory=dict)
    unreadable: dict[Path, OSError] = field(default_factory=dict)
    """Folders inside, and files, that could not be looked at."""
    is_output: bool = False
    """Whether the folder itself holds clips, so that nothing in it was looked at."""


def scan(watch: Watch, check: Callable[[], None]) -> FolderScan:
    """Look through a watched folder.

    Links to folders are not followed, so none can lead in a circle.

    Args:
        watch: the folder, and what is passed over in it.
        check: called once a file; what it raises ends the scan.

    Raises:
        OSError: the folder itself cannot be read.
    """
    root = Path(watch.folder)
    found = FolderScan()
    due = [root]
    while due:
        check()
        folder = due.pop()
        try:
            with os.scandir(folder) as entries:
                listed = list(entries)
        except OSError as exc:
            if folder == root:
                raise
            if not isinstance(exc, FileNotFoundError):
                found.unreadable[folder] = exc
            continue
        if {FILE_NAME, NOTE_NAME} & {entry.name for entry in listed}:
            found.is_output = found.is_output or folder == root
            continue
        for entry in listed:
            check()
            if not _is_passed_over(watch, Path(entry.path), root):
                due += _look(entry, found, inside=watch.recursive)
    return found


def _look(entry: os.DirEntry[str], found: FolderScan, *, inside: bool) -> list[Path]:
    """Take note of a file; for a folder, whether it is to be looked through."""
    path = Path(entry.path)
    try:
        if entry.is_dir(follow_symlinks=False):
            return [path] if inside else []
        status = entry.stat()
    except (FileNotFoundError, NotADirectoryError):
        return []  # gone meanwhile, or a link to nothing
    except OSError as exc:
        if not entry.is_symlink():  # one may lead to itself
            found.unreadable[path] = exc
        return []
    if stat.S_ISREG(status.st_mode):
        found.files[path] = signature_of(status)
    return []


def _is_passed_over(watch: Watch, path: Path, root: Path) -> bool:
    inside = path.relative_to(root)
    if len(inside.parts) == 1 and watch.when_done is WhenDone.MOVE and path.name in (DONE, FAILED):
        return True
    names = (path.name.lower(), inside.as_posix().lower())
    return is_notice(path) or any(
        fnmatch.fnmatchcase(name, pattern.lower()) for pattern in watch.ignore for name in names
    )


def may_be_recording(path: Path) -> bool:
    """Whether a file's name or its first bytes are those of a recording. Raises OSError."""
    with path.open("rb") as file:  # also where its name says so: one that cannot be read waits
        header = file.read(HEADER_BYTES)
    return path.suffix.lower() in MEDIA_SUFFIXES or looks_like_media(header)


_MAGIC = (
    b"\x1aE\xdf\xa3",  # Matroska, WebM
    b"OggS",
    b"fLaC",
    b"ID3",
    b"FLV\x01",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # ASF: wmv, wma
    b"\x00\x00\x01\xba",  # MPEG program stream
    b"\x06\x0e\x2b\x34\x02\x05\x01\x01",  # MXF
)
_PICTURES = (
    b"heic",
    b"heix",
    b"hevc",
    b"heim",
    b"heis",
    b"mif1",
    b"msf1",
    b"avif",
    b"avis",
    b"crx ",
)
_BOXES = (b"ftyp", b"moov", b"wide", b"mdat")
_PACKET_BYTES = 188


def looks_like_media(header: bytes) -> bool:
    """Whether a file that begins so is a film or a sound, as far as its beginning can say."""
    if header.startswith(_MAGIC):
        return True
    if header[:4] in (b"RIFF", b"RF64"):
        return header[8:12] in (b"WAVE", b"AVI ")
    if header[4:8] in _BOXES:
        return not (header[4:8] == b"ftyp" and header[8:12].strip() in _PICTURES)
    packets = header[::_PACKET_BYTES]  # of an MPEG transport stream
    return len(packets) > 2 and packets == b"G" * len(packets)
