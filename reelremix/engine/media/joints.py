"""Kept stretches of sound, one after another, joined where it is heard least.

A picture can only be cut between frames, a word often ends between two of them. So the sound
changes over a little before or after the picture does: where both sides together are quietest, with
a short crossfade at equal power, which keeps the tone of the room. What is played before and after
is not moved by a sample, and the length is exactly that of the ranges.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from reelremix.engine.domain.source import Presentation
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.media.audio import PROGRAMME, Samples, read_pcm

RATE = PROGRAMME.rate_hz
REACH = RATE * 48 // 1000
"""Samples either side of a cut in which the sound may change over: more than a frame at 25 a
second."""
FADE = RATE * 14 // 1000
"""Samples of the crossfade, over which quiet is measured as well."""
AWAY_DB = 0.15
"""What a millisecond away from the picture's cut costs."""
FLOOR = 10.0**-9


def read_joined(
    path: Path, presentation: Presentation, ranges: Sequence[TimeRange]
) -> Iterator[Samples]:
    """The sound of the ranges as `PROGRAMME` samples, joined without a click.

    Raises:
        UnreadableMedia: the file cannot be read any more.
    """
    lengths = _lengths(ranges)
    reaches = [min(REACH, a // 2, b // 2) for a, b in pairwise(lengths)]
    tail: Samples | None = None
    for index, (span, length) in enumerate(zip(ranges, lengths, strict=True)):
        before = reaches[index - 1] if index else 0
        behind = reaches[index] if index < len(reaches) else 0
        wide = TimeRange(_moved(span.start, -before), _moved(span.start, length + behind))
        stretch = _Stretch(read_pcm(path, presentation, wide, PROGRAMME))
        if tail is not None:
            yield joint(tail, stretch.take(2 * before))
        yield from stretch.pieces(length - before - behind)
        tail = stretch.take(2 * behind)


def joint(left: Samples, right: Samples) -> Samples:
    """One sound that begins as `left` and ends as `right`, both of the same length."""
    length = left.shape[1]
    fade = min(FADE, length // 2 * 2)
    if fade < 2:
        return right
    begin = quietest(left, right, fade) - fade // 2
    rise = np.zeros(length, np.float32)
    rise[begin : begin + fade] = np.sin((np.arange(fade) + 0.5) / fade * np.pi / 2)
    rise[begin + fade :] = 1
    mixed = left * np.sqrt(1 - rise**2) + right * rise
    return np.asarray(mixed, np.float32)


def quietest(left: Samples, right: Samples, fade: int) -> int:
    """The sample around which the sound changes over least audibly."""
    length = left.shape[1]
    places = np.arange(fade // 2, length - fade // 2 + 1)
    loud = 10 * np.log10(_power(left) + _power(right) + FLOOR)
    away = AWAY_DB * np.abs(np.arange(length) - length / 2) / (RATE / 1000)
    cost = loud + away
    return int(places[np.argmin(cost[np.minimum(places, length - 1)])])


def _power(sound: Samples) -> npt.NDArray[np.float64]:
    """Mean square around each sample."""
    squares = np.square(sound.astype(np.float64)).mean(axis=0)
    sums = np.concatenate([[0.0], np.cumsum(squares)])
    at = np.arange(len(squares))
    first, last = np.maximum(at - FADE // 2, 0), np.minimum(at + FADE // 2 + 1, len(squares))
    return np.asarray((sums[last] - sums[first]) / (last - first))


def _lengths(ranges: Sequence[TimeRange]) -> list[int]:
    """Samples of each range, counted on one clock so that many of them do not drift."""
    ends, at = [0], Fraction(0)
    for span in ranges:
        at += (span.end - span.start).exact
        ends.append(round(at * RATE))
    return [b - a for a, b in pairwise(ends)]


def _moved(moment: Timestamp, samples: int) -> Timestamp:
    return moment + Timestamp(samples, Fraction(1, RATE))


class _Stretch:
    """Pieces of sound, taken in lengths of one's own."""

    def __init__(self, source: Iterator[Samples]) -> None:
        self._source = source
        self._rest = np.zeros((PROGRAMME.channels, 0), np.float32)

    def take(self, count: int) -> Samples:
        """The next samples at once."""
        return np.concatenate([*self.pieces(count), self._rest[:, :0]], axis=1)

    def pieces(self, count: int) -> Iterator[Samples]:
        """The next samples as they come."""
        while count > 0:
            if not self._rest.shape[1]:
                self._rest = next(self._source)
            piece, self._rest = self._rest[:, :count], self._rest[:, count:]
            count -= piece.shape[1]
            yield piece
