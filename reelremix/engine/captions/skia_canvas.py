"""The only module that touches skia: system fonts, and drawing of shaped glyphs into pixels.

Import it inside functions: it needs libEGL and libGL, and shaping with bundled fonts does not.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelremix.engine.captions.style import Colour
from reelremix.errors import ModelError

try:
    import skia
except ImportError as error:
    raise ModelError(
        "captions need the system libraries libEGL and libGL",
        hint="apt install libegl1 libgl1  (or use --captions none)",
    ) from error

Rectangle = tuple[float, float, float, float]
"""Left, top, right, bottom."""

_PLAIN = skia.SamplingOptions(skia.FilterMode.kNearest, skia.MipmapMode.kNone)

_COLOUR_TABLES = frozenset(int.from_bytes(t, "big") for t in (b"CBDT", b"COLR", b"sbix", b"SVG "))


@dataclass(frozen=True, slots=True)
class GlyphSpan:
    """Glyphs of one typeface at pixel positions (x, baseline y)."""

    typeface: Any
    size_px: float
    glyphs: tuple[int, ...]
    points: tuple[tuple[float, float], ...]
    is_colour: bool


@cache
def typeface_from_file(path: Path) -> Any:
    """A typeface from a font file, without waking the system's font configuration."""
    return skia.FontMgr.New_Custom_Empty().makeFromFile(str(path))


def typeface_from_bytes(content: bytes) -> Any:
    """A typeface from the content of a font file."""
    return skia.FontMgr.New_Custom_Empty().makeFromData(skia.Data.MakeWithCopy(content))


@cache
def system_typeface_for(character: str) -> Any | None:
    """The boldest installed typeface that has the character; None when there is none."""
    is_emoji = ord(character) >= 0x1F000
    return _manager().matchFamilyStyleCharacter(
        "", skia.FontStyle.Bold(), ["und-Zsye"] if is_emoji else [], ord(character)
    )


@cache
def system_typeface_named(family: str) -> Any | None:
    """An installed family in bold; None when it is not installed."""
    names = {name.casefold(): name for name in system_families()}
    name = names.get(family.casefold())
    return name and _manager().matchFamilyStyle(name, skia.FontStyle.Bold())


@cache
def system_families() -> tuple[str, ...]:
    """Names of the installed font families."""
    manager = _manager()
    return tuple(manager.getFamilyName(i) for i in range(manager.countFamilies()))


def font_bytes(typeface: Any) -> bytes:
    """The typeface as one OpenType file, put together from its tables.

    harfbuzz can also ask for one table at a time, but crashes when shaping with what it is handed.
    """
    tables = [(tag, bytes(typeface.getTableData(tag))) for tag in sorted(typeface.getTableTags())]
    is_cff = any(tag.to_bytes(4, "big") in (b"CFF ", b"CFF2") for tag, _ in tables)
    directory = struct.pack(">4sHHHH", b"OTTO" if is_cff else b"\0\1\0\0", len(tables), 0, 0, 0)
    body = b""
    first = 12 + 16 * len(tables)
    for tag, content in tables:
        directory += struct.pack(">IIII", tag, 0, first + len(body), len(content))
        body += content + b"\0" * (-len(content) % 4)
    return directory + body


def has_colour_glyphs(typeface: Any) -> bool:
    """Whether glyphs carry their own colours."""
    return not _COLOUR_TABLES.isdisjoint(typeface.getTableTags())


def variation(typeface: Any) -> dict[str, float]:
    """Where a variable font is set, axis by axis; empty for other fonts."""
    position = typeface.getVariationDesignPosition() or ()
    return {int(c.axis).to_bytes(4, "big").decode("latin-1"): float(c.value) for c in position}


def same_typeface(one: Any, other: Any) -> bool:
    """Whether both are the same font."""
    return bool(skia.Typeface.Equal(one, other))


@dataclass(frozen=True, slots=True)
class Shadow:
    """How a shadow falls."""

    blur_px: float
    """Standard deviation."""
    drop_px: float


@dataclass(frozen=True, slots=True)
class Layer:
    """A finished picture that others are put together from."""

    image: Any
    left: int
    top: int
    width: int
    height: int


class Picture:
    """A transparent picture to draw on. `left`, `top` is the point its first pixel shows."""

    def __init__(self, width_px: int, height_px: int, left: int = 0, top: int = 0) -> None:
        """An empty picture."""
        self._left, self._top = left, top
        self._pixels = np.zeros((height_px, width_px, 4), np.uint8)
        self._surface = skia.Surface(
            self._pixels, skia.kRGBA_8888_ColorType, skia.kPremul_AlphaType
        )
        self._canvas = self._surface.getCanvas()
        self._canvas.translate(-left, -top)

    def pixels(self) -> NDArray[np.uint8]:
        """Height x width x premultiplied RGBA."""
        return self._pixels

    def layer(self) -> Layer:
        """The picture as it is now, to be drawn on others."""
        height, width = self._pixels.shape[:2]
        return Layer(self._surface.makeImageSnapshot(), self._left, self._top, width, height)

    @contextmanager
    def within(self, left: int, top: int, right: int, bottom: int) -> Iterator[None]:
        """Draw inside a rectangle alone, which is emptied first."""
        self._pixels[
            top - self._top : bottom - self._top, left - self._left : right - self._left
        ] = 0
        self._canvas.save()
        self._canvas.clipRect(skia.Rect.MakeLTRB(left, top, right, bottom))
        try:
            yield
        finally:
            self._canvas.restore()

    def lay(self, layer: Layer, opacity: float = 1.0, part: Rectangle | None = None) -> None:
        """Draw a layer where it belongs, or a part of it alone."""
        paint = None if opacity >= 1.0 else skia.Paint(Alphaf=opacity)
        if part is None:
            self._canvas.drawImage(layer.image, layer.left, layer.top, _PLAIN, paint)
            return
        self._canvas.save()
        self._canvas.clipRect(skia.Rect.MakeLTRB(*part), True)
        self._canvas.drawImage(layer.image, layer.left, layer.top, _PLAIN, paint)
        self._canvas.restore()

    def rounded(
        self,
        rectangles: Sequence[Rectangle],
        radius: float,
        colour: Colour,
        opacity: float = 1.0,
    ) -> None:
        """Fill rectangles with round corners; where they overlap they are no darker."""
        red, green, blue, alpha = colour
        paint = _paint((red, green, blue, round(alpha * opacity)))
        if len(rectangles) == 1 or alpha == 255:
            for rectangle in rectangles:
                self._canvas.drawRoundRect(skia.Rect.MakeLTRB(*rectangle), radius, radius, paint)
            return
        self._canvas.saveLayerAlpha(None, round(alpha * opacity))
        for rectangle in rectangles:
            rect = skia.Rect.MakeLTRB(*rectangle)
            self._canvas.drawRoundRect(rect, radius, radius, _paint((red, green, blue, 255)))
        self._canvas.restore()

    def shadow(
        self, spans: Sequence[GlyphSpan], reach_px: float, colour: Colour, shape: Shadow
    ) -> None:
        """Draw the soft shadow of outlined letters, all together so that none is darker.

        One path with a blurred mask: 2 ms where a drop-shadow filter over a layer takes 19.
        """
        path = skia.Path()
        for span in spans:
            font = _font(span.typeface, span.size_px)
            for glyph, (x, y) in zip(span.glyphs, span.points, strict=True):
                outline = font.getPath(glyph)
                if outline is not None:
                    path.addPath(outline, x, y + shape.drop_px)
        paint = _edge_paint(reach_px, colour) if reach_px > 0 else _paint(colour)
        if shape.blur_px > 0:
            paint.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, shape.blur_px))
        self._canvas.drawPath(path, paint)

    def outline(self, spans: Sequence[GlyphSpan], reach_px: float, colour: Colour) -> None:
        """Draw round-joined edges that reach `reach_px` out of the letters."""
        self._draw([s for s in spans if not s.is_colour], _edge_paint(reach_px, colour))

    def fill(self, spans: Sequence[GlyphSpan], colour: Colour) -> None:
        """Draw the letters; colour glyphs keep their own colours."""
        self._draw(spans, _paint(colour))

    def photo(self, path: Path, rectangle: Rectangle, opacity: float) -> None:
        """Draw a picture file, scaled into a rectangle."""
        image = skia.Image.open(str(path))
        self._canvas.drawImageRect(
            image,
            skia.Rect.MakeWH(image.width(), image.height()),
            skia.Rect.MakeLTRB(*rectangle),
            skia.SamplingOptions(skia.FilterMode.kLinear, skia.MipmapMode.kLinear),
            skia.Paint(Alphaf=opacity),
        )

    def _draw(self, spans: Sequence[GlyphSpan], paint: Any) -> None:
        for span in spans:
            builder = skia.TextBlobBuilder()
            points = [skia.Point(x, y) for x, y in span.points]
            builder.allocRunPos(_font(span.typeface, span.size_px), list(span.glyphs), points)
            self._canvas.drawTextBlob(builder.make(), 0, 0, paint)


def png_of(pixels: NDArray[np.uint8]) -> bytes:
    """Height x width x RGB as a PNG file."""
    opaque = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
    image = skia.Image.fromarray(np.ascontiguousarray(opaque), skia.kRGBA_8888_ColorType)
    return bytes(image.encodeToData(skia.kPNG, 100))


def picture_size(path: Path) -> tuple[int, int] | None:
    """Width and height of a picture file, read from its head; None when it is not a picture."""
    content = skia.Data.MakeFromFileName(str(path))
    if content is None:
        return None
    try:
        codec = skia.Codec.MakeFromData(content)
    except RuntimeError:  # its only word for any file that it cannot read
        return None
    size = codec.dimensions()
    return size.width(), size.height()


@cache
def _manager() -> Any:
    return skia.FontMgr()


def _paint(colour: Colour) -> Any:
    red, green, blue, alpha = colour
    return skia.Paint(AntiAlias=True, Color=skia.Color(red, green, blue, alpha))


def _edge_paint(reach_px: float, colour: Colour) -> Any:
    paint = _paint(colour)
    paint.setStyle(skia.Paint.kStrokeAndFill_Style)
    paint.setStrokeJoin(skia.Paint.kRound_Join)
    paint.setStrokeWidth(2 * reach_px)
    return paint


def _font(typeface: Any, size_px: float) -> Any:
    font = skia.Font(typeface, size_px)
    font.setEdging(skia.Font.Edging.kAntiAlias)
    font.setHinting(skia.FontHinting.kNone)
    font.setSubpixel(True)
    font.setLinearMetrics(True)
    font.setBaselineSnap(False)
    return font
