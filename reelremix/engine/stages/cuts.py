"""Where a person may cut: between words, in the silence there is, on the source's frames.

A cut that is asked for in the middle of a word moves to the nearer end of it. What is kept is a
list of ranges in order that neither overlap nor touch; slivers too short to be seen are left out.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.transcript import Word
from reelremix.engine.stages.propose import LEAD_IN_S, LEAD_OUT_S

SHORTEST = Fraction(1, 5)
"""Seconds: what is kept for less long is a flash that says nothing."""
Ranges = tuple[TimeRange, ...]


@dataclass(frozen=True)
class Spoken:
    """The words of a recording, to cut between."""

    words: Sequence[Word]
    """In order, with times."""
    snap: Callable[[Timestamp], Timestamp]
    """The frame boundary nearest to a moment."""
    end: Timestamp
    """Where the recording ends."""
    frame: Fraction = Fraction(1, 25)
    """How long a frame is, in seconds: a cut on its edge may be half of it inside a word."""

    def before(self, index: int) -> Timestamp:
        """Where to cut so that a word is the first that is heard."""
        start = self.words[index].range.start
        free_from = max((w.range.end for w in self.words[max(0, index - 8) : index]), default=None)
        room = (start - free_from).exact if free_from is not None else start.exact
        lead = min(Fraction(LEAD_IN_S), max(Fraction(0), room / 2))
        return self._on_frame(start.exact - lead)

    def after(self, index: int) -> Timestamp:
        """Where to cut so that a word is the last that is heard."""
        end = self.words[index].range.end
        until = self.words[index + 1].range.start if index + 1 < len(self.words) else self.end
        lead = min(Fraction(LEAD_OUT_S), max(Fraction(0), (until - end).exact / 2))
        return self._on_frame(end.exact + lead)

    def free(self, moment: Timestamp) -> Timestamp:
        """The frame boundary nearest to a moment at which no word is cut in two."""
        cut = self._on_frame(moment.exact)
        index = self.at(cut)
        if index is None:
            return cut
        span = self.words[index].range
        said, left = (cut - span.start).exact, (span.end - cut).exact
        if min(said, left) <= self.frame / 2:
            return cut
        return self.before(index) if said < left else self.after(index)

    def at(self, moment: Timestamp) -> int | None:
        """The word that is being said at a moment: begun before it, and not yet ended."""
        last = bisect_left(self.words, moment, key=lambda word: word.range.start)
        near = range(max(0, last - 8), last)
        return next((n for n in reversed(near) if self.words[n].range.end > moment), None)

    def first_from(self, moment: Timestamp) -> int:
        """The first word whose middle is not before a moment; as many as there are without one."""
        return bisect_left(self.words, 2 * moment.exact, key=_twice_middle)

    def number_of(self, word: Word) -> int:
        """The word that is said where one is: itself, or what was written in its stead."""
        found = bisect_left(self.words, _twice_middle(word), key=_twice_middle)
        return min(found, len(self.words) - 1)

    def within(self, span: TimeRange) -> range:
        """The words whose middles are in a stretch."""
        return range(self.first_from(span.start), self.first_from(span.end))

    def heard_in(self, ranges: Sequence[TimeRange]) -> list[Word]:
        """The words that are heard in ranges, in their order."""
        return [self.words[n] for kept in ranges for n in self.within(kept)]

    def _on_frame(self, seconds: Fraction) -> Timestamp:
        return self.snap(min(max(Timestamp.from_seconds(seconds), Timestamp(0)), self.end))


def _twice_middle(word: Word) -> Fraction:
    return word.range.start.exact + word.range.end.exact


def joined(ranges: Iterable[TimeRange]) -> Ranges:
    """Ranges in order, those that touch or overlap as one, without slivers."""
    found: list[TimeRange] = []
    for span in sorted(ranges, key=lambda r: r.start):
        if found and span.start <= found[-1].end:
            found[-1] = TimeRange(found[-1].start, max(found[-1].end, span.end))
        else:
            found.append(span)
    return tuple(r for r in found if (r.end - r.start).exact >= SHORTEST)


def without(ranges: Sequence[TimeRange], span: TimeRange) -> Ranges:
    """What is left of ranges when a stretch is cut out."""
    parts = []
    for kept in ranges:
        parts.append((kept.start, min(kept.end, span.start)))
        parts.append((max(kept.start, span.end), kept.end))
    return joined(TimeRange(start, end) for start, end in parts if start < end)


def trimmed(ranges: Sequence[TimeRange], start: Timestamp, end: Timestamp) -> Ranges:
    """Ranges that begin and end there: cut at a moment inside them, reaching to one outside."""
    inside = [
        TimeRange(max(r.start, start), min(r.end, end))
        for r in ranges
        if max(r.start, start) < min(r.end, end)
    ]
    if not inside:
        return joined([TimeRange(start, end)] if start < end else [])
    if start < ranges[0].start:
        inside[0] = TimeRange(start, inside[0].end)
    if end > ranges[-1].end:
        inside[-1] = TimeRange(inside[-1].start, end)
    return joined(inside)


def gaps_of(ranges: Sequence[TimeRange]) -> Ranges:
    """What is left out between ranges."""
    return tuple(TimeRange(a.end, b.start) for a, b in pairwise(ranges))


def step(places: Sequence[int], index: int, by: int) -> int:
    """The place that is so many further on, or back, than the one at or before an index."""
    at = bisect_right(places, index) - 1
    if by < 0 and at >= 0 and places[at] < index:
        by += 1  # going back first reaches the beginning of where one is
    return places[min(max(at + by, 0), len(places) - 1)]
