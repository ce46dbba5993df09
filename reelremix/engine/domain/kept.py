"""The kept ranges of a clip and the two clocks around them: the source's and the film's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from reelremix.engine.domain.time import ZERO, TimeRange, Timestamp
from reelremix.engine.domain.transcript import Word

NEAR = Fraction(5)
"""Seconds: ranges that leave out no more between them are still one run of speech."""


def on_film(span: TimeRange, ranges: Sequence[TimeRange]) -> list[tuple[Fraction, Fraction]]:
    """Where a stretch of the source is heard in the film, in seconds; what joins is one piece."""
    pieces: list[tuple[Fraction, Fraction]] = []
    begins = Fraction(0)
    for kept in ranges:
        start, end = max(span.start, kept.start).exact, min(span.end, kept.end).exact
        if start < end:
            piece = begins + start - kept.start.exact, begins + end - kept.start.exact
            if pieces and pieces[-1][1] == piece[0]:
                piece = pieces.pop()[0], piece[1]
            pieces.append(piece)
        begins += kept.end.exact - kept.start.exact
    return pieces


def hull_of(ranges: Sequence[TimeRange]) -> TimeRange:
    """From the first kept moment to the last."""
    return TimeRange(ranges[0].start, ranges[-1].end)


def is_heard(word: TimeRange, kept: TimeRange) -> bool:
    """Whether a word belongs to a stretch: its middle does."""
    middle = (word.start.exact + word.end.exact) / 2
    return kept.start.exact <= middle < kept.end.exact


def heard_words(words: Iterable[Word], ranges: Sequence[TimeRange]) -> tuple[Word, ...]:
    """The words that are heard in one of the ranges, in their order."""
    return tuple(w for w in words if any(is_heard(w.range, kept) for kept in ranges))


def film_moment(moment: Timestamp, ranges: Sequence[TimeRange]) -> Fraction:
    """When a moment of the source comes in the film; one that is left out, where it is missing."""
    begins = Fraction(0)
    for kept in ranges:
        if moment <= kept.end:
            return begins + max(moment, kept.start).exact - kept.start.exact
        begins += kept.end.exact - kept.start.exact
    return begins


def first_of(ranges: Sequence[TimeRange], length: Timestamp) -> Iterator[TimeRange]:
    """What of the kept ranges the film shows until it is so long."""
    for kept in ranges:
        if length <= ZERO:
            return
        shown = TimeRange(kept.start, min(kept.end, kept.start + length))
        yield shown
        length -= shown.end - shown.start


def neighbouring(ranges: Sequence[TimeRange]) -> list[tuple[int, ...]]:
    """Indexes of ranges that follow each other in the source with little left out between them."""
    groups: list[tuple[int, ...]] = []
    for index, kept in enumerate(ranges):
        gap = kept.start.exact - ranges[index - 1].end.exact if index else None
        if gap is not None and 0 <= gap <= NEAR:
            groups[-1] = (*groups[-1], index)
        else:
            groups.append((index,))
    return groups


class Squeezed:
    """The source's clock without what is left out between neighbouring ranges.

    It agrees with the source's clock up to the end of the first range; with one range it is that.
    """

    def __init__(self, ranges: Sequence[TimeRange]) -> None:
        self._ranges = tuple(ranges)

    @property
    def span(self) -> TimeRange:
        """All that is kept."""
        return TimeRange(self._ranges[0].start, self._squeezed(self._ranges[-1].end))

    def squeeze(self, span: TimeRange) -> TimeRange:
        """A stretch of the source on this clock; what is left out of it has no length."""
        return TimeRange(self._squeezed(span.start), self._squeezed(span.end))

    def restore(self, span: TimeRange) -> TimeRange:
        """A stretch of this clock on the source's."""
        return TimeRange(self._restored(span.start), self._restored(span.end, ends=True))

    def _squeezed(self, moment: Timestamp) -> Timestamp:
        for before, after in zip(self._ranges[-2::-1], self._ranges[:0:-1], strict=True):
            if moment > before.end:
                moment = before.end + max(moment, after.start) - after.start
        return moment

    def _restored(self, moment: Timestamp, *, ends: bool = False) -> Timestamp:
        for before, after in zip(self._ranges, self._ranges[1:], strict=False):
            if moment < before.end or (ends and moment == before.end):
                break
            moment = after.start + moment - before.end
        return moment
