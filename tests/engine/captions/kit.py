"""A brand kit made up for tests: a preset with everything, its font and its logo."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import reelremix.engine.captions as captions

KIT = """
description = "Everything"
font = "$heading"
highlight = "$primary"
[brand.colours]
primary = "#7C3AED"
[brand.fonts]
heading = "Own.ttf"
[title]
seconds = 2
entrance = "none"
[progress]
colour = "#FF0000"
back = ""
[logo]
file = "logo.png"
opacity = 1.0
"""


def write_kit(folder: Path, logo_px: tuple[int, int] = (64, 32), text: str = KIT) -> Path:
    """The preset's path; font and logo lie beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    font = Path(captions.__file__).parent / "fonts" / "Fredoka-Bold.ttf"
    (folder / "Own.ttf").write_bytes(font.read_bytes())
    (folder / "logo.png").write_bytes(png(*logo_px))
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def png(width: int, height: int) -> bytes:
    """A green picture."""
    rows = (b"\0" + b"\0\xff\0\xff" * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
