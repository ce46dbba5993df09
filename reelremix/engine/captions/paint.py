"""Draws cues: the picture of a scene, put together from layers that are drawn once a cue.

A word has a layer of its own for its edge, its letters and its lit letters. From one picture to the
next only the rectangles of words that changed are put together again, so that letters are shaped
and drawn once, not in every picture. Drawing obeys the cue's box: set type that is larger than the
box is scaled down to it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reelremix.engine.captions.block import CAP_TOP, DESCENT, Block, SetLine, pop_scale, set_block
from reelremix.engine.captions.brand import with_own_font
from reelremix.engine.captions.motion import CueMotion, PillLook, Scene, WordLook
from reelremix.engine.captions.patch import Area, Patch, cut_to, redrawn, shown_as, whole_patch
from reelremix.engine.captions.preset import load_preset
from reelremix.engine.captions.shaping import PlacedWord, is_rtl
from reelremix.engine.captions.style import CaptionStyle, Colour, from_dict, rgba
from reelremix.engine.captions.typefaces import chain_for
from reelremix.engine.domain.brand import Asset
from reelremix.engine.domain.caption import Captions, Cue
from reelremix.engine.domain.clip import OutputFormat
from reelremix.engine.domain.time import Timestamp
from reelremix.engine.domain.transcript import Word
from reelremix.errors import ConfigError

if TYPE_CHECKING:
    from reelremix.engine.captions.skia_canvas import GlyphSpan, Layer, Picture, Rectangle

KEPT_CUES = 2
"""Cues whose layers are kept: a two-line cue at 1080x1920 holds about 5 MB."""


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


class CaptionPainter:
    """Draws the captions of one clip. Not to be shared between threads.

    Raises ConfigError for captions that name words the clip does not have or a font that is not
    there, and ModelError where skia's system libraries are missing.
    """

    def __init__(
        self,
        captions: Captions,
        words: Sequence[Word],
        output: OutputFormat,
        assets: Iterable[Asset] = (),
    ) -> None:
        self._cues = tuple(sorted(captions.cues, key=lambda c: c.range.start))
        _check_words(self._cues, len(words))
        self._words = words
        self._output = output
        style = from_dict(captions.style) if captions.style else load_preset(captions.preset)
        self._style = with_own_font(style, assets)
        self._chain = chain_for(self._style.font)
        self._rtl = is_rtl(w.text for w in words)
        self._starts = [c.range.start.exact for c in self._cues]
        self._drawn: dict[int, _DrawnCue | None] = {}

    def patch_at(self, moment: Timestamp) -> Patch | None:
        """The picture to lay over the frame at a source time; None where no cue is shown."""
        index = bisect_right(self._starts, moment.exact) - 1
        if index < 0 or moment >= self._cues[index].range.end:
            return None
        drawn = self._cue(index)
        return drawn.at(moment) if drawn is not None else None

    def _cue(self, index: int) -> _DrawnCue | None:
        if index not in self._drawn:
            while len(self._drawn) >= KEPT_CUES:
                del self._drawn[next(iter(self._drawn))]
            self._drawn[index] = self._begun(self._cues[index])
        return self._drawn[index]

    def _begun(self, cue: Cue) -> _DrawnCue | None:
        box = _visible_box(cue.box, self._output)
        if box is None:
            return None
        words = [self._words[i] for line in cue.lines for i in line]
        lines = [[self._style.displayed(self._words[i].text) for i in line] for line in cue.lines]
        block = set_block(lines, self._style, self._chain, rtl=self._rtl, emoji=cue.emoji)
        placement = placed(block, self._style.em_px(self._output), box[2], box[3])
        motion = CueMotion(words, self._style, cue.range.start.exact)
        colours = _colours(cue, self._style)
        return _DrawnCue(_Layers(self._style, block, placement, box, colours), motion, self._output)


class _DrawnCue:
    """One cue as it was last shown, and how it goes on."""

    def __init__(self, layers: _Layers, motion: CueMotion, output: OutputFormat) -> None:
        self._layers = layers
        self._motion = motion
        self._output = output
        self._scene: Scene | None = None
        self._patch: Patch | None = None
        self._shown: Patch | None = None

    def at(self, moment: Timestamp) -> Patch | None:
        """The picture at a moment; the same object while nothing moves."""
        scene = self._motion.at(moment.exact)
        if scene == self._scene:
            return self._shown
        if self._patch is None or self._scene is None:
            self._patch = self._layers.first(scene)
        elif areas := self._layers.changed(self._scene, scene):
            self._patch = self._layers.next(self._patch, scene, areas)
        self._scene, self._shown = scene, self._entering(scene)
        return self._shown

    def _entering(self, scene: Scene) -> Patch | None:
        assert self._patch is not None
        if scene.opacity >= 1.0:
            return self._patch
        lower = round(scene.sunk * self._layers.em_px / 2) * 2
        faded = shown_as(self._patch, scene.opacity, lower)
        return cut_to(faded, self._output.width_px, self._output.height_px)


class _Layers:
    """The layers of one cue and how a scene is put together from them."""

    def __init__(
        self,
        style: CaptionStyle,
        block: Block,
        place: Placement,
        box: tuple[int, int, int, int],
        colours: Sequence[str],
    ) -> None:
        from reelremix.engine.captions.skia_canvas import Picture

        self._style = style
        self._place = place
        self._box = box
        self.em_px = place.em_px
        self._picture = Picture(box[2], box[3])
        self._ground = _ground(style, block, place, box)
        words = [(line, word) for line in block.lines for word in line.shaped.words]
        self._words = [
            WordLayers(style, place, line, word, colour, box)
            for (line, word), colour in zip(words, colours, strict=True)
        ]

    def first(self, scene: Scene) -> Patch:
        """The whole picture."""
        x, y, width, height = self._box
        self._compose(scene, (0, 0, width, height))
        return whole_patch(self._picture.pixels(), x, y)

    def next(self, before: Patch, scene: Scene, areas: Sequence[Area]) -> Patch:
        """The picture with some rectangles put together anew."""
        for area in areas:
            self._compose(scene, area)
        return redrawn(before, self._picture.pixels(), areas)

    def changed(self, before: Scene, now: Scene) -> list[Area]:
        """The rectangles that differ between two scenes, apart from each other."""
        areas = [
            self._even([word.bounds(old), word.bounds(new)])
            for word, old, new in zip(self._words, before.words, now.words, strict=True)
            if old != new
        ]
        if before.pill != now.pill:
            pills = [r for p in (before.pill, now.pill) if p for r in self._pill(p)]
            areas.append(self._even(pills))
        return _apart(areas)

    def _even(self, rectangles: Sequence[Rectangle]) -> Area:
        lefts, tops, rights, bottoms = zip(*rectangles, strict=True)
        width, height = self._box[2:]
        return (
            max(0, int(min(lefts) - 1) // 2 * 2),
            max(0, int(min(tops) - 1) // 2 * 2),
            min(width, int(max(rights) + 3) // 2 * 2),
            min(height, int(max(bottoms) + 3) // 2 * 2),
        )

    def _compose(self, scene: Scene, area: Area) -> None:
        """From back to front: ground, edges, pill, letters; a word that has grown on top."""
        left, top, right, bottom = area
        near = [
            (word, look)
            for word, look in zip(self._words, scene.words, strict=True)
            if _meets(word.bounds(look), area)
        ]
        near.sort(key=lambda pair: pair[1].grown)
        picture = self._picture
        with picture.within(left, top, right, bottom):
            if self._ground is not None:
                picture.lay(self._ground)
            for word, look in near:
                if not look.grown:
                    word.draw_edge(picture, look)
            if scene.pill is not None:
                self._draw_pill(scene.pill)
            for word, look in near:
                if look.grown:
                    word.draw_edge(picture, look)  # over the letters of its neighbours
                word.draw_letters(picture, look)

    def _draw_pill(self, look: PillLook) -> None:
        colour = rgba(self._style.pill)
        if colour is not None and look.opacity > 0:
            radius = self._style.radius * self.em_px
            self._picture.rounded(self._pill(look), radius, colour, look.opacity)

    def _pill(self, look: PillLook) -> list[Rectangle]:
        """Where the pill is, word or words of mixed direction and all."""
        target, origin = self._words[look.target], self._words[look.origin]
        ends = target.pill_rectangles()
        if look.travelled >= 1.0 or origin.line is not target.line:
            return ends
        begins = origin.pill_rectangles()
        if len(begins) > 1 or len(ends) > 1:
            return ends
        a, b = begins[0], ends[0]
        at = [p + (q - p) * look.travelled for p, q in zip(a, b, strict=True)]
        return [(at[0], at[1], at[2], at[3])]


class WordLayers:
    """One word as its layers, each drawn when it is first needed."""

    def __init__(
        self,
        style: CaptionStyle,
        place: Placement,
        line: SetLine,
        word: PlacedWord,
        colour: str,
        box: tuple[int, int, int, int],
    ) -> None:
        self._style = style
        self._place = place
        self._word = word
        self._colour = colour
        self._box = box
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


def _ground(
    style: CaptionStyle, block: Block, place: Placement, box: tuple[int, int, int, int]
) -> Layer | None:
    """What stays the same as long as a cue is shown: boxes, the shadow of all, the emoji."""
    from reelremix.engine.captions.skia_canvas import Picture

    picture = Picture(box[2], box[3])
    draw_boxes(picture, style, block, place)
    if style.shadow and style.animation != "typewriter":
        words = [(line, word) for line in block.lines for word in line.shaped.words]
        spans = [span for line, word in words for span in glyph_spans(place, line, word)]
        draw_shadow(picture, style, place.em_px, spans)
    if block.emoji is not None:
        for word in block.emoji.shaped.words:
            picture.fill(glyph_spans(place, block.emoji, word), (255, 255, 255, 255))
    has_any = style.box or style.shadow or block.emoji is not None
    return picture.layer() if has_any else None


def draw_boxes(picture: Picture, style: CaptionStyle, block: Block, place: Placement) -> None:
    """Draw the box behind each line."""
    colour = rgba(style.box)
    if colour is not None:
        boxes = [behind(style, place, s, 0.0, s.shaped.width) for s in block.lines]
        picture.rounded(boxes, style.radius * place.em_px, colour)


def _colours(cue: Cue, style: CaptionStyle) -> list[str]:
    """The letters' colour of each word of a cue before it is lit."""
    voice = cue.voice
    plain = style.speakers[voice % len(style.speakers)] if style.speakers and voice is not None \
        else style.fill  # fmt: skip
    return [
        style.keywords if style.keywords and i in cue.keywords else plain
        for line in cue.lines
        for i in line
    ]


def _mixed(one: str, other: str, share: float) -> Colour:
    """A colour on the way from one to the other."""
    parts = zip(rgba(one) or (0, 0, 0, 0), rgba(other) or (0, 0, 0, 0), strict=True)
    red, green, blue, alpha = (round(a + (b - a) * share) for a, b in parts)
    return red, green, blue, alpha


def _apart(areas: Sequence[Area]) -> list[Area]:
    """The areas with those that meet joined to one."""
    joined: list[Area] = []
    for area in areas:
        for other in [o for o in joined if _meets(o, area)]:
            joined.remove(other)
            area = (
                min(area[0], other[0]), min(area[1], other[1]),
                max(area[2], other[2]), max(area[3], other[3]),
            )  # fmt: skip
        joined.append(area)
    return joined


def _meets(rectangle: Rectangle, area: Area) -> bool:
    left, top, right, bottom = rectangle
    return left < area[2] and right > area[0] and top < area[3] and bottom > area[1]


def _visible_box(
    box: tuple[int, int, int, int], output: OutputFormat
) -> tuple[int, int, int, int] | None:
    """The part of a box that lies in the picture, on even numbers; None when nothing does."""
    x, y, width, height = box
    left, top = max(0, x + x % 2), max(0, y + y % 2)
    right = min(output.width_px, x + width) // 2 * 2
    bottom = min(output.height_px, y + height) // 2 * 2
    return (left, top, right - left, bottom - top) if right > left and bottom > top else None


def _check_words(cues: Sequence[Cue], count: int) -> None:
    for cue in cues:
        wrong = [i for line in cue.lines for i in line if not 0 <= i < count]
        if wrong or not all(cue.lines) or not cue.lines:
            named = f"word {wrong[0]}" if wrong else "an empty line"
            raise ConfigError(
                f"the caption at {cue.range.start_s:g} s names {named}, "
                f"but the clip has words 0 to {count - 1}"
            )
