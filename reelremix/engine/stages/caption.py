"""From the words of a clip to its captions: cues, their times and the boxes they are drawn in.

Decides only; drawing is `captions.paint`. A later stage may move a cue's box away from a face.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import pairwise
from pathlib import Path

from reelremix.engine.captions.block import Block, set_block
from reelremix.engine.captions.joins import phrases_of
from reelremix.engine.captions.lines import CueLines, Lines, break_cues
from reelremix.engine.captions.preset import DEFAULT_PRESET, load_preset
from reelremix.engine.captions.safe_area import safe_area
from reelremix.engine.captions.shaping import is_rtl, text_width
from reelremix.engine.captions.style import CaptionStyle, to_dict
from reelremix.engine.captions.typefaces import FaceChain, chain_for, font_sha256
from reelremix.engine.domain.caption import Captions, Cue
from reelremix.engine.domain.clip import OutputFormat
from reelremix.engine.domain.kept import Squeezed, neighbouring
from reelremix.engine.domain.spacing import join_words, needs_space, visible
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Word
from reelremix.engine.stages.describe import all_small_words
from reelremix.engine.stages.emphasis import emphasised

LONGEST_PHRASE = 12
"""Letters of a word without spaces from which on it may be more than one."""


def plan_captions(
    words: Sequence[Word],
    ranges: Sequence[TimeRange],
    output: OutputFormat,
    preset: str = DEFAULT_PRESET,
    *,
    style: CaptionStyle | None = None,
) -> Captions:
    """Cues for the words heard in the kept ranges; indexes are into `words`.

    Speech goes on over a join where little is left out, and so may a cue: its times are those of
    the source, its lines and length follow what is heard.

    `style` overrides what `preset` names. Raises ConfigError for an unknown preset or font.
    """
    resolved = style if style is not None else load_preset(preset)
    heard = _by_range(words, ranges)
    setter = _Setter(_squeezed(words, ranges), output, resolved)
    cues: list[Cue] = []
    for clock, near in _runs(ranges):
        spoken = [i for n in near for i in heard[n] if resolved.displayed(words[i].text)]
        for cue in setter.cues(spoken, clock.span):
            cues.append(replace(cue, range=clock.restore(cue.range)))
    marked = [setter.boxed(cue) for cue in emphasised(cues, words, resolved)]
    return Captions(preset, _manifest_style(resolved), tuple(marked))


def refitted(
    captions: Captions,
    words: Sequence[Word],
    ranges: Sequence[TimeRange],
    output: OutputFormat,
    style: CaptionStyle,
) -> Captions:
    """The captions with room for their words where these were changed since they were set.

    A cue whose words do not fit its lines any more is broken anew, one that says nothing any more
    goes, every other gets a box for what it says now in the middle of its own. Cues whose words
    are what they were, and those of which that is not known, stay as they are.
    """
    setter = _Setter(_squeezed(words, ranges), output, style)
    cues: list[Cue] = []
    for cue in captions.cues:
        said = setter.text_of(cue)
        if not cue.text or cue.text == said:
            cues.append(cue)
        elif said:
            clock = _clock_of(cue.range, ranges)
            here = replace(cue, range=clock.squeeze(cue.range))
            cues += [replace(c, range=clock.restore(c.range)) for c in setter.refitted(here)]
    return replace(captions, cues=tuple(cues))


def _runs(ranges: Sequence[TimeRange]) -> list[tuple[Squeezed, tuple[int, ...]]]:
    """Ranges that speech goes on over, with the clock that leaves out what is between them."""
    return [(Squeezed([ranges[n] for n in near]), near) for near in neighbouring(ranges)]


def _clock_of(span: TimeRange, ranges: Sequence[TimeRange]) -> Squeezed:
    """The clock of the run that most of a cue is in."""
    return max(_runs(ranges), key=lambda run: sum(ranges[n].overlap_s(span) for n in run[1]))[0]


def _squeezed(words: Sequence[Word], ranges: Sequence[TimeRange]) -> list[Word]:
    """The words on the clocks of their runs; those that are not heard as they are."""
    heard, shown = _by_range(words, ranges), list(words)
    for clock, near in _runs(ranges):
        for index in (i for n in near for i in heard[n]):
            shown[index] = replace(words[index], range=clock.squeeze(words[index].range))
    return shown


def legible(words: Sequence[Word]) -> tuple[Word, ...]:
    """The words with those that are whole clauses cut into phrases, their time spread by length.

    Some transcripts of scripts without spaces have no smaller pieces than a line.
    """
    cut: list[Word] = []
    for word in words:
        phrases = phrases_of(word.text) if len(word.text) > LONGEST_PHRASE else [word.text]
        cut += _spread(word, phrases) if len(phrases) > 1 else [word]
    return tuple(cut)


def _spread(word: Word, phrases: Sequence[str]) -> list[Word]:
    begin, length = word.range.start.exact, (word.range.end - word.range.start).exact
    letters, done, parts = len(word.text), 0, []
    for phrase in phrases:
        first, done = done, done + len(phrase)
        span = TimeRange.from_seconds(
            begin + length * Fraction(first, letters), begin + length * Fraction(done, letters)
        )
        parts.append(replace(word, text=phrase, range=span))
    return parts


class _Setter:
    """Sets cues of one clip."""

    def __init__(self, words: Sequence[Word], output: OutputFormat, style: CaptionStyle) -> None:
        self._words = words
        self._style = style
        self._chain: FaceChain = chain_for(style.font)
        self._em_px = style.em_px(output)
        self._safe = safe_area(output, style.platform)
        self._rtl = is_rtl(w.text for w in words)

    def cues(self, indexes: Sequence[int], kept: TimeRange) -> list[Cue]:
        """The cues of one kept range."""
        broken = break_cues(
            [self._words[i] for i in indexes],
            self._style,
            partial(text_width, chain=self._chain),
            width=self._line_width(),
            within=kept,
            small_words=all_small_words(),
        )
        return [self._cue(cue, indexes) for cue in broken]

    def boxed(self, cue: Cue) -> Cue:
        """The cue with the box that it may paint."""
        texts = [[self._displayed(i) for i in line] for line in cue.lines]
        block = set_block(texts, self._style, self._chain, rtl=self._rtl, emoji=cue.emoji)
        return replace(cue, box=self._box(block), text=self.text_of(cue))

    def text_of(self, cue: Cue) -> str:
        """What a cue says, in one line."""
        return join_words(visible(self._words[i].text) for line in cue.lines for i in line)

    def refitted(self, cue: Cue) -> list[Cue]:
        """The cue, or several where its words do not fit its lines, at its height."""
        lines = [tuple(i for i in line if self._displayed(i)) for line in cue.lines]
        cue = replace(cue, lines=tuple(line for line in lines if line))
        room = self._line_width()
        texts = [[self._displayed(i) for i in line] for line in cue.lines]
        is_full = any(len(line) > 1 and self._width(line) > room for line in texts)
        parts = self._parted(cue) if is_full else [cue]
        return [self._in_place(part, cue.box) for part in parts]

    def _displayed(self, index: int) -> str:
        return self._style.displayed(self._words[index].text)

    def _width(self, texts: Sequence[str]) -> float:
        spaces = sum(needs_space(a, b) for a, b in pairwise(texts))
        space = text_width(" ", self._chain) + self._style.word_gap
        return sum(text_width(text, self._chain) for text in texts) + spaces * space

    def _parted(self, cue: Cue) -> list[Cue]:
        """The words of a cue in as many as they need; they share its time and its marks."""
        indexes = [i for line in cue.lines for i in line]
        parts = self.cues(indexes, cue.range)
        keywords = (
            tuple(i for i in cue.keywords if any(i in line for line in part.lines))
            for part in parts
        )
        marked = [
            replace(p, keywords=k, voice=cue.voice) for p, k in zip(parts, keywords, strict=True)
        ]
        return [replace(marked[0], emoji=cue.emoji), *marked[1:]]

    def _in_place(self, cue: Cue, was: tuple[int, int, int, int]) -> Cue:
        """The cue with a box for its words in the middle of another, inside the safe area."""
        made = self.boxed(cue)
        _, _, width, height = made.box
        safe_x, safe_y, safe_width, safe_height = self._safe
        x, y = was[0] + (was[2] - width) // 2, was[1] + (was[3] - height) // 2
        x = min(max(x, safe_x), safe_x + safe_width - width) // 2 * 2
        y = min(max(y, safe_y), safe_y + safe_height - height) // 2 * 2
        return replace(made, box=(x, y, width, height))

    def _line_width(self) -> float:
        """Room for letters in em: the safe width less what a block paints around them."""
        left, _, right, _ = set_block([["."]], self._style, self._chain, rtl=False).bounds
        around = right - left - text_width(".", self._chain)
        return self._safe[2] / self._em_px - around

    def _cue(self, cue: CueLines, indexes: Sequence[int]) -> Cue:
        lines: Lines = tuple(tuple(indexes[i] for i in line) for line in cue.lines)
        return Cue(cue.range, lines, (0, 0, 0, 0))

    def _box(self, block: Block) -> tuple[int, int, int, int]:
        """The even-numbered box around the block, inside the safe area."""
        safe_x, safe_y, safe_width, safe_height = self._safe
        left, top, right, bottom = block.bounds
        em = min(self._em_px, safe_width / max(right - left, 0.1))
        width = min(safe_width, max(2, _even_above((right - left) * em)))
        height = min(safe_height, _even_above((bottom - top) * em))
        middle = safe_y + self._style.position * safe_height
        y = middle - (block.top + block.bottom) / 2 * em + top * em
        x = safe_x + (safe_width - width) // 4 * 2
        lowest = safe_y + safe_height - height
        return x, min(lowest, max(safe_y, round(y / 2) * 2)), width, height


def _by_range(words: Sequence[Word], ranges: Sequence[TimeRange]) -> list[list[int]]:
    """Indexes of the words heard in each range; a cut word belongs to where most of it is heard."""
    indexes: list[list[int]] = [[] for _ in ranges]
    for index, word in enumerate(words):
        heard = [_heard(word.range, kept) for kept in ranges]
        if heard and max(heard) > 0:
            indexes[heard.index(max(heard))].append(index)
    return indexes


def _heard(word: TimeRange, kept: TimeRange) -> float:
    """Seconds of a word in a range; a word without length counts where it starts."""
    if word.end <= word.start:
        return 1e-9 if kept.contains(word.start) else 0.0
    return word.overlap_s(kept)


def _even_above(value: float) -> int:
    return int(-(-value // 2)) * 2


def _manifest_style(style: CaptionStyle) -> dict[str, object]:
    """The style as it is published: a font file by its name and digest, not by its place."""
    digest = font_sha256(style.font)
    font = {"font": Path(style.font).name} if Path(style.font).is_absolute() else {}
    return to_dict(style) | font | ({"font_sha256": digest} if digest else {})
