"""How something is said: louder, higher, faster or with more pauses than its speaker usually does.

Curves of a sound track, set against the norm of whoever speaks at the time, so that a calm and a
loud speaker are each judged against themselves. Unknown is NaN. What a lift is worth is for
`stages.score` to say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from reelremix.engine.domain.sound import STEP, SoundTrack
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Transcript, Word

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]

STEP_S = float(STEP)
LONGEST_WORD_S = 1.0
"""From one word's start to the next at most so much counts as speaking."""
MIN_SPEAKING = 0.2
"""Share of a step that must be spoken to say anything about how."""
MIN_NORM_S = 15.0
"""Who speaks less has no norm of their own yet and is set against everybody."""
NOBODY = -1


class Steps(NamedTuple):
    """Half-open ranges of steps, one a span."""

    first: Ints
    last: Ints


@dataclass(frozen=True, slots=True)
class Delivery:
    """Curves of shape (steps,), on the steps of the sound track; NaN where unknown."""

    loudness_db: Floats
    """Above the speaker's median; NaN where nobody speaks."""
    pitch_semitones: Floats
    """Above the speaker's median; NaN where nobody speaks or nothing is voiced."""
    words_per_s: Floats
    """While speaking: pauses of more than `LONGEST_WORD_S` do not count."""
    pace: Floats
    """Octaves above the speaker's own words a second: 1 is twice as fast, 0 as usual."""
    pause: Floats
    """Share of the step that is pause, above the speaker's mean, -1 to 1. The pause after a word
    belongs to its speaker; NaN before the first word."""


def delivery_of(track: SoundTrack, transcript: Transcript) -> Delivery:
    """How the words of `transcript` are spoken, step by step.

    Norms are those of `Word.speaker`; words without one share a norm. A transcript without word
    times has its words spread evenly over their segments.
    """
    words = sorted(transcript.timed_words, key=lambda word: word.range.start_s)
    if not words or not track.steps:
        nothing = np.full(track.steps, np.nan)
        return Delivery(nothing, nothing, nothing, nothing, nothing)
    starts, lasting = _lasting(words)
    speaking_s, spoken = _spread(starts, lasting, track.steps)
    owner = _owners(words, starts, track.steps)
    speaks = speaking_s >= MIN_SPEAKING * STEP_S
    speaker = np.where(speaks, owner, NOBODY)
    words_per_s = np.where(speaks, spoken / np.maximum(speaking_s, 1e-9), np.nan)
    pitch = np.array([np.nan if hz is None else hz for hz in track.pitch_hz])
    usual = _totals(speaker, spoken) / np.maximum(_totals(speaker, speaking_s), 1e-9)
    return Delivery(
        _above(np.array(track.loudness_lufs), speaker),
        _above(12 * np.log2(pitch), speaker),
        words_per_s,
        np.where(speaks, np.log2(words_per_s / np.maximum(usual, 1e-9)), np.nan),
        _above(np.array(track.pause), owner, _mean),
    )


def steps_in(track: SoundTrack, spans: Sequence[TimeRange]) -> Steps:
    """The steps that lie mostly in each span, at least the one around its middle.

    None for spans outside what was listened to.
    """
    start_s = np.array([span.start_s for span in spans])
    return steps_between(track, start_s, np.array([span.end_s for span in spans]))


def steps_between(track: SoundTrack, start_s: Floats, end_s: Floats) -> Steps:
    """The same for spans as arrays of their starts and ends."""
    starts, ends = start_s / STEP_S, end_s / STEP_S
    first, last = np.round(starts), np.round(ends)
    is_short = first >= last
    first = np.where(is_short, np.floor((starts + ends) / 2), first)
    last = np.where(is_short, first + 1, last)
    return Steps(
        np.clip(first, 0, track.steps).astype(np.int64),
        np.clip(last, 0, track.steps).astype(np.int64),
    )


def mean_over(curve: Floats, steps: Steps) -> Floats:
    """Mean of a curve over each span, shape (spans,); NaN where all of it is unknown."""
    count = _known(curve, steps)
    means = _total(np.nan_to_num(curve), steps) / np.maximum(count, 1)
    return np.where(count > 0, means, np.nan)


def spread_over(curve: Floats, steps: Steps) -> Floats:
    """Standard deviation of a curve over each span; NaN where fewer than two values are known."""
    variance = np.maximum(mean_over(curve**2, steps) - mean_over(curve, steps) ** 2, 0)
    return np.where(_known(curve, steps) >= 2, np.sqrt(variance), np.nan)


def peak_over(curve: Floats, steps: Steps) -> Floats:
    """Highest known value of a curve in each span; NaN where all of it is unknown."""
    known = np.where(np.isfinite(curve), curve, -np.inf)
    pairs = zip(steps.first, steps.last, strict=True)
    peaks = np.array([known[a:b].max(initial=-np.inf) for a, b in pairs])
    return np.where(np.isfinite(peaks), peaks, np.nan)


def measure_delivery(
    track: SoundTrack, transcript: Transcript, spans: Sequence[TimeRange]
) -> dict[str, Floats]:
    """Delivery of sentences or candidates, by name; each of shape (spans,), NaN where unknown.

    `loudness`, `pitch`, `pace`, `pause`: means of the curves of `Delivery`. `loudness_peak`: its
    loudest step. `pitch_spread`: semitones of standard deviation, a monotone voice has under two.
    `pause_before`: seconds without a word before its first.
    """
    delivery = delivery_of(track, transcript)
    steps = steps_in(track, spans)
    return {
        "loudness": mean_over(delivery.loudness_db, steps),
        "loudness_peak": peak_over(delivery.loudness_db, steps),
        "pitch": mean_over(delivery.pitch_semitones, steps),
        "pitch_spread": spread_over(delivery.pitch_semitones, steps),
        "pace": mean_over(delivery.pace, steps),
        "pause": mean_over(delivery.pause, steps),
        "pause_before": pauses_before(transcript, spans),
    }


def pauses_before(transcript: Transcript, spans: Sequence[TimeRange]) -> Floats:
    """Seconds from the end of the last word before each span to the first word in it.

    NaN where there is no word before or none in it.
    """
    words = sorted(transcript.timed_words, key=lambda word: word.range.start_s)
    starts = np.array([word.range.start_s for word in words])
    ends = np.maximum.accumulate(np.array([word.range.end_s for word in words]))
    first = np.searchsorted(starts, [span.start_s - 1e-6 for span in spans])
    behind = np.searchsorted(starts, [span.end_s for span in spans])
    is_known = (first > 0) & (first < behind)
    found = np.full(len(spans), np.nan)
    at = first[is_known]
    found[is_known] = np.maximum(0, starts[at] - ends[at - 1])
    return found


def _lasting(words: Sequence[Word]) -> tuple[Floats, Floats]:
    """Starts of words, and seconds to the next one or to their own end, at most a second."""
    starts = np.array([word.range.start_s for word in words])
    ends = np.array([word.range.end_s for word in words])
    until = np.append(starts[1:], ends[-1])
    return starts, np.clip(until - starts, 1e-3, LONGEST_WORD_S)


def _spread(starts: Floats, lasting: Floats, steps: int) -> tuple[Floats, Floats]:
    """Seconds of speech, and words, in each step."""
    times = np.stack([starts, starts + lasting], axis=1).ravel()
    times = np.maximum.accumulate(times)
    seconds = np.cumsum(np.stack([np.zeros(len(lasting)), lasting], axis=1).ravel())
    words = np.repeat(np.arange(len(starts) + 1), 2)[1:-1].astype(float)
    edges = np.arange(steps + 1) * STEP_S
    return np.diff(np.interp(edges, times, seconds)), np.diff(np.interp(edges, times, words))


def _owners(words: Sequence[Word], starts: Floats, steps: int) -> Ints:
    """Number of the speaker of the last word begun by the middle of each step; else `NOBODY`."""
    names = list(dict.fromkeys(word.speaker for word in words))
    numbers = np.array([NOBODY] + [names.index(word.speaker) for word in words])
    middles = (np.arange(steps) + 0.5) * STEP_S
    return np.asarray(numbers[np.searchsorted(starts, middles, side="right")])


def _median(values: Floats) -> float:
    return float(np.median(values))


def _mean(values: Floats) -> float:
    return float(np.mean(values))


def _above(curve: Floats, speaker: Ints, typical: Callable[[Floats], float] = _median) -> Floats:
    """A curve less what is typical of each step's speaker; NaN where nobody or nothing is known."""
    known = np.isfinite(curve) & (speaker != NOBODY)
    lifted = np.full(len(curve), np.nan)
    for one in np.unique(speaker[known]):
        own = known & (speaker == one)
        basis = own if own.sum() * STEP_S >= MIN_NORM_S else known
        lifted[own] = curve[own] - typical(curve[basis])
    return lifted


def _totals(speaker: Ints, amounts: Floats) -> Floats:
    """For each step, the sum over all steps of its speaker."""
    totals = np.full(len(amounts), np.nan)
    everybody = speaker != NOBODY
    for one in np.unique(speaker[everybody]):
        own = speaker == one
        basis = own if own.sum() * STEP_S >= MIN_NORM_S else everybody
        totals[own] = amounts[basis].sum()
    return totals


def _known(curve: Floats, steps: Steps) -> Floats:
    return _total(np.isfinite(curve), steps)


def _total(values: npt.NDArray[np.generic], steps: Steps) -> Floats:
    sums = np.concatenate([[0.0], np.cumsum(values.astype(np.float64))])
    return np.asarray(sums[steps.last] - sums[steps.first])
