"""One word of a cue as layers, each drawn when it is first needed, and the word on the move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelremix.engine.captions.block import CAP_TOP, DESCENT, SetLine, pop_scale
from reelremix.engine.captions.lettering import (
    Placement,
    behind,
    draw_outline,
    draw_shadow,
    glyph_spans,
    grown_about,
)
from reelremix.engine.captions.motion import WordLook
from reelremix.engine.captions.shaping import PlacedWord
from reelremix.engine.captions.style import CaptionStyle, Colour, rgba

if TYPE_CHECKING:
    from reelremix.engine.captions.skia_canvas import Layer, Picture, Rectangle


class WordLayers:
    """One word as its layers, each drawn when it is first needed."""

    def __init__(
        self,
        style: CaptionStyle,
        place: Placement,
        line: SetLine,
        word: PlacedWord,
        colour: str,
    ) -> None:
        self._style = style
        self._place = place
        self._word = word
        self._colour = colour
        self.line = line
        self._peak = pop_scale(style, word.right - word.left)
        self._made: dict[str, Layer] = {}
        self._frames: dict[float, tuple[int, int, int, int]] = {}

    def bounds(self, look: WordLook) -> tuple[int, int, int, int]:
        """What the word may paint."""
        if look.grown not in self._frames:
            self._frames[look.grown] = self._frame(self._scale(look))
        return self._frames[look.grown]

    def draw_edge(self, picture: Picture, look: WordLook) -> None:
        """Draw what is behind the letters."""
        if look.grown:
            scale = self._scale(look)
            spans = glyph_spans(self._place, self.line, self._word, scale)
            draw_outline(picture, self._style, self._place.em_px * scale, spans)
        elif look.typed > 0 and self._has_edge:
            picture.lay(self._layer("edge"), part=self._passed(look.typed))

    def draw_letters(self, picture: Picture, look: WordLook) -> None:
        """Draw the letters, as far as they are there, and those that are lit over them.

        Letters on the move are drawn as they are, those at rest come from their layers.
        """
        if look.grown or 0 < look.lit < 1:
            spans = glyph_spans(self._place, self.line, self._word, self._scale(look))
            picture.fill(spans, _mixed(self._colour, self._lit_colour, look.lit))
            return
        if look.typed > 0 and look.lit < 1 and look.wiped < 1:
            picture.lay(self._layer("base"), part=self._passed(look.typed))
        if look.lit or look.wiped:
            picture.lay(self._layer("lit"), part=self._passed(max(look.lit, look.wiped)))

    def pill_rectangles(self) -> list[Rectangle]:
        """Behind the word: one rectangle, or several for a word of mixed direction."""
        spans = self._word.spans or ((self._word.left, self._word.right),)
        return [behind(self._style, self._place, self.line, *span) for span in spans]

    @property
    def _has_edge(self) -> bool:
        style = self._style
        return bool((style.outline and style.outline_width > 0) or self._owns_shadow)

    @property
    def _owns_shadow(self) -> bool:
        """Typed words bring their shadows along; others stand on one for all."""
        return self._style.animation == "typewriter" and bool(self._style.shadow)

    @property
    def _lit_colour(self) -> str:
        """Where nothing is to take another colour, stressed words keep theirs."""
        takes = self._style.highlight != self._style.fill
        return self._style.highlight if takes else self._colour

    def _scale(self, look: WordLook) -> float:
        return 1.0 + (self._peak - 1.0) * look.grown

    def _layer(self, name: str) -> Layer:
        if name not in self._made:
            self._made[name] = self._drawn(name)
        return self._made[name]

    def _drawn(self, name: str) -> Layer:
        from reelremix.engine.captions.skia_canvas import Picture

        left, top, right, bottom = self.bounds(WordLook())
        picture = Picture(right - left, bottom - top, left, top)
        spans = glyph_spans(self._place, self.line, self._word)
        if name == "edge":
            if self._owns_shadow:
                draw_shadow(picture, self._style, self._place.em_px, spans)
            draw_outline(picture, self._style, self._place.em_px, spans)
        else:
            colour = self._lit_colour if name == "lit" else self._colour
            picture.fill(spans, rgba(colour) or (0, 0, 0, 0))
        return picture.layer()

    def _frame(self, scale: float) -> tuple[int, int, int, int]:
        """The rectangle of the word's ink and edge in whole pixels."""
        em, place, line = self._place.em_px, self._place, self.line
        inks = [(r.x, r.run.ink) for r in self._word.runs if r.run.ink]
        left = min([self._word.left, *(x + ink.left for x, ink in inks)])
        right = max([self._word.right, *(x + ink.right for x, ink in inks)])
        top = min([-CAP_TOP, *(ink.top for _, ink in inks)])
        bottom = max([DESCENT, *(ink.bottom for _, ink in inks)])
        edge = self._style.outline_width if self._style.outline else 0.0
        if self._owns_shadow:
            edge += 1.5 * self._style.shadow_blur + self._style.shadow_drop
        (x0, y0), (x1, y1) = (
            grown_about(self._word, scale, *corner)
            for corner in ((left - edge, top - edge), (right + edge, bottom + edge))
        )
        return (
            int(place.x + (line.left + x0) * em) - 2,
            int(place.y + (line.baseline + y0) * em) - 2,
            int(place.x + (line.left + x1) * em) + 3,
            int(place.y + (line.baseline + y1) * em) + 3,
        )

    def _passed(self, share: float) -> Rectangle | None:
        """What the first share of the word takes up, in reading direction; None for all of it."""
        if share >= 1.0:
            return None
        left, top, right, bottom = (float(v) for v in self.bounds(WordLook()))
        wide = self._word.right - self._word.left
        reached = wide * (1.0 - share if self._word.reads_left else share)
        at = self._place.x + (self.line.left + self._word.left + reached) * self._place.em_px
        return (at, top, right, bottom) if self._word.reads_left else (left, top, at, bottom)


def _mixed(one: str, other: str, share: float) -> Colour:
    """A colour on the way from one to the other."""
    parts = zip(rgba(one) or (0, 0, 0, 0), rgba(other) or (0, 0, 0, 0), strict=True)
    red, green, blue, alpha = (round(a + (b - a) * share) for a, b in parts)
    return red, green, blue, alpha
