"""Draws a clip's title card, progress bar and logo. Times are the clip's own: no intro is counted.

Each is drawn once; from then on it is only faded, or cut to the length that has passed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from reelremix.engine.captions.block import RISE, Block, set_block
from reelremix.engine.captions.brand import Logo, logo, progress_bar, title_card, with_own_font
from reelremix.engine.captions.lettering import (
    draw_boxes,
    draw_outline,
    draw_shadow,
    glyph_spans,
    placed,
)
from reelremix.engine.captions.patch import Patch, cut_to, patch_from_rgba, shown_as
from reelremix.engine.captions.safe_area import safe_area
from reelremix.engine.captions.shaping import is_rtl, text_width
from reelremix.engine.captions.style import CaptionStyle, rgba
from reelremix.engine.captions.typefaces import FaceChain, chain_for
from reelremix.engine.domain.brand import Asset, Brand
from reelremix.engine.domain.clip import OutputFormat
from reelremix.engine.domain.spacing import needs_space, split_words
from reelremix.errors import ConfigError

FADE_S = 0.25
MOST_TITLE_LINES = 3


class OverlayPainter:
    """Draws what a brand kit shows on one clip.

    Raises ConfigError where a font or the logo is not there, and ModelError where skia's system
    libraries are missing.
    """

    def __init__(self, brand: Brand, title: str, output: OutputFormat, duration_s: float) -> None:
        self._output = output
        self._duration_s = max(duration_s, 1e-6)
        self._logo = _logo_patch(logo(brand.logo), brand.assets, output) if brand.logo else None
        self._title: Patch | None = None
        self._title_s = 0.0
        self._eases = self._rises = False
        self._title_em_px = 0.0
        self.still_title: Patch | None = None
        """The title card as the thumbnail bears it; None where it does not."""
        if brand.title is not None:
            card = title_card(brand.title)
            style = with_own_font(card.style, brand.assets)
            self._title = _title_patch(title, style, output)
            self._title_s = min(card.seconds, duration_s)
            self._eases = style.entrance != "none"
            self._rises = style.entrance == "rise"
            self._title_em_px = style.em_px(output)
            self.still_title = self._title if card.on_thumbnail else None
        self._bar = _Bar(brand, output) if brand.progress is not None else None

    def patches_at(self, moment: Fraction) -> Iterator[Patch]:
        """What to lay over the picture at an output time, from back to front."""
        now = float(moment)
        if self._bar is not None:
            yield from self._bar.patches(now / self._duration_s)
        if self._logo is not None:
            yield self._logo
        if self._title is not None and now < self._title_s:
            card = self._title_at(self._title, now)
            if card is not None:
                yield card

    def _title_at(self, card: Patch, now: float) -> Patch | None:
        if not self._eases:
            return card
        come = min(1.0, (now + 0.02) / FADE_S)
        gone = min(1.0, (self._title_s - now) / FADE_S)
        opacity = 1.0 - (1.0 - min(come, gone)) ** 2
        if opacity >= 1.0:
            return card
        lower = round(RISE * (1 - come) * self._title_em_px / 2) * 2 if self._rises else 0
        faded = shown_as(card, opacity, lower)
        return cut_to(faded, self._output.width_px, self._output.height_px)


class _Bar:
    """The progress bar."""

    def __init__(self, brand: Brand, output: OutputFormat) -> None:
        assert brand.progress is not None
        bar = progress_bar(brand.progress)
        height = max(2, round(bar.height * output.height_px / 2) * 2)
        y = 0 if bar.place == "top" else output.height_px - height
        self._width, self._height = output.width_px, output.height_px
        self._done = _filled(bar.colour, self._width, height, y)
        self._back = _filled(bar.back, self._width, height, y)

    def patches(self, share: float) -> Iterator[Patch]:
        """What has passed, and what is still to come."""
        reached = round(min(1.0, max(0.0, share)) * self._width / 2) * 2
        if self._done is not None and reached:
            yield _columns(self._done, 0, reached)
        if self._back is not None and reached < self._width:
            yield _columns(self._back, reached, self._width)


def _columns(patch: Patch, left: int, right: int) -> Patch:
    whole, half = slice(left, right), slice(left // 2, right // 2)
    return replace(
        patch,
        x=left,
        width=right - left,
        alpha_y=patch.alpha_y[:, whole],
        pre_y=patch.pre_y[:, whole],
        alpha_uv=patch.alpha_uv[:, half],
        pre_u=patch.pre_u[:, half],
        pre_v=patch.pre_v[:, half],
    )


def _filled(colour: str, width: int, height: int, y: int) -> Patch | None:
    from reelremix.engine.captions.skia_canvas import Picture

    painted = rgba(colour)
    if painted is None:
        return None
    picture = Picture(width, height)
    picture.rounded([(0, 0, width, height)], 0, painted)
    return patch_from_rgba(picture.pixels(), 0, y)


def _logo_patch(shown: Logo, assets: Sequence[Asset], output: OutputFormat) -> Patch | None:
    """The logo in its corner, scaled to its width but at most a quarter of the picture high."""
    from reelremix.engine.captions.skia_canvas import Picture, picture_size

    path = next((a.path for a in assets if a.file == shown.file), "")
    size = picture_size(Path(path)) if path else None
    if size is None:
        raise ConfigError(
            f"the logo {shown.file} is not to be found or is not a picture",
            hint="name the preset again with `--brand`",
        )
    scale = min(shown.size * output.width_px / size[0], 0.25 * output.height_px / size[1])
    width, height = (max(2, round(side * scale / 2) * 2) for side in size)
    margin = round(shown.margin * output.width_px / 2) * 2
    x = margin if shown.corner.endswith("left") else output.width_px - margin - width
    y = margin if shown.corner.startswith("top") else output.height_px - margin - height
    picture = Picture(width, height)
    picture.photo(Path(path), (0, 0, width, height), shown.opacity)
    patch = patch_from_rgba(picture.pixels(), x // 2 * 2, y // 2 * 2)
    return cut_to(patch, output.width_px, output.height_px) if patch is not None else None


@dataclass(frozen=True, slots=True)
class SetTitle:
    """A title card as it is set: its block and where that is drawn, in even output pixels."""

    block: Block
    em_px: float
    box: tuple[int, int, int, int]


def set_title(title: str, style: CaptionStyle, output: OutputFormat) -> SetTitle | None:
    """The title in balanced lines in the middle of the picture; None when it says nothing."""
    chain = chain_for(style.font)
    safe_x, safe_y, safe_width, safe_height = safe_area(output)
    words = [shown for word in split_words(title) if (shown := style.displayed(word))]
    if not words:
        return None
    lines = _title_lines(words, style, chain, safe_width / style.em_px(output) - 2 * style.padding)
    block = set_block(lines, style, chain, rtl=is_rtl(words))
    left, top, right, bottom = block.bounds
    em = min(style.em_px(output), safe_width / (right - left), safe_height / (bottom - top))
    width, height = (int(-(-side * em // 2)) * 2 for side in (right - left, bottom - top))
    x = safe_x + (safe_width - width) // 4 * 2
    y = safe_y + round(style.position * (safe_height - height) / 2) * 2
    return SetTitle(block, em, (x, y, width, height))


def title_box(
    brand: Brand | None, title: str, output: OutputFormat
) -> tuple[float, tuple[int, int, int, int]] | None:
    """How long a clip's title card is shown, and where; None when there is none."""
    if brand is None or brand.title is None:
        return None
    card = title_card(brand.title)
    made = set_title(title, with_own_font(card.style, brand.assets), output)
    return None if made is None else (card.seconds, made.box)


def _title_patch(title: str, style: CaptionStyle, output: OutputFormat) -> Patch | None:
    from reelremix.engine.captions.skia_canvas import Picture

    made = set_title(title, style, output)
    if made is None:
        return None
    x, y, width, height = made.box
    picture = Picture(width, height)
    place = placed(made.block, made.em_px, width, height)
    draw_boxes(picture, style, made.block, place)
    words = [(line, word) for line in made.block.lines for word in line.shaped.words]
    spans = [span for line, word in words for span in glyph_spans(place, line, word)]
    if style.shadow:
        draw_shadow(picture, style, place.em_px, spans)
    draw_outline(picture, style, place.em_px, spans)
    picture.fill(spans, rgba(style.fill) or (0, 0, 0, 0))
    patch = patch_from_rgba(picture.pixels(), x, y)
    return cut_to(patch, output.width_px, output.height_px) if patch is not None else None


def _title_lines(
    words: Sequence[str], style: CaptionStyle, chain: FaceChain, width: float
) -> list[list[str]]:
    """As few lines as the words fit on, at most three, each as long as the others."""
    sizes = [text_width(word, chain) for word in words]
    space = text_width(" ", chain)
    for count in range(1, MOST_TITLE_LINES + 1):
        lines = _balanced(words, sizes, space, count)
        widest = max(sum(sizes[i] for i in line) + space * (len(line) - 1) for line in lines)
        longest = max(_chars([words[i] for i in line]) for line in lines)
        if (widest <= width and longest <= style.max_chars) or count >= len(words):
            break
    return [[words[i] for i in line] for line in lines]


def _chars(words: Sequence[str]) -> int:
    gaps = sum(needs_space(a, b) for a, b in pairwise(words))
    return sum(map(len, words)) + gaps


def _balanced(
    words: Sequence[str], sizes: Sequence[float], space: float, count: int
) -> list[list[int]]:
    """The words on so many lines, the widest as narrow as can be."""
    count = min(count, len(words))
    wholes = [0.0]
    for size in sizes:
        wholes.append(wholes[-1] + size + space)
    best: dict[tuple[int, int], tuple[float, int]] = {(0, 0): (0.0, 0)}
    for line in range(1, count + 1):
        for end in range(line, len(words) + 1):
            best[line, end] = min(
                (max(best[line - 1, first][0], wholes[end] - wholes[first]), first)
                for first in range(line - 1, end)
                if (line - 1, first) in best
            )
    lines: list[list[int]] = []
    end = len(words)
    for line in range(count, 0, -1):
        first = best[line, end][1]
        lines.insert(0, list(range(first, end)))
        end = first
    return lines
