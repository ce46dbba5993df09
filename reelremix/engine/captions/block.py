"""One cue as set type: its lines, where they stand, and the rectangle they may paint.

Measured in em around a point: x from the middle of the lines, y from the first baseline, downwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from reelremix.engine.captions.shaping import ShapedLine, shape_line
from reelremix.engine.captions.style import CaptionStyle
from reelremix.engine.captions.typefaces import FaceChain

CAP_TOP = 0.74
"""Above the baseline: capitals, so that the block's height does not depend on its letters."""
DESCENT = 0.22
POP_ROOM = 0.2
"""Kept free around the letters for the word that grows."""
RISE = 0.3
"""How far below its place a cue begins that rises."""
LINE_GAP = 0.06
"""Least distance between what two lines paint."""
EMOJI_SCALE = 1.4
"""Size of the emoji above a cue against its letters."""

Rectangle = tuple[float, float, float, float]
"""Left, top, right, bottom."""


@dataclass(frozen=True, slots=True)
class SetLine:
    """A shaped line and where it starts."""

    shaped: ShapedLine
    left: float
    baseline: float
    scale: float = 1.0
    """Size against the style's letters."""

    @property
    def width(self) -> float:
        """How wide it is set."""
        return self.shaped.width * self.scale


@dataclass(frozen=True, slots=True)
class Block:
    """The lines of a cue, centred on each other."""

    lines: tuple[SetLine, ...]
    top: float
    """Of the first line's capitals."""
    bottom: float
    """Of the last line's descenders."""
    bounds: Rectangle
    """Everything that is painted in any state, edges and shadow included."""
    emoji: SetLine | None = None
    """Above the lines, in the middle."""
    box_top: float = -CAP_TOP
    """Of a line's box without its padding, from the baseline: letters stand in its middle."""
    box_bottom: float = DESCENT


def set_block(
    lines: Sequence[Sequence[str]],
    style: CaptionStyle,
    chain: FaceChain,
    *,
    rtl: bool,
    emoji: str = "",
) -> Block:
    """Set the texts of a cue's words, line by line, as they are displayed."""
    shaped = [shape_line(texts, chain, rtl=rtl, word_gap=style.word_gap) for texts in lines]
    baseline, placed = 0.0, [SetLine(shaped[0], -shaped[0].width / 2, 0.0)]
    for above, line in pairwise(shaped):
        baseline += max(style.line_height, _ink_bottom(above) - _ink_top(line) + LINE_GAP)
        placed.append(SetLine(line, -line.width / 2, baseline))
    box = _box_edges(style, chain)
    bounds = _bounds(placed, style, box)
    if not emoji:
        return Block(tuple(placed), -CAP_TOP, baseline + DESCENT, bounds, None, *box)
    above_all = _emoji_line(emoji, chain, bounds[1])
    top = above_all.baseline + EMOJI_SCALE * _ink_top(above_all.shaped) - LINE_GAP
    wide = max(bounds[2], above_all.width / 2)
    bounds = min(bounds[0], -wide), top, max(bounds[2], wide), bounds[3]
    return Block(tuple(placed), -CAP_TOP, baseline + DESCENT, bounds, above_all, *box)


def _emoji_line(emoji: str, chain: FaceChain, bottom: float) -> SetLine:
    """The emoji with its ink ending where the lines' paint begins."""
    shaped = shape_line([emoji], chain, rtl=False)
    baseline = bottom - EMOJI_SCALE * max(0.0, _ink_bottom(shaped, 0.0))
    return SetLine(shaped, -EMOJI_SCALE * shaped.width / 2, baseline, EMOJI_SCALE)


def _box_edges(style: CaptionStyle, chain: FaceChain) -> tuple[float, float]:
    """Top and bottom of a line's box: as high as before, but capitals have nothing below them."""
    capital = chain.primary.shape("H", rtl=False).ink
    if style.case != "upper" or capital is None:
        return -CAP_TOP, DESCENT
    spare = (CAP_TOP + DESCENT + capital.top) / 2
    return capital.top - spare, spare


def pop_scale(style: CaptionStyle, width: float) -> float:
    """How much a spoken word of this width grows: long words less, so that none is overlapped."""
    return min(style.pop_scale, 1.0 + 0.35 / max(width, 0.1)) if style.animation == "pop" else 1.0


def _ink_top(line: ShapedLine) -> float:
    inks = [r.run.ink.top for w in line.words for r in w.runs if r.run.ink]
    return min(inks, default=-CAP_TOP)


def _ink_bottom(line: ShapedLine, default: float = DESCENT) -> float:
    inks = [r.run.ink.bottom for w in line.words for r in w.runs if r.run.ink]
    return max(inks, default=default)


def _bounds(lines: Sequence[SetLine], style: CaptionStyle, box: tuple[float, float]) -> Rectangle:
    box_top, box_bottom = box
    top = min(s.baseline + min(-CAP_TOP, box_top, _ink_top(s.shaped)) for s in lines)
    bottom = max(s.baseline + max(DESCENT, box_bottom, _ink_bottom(s.shaped)) for s in lines)
    left = min(line.left + _ink_left(line.shaped) for line in lines)
    right = max(line.left + _ink_right(line.shaped) for line in lines)
    sides, above, below = _margins(style)
    return left - sides, top - above, right + sides, bottom + below


def _ink_left(line: ShapedLine) -> float:
    inks = (r.x + r.run.ink.left for w in line.words for r in w.runs if r.run.ink)
    return min(0.0, min(inks, default=0.0))


def _ink_right(line: ShapedLine) -> float:
    inks = (r.x + r.run.ink.right for w in line.words for r in w.runs if r.run.ink)
    return max(line.width, max(inks, default=0.0))


def _margins(style: CaptionStyle) -> tuple[float, float, float]:
    """How far paint reaches beyond the letters: at the sides, above and below."""
    edge = style.outline_width if style.outline else 0.0
    if style.box or style.animation == "pill":
        edge = max(edge, style.padding)
    if style.animation == "pop":
        edge += POP_ROOM
    rise = RISE if style.entrance == "rise" else 0.0
    if not style.shadow:
        return edge, edge, edge + rise
    blur = 1.5 * style.shadow_blur  # three times the standard deviation it is drawn with
    below = edge + blur + style.shadow_drop + rise
    return edge + blur, edge + max(0.0, blur - style.shadow_drop), below
