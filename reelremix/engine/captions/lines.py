"""Which words share a cue and a line, and when a cue is on screen.

Widths come from the caller's `measure`, so nothing here knows a font. Breaks are chosen for a whole
stretch of speech at once: the cheapest way through it, not the first that fits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from reelremix.engine.captions.style import CaptionStyle
from reelremix.engine.domain.spacing import needs_space
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.transcript import Word

PAUSE_S = Fraction(6, 10)
"""A longer silence ends the cue."""
BRIDGE_S = Fraction(3, 10)
"""A cue stays until the next one over a shorter silence."""
SHORTEST_S = Fraction(3, 10)
"""No cue is shorter where the speech allows."""

_SENTENCE_END = re.compile(r"[.!?…。！？؟।۔][\"'”’»)\]]*$")
_CLAUSE_END = re.compile(r"[,;:،؛，、；：–—-][\"'”’»)\]]*$")
_NUMBER = re.compile(r"^[^\w]*\d[\d.,:/]*$")
_SHORT_WORD = re.compile(r"^[a-zà-öø-ÿа-яёα-ω']{1,3}$")
_IMPOSSIBLE = float("inf")
_AT_SENTENCE = 0.0
_AT_CLAUSE = 0.15

Lines = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class CueLines:
    """The words of one cue, line by line, and its time."""

    lines: Lines
    range: TimeRange


@dataclass(frozen=True, slots=True)
class _Text:
    """The words of one stretch with what the search asks of them, measured once."""

    words: Sequence[Word]
    widths: tuple[float, ...]
    lengths: tuple[int, ...]
    gaps: tuple[float, ...]
    """Width of the space before each word."""
    splits: tuple[float, ...]
    """How bad a break before each word is, 0 to about 4."""
    width: float
    max_lines: int
    max_chars: int

    def line_width(self, first: int, end: int) -> float:
        """Width of the words in `[first, end)` on one line."""
        return sum(self.widths[first:end]) + sum(self.gaps[first + 1 : end])

    def fits(self, first: int, end: int) -> bool:
        """Whether the words fit on one line; a single word always does, for it can be scaled."""
        if end - first <= 1:
            return True
        spaces = sum(1 for gap in self.gaps[first + 1 : end] if gap)
        chars = sum(self.lengths[first:end]) + spaces
        return chars <= self.max_chars and self.line_width(first, end) <= self.width


def break_cues(
    words: Sequence[Word],
    style: CaptionStyle,
    measure: Callable[[str], float],
    *,
    width: float,
    within: TimeRange,
) -> tuple[CueLines, ...]:
    """Cues of the words, in order, inside `within`; every word is in exactly one.

    `width` is that of a line, in the unit `measure` returns.
    """
    lines: list[Lines] = []
    for first, end in _stretches(words):
        text = _measured(words[first:end], style, measure, width)
        lines += [_shifted(cue, first) for cue in _cheapest(text)]
    times = _times(words, lines, within)
    return tuple(CueLines(cue, time) for cue, time in zip(lines, times, strict=True))


def _stretches(words: Sequence[Word]) -> list[tuple[int, int]]:
    """Index ranges of words without a pause or a change of speaker between them."""
    starts = [0] + [i for i in range(1, len(words)) if _is_apart(words[i - 1], words[i])]
    return list(zip(starts, [*starts[1:], len(words)], strict=True)) if words else []


def _is_apart(left: Word, right: Word) -> bool:
    changes = None not in (left.speaker, right.speaker) and left.speaker != right.speaker
    return changes or right.range.start.exact - left.range.end.exact > PAUSE_S


def _measured(
    words: Sequence[Word], style: CaptionStyle, measure: Callable[[str], float], width: float
) -> _Text:
    texts = [style.displayed(w.text) for w in words]
    space = measure(" ") + style.word_gap
    spaced = [i > 0 and needs_space(texts[i - 1], texts[i]) for i in range(len(texts))]
    return _Text(
        words=words,
        widths=tuple(measure(t) for t in texts),
        lengths=tuple(len(t) for t in texts),
        gaps=tuple(space if s else 0.0 for s in spaced),
        splits=(0.0, *(_split_cost(words[i - 1], words[i]) for i in range(1, len(words)))),
        width=width,
        max_lines=style.max_lines,
        max_chars=style.max_chars,
    )


def _split_cost(left: Word, right: Word) -> float:
    """How much a break between two words hurts the reader."""
    if _SENTENCE_END.search(left.text) and not _is_initial(left.text):
        return _AT_SENTENCE
    if _CLAUSE_END.search(left.text):
        return _AT_CLAUSE
    cost = 0.6
    if _NUMBER.match(left.text) and right.text[:1].isalpha():
        cost = 3.0
    elif _is_name_part(left.text) and _is_name_part(right.text):
        cost = 2.0
    elif _SHORT_WORD.match(left.text):
        cost = 1.1
    silence = float(right.range.start.exact - left.range.end.exact)
    return cost - min(0.4, max(0.0, silence))


def _is_name_part(text: str) -> bool:
    return text[:1].isupper() and text not in ("I", "I'm", "I've", "I'll", "I'd")


def _is_initial(text: str) -> bool:
    """Whether a full stop belongs to an initial or a short title: `J.`, `Dr.`."""
    return bool(re.match(r"^([A-Z]\.|(Mr|Mrs|Ms|Dr|St|Prof)\.)$", text))


def _cheapest(text: _Text) -> list[Lines]:
    """The sequence of cues with the lowest total cost."""
    count = len(text.words)
    best = [0.0] + [_IMPOSSIBLE] * count
    chosen: list[tuple[int, Lines]] = [(0, ())] * (count + 1)
    for first in range(count):
        for end in range(first + 1, count + 1):
            if _is_too_wide(text, first, end):
                break
            lines = _best_lines(text, first, end)
            if lines is None:
                continue
            cost = best[first] + _cue_cost(text, lines)
            if cost < best[end]:
                best[end], chosen[end] = cost, (first, lines)
    cues: list[Lines] = []
    end = count
    while end > 0:
        end, lines = chosen[end]
        cues.append(lines)
    return cues[::-1]


def _is_too_wide(text: _Text, first: int, end: int) -> bool:
    """Whether no arrangement can hold the words, nor more of them."""
    room = text.max_lines * max(text.width, *text.widths[first:end])
    return end - first > text.max_lines and text.line_width(first, end) > room


def _best_lines(text: _Text, first: int, end: int) -> Lines | None:
    """One line if the words fit, else the best two, else None."""
    if end - first > 1 and max(text.widths[first:end]) > text.width:
        return None  # a word to be scaled down stands alone, so that its neighbours keep their size
    if text.fits(first, end):
        return (tuple(range(first, end)),)
    if text.max_lines < 2:
        return None
    middles = [m for m in range(first + 1, end) if text.fits(first, m) and text.fits(m, end)]
    if not middles:
        return None
    middle = min(middles, key=lambda m: _two_line_cost(text, first, m, end))
    return tuple(range(first, middle)), tuple(range(middle, end))


def _two_line_cost(text: _Text, first: int, middle: int, end: int) -> float:
    top, bottom = text.line_width(first, middle), text.line_width(middle, end)
    unbalance = abs(top - bottom) / max(top, bottom, 1e-9)
    return 2.0 * unbalance**2 + 0.5 * text.splits[middle]


def _cue_cost(text: _Text, lines: Lines) -> float:
    """One for being a cue, more for what makes it hard or ugly to read."""
    first, end = lines[0][0], lines[-1][-1] + 1
    room = text.width * text.max_lines
    fill = min(1.0, text.line_width(first, end) / room)
    cost = 1.0 + 0.9 * (1.0 - fill) ** 2 + _haste_cost(text, first, end)
    if end < len(text.words):
        cost += text.splits[end]
    if len(lines) == 2:
        cost += 0.4 * _two_line_cost(text, first, lines[1][0], end)
    inner = text.splits[first + 1 : end]
    return cost + 1.8 * inner.count(_AT_SENTENCE) + 0.3 * inner.count(_AT_CLAUSE)


def _haste_cost(text: _Text, first: int, end: int) -> float:
    """What it costs that the cue is gone soon."""
    until = text.words[end] if end < len(text.words) else text.words[end - 1]
    last = until.range.start if end < len(text.words) else until.range.end
    shown = last.exact - text.words[first].range.start.exact
    return 3.0 if shown < SHORTEST_S else 0.6 if shown < 2 * SHORTEST_S else 0.0


def _shifted(lines: Lines, by: int) -> Lines:
    return tuple(tuple(i + by for i in line) for line in lines)


def _times(words: Sequence[Word], cues: Sequence[Lines], within: TimeRange) -> list[TimeRange]:
    """When each cue is shown: never two at once, none outside `within`."""
    starts = _starts([words[c[0][0]].range.start for c in cues], within)
    ranges: list[TimeRange] = []
    for index, cue in enumerate(cues):
        limit = starts[index + 1] if index + 1 < len(cues) else within.end
        spoken = max(words[i].range.end for line in cue for i in line)
        ranges.append(TimeRange(starts[index], _end(starts[index], spoken, limit)))
    return ranges


def _end(start: Timestamp, spoken: Timestamp, limit: Timestamp) -> Timestamp:
    """The end of the last word, later over a short silence or for the shortest cue."""
    if limit.exact - spoken.exact < BRIDGE_S:
        return limit
    shortest = start + Timestamp.from_seconds(SHORTEST_S)
    return min(limit, max(spoken, shortest))


def _starts(starts: Sequence[Timestamp], within: TimeRange) -> list[Timestamp]:
    """Strictly rising starts: cues that would begin together share the time to the next evenly."""
    rising: list[Timestamp] = []
    for start in starts:
        floor = rising[-1] if rising else within.start
        rising.append(min(max(start, floor), within.end))
    index = 0
    while index < len(rising):
        same = index
        while same < len(rising) and rising[same] == rising[index]:
            same += 1
        until = rising[same] if same < len(rising) else within.end
        step = (until.exact - rising[index].exact) / (same - index)
        first = rising[index].exact
        for late in range(index + 1, same):
            rising[late] = Timestamp.from_seconds(first + step * (late - index))
        index = same
    return rising
