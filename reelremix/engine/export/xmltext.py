"""Text for XML: what its first version may hold, addresses of files, trees written down."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree as ET

_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no way to write."""
_STEERING = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Orders to turn the reading round, which would garble the lists that names stand in."""


def legal(text: str) -> str:
    """The text without characters that XML cannot hold."""
    return _ILLEGAL.sub("", text)


def plain_line(text: str) -> str:
    """The text on one line, without control characters, for names and notes in other programs."""
    kept = "".join(
        " " if unicodedata.category(c) == "Cc" else c for c in legal(_STEERING.sub("", text))
    )
    return " ".join(kept.split())


def file_url(path: Path, host: str = "") -> str:
    """The address of a file, everything but letters, digits and slashes escaped."""
    whole = path.absolute().as_posix()
    return f"file://{host}{'' if whole.startswith('/') else '/'}{quote(whole)}"


def decimal(value: float) -> str:
    """A number to six decimals, without zeros that say nothing."""
    return f"{round(value, 6) + 0.0:.6f}".rstrip("0").rstrip(".")


def element(name: str, attributes: Mapping[str, object] | None = None, *inside: ET.Element | None,
            text: object = None) -> ET.Element:  # fmt: skip
    """An element; attributes and children that are None are left out."""
    given = {k: legal(str(v)) for k, v in (attributes or {}).items() if v is not None}
    made = ET.Element(name, given)
    if text is not None:
        made.text = legal(str(text))
    made.extend(child for child in inside if child is not None)
    return made


def document(root: ET.Element, doctype: str, *, verbatim: frozenset[str] = frozenset()) -> bytes:
    """The whole file, indented; what is inside elements of the `verbatim` names stays as it is."""
    ET.indent(root)
    for name in verbatim:
        for kept in root.iter(name):
            _without_indents(kept)
    body = ET.tostring(root, encoding="unicode", short_empty_elements=True)
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE {doctype}>\n'
    return (head + body + "\n").encode()


def _without_indents(parent: ET.Element) -> None:
    if parent.text is not None and not parent.text.strip():
        parent.text = None
    for child in parent:
        child.tail = None
