"""Fonts for shaping: the bundled ones, then the system's, chosen for each piece of text.

Lengths are in em, y grows downwards. Nothing here draws: a face says which glyphs, and where.
"""

from __future__ import annotations

import hashlib
import lzma
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import uharfbuzz as hb

from reelremix.errors import ConfigError

BUNDLED = {
    "Montserrat ExtraBold": "Montserrat-ExtraBold.ttf",
    "Anton": "Anton-Regular.ttf",
    "DM Serif Display": "DMSerifDisplay-Regular.ttf",
    "Fredoka Bold": "Fredoka-Bold.ttf",
    "JetBrains Mono ExtraBold": "JetBrainsMono-ExtraBold.ttf",
    "Inter Bold": "Inter-Bold.ttf",
    "Inter Greek ExtraBold": "InterGreek-ExtraBold.ttf",
    "Noto Sans Arabic ExtraBold": "NotoSansArabic-ExtraBold.ttf",
    "Noto Sans Hebrew ExtraBold": "NotoSansHebrew-ExtraBold.ttf",
    "Noto Sans Devanagari ExtraBold": "NotoSansDevanagari-ExtraBold.ttf",
    "Noto Sans Thai Bold": "NotoSansThai-Bold.ttf",
}
"""Family name to file."""
STAND_INS = (
    "Montserrat ExtraBold",
    "Inter Bold",
    "Inter Greek ExtraBold",
    "Noto Sans Arabic ExtraBold",
    "Noto Sans Hebrew ExtraBold",
    "Noto Sans Devanagari ExtraBold",
    "Noto Sans Thai Bold",
)
"""What is tried after the style's own font, in this order."""
_SCALES = {
    "Noto Sans Arabic ExtraBold": 1.16,
    "Noto Sans Hebrew ExtraBold": 1.08,
    "Noto Sans Devanagari ExtraBold": 1.06,
    "Noto Sans Thai Bold": 1.06,
}
"""Size against the style's own font, so that scripts look equally large side by side."""

EMOJI = "Noto Color Emoji"
EMOJI_FILE = "NotoColorEmoji.ttf.xz"
FONT_SUFFIXES = (".ttf", ".otf")

_FOLDER = Path(__file__).parent / "fonts"
_JOINERS = frozenset("\u200c\u200d\ufe0e\ufe0f")
_EMOJI_STYLE = "\ufe0f"
_SMALL_EMOJI = frozenset(
    "⌚⌛⏩⏪⏫⏬⏰⏳◽◾☔☕♈♉♊♋♌♍♎♏♐♑♒♓♿⚓⚡⚪⚫⚽⚾⛄⛅⛎⛔⛪⛲⛳⛵⛺⛽✅✊✋✨❌❎❓❔❕❗➕➖➗➰➿⬛⬜⭐⭕"
)
"""Characters below the emoji planes that are shown as emoji by default."""


@dataclass(frozen=True, slots=True)
class Glyph:
    """One glyph and where it stands, measured from the start of its run."""

    id: int
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Ink:
    """The part that is painted, relative to the start of the run on the baseline."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One font, ready to shape with."""

    name: str
    font: Any
    """A `uharfbuzz.Font` scaled to the font's own units."""
    path: Path | None
    scale: float = 1.0
    """Size against the style's own font, so that scripts look equally large side by side."""
    system: Any = None
    """The system's typeface when there is no file of ours."""
    is_colour: bool = False
    _shaped: dict[tuple[str, bool], ShapedRun] = field(default_factory=dict)

    def has(self, text: str) -> bool:
        """Whether every character has a glyph; joiners and variation marks need none."""
        return all(c in _JOINERS or self.font.get_nominal_glyph(ord(c)) for c in text)

    def shape(self, text: str, *, rtl: bool) -> ShapedRun:
        """Glyphs of one run, from left to right. Glyphs the font lacks are left out."""
        key = (text, rtl)
        if key not in self._shaped:
            self._shaped[key] = _shape(self, text, rtl=rtl)
        return self._shaped[key]


@dataclass(frozen=True, slots=True)
class ShapedRun:
    """The glyphs of a piece of text in one face and one direction."""

    face: Face
    text: str
    glyphs: tuple[Glyph, ...]
    width: float
    ink: Ink | None
    """None when nothing is painted, as for a space."""


class FaceChain:
    """A style's font followed by the fonts that stand in where it has no letters."""

    def __init__(self, primary: Face) -> None:
        self.primary = primary
        self._bundled = (primary, *(f for f in _bundled_faces() if f is not primary))

    def face_for(self, cluster: str) -> Face | None:
        """The first face that has the whole cluster; None when no font on this machine has."""
        if is_emoji(cluster):
            return _emoji_face(cluster)
        bundled = (f for f in self._bundled if f.has(cluster))
        return next(bundled, None) or _system_face(cluster) or _emoji_or_none(cluster)


def is_font_file(font: object) -> bool:
    """Whether what a style names as its font is a file instead of a family."""
    return isinstance(font, str) and font.lower().endswith(FONT_SUFFIXES)


@lru_cache(maxsize=8)
def chain_for(family: str) -> FaceChain:
    """The chain that starts with a bundled or installed family, or with a font file.

    Raises ConfigError when there is no such family, or the file is no font.
    """
    if family in BUNDLED:
        return FaceChain(_bundled(family))
    if is_font_file(family):
        return FaceChain(_own_file(Path(family)))
    from reelremix.engine.captions import skia_canvas

    typeface = skia_canvas.system_typeface_named(family)
    if typeface is None:
        raise _no_font(family, skia_canvas.system_families())
    return FaceChain(_wrap_system(typeface))


def font_sha256(family: str) -> str | None:
    """Digest of a bundled font's file or of the user's; None for a font of the system."""
    if family not in BUNDLED and not Path(family).is_absolute():
        return None
    file = _FOLDER / BUNDLED[family] if family in BUNDLED else Path(family)
    return hashlib.sha256(file.read_bytes()).hexdigest()


def emoji_as_drawn(cluster: str) -> str:
    """The cluster, without its skin tones where the font has no picture of the combination."""
    face = _emoji_or_none(cluster)
    if face is None or len(face.shape(cluster, rtl=False).glyphs) <= 1:
        return cluster
    plain = "".join(c for c in cluster if not 0x1F3FB <= ord(c) <= 0x1F3FF)
    return plain if len(face.shape(plain, rtl=False).glyphs) == 1 else cluster


def is_emoji(cluster: str) -> bool:
    """Whether the cluster asks to be shown as emoji."""
    first = cluster[:1]
    return bool(first) and (
        0x1F000 <= ord(first) <= 0x1FBFF or first in _SMALL_EMOJI or _EMOJI_STYLE in cluster
    )


def _emoji_face(cluster: str) -> Face | None:
    """The bundled emoji, the same on every machine; the system's where they are newer than ours."""
    return _emoji_or_none(cluster) or _system_face(cluster)


def _emoji_or_none(cluster: str) -> Face | None:
    face = _emoji()
    return face if face.has(cluster) else None


@cache
def _emoji() -> Face:
    """The colour emoji, unpacked in memory: 0.1 s, once, where one is shown."""
    from reelremix.engine.captions import skia_canvas

    content = lzma.decompress((_FOLDER / EMOJI_FILE).read_bytes())
    font = hb.Font(hb.Face(content))
    return Face(EMOJI, font, None, 1.0, skia_canvas.typeface_from_bytes(content), is_colour=True)


def _bundled_faces() -> Sequence[Face]:
    return [_bundled(family) for family in STAND_INS]


def _own_file(path: Path) -> Face:
    from reelremix.engine.captions import skia_canvas

    try:
        content = path.read_bytes()
        if skia_canvas.typeface_from_file(path) is None:
            raise ValueError("it is not a font")
        font = hb.Font(hb.Face(content))
    except (OSError, ValueError) as exc:
        raise ConfigError(
            f"the font {path} cannot be used: {exc}",
            hint=f"name a .ttf or .otf file, or a bundled font: {', '.join(BUNDLED)}",
        ) from exc
    return Face(path.stem, font, path)


def _bundled(family: str) -> Face:
    return _bundled_file(family, BUNDLED[family])


@cache
def _bundled_file(family: str, file: str) -> Face:
    path = _FOLDER / file
    font = hb.Font(hb.Face(hb.Blob.from_file_path(str(path))))
    return Face(family, font, path, _SCALES.get(family, 1.0))


@lru_cache(maxsize=4096)
def _system_face(cluster: str) -> Face | None:
    """The system's face for the cluster, when it has all of it."""
    from reelremix.engine.captions import skia_canvas

    visible = next((c for c in cluster if c not in _JOINERS), None)
    typeface = skia_canvas.system_typeface_for(visible) if visible else None
    if typeface is None:
        return None
    face = _wrap_system(typeface)
    return face if face.has(cluster) else None


_wrapped: list[Face] = []


def _wrap_system(typeface: Any) -> Face:
    """One face for each system font, however often it is found."""
    from reelremix.engine.captions import skia_canvas

    for face in _wrapped:
        if skia_canvas.same_typeface(face.system, typeface):
            return face
    font = hb.Font(hb.Face(skia_canvas.font_bytes(typeface)))
    axes = skia_canvas.variation(typeface)
    if axes:
        font.set_variations(axes)
    is_colour = skia_canvas.has_colour_glyphs(typeface)
    _wrapped.append(Face(str(typeface.getFamilyName()), font, None, 1.0, typeface, is_colour))
    return _wrapped[-1]


def _shape(face: Face, text: str, *, rtl: bool) -> ShapedRun:
    buffer = hb.Buffer()
    buffer.add_str(text)
    buffer.direction = "rtl" if rtl else "ltr"
    buffer.language = "und"  # left to itself harfbuzz takes the language of the process
    buffer.guess_segment_properties()
    hb.shape(face.font, buffer)
    em = face.font.face.upem / face.scale
    glyphs: list[Glyph] = []
    x = 0.0
    for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        if info.codepoint == 0:
            continue
        glyphs.append(Glyph(info.codepoint, x + position.x_offset / em, -position.y_offset / em))
        x += position.x_advance / em
    return ShapedRun(face, text, tuple(glyphs), x, _ink(face, glyphs))


def _ink(face: Face, glyphs: Sequence[Glyph]) -> Ink | None:
    """The smallest rectangle around what the glyphs paint."""
    em = face.font.face.upem / face.scale
    boxes = []
    for glyph in glyphs:
        extents = face.font.get_glyph_extents(glyph.id)
        if extents is None or not extents.width or not extents.height:
            continue
        left, top = glyph.x + extents.x_bearing / em, glyph.y - extents.y_bearing / em
        boxes.append((left, top, left + extents.width / em, top - extents.height / em))
    if not boxes:
        return None
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return Ink(min(lefts), min(tops), max(rights), max(bottoms))


def _no_font(family: str, installed: Sequence[str]) -> ConfigError:
    known = (*BUNDLED, *installed)
    close = get_close_matches(family, known, n=1, cutoff=0.5)
    guess = f"; did you mean '{close[0]}'?" if close else ""
    return ConfigError(
        f"no font named '{family}' is bundled or installed{guess}",
        hint=f"bundled: {', '.join(BUNDLED)}",
    )


def clusters(text: str) -> list[str]:
    """Pieces that must stay in one font: a base with its marks, a joined emoji, a flag."""
    pieces: list[str] = []
    for character in text:
        if pieces and _joins(pieces[-1], character):
            pieces[-1] += character
        else:
            pieces.append(character)
    return pieces


def _joins(piece: str, character: str) -> bool:
    if character in _JOINERS or unicodedata.category(character).startswith("M"):
        return True
    if 0x1F3FB <= ord(character) <= 0x1F3FF or 0xE0020 <= ord(character) <= 0xE007F:
        return True  # skin tones and the tags of regional flags
    if piece[-1] == "\u200d":
        return is_emoji(piece)
    return len(piece) == 1 and _is_flag_letter(piece) and _is_flag_letter(character)


def _is_flag_letter(character: str) -> bool:
    return 0x1F1E6 <= ord(character) <= 0x1F1FF
