"""Writing files so that they are complete or absent."""

from __future__ import annotations

import errno
import hashlib
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from reelremix.errors import ConfigError, DiskFull

if TYPE_CHECKING:
    from reelremix.engine.domain.context import PartialFiles

PART_PREFIX = ".reelremix-"
"""Names of files that are being written begin like this, and end in `.part`."""
PIECE_BYTES = 1 << 20
"""Read at once: a tenth of a second over a slow network, and no slower from a disk than more is."""


def part_beside(target: Path) -> Path:
    """A name to write to before renaming onto `target`."""
    return target.with_name(f"{PART_PREFIX}{uuid.uuid4().hex[:12]}.part")


@contextmanager
def replacing(target: Path, partial_files: PartialFiles | None = None) -> Iterator[Path]:
    """Yield a `.part` path beside `target`, renamed onto it when the block ends well.

    Raises:
        ConfigError: the folder cannot be written to or the disk is full.
    """
    part = part_beside(target)
    if partial_files is not None:
        partial_files.add(part)
    try:
        yield part
        part.replace(target)
    except OSError as exc:
        raise cannot_write(target, exc) from exc
    finally:
        with suppress(OSError):  # what could not be written cannot be removed either
            part.unlink(missing_ok=True)
        if partial_files is not None:
            partial_files.discard(part)


def write_atomically(target: Path, content: bytes) -> None:
    """Write `content` durably, replacing what was there. Raises ConfigError."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise cannot_write(target, exc) from exc
    with replacing(target) as part, part.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())


def file_sha256(path: Path, advance: Callable[[int], None] | None = None) -> str:
    """SHA-256 of a file's content.

    Args:
        path: of the file.
        advance: told how many bytes were read so far, a piece at a time; what it raises ends that.

    Raises:
        OSError: it is not there, or cannot be read.
    """
    with path.open("rb", buffering=0) as file:
        if advance is None:
            return hashlib.file_digest(file, "sha256").hexdigest()
        digest, piece, done = hashlib.sha256(), memoryview(bytearray(PIECE_BYTES)), 0
        while read := file.readinto(piece):
            digest.update(piece[:read])
            done += read
            advance(done)
    return digest.hexdigest()


def cannot_write(target: Path, exc: OSError) -> ConfigError:
    """The error for an output that cannot be written."""
    reason = exc.strerror or str(exc)
    kind = DiskFull if exc.errno in (errno.ENOSPC, errno.EDQUOT) else ConfigError
    return kind(
        f"cannot write {target}: {reason.lower()}",
        hint="free some space or choose another folder with `--out DIR`",
    )
