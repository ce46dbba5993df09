"""Draws cues: which word state shows at a moment, and the picture of it.

A picture is drawn once for each cue and word state, then only blended (see `patch`). Drawing obeys
the cue's box: set type that is larger than the box is scaled down to it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reelremix.engine.captions.block import CAP_TOP, DESCENT, Block, SetLine, pop_scale, set_block
from reelremix.engine.captions.patch import Patch, patch_from_rgba
from reelremix.engine.captions.shaping import PlacedWord, is_rtl
from reelremix.engine.captions.style import CaptionStyle, from_dict, load_preset, rgba
from reelremix.engine.captions.typefaces import chain_for
from reelremix.engine.domain.caption import Captions, Cue
from reelremix.engine.domain.clip import OutputFormat
from reelremix.engine.domain.time import Timestamp
from reelremix.engine.domain.transcript import Word
from reelremix.errors import ConfigError

if TYPE_CHECKING:
    from reelremix.engine.captions.skia_canvas import GlyphSpan, Picture, Rectangle

KEPT_PATCHES = 24
"""A two-line cue at 1080x1920 holds about 2 MB in each word state."""
HOLD_S = Fraction(4, 10)
"""A word stays lit this long after its end, unless the next one begins."""


@dataclass(frozen=True, slots=True)
class _State:
    """How far speech is within a cue."""

    begun: int
    """Words that have begun."""
    spoken: int | None
    """Position of the word being spoken; None between words."""


_BEFORE = _State(0, None)


@dataclass(frozen=True, slots=True)
class _Schedule:
    """The states of one cue: each begins at its moment."""

    moments: tuple[Fraction, ...]
    states: tuple[_State, ...]

    def at(self, moment: Fraction) -> _State:
        """The state at a moment."""
        index = bisect_right(self.moments, moment)
        return self.states[index - 1] if index else _BEFORE


@dataclass(frozen=True, slots=True)
class _Placement:
    """Where set type stands in the picture of its cue's box."""

    em_px: float
    x: float
    """Middle of the lines."""
    y: float
    """First baseline."""


class CaptionPainter:
    """Draws the captions of one clip. Not to be shared between threads.

    Raises ConfigError for captions that name words the clip does not have, and ModelError where
    skia's system libraries are missing.
    """

    def __init__(self, captions: Captions, words: Sequence[Word], output: OutputFormat) -> None:
        self._cues = tuple(sorted(captions.cues, key=lambda c: c.range.start))
        _check_words(self._cues, len(words))
        self._words = words
        self._output = output
        self._style = from_dict(captions.style) if captions.style else load_preset(captions.preset)
        self._chain = chain_for(self._style.font)
        self._rtl = is_rtl(w.text for w in words)
        self._starts = [c.range.start.exact for c in self._cues]
        self._schedules = [_schedule(_spoken(c, words), self._style) for c in self._cues]
        self._blocks: dict[int, Block] = {}
        self._patches: OrderedDict[tuple[int, _State], Patch | None] = OrderedDict()
        self._behind: NDArray[np.uint8] | None = None
        """Boxes, shadows and outlines of cue `_behind_of`: they take longest and stay the same."""
        self._behind_of = -1

    def patch_at(self, moment: Timestamp) -> Patch | None:
        """The picture to lay over the frame at a source time; None where no cue is shown."""
        index = bisect_right(self._starts, moment.exact) - 1
        if index < 0 or moment >= self._cues[index].range.end:
            return None
        return self._patch(index, self._schedules[index].at(moment.exact))

    def _patch(self, index: int, state: _State) -> Patch | None:
        key = (index, state)
        if key in self._patches:
            self._patches.move_to_end(key)
            return self._patches[key]
        patch = self._draw(index, state)
        self._patches[key] = patch
        if len(self._patches) > KEPT_PATCHES:
            self._patches.popitem(last=False)
        return patch

    def _draw(self, index: int, state: _State) -> Patch | None:
        from reelremix.engine.captions.skia_canvas import Picture

        box = _visible_box(self._cues[index].box, self._output)
        if box is None:
            return None
        x, y, width, height = box
        block = self._block(index)
        placement = _placed(block, self._style.em_px(self._output), width, height)
        kept = self._behind if index == self._behind_of else None
        picture = Picture(width, height, kept)
        drawing = _CueDrawing(picture, self._style, block, placement, state)
        if kept is None:
            drawing.draw_behind()
            if self._style.animation != "pop":  # the only one whose letters change their size
                self._behind, self._behind_of = picture.pixels().copy(), index
        drawing.draw_letters()
        return patch_from_rgba(picture.pixels(), x, y)

    def _block(self, index: int) -> Block:
        if index not in self._blocks:
            texts = [
                [self._style.displayed(self._words[i].text) for i in line]
                for line in self._cues[index].lines
            ]
            self._blocks[index] = set_block(texts, self._style, self._chain, rtl=self._rtl)
        return self._blocks[index]


class _CueDrawing:
    """Draws one block in one state, from the back to the front."""

    def __init__(
        self,
        picture: Picture,
        style: CaptionStyle,
        block: Block,
        placement: _Placement,
        state: _State,
    ) -> None:
        self._picture = picture
        self._style = style
        self._block = block
        self._place = placement
        self._state = state

    def draw_behind(self) -> None:
        """Draw the boxes, shadows and outlines that letters stand on."""
        self._boxes([(s, 0.0, s.shaped.width) for s in self._block.lines], self._style.box)
        _, order, spans = self._letters()
        self._edges([span for i in order for span in spans[i]])

    def draw_letters(self) -> None:
        """Draw the letters, the spoken word last and on its pill."""
        words, order, spans = self._letters()
        if self._state.spoken in spans:
            self._pill(*words[order[-1]])
        for i in order:
            self._picture.fill(spans[i], rgba(self._colour(i)) or (0, 0, 0, 0))

    def _letters(
        self,
    ) -> tuple[list[tuple[SetLine, PlacedWord]], list[int], dict[int, list[GlyphSpan]]]:
        """The words, the order to draw them in, and their glyphs."""
        words = [(line, word) for line in self._block.lines for word in line.shaped.words]
        spoken = self._state.spoken
        order = [i for i in range(len(words)) if i != spoken]
        if spoken is not None and spoken < len(words):
            order.append(spoken)
        spans = {i: self._spans(*words[i], is_spoken=i == spoken) for i in order}
        return words, order, spans

    def _edges(self, spans: Sequence[GlyphSpan]) -> None:
        """Shadow, then outline, of all words, so that neither covers a neighbour's letters."""
        from reelremix.engine.captions.skia_canvas import Shadow

        style, em = self._style, self._place.em_px
        shadow, edge = rgba(style.shadow), rgba(style.outline)
        reach = style.outline_width * em if edge is not None else 0.0
        if shadow is not None:
            shape = Shadow(style.shadow_blur * em / 2, style.shadow_drop * em)
            self._picture.shadow(spans, reach, shadow, shape)
        if edge is not None and reach > 0:
            self._picture.outline(spans, reach, edge)

    def _colour(self, word: int) -> str:
        animation, state = self._style.animation, self._state
        if animation == "karaoke":
            return self._style.highlight if word < state.begun else self._style.fill
        is_lit = word == state.spoken and animation in ("highlight", "pill", "pop")
        return self._style.highlight if is_lit else self._style.fill

    def _pill(self, line: SetLine, word: PlacedWord) -> None:
        if self._style.animation != "pill":
            return
        self._boxes([(line, left, right) for left, right in word.spans], self._style.pill)

    def _boxes(self, spans: Sequence[tuple[SetLine, float, float]], colour: str) -> None:
        """Fill behind stretches of lines, given from the line's left end."""
        painted = rgba(colour)
        if painted is not None:
            rectangles = [self._behind(line, left, right) for line, left, right in spans]
            radius = self._style.radius * self._place.em_px
            self._picture.rounded(rectangles, radius, painted)

    def _behind(self, line: SetLine, left: float, right: float) -> Rectangle:
        pad, em = self._style.padding, self._place.em_px
        return (
            self._place.x + (line.left + left - pad) * em,
            self._place.y + (line.baseline - CAP_TOP - pad) * em,
            self._place.x + (line.left + right + pad) * em,
            self._place.y + (line.baseline + DESCENT + pad) * em,
        )

    def _spans(self, line: SetLine, word: PlacedWord, *, is_spoken: bool) -> list[GlyphSpan]:
        from reelremix.engine.captions.skia_canvas import GlyphSpan, typeface_from_file

        scale = pop_scale(self._style, word.right - word.left) if is_spoken else 1.0
        middle = (word.left + word.right) / 2
        em = self._place.em_px
        spans = []
        for placed in word.runs:
            face, glyphs = placed.run.face, placed.run.glyphs
            left = line.left + middle + (placed.x - middle) * scale
            points = tuple(
                (
                    self._place.x + (left + g.x * scale) * em,
                    self._place.y + (line.baseline + (g.y + _lift(scale)) * scale) * em,
                )
                for g in glyphs
            )
            typeface = typeface_from_file(face.path) if face.path else face.system
            ids = tuple(g.id for g in glyphs)
            if ids:
                spans.append(
                    GlyphSpan(typeface, em * scale * face.scale, ids, points, face.is_colour)
                )
        return spans


def _lift(scale: float) -> float:
    """How far a grown word sinks, so that it grows about the middle of its capitals."""
    return 0.36 * (1.0 - 1.0 / scale)


def _placed(block: Block, em_px: float, width: int, height: int) -> _Placement:
    """The block's bounds in the middle of the box, scaled down where they do not fit."""
    left, top, right, bottom = block.bounds
    wide, high = max(right - left, 0.1), max(bottom - top, 0.1)
    em = min(em_px, width / wide, height / high)
    return _Placement(em, width / 2 - (left + right) / 2 * em, height / 2 - (top + bottom) / 2 * em)


def _visible_box(
    box: tuple[int, int, int, int], output: OutputFormat
) -> tuple[int, int, int, int] | None:
    """The part of a box that lies in the picture, on even numbers; None when nothing does."""
    x, y, width, height = box
    left, top = max(0, x + x % 2), max(0, y + y % 2)
    right = min(output.width_px, x + width) // 2 * 2
    bottom = min(output.height_px, y + height) // 2 * 2
    return (left, top, right - left, bottom - top) if right > left and bottom > top else None


def _spoken(cue: Cue, words: Sequence[Word]) -> list[Word]:
    return [words[i] for line in cue.lines for i in line]


def _schedule(words: Sequence[Word], style: CaptionStyle) -> _Schedule:
    """When each word lights up and goes out."""
    moments: list[Fraction] = []
    states: list[_State] = []
    if style.animation == "none":
        return _Schedule((), ())
    for position, word in enumerate(words):
        start = word.range.start.exact
        moments.append(max(start, moments[-1]) if moments else start)
        states.append(_State(position + 1, position))
        out = word.range.end.exact + HOLD_S
        if position + 1 == len(words) or words[position + 1].range.start.exact > out:
            moments.append(max(out, moments[-1]))
            states.append(_State(position + 1, None))
    return _Schedule(tuple(moments), tuple(states))


def _check_words(cues: Sequence[Cue], count: int) -> None:
    for cue in cues:
        wrong = [i for line in cue.lines for i in line if not 0 <= i < count]
        if wrong or not all(cue.lines) or not cue.lines:
            named = f"word {wrong[0]}" if wrong else "an empty line"
            raise ConfigError(
                f"the caption at {cue.range.start_s:g} s names {named}, "
                f"but the clip has words 0 to {count - 1}"
            )
