"""Names of files and folders: made of titles, and read from files; never dangerous."""

from __future__ import annotations

import re
import unicodedata
from typing import TypeGuard

MAX_BYTES = 60
RESERVED = frozenset(
    {"con", "prn", "aux", "nul"} | {f"{p}{n}" for p in ("com", "lpt") for n in range(1, 10)}
)
"""Names Windows keeps for devices, whatever the suffix."""


def slug(title: str) -> str:
    """Lower-case letters and digits of any script, joined by hyphens, at most 60 bytes of UTF-8."""
    text = unicodedata.normalize("NFC", title).lower()
    text = unicodedata.normalize("NFC", re.sub(r"['’]", "", text))
    words = "".join(c if _is_kept(c) else " " for c in text).split()
    result = _cut("-".join(words))
    if not result or result in RESERVED:
        result = f"clip-{result}".rstrip("-")
    return result


def _is_kept(character: str) -> bool:
    return unicodedata.category(character)[0] in "LN" or unicodedata.category(character) in (
        "Mn",
        "Mc",
    )


def _cut(text: str) -> str:
    """At most MAX_BYTES, ending on a whole word where that keeps most of it."""
    encoded = text.encode()
    if len(encoded) <= MAX_BYTES:
        return text
    shortened = encoded[:MAX_BYTES].decode(errors="ignore")
    head, hyphen, _ = shortened.rpartition("-")
    return head if hyphen and len(head) > MAX_BYTES // 3 else shortened


def is_plain_name(name: object) -> TypeGuard[str]:
    """Whether a name read from a file names something in its own folder and nothing else."""
    return (
        isinstance(name, str)
        and name not in ("", ".", "..")
        and not any(c in name for c in "/\\:\0")
    )
