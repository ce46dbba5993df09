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
LINE_GAP = 0.06
"""Least distance between what two lines paint."""

Rectangle = tuple[float, float, float, float]
"""Left, top, right, bottom."""


@dataclass(frozen=True, slots=True)
class SetLine:
    """A shaped line and where it starts."""

    shaped: ShapedLine
    left: float
    baseline: float


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


def set_block(
    lines: Sequence[Sequence[str]], style: CaptionStyle, chain: FaceChain, *, rtl: bool
) -> Block:
    """Set the texts of a cue's words, line by line, as they are displayed."""
    shaped = [shape_line(texts, chain, rtl=rtl, word_gap=style.word_gap) for texts in lines]
    baseline, placed = 0.0, [SetLine(shaped[0], -shaped[0].width / 2, 0.0)]
    for above, line in pairwise(shaped):
        baseline += max(style.line_height, _ink_bottom(above) - _ink_top(line) + LINE_GAP)
        placed.append(SetLine(line, -line.width / 2, baseline))
    return Block(tuple(placed), -CAP_TOP, baseline + DESCENT, _bounds(placed, style))


def pop_scale(style: CaptionStyle, width: float) -> float:
    """How much a spoken word of this width grows: long words less, so that none is overlapped."""
    return min(style.pop_scale, 1.0 + 0.35 / max(width, 0.1)) if style.animation == "pop" else 1.0


def _ink_top(line: ShapedLine) -> float:
    inks = [r.run.ink.top for w in line.words for r in w.runs if r.run.ink]
    return min(inks, default=-CAP_TOP)


def _ink_bottom(line: ShapedLine) -> float:
    inks = [r.run.ink.bottom for w in line.words for r in w.runs if r.run.ink]
    return max(inks, default=DESCENT)


def _bounds(lines: Sequence[SetLine], style: CaptionStyle) -> Rectangle:
    top = min(line.baseline + min(-CAP_TOP, _ink_top(line.shaped)) for line in lines)
    bottom = max(line.baseline + max(DESCENT, _ink_bottom(line.shaped)) for line in lines)
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
        edge += 0.18
    if not style.shadow:
        return edge, edge, edge
    blur = 1.5 * style.shadow_blur  # three times the standard deviation it is drawn with
    return edge + blur, edge + max(0.0, blur - style.shadow_drop), edge + blur + style.shadow_drop
