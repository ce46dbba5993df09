"""Large details in little room: new rows are compressed, old ones are read as they are."""

from __future__ import annotations

import zlib

_MARK = b"x"
"""How zlib begins at any level; what is not compressed is JSON and begins otherwise."""


def packed(detail: bytes) -> bytes:
    """As it is stored."""
    return detail if detail[:1] == _MARK else zlib.compress(detail, 6)


def unpacked(stored: bytes) -> bytes:
    """As it was. Raises ValueError for what is damaged."""
    if stored[:1] != _MARK:
        return stored
    try:
        return zlib.decompress(stored)
    except zlib.error as exc:
        raise ValueError(f"damaged: {exc}") from exc
