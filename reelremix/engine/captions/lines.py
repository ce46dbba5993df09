"""Which words share a cue and a line, and when a cue is on screen.

Widths come from the caller's `measure`, so nothing here knows a font. Breaks are chosen for a whole
stretch of speech at once: the cheapest way through it, not the first that fits.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction

from reelremix.engine.captions.joins import AT_CLAUSE, AT_SENTENCE, split_costs
from reelremix.engine.captions.style import CaptionStyle
from reelremix.engine.domain.spacing import join_words, needs_space
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.transcript import Word

PAUSE_S = Fraction(6, 10)
"""A longer silence ends the cue."""
BRIDGE_S = Fraction(3, 10)
"""A cue stays until the next one over a shorter silence."""
SHORTEST_S = Fraction(3, 10)
"""No cue is shorter where the speech allows."""

MOST_CHARS_A_S = 21
"""A cue is not gone faster than this can be read, unless the speech is faster."""
_IMPOSSIBLE = float("inf")

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
    """How bad a break before each word is."""
    width: float
    max_lines: int
    max_chars: int
    max_words: int

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
    small_words: Collection[str] = (),
) -> tuple[CueLines, ...]:
    """Cues of the words, in order, inside `within`; every word is in exactly one.

    `width` is that of a line, in the unit `measure` returns. `small_words` carry grammar: they are
    no names and are not counted, however they are spelled.
    """
    lines: list[Lines] = []
    for first, end in _stretches(words):
        text = _measured(words[first:end], style, measure, width, small_words)
        lines += [_shifted(cue, first) for cue in _cheapest(text)]
    times = _times(words, lines, within, style)
    return tuple(CueLines(cue, time) for cue, time in zip(lines, times, strict=True))


def _stretches(words: Sequence[Word]) -> list[tuple[int, int]]:
    """Index ranges of words without a pause or a change of speaker between them."""
    starts = [0] + [i for i in range(1, len(words)) if _is_apart(words[i - 1], words[i])]
    return list(zip(starts, [*starts[1:], len(words)], strict=True)) if words else []


def _is_apart(left: Word, right: Word) -> bool:
    changes = None not in (left.speaker, right.speaker) and left.speaker != right.speaker
    return changes or right.range.start.exact - left.range.end.exact > PAUSE_S


def _measured(
    words: Sequence[Word],
    style: CaptionStyle,
    measure: Callable[[str], float],
    width: float,
    small_words: Collection[str],
) -> _Text:
    texts = [style.displayed(w.text) for w in words]
    space = measure(" ") + style.word_gap
    spaced = [i > 0 and needs_space(texts[i - 1], texts[i]) for i in range(len(texts))]
    return _Text(
        words=words,
        widths=tuple(measure(t) for t in texts),
        lengths=tuple(len(t) for t in texts),
        gaps=tuple(space if s else 0.0 for s in spaced),
        splits=split_costs(words, small_words),
        width=width,
        max_lines=style.max_lines,
        max_chars=style.max_chars,
        max_words=style.max_words,
    )


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
    cost += 1.5 * max(0, end - first - text.max_words)
    if end < len(text.words):
        cost += text.splits[end]
    if len(lines) == 2:
        cost += 0.4 * _two_line_cost(text, first, lines[1][0], end)
    inner = text.splits[first + 1 : end]
    return cost + 1.8 * inner.count(AT_SENTENCE) + 0.3 * inner.count(AT_CLAUSE)


def _haste_cost(text: _Text, first: int, end: int) -> float:
    """What it costs that the cue is gone soon, or before it can be read."""
    until = text.words[end] if end < len(text.words) else text.words[end - 1]
    last = until.range.start if end < len(text.words) else until.range.end
    shown = float(last.exact - text.words[first].range.start.exact)
    chars = sum(text.lengths[first:end]) + sum(1 for gap in text.gaps[first + 1 : end] if gap)
    hurry = max(0.0, chars / max(shown, 0.1) / MOST_CHARS_A_S - 1.0)
    return (3.0 if shown < SHORTEST_S else 0.6 if shown < 2 * SHORTEST_S else 0.0) + 2.0 * hurry


def _shifted(lines: Lines, by: int) -> Lines:
    return tuple(tuple(i + by for i in line) for line in lines)


def _times(
    words: Sequence[Word], cues: Sequence[Lines], within: TimeRange, style: CaptionStyle
) -> list[TimeRange]:
    """When each cue is shown: never two at once, none outside `within`."""
    starts = _starts([words[c[0][0]].range.start for c in cues], within)
    ranges: list[TimeRange] = []
    for index, cue in enumerate(cues):
        limit = starts[index + 1] if index + 1 < len(cues) else within.end
        spoken = max(words[i].range.end for line in cue for i in line)
        text = join_words(style.displayed(words[i].text) for line in cue for i in line)
        ranges.append(TimeRange(starts[index], _end(starts[index], spoken, limit, len(text))))
    return ranges


def _end(start: Timestamp, spoken: Timestamp, limit: Timestamp, chars: int) -> Timestamp:
    """The end of the last word, later over a short silence, or until it can have been read."""
    if limit.exact - spoken.exact < BRIDGE_S:
        return limit
    shortest = start + Timestamp.from_seconds(max(SHORTEST_S, Fraction(chars, MOST_CHARS_A_S)))
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
