"""Whose mouth goes with the sound, where there are several to choose from.

Faces are cut out of the pictures while those go by (`FaceReels`), and judged against the sound of
the same moments once a shot is over: by the network (`models.active_speaker`), or without it by how
much the mouth moves while somebody speaks (`MouthMotion`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import TALK_RATE_HZ, TALK_STEP, Box, Talk
from reelremix.engine.models.active_speaker import (
    BATCH,
    CROP_PX,
    REACH,
    ActiveSpeaker,
    Crops,
    Features,
    LogOdds,
)
from reelremix.engine.models.speech import RATE_HZ, Speech

CROP_SIDE = 1.4
"""Of a crop, in longer sides of the half face box, as the network was trained: it holds the lower
face, with the mouth in its middle."""
CROP_DROP = 0.4
"""How far its middle is below that of the face, in the same unit."""
AT_ONCE, AROUND = 60 * TALK_RATE_HZ, 5 * TALK_RATE_HZ
"""Ticks that are judged at once, and those on each side that are judged with them."""
SHORTEST_TICKS = 5
"""Less is nothing to judge by."""

MOUTH = (slice(32, 84), slice(20, 92))
EYES = (slice(0, 20), slice(14, 98))
"""Rows and columns of a crop."""
STILL_MOTION = 0.44
"""Grey levels a picture between a mouth that talks (a twentieth move less) and one that does not (a
twentieth move more), on faces 250 to 350 pixels high."""
SHARPNESS = 3.0
"""How fast odds grow with the logarithm of motion."""
SMOOTHED_S = 2
"""A mouth is still between words, so motion is averaged over a few."""
HEARD_DB = 25.0
"""Sound this much below the loudest of a stretch is not speech."""

SoundOf = Callable[[TimeRange], Speech]


class MouthMotion:
    """`ActiveSpeaker` without a network: the mouth moves, more than the eyes, while it is loud."""

    identity = "mouth-motion-1"

    def see(self, crops: Crops) -> Features:
        """One number a picture: how much the mouth changed, in grey levels."""
        motion = _changes(crops[:, *MOUTH]) - _changes(crops[:, *EYES])
        features: Features = np.maximum(motion, 0.0)[:, None].astype(np.float32)
        return features

    def judge(self, features: Features, sound: Speech) -> LogOdds:
        """How likely each picture of a face goes with the sound that begins with the first."""
        motion = features[:, 0] * _is_loud(sound, len(features))
        width = 2 * (SMOOTHED_S * TALK_RATE_HZ // 2) + 1
        padded = np.pad(motion, width // 2, mode="reflect" if len(motion) > width else "edge")
        smooth = np.convolve(padded, np.full(width, 1 / width), "valid")
        odds: LogOdds = (SHARPNESS * np.log((smooth + 0.02) / STILL_MOTION)).astype(np.float32)
        return odds


def _changes(part: Crops) -> npt.NDArray[np.float32]:
    """Mean change from the picture before, with a change common to all points left out."""
    grey = part[:, ::2, ::2].astype(np.float32)
    change = np.diff(grey, axis=0, prepend=grey[:1])
    change -= change.mean(axis=(1, 2), keepdims=True)
    mean: npt.NDArray[np.float32] = np.abs(change).mean(axis=(1, 2))
    return mean


def _is_loud(sound: Speech, count: int) -> npt.NDArray[np.bool_]:
    step = RATE_HZ // TALK_RATE_HZ
    padded = np.zeros(count * step, np.float32)
    padded[: min(len(sound), len(padded))] = sound[: len(padded)]
    power = np.square(padded).reshape(count, step).mean(axis=1)
    loud: npt.NDArray[np.bool_] = power > power.max(initial=1e-9) * 10 ** (-HEARD_DB / 10)
    return loud


@dataclass(slots=True)
class _Reel:
    """Consecutive pictures of one face; only features are kept of those that are judged."""

    first: int
    """Tick of the first picture."""
    features: list[Features] = field(default_factory=list)
    seen: int = 0
    """Pictures behind `features`."""
    held: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    """Pictures that are still needed."""
    before: int = 0
    """How many of `held` are only there for those after them."""

    @property
    def next_tick(self) -> int:
        """The tick that would go on."""
        return self.first + self.seen + len(self.held) - self.before

    def develop(self, judge: ActiveSpeaker, *, to_the_end: bool) -> None:
        """Turn pictures into features, as far as those cannot change any more."""
        ready = len(self.held) if to_the_end else len(self.held) - REACH
        if ready <= self.before:
            return
        self.features.append(judge.see(np.stack(self.held))[self.before : ready])
        self.seen += ready - self.before
        kept = max(0, ready - REACH)
        self.held, self.before = self.held[kept:], ready - kept


class FaceReels:
    """The faces of one look, cut out at a steady rate while they compete."""

    def __init__(self, judge: ActiveSpeaker) -> None:
        self._judge = judge
        self._reels: dict[int, list[_Reel]] = {}

    def add(self, face: int, tick: int, luma: npt.NDArray[np.uint8], box: Box) -> None:
        """Keep the face as it looks at a tick, `TALK_RATE_HZ` of which are a second."""
        reels = self._reels.setdefault(face, [])
        if not reels or reels[-1].next_tick != tick:
            if reels:
                reels[-1].develop(self._judge, to_the_end=True)
            reels.append(_Reel(tick))
        reels[-1].held.append(crop_face(luma, box))
        if len(reels[-1].held) >= BATCH + 2 * REACH:
            reels[-1].develop(self._judge, to_the_end=False)

    def talks(self, face: int, within: TimeRange, sound_of: SoundOf) -> Iterator[Talk]:
        """What the pictures of a face inside a shot say."""
        for reel in self._reels.get(face, ()):
            reel.develop(self._judge, to_the_end=True)
            skipped = max(0, tick_after(within.start) - reel.first)
            count = min(reel.seen, tick_after(within.end) - reel.first) - skipped
            if count < SHORTEST_TICKS:
                continue
            features = np.concatenate(reel.features)[skipped : skipped + count]
            start = Timestamp(reel.first + skipped, TALK_STEP)
            odds = self._judged(features, start, sound_of)
            yield Talk(start, tuple(round(float(value), 2) for value in odds))

    def _judged(self, features: Features, start: Timestamp, sound_of: SoundOf) -> LogOdds:
        """The odds of a whole stretch, a minute of it at once, with some of what is around."""
        parts = []
        for first in range(0, len(features), AT_ONCE):
            begin, end = max(0, first - AROUND), min(len(features), first + AT_ONCE + AROUND)
            span = TimeRange(start + Timestamp(begin, TALK_STEP), start + Timestamp(end, TALK_STEP))
            odds = self._judge.judge(features[begin:end], sound_of(span))
            parts.append(odds[first - begin : first - begin + AT_ONCE])
        return np.concatenate(parts)


def tick_after(moment: Timestamp) -> int:
    """The first tick at or after a moment."""
    return -int(-moment.exact // TALK_STEP)


def crop_face(luma: npt.NDArray[np.uint8], box: Box) -> npt.NDArray[np.uint8]:
    """The lower face, shape (CROP_PX, CROP_PX); what lies outside the picture repeats its edge."""
    half = max(box.width, box.height) / 2
    side = CROP_SIDE * half
    middle_x, middle_y = box.center[0], box.center[1] + CROP_DROP * half
    steps = (np.arange(CROP_PX) + 0.5) * side / CROP_PX - side / 2 - 0.5
    rows = np.rint(middle_y + steps).astype(np.intp).clip(0, luma.shape[0] - 1)
    columns = np.rint(middle_x + steps).astype(np.intp).clip(0, luma.shape[1] - 1)
    crop: npt.NDArray[np.uint8] = luma[rows[:, None], columns]
    return crop


def ticks_of(start: Timestamp, end: Timestamp) -> range:
    """The ticks in `[start, end)`."""
    return range(tick_after(start), tick_after(end))
