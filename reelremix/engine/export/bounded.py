"""Reading files that may have no end."""

from __future__ import annotations

from typing import BinaryIO

CHUNK_BYTES = 1 << 20


def bounded(file: BinaryIO, most_bytes: int) -> bytes | None:
    """All that is in a file; None where that is more."""
    found = bytearray()
    while chunk := file.read(CHUNK_BYTES):
        found += chunk
        if len(found) > most_bytes:
            return None
    return bytes(found)
