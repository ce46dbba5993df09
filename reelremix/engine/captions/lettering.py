"""Set type onto a picture: where its glyphs go, their edges and shadows, the boxes behind lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reelremix.engine.captions.block import CAP_TOP, DESCENT, Block, SetLine
from reelremix.engine.captions.shaping import PlacedWord
from reelremix.engine.captions.style import CaptionStyle, rgba

if TYPE_CHECKING:
    from reelremix.engine.captions.skia_canvas import GlyphSpan, Picture, Rectangle


@dataclass(frozen=True, slots=True)
class Placement:
    """Where set type stands in the picture of its box."""

    em_px: float
    x: float
    """Middle of the lines."""
    y: float
    """First baseline."""
    box_top: float = -CAP_TOP
    box_bottom: float = DESCENT


def placed(block: Block, em_px: float, width: int, height: int) -> Placement:
    """The block's bounds in the middle of a box, scaled down where they do not fit."""
    left, top, right, bottom = block.bounds
    wide, high = max(right - left, 0.1), max(bottom - top, 0.1)
    em = min(em_px, width / wide, height / high)
    return Placement(
        em,
        width / 2 - (left + right) / 2 * em,
        height / 2 - (top + bottom) / 2 * em,
        block.box_top,
        block.box_bottom,
    )


def glyph_spans(
    place: Placement, line: SetLine, word: PlacedWord, scale: float = 1.0
) -> list[GlyphSpan]:
    """A word's glyphs at their pixels, grown about the word's middle."""
    from reelremix.engine.captions.skia_canvas import GlyphSpan, typeface_from_file

    em, spans = place.em_px, []
    for run in word.runs:
        face, glyphs = run.run.face, run.run.glyphs
        at = [grown_about(word, scale, run.x + g.x, g.y) for g in glyphs]
        points = tuple(
            (
                place.x + (line.left + x * line.scale) * em,
                place.y + (line.baseline + y * line.scale) * em,
            )
            for x, y in at
        )
        typeface = typeface_from_file(face.path) if face.path else face.system
        size = em * line.scale * scale * face.scale
        if glyphs:
            ids = tuple(g.id for g in glyphs)
            spans.append(GlyphSpan(typeface, size, ids, points, face.is_colour))
    return spans


def grown_about(word: PlacedWord, scale: float, x: float, y: float) -> tuple[float, float]:
    """A point of the word when it has grown about the middle of its capitals."""
    middle = (word.left + word.right) / 2
    return middle + (x - middle) * scale, (y + CAP_TOP / 2) * scale - CAP_TOP / 2


def draw_shadow(
    picture: Picture, style: CaptionStyle, em_px: float, spans: Sequence[GlyphSpan]
) -> None:
    """Draw the soft shadow of outlined letters."""
    from reelremix.engine.captions.skia_canvas import Shadow

    colour = rgba(style.shadow)
    if colour is not None:
        reach = style.outline_width * em_px if style.outline else 0.0
        shape = Shadow(style.shadow_blur * em_px / 2, style.shadow_drop * em_px)
        picture.shadow(spans, reach, colour, shape)


def draw_outline(
    picture: Picture, style: CaptionStyle, em_px: float, spans: Sequence[GlyphSpan]
) -> None:
    """Draw the letters' edges."""
    colour = rgba(style.outline)
    if colour is not None and style.outline_width > 0:
        picture.outline(spans, style.outline_width * em_px, colour)


def behind(
    style: CaptionStyle, place: Placement, line: SetLine, left: float, right: float
) -> Rectangle:
    """The box behind a stretch of a line, given from the line's left end."""
    pad, em = style.padding, place.em_px
    return (
        place.x + (line.left + left - pad) * em,
        place.y + (line.baseline + place.box_top - pad) * em,
        place.x + (line.left + right + pad) * em,
        place.y + (line.baseline + place.box_bottom + pad) * em,
    )


def draw_boxes(picture: Picture, style: CaptionStyle, block: Block, place: Placement) -> None:
    """Draw the box behind each line."""
    colour = rgba(style.box)
    if colour is not None:
        boxes = [behind(style, place, s, 0.0, s.shaped.width) for s in block.lines]
        picture.rounded(boxes, style.radius * place.em_px, colour)
