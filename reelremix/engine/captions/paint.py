"""Draws cues: the picture of a scene, put together from layers that are drawn once a cue.

A word has a layer of its own for its edge, its letters and its lit letters. From one picture to the
next only the rectangles of words that changed are put together again, so that letters are shaped
and drawn once, not in every picture. Drawing obeys the cue's box: set type that is larger than the
box is scaled down to it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from reelremix.engine.captions.block import Block, set_block
from reelremix.engine.captions.brand import with_own_font
from reelremix.engine.captions.layers import WordLayers
from reelremix.engine.captions.lettering import (
    Placement,
    draw_boxes,
    draw_shadow,
    glyph_spans,
    placed,
)
from reelremix.engine.captions.motion import CueMotion, PillLook, Scene
from reelremix.engine.captions.patch import Area, Patch, cut_to, redrawn, shown_as, whole_patch
from reelremix.engine.captions.preset import load_preset
from reelremix.engine.captions.shaping import is_rtl
from reelremix.engine.captions.style import CaptionStyle, from_dict, rgba
from reelremix.engine.captions.typefaces import chain_for
from reelremix.engine.domain.brand import Asset
from reelremix.engine.domain.caption import Captions, Cue
from reelremix.engine.domain.clip import OutputFormat
from reelremix.engine.domain.time import Timestamp
from reelremix.engine.domain.transcript import Word
from reelremix.errors import ConfigError

if TYPE_CHECKING:
    from reelremix.engine.captions.skia_canvas import Layer, Rectangle

KEPT_CUES = 2
"""Cues whose layers are kept: a two-line cue at 1080x1920 holds about 5 MB."""


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
            WordLayers(style, place, line, word, colour)
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


def _colours(cue: Cue, style: CaptionStyle) -> list[str]:
    """The letters' colour of each word of a cue before it is lit."""
    plain = style.fill
    if style.speakers and cue.voice is not None:
        plain = style.speakers[cue.voice % len(style.speakers)]
    return [
        style.keywords if style.keywords and i in cue.keywords else plain
        for line in cue.lines
        for i in line
    ]


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
