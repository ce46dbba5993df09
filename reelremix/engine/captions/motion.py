"""How the words of a cue look at a moment: what has taken colour, grown, been wiped or typed.

Numbers between 0 and 1 on the source's clock; how they are drawn is `paint`'s. At rest they are
exactly 0 or 1, so that a picture is drawn anew only while something moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from reelremix.engine.captions.block import RISE
from reelremix.engine.captions.style import CaptionStyle
from reelremix.engine.domain.transcript import Word

HOLD_S = Fraction(4, 10)
"""A word stays lit this long after its end, unless the next one begins."""
EASE_S = 0.12
"""Growing, shrinking and gliding take this long."""
COLOUR_S = 0.08
"""Taking colour and losing it take this long."""
LEAD_S = 0.02
"""The first picture of a change shows it under way, so that it is never a picture late."""
LETTER_S = 0.06
"""A letter is typed at least this quickly, so that a long word is whole when it ends."""
SETTLED = 0.8
"""A grown word springs a little beyond its size and settles to this share of its growth."""
SIZES = 8
"""A word grows in so many steps, each of which is drawn once."""
ENTRANCE_S = 0.16


@dataclass(frozen=True, slots=True)
class WordLook:
    """One word at a moment."""

    lit: float = 0.0
    """How far it has taken the highlight's colour."""
    grown: float = 0.0
    wiped: float = 0.0
    """Share of its width that the wipe has passed, in reading direction."""
    typed: float = 1.0
    """Share of its letters that are there."""


@dataclass(frozen=True, slots=True)
class PillLook:
    """Where the pill is: between two words, and how visible."""

    origin: int
    target: int
    travelled: float
    opacity: float


@dataclass(frozen=True, slots=True)
class Scene:
    """A cue at a moment."""

    words: tuple[WordLook, ...]
    pill: PillLook | None = None
    opacity: float = 1.0
    sunk: float = 0.0
    """How far below its place it still is, in em."""


@dataclass(frozen=True, slots=True)
class _Span:
    """When a word is lit, in seconds from the start of its cue."""

    start: float
    end: float
    """Of the word as spoken."""
    out: float


class CueMotion:
    """The scenes of one cue."""

    def __init__(self, words: Sequence[Word], style: CaptionStyle, start: Fraction) -> None:
        self._style = style
        self._start = start
        self._spans = _spans(words, start)
        self._letters = [max(1, len(style.displayed(w.text))) for w in words]
        self._rest = Scene(tuple(WordLook() for _ in words))

    def at(self, moment: Fraction) -> Scene:
        """The scene at a moment on the source's clock."""
        now = float(moment - self._start)
        opacity, sunk = self._entrance(now)
        if self._style.animation == "none":
            words = self._rest.words
        else:
            words = tuple(self._look(i, span, now) for i, span in enumerate(self._spans))
        pill = self._pill(now) if self._style.animation == "pill" else None
        return Scene(words, pill, opacity, sunk)

    def _entrance(self, now: float) -> tuple[float, float]:
        if self._style.entrance == "none":
            return 1.0, 0.0
        share = _eased((now + LEAD_S) / ENTRANCE_S)
        return share, RISE * (1.0 - share) if self._style.entrance == "rise" else 0.0

    def _look(self, index: int, span: _Span, now: float) -> WordLook:
        animation = self._style.animation
        if animation == "karaoke":
            return WordLook(wiped=_share(now, span.start, max(span.end, span.start + COLOUR_S)))
        if animation == "typewriter":
            return WordLook(typed=self._typed(index, span, now))
        lit = _risen(now, span, COLOUR_S)
        grown = _sprung(now, span) if animation == "pop" else 0.0
        return WordLook(lit, round(grown * SIZES) / SIZES)

    def _typed(self, index: int, span: _Span, now: float) -> float:
        """Whole letters, the first at once."""
        if now < span.start:
            return 0.0
        letters = self._letters[index]
        length = min(max(span.end - span.start, 0.01), LETTER_S * letters)
        done = int((now - span.start) / length * letters) + 1
        return min(1.0, done / letters)

    def _pill(self, now: float) -> PillLook | None:
        begun = [i for i, span in enumerate(self._spans) if span.start <= now]
        if not begun:
            return None
        target = begun[-1]
        span = self._spans[target]
        if now >= span.out + COLOUR_S:
            return None
        # The one before may have gone out already: then this one appears where it is wanted.
        glides = target > 0 and self._spans[target - 1].out >= span.start
        moved = _eased((now - span.start + LEAD_S) / EASE_S)
        opacity = _risen(now, span, COLOUR_S) if not glides or now > span.out else 1.0
        return PillLook(target - 1 if glides else target, target, moved if glides else 1.0, opacity)


def _spans(words: Sequence[Word], start: Fraction) -> tuple[_Span, ...]:
    """When words are lit: in order, whatever their times say."""
    starts: list[float] = []
    for word in words:
        begins = float(word.range.start.exact - start)
        starts.append(max(begins, starts[-1]) if starts else begins)
    following = [*(b for _, b in pairwise(starts)), float("inf")] if starts else []
    spans = []
    for word, begins, after in zip(words, starts, following, strict=True):
        end = max(float(word.range.end.exact - start), begins)
        spans.append(_Span(begins, end, min(end + float(HOLD_S), after)))
    return tuple(spans)


def _risen(now: float, span: _Span, length: float) -> float:
    """0 before the word, 1 while it is lit, eased between."""
    if now < span.start:
        return 0.0
    if now < span.out:
        return _eased((now - span.start + LEAD_S) / length)
    return 1.0 - _eased((now - span.out + LEAD_S) / length)


def _sprung(now: float, span: _Span) -> float:
    """Growth that shoots over its goal, settles and shrinks again."""
    if now < span.start:
        return 0.0
    if now >= span.out:
        return SETTLED * (1.0 - _eased((now - span.out + LEAD_S) / EASE_S))
    share = _share(now + LEAD_S, span.start, span.start + EASE_S)
    back = _share(now, span.start + 0.75 * EASE_S, span.start + 1.6 * EASE_S)
    return _eased(share / 0.75) - (1.0 - SETTLED) * _eased(back)


def _share(now: float, start: float, end: float) -> float:
    return min(1.0, max(0.0, (now - start) / (end - start)))


def _eased(share: float) -> float:
    """Quick at first, slow at the end."""
    return 1.0 - (1.0 - min(1.0, max(0.0, share))) ** 3
