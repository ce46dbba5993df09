"""What can be done to a clip's sound, one small step each: blocks in, as many samples out.

Every step takes and gives `PROGRAMME` samples and keeps their number and place, so that steps can
be put behind each other in any order without the sound leaving the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from reelremix.engine.domain.choice import Censor
from reelremix.engine.media.audio import PROGRAMME, FilterChain, Samples

Blocks = Iterable[Samples]
Curve = Sequence[tuple[int, float]]
"""Sample and gain, linear between, constant outside."""

RATE = PROGRAMME.rate_hz
LEVELLING = (
    ("dynaudnorm", "framelen=200:gausssize=7:maxgain=6:peak=0.9:targetrms=0.1:threshold=0.005"),
)
"""Of FFmpeg's filters the one that brings two voices 12 dB apart closest together without raising
the room's noise or moving the sound (`benchmarks/sound.py`)."""
SEAM = RATE // 50
"""Samples in which music that begins again fades."""
BLEEP_HZ = 1000
BLEEP_EDGE_S = 0.008
BLEEP_UNDER_DB = 3.0
"""A steady tone sounds louder than speech of the same power."""


def filtered(
    blocks: Blocks, steps: Sequence[tuple[str, str]], latency: int = 0
) -> Iterator[Samples]:
    """Blocks through FFmpeg filters, without the samples by which those are late."""
    skip = latency
    padded = chain(blocks, [np.zeros((PROGRAMME.channels, latency), np.float32)])
    for samples in _through(FilterChain(list(steps)), padded if latency else blocks):
        yield samples[:, skip:]
        skip = max(0, skip - samples.shape[1])


def _through(filters: FilterChain, blocks: Blocks) -> Iterator[Samples]:
    for block in blocks:
        for frame in filters.push(block):
            yield frame.to_ndarray()
    for frame in filters.flush():
        yield frame.to_ndarray()


def faded(blocks: Blocks, total: int, fade_in: int, fade_out: int) -> Iterator[Samples]:
    """The first samples rise from silence and the last of `total` fall to it, at most half each."""
    fade_in, fade_out = min(fade_in, total // 2), min(fade_out, total // 2)
    curve = [(0, 0.0 if fade_in else 1.0), (fade_in, 1.0)]
    curve += [(total - fade_out, 1.0), (total, 0.0 if fade_out else 1.0)]
    return shaped(blocks, curve)


def fitted(blocks: Blocks, total: int) -> Iterator[Samples]:
    """Exactly `total` samples: the rest is cut off, what is missing is silence."""
    left = total
    for block in blocks:
        if left:
            yield block[:, :left]
            left -= min(left, block.shape[1])
    if left:
        yield np.zeros((PROGRAMME.channels, left), PROGRAMME.dtype)


def shaped(blocks: Blocks, curve: Curve) -> Iterator[Samples]:
    """Blocks at a gain that changes."""
    at = 0
    times, gains = (np.array(values, np.float64) for values in zip(*curve, strict=True))
    for block in blocks:
        until = at + block.shape[1]
        inside = gains[(times > at) & (times < until)]
        if (inside == 1).all() and (np.interp([at, until], times, gains) == 1).all():
            yield block
        else:
            gain = np.interp(np.arange(at, until), times, gains)
            yield np.asarray(block * gain, np.float32)
        at = until


def added(blocks: Blocks, others: Blocks) -> Iterator[Samples]:
    """Blocks with another sound of at least their length on top."""
    source = iter(others)
    rest = np.zeros((PROGRAMME.channels, 0), np.float32)
    for block in blocks:
        while rest.shape[1] < block.shape[1]:
            rest = np.concatenate([rest, next(source)], axis=1)
        yield block + rest[:, : block.shape[1]]
        rest = rest[:, block.shape[1] :]


@dataclass(frozen=True, slots=True)
class Cover:
    """Samples that are not to be heard."""

    start: int
    end: int
    mode: Censor


def covered(blocks: Blocks, covers: Sequence[Cover]) -> Iterator[Samples]:
    """Blocks with a tone or nothing in the place of some samples, softly at the edges."""
    at, loudness, edge = 0, _Running(), round(BLEEP_EDGE_S * RATE)
    for block in in_seconds(blocks):
        until = at + block.shape[1]
        inside = [c for c in covers if c.start - edge < until and at < c.end + edge]
        loudness.add(block)
        yield _covered(block, at, inside, loudness.rms) if inside else block
        at = until


def _covered(block: Samples, at: int, covers: Sequence[Cover], rms: float) -> Samples:
    moments = np.arange(at, at + block.shape[1])
    silenced = np.ones(block.shape[1])
    tone = np.zeros(block.shape[1])
    level = rms * np.sqrt(2) * 10 ** (-BLEEP_UNDER_DB / 20)
    for cover in covers:
        shape = _plateau(moments, cover)
        silenced *= 1 - shape
        if cover.mode is Censor.BLEEP:
            tone += level * shape * np.sin(2 * np.pi * BLEEP_HZ * (moments - cover.start) / RATE)
    return np.asarray(block * silenced + tone, np.float32)


def _plateau(moments: npt.NDArray[np.int64], cover: Cover) -> npt.NDArray[np.float64]:
    """1 inside, 0 outside, with edges like half a cosine that lie outside."""
    edge = BLEEP_EDGE_S * RATE
    rise = np.clip((moments - cover.start + edge) / edge, 0, 1)
    fall = np.clip((cover.end + edge - moments) / edge, 0, 1)
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.minimum(rise, fall)))


class _Running:
    """The loudness of what was audible so far."""

    AUDIBLE = 10 ** (-50 / 10)

    def __init__(self) -> None:
        self._power, self._count = 0.0, 0

    def add(self, block: Samples) -> None:
        """Listen to more, in tenths of a second."""
        tenth = RATE // 10
        whole = block[:, : block.shape[1] // tenth * tenth]
        powers = np.square(whole).mean(axis=0).reshape(-1, tenth).mean(axis=1)
        heard = powers[powers > self.AUDIBLE]
        self._power += float(heard.sum())
        self._count += len(heard)

    @property
    def rms(self) -> float:
        """Root mean square; of quiet speech where nothing was audible."""
        return float(np.sqrt(self._power / self._count)) if self._count else 0.05


def looped(once: Callable[[], Blocks], length: int, total: int) -> Iterator[Samples]:
    """A sound of `length` samples again and again until `total`; the seam is faded."""
    given = 0
    while given < total:
        for block in faded(once(), length, SEAM, SEAM):
            piece = block[:, : total - given]
            given += piece.shape[1]
            yield piece


def in_seconds(pieces: Blocks) -> Iterator[Samples]:
    """The same sound in pieces of a second, so that Python is no cost."""
    waiting: list[Samples] = []
    length = 0
    for piece in pieces:
        waiting.append(piece)
        length += piece.shape[1]
        if length >= RATE:
            yield np.concatenate(waiting, axis=1)
            waiting, length = [], 0
    if waiting:
        yield np.concatenate(waiting, axis=1)


def ducking(speech: Sequence[tuple[int, int]], under: float, attack: int, release: int) -> Curve:
    """The gain of music that gives way to speech: lower from `attack` samples before each stretch
    to `release` samples after it, and it stays low between stretches that are close."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(speech):
        if joined and start - joined[-1][1] < attack + 2 * release:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((start, end))
    curve: list[tuple[int, float]] = []
    for start, end in joined:
        curve += [(start - attack, 1.0), (start, under), (end, under), (end + release, 1.0)]
    return curve or [(0, 1.0)]
