"""Words begin where they are heard: a recogniser gives the silence before a word to the word.

Only silence is taken away, so that words within flowing speech stay as they were recognised.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Segment, Word
from reelremix.engine.models.speech import RATE_HZ, Speech

STEP_S = 0.01
SILENT_DB = 25.0
"""Silence is so much below the loud moments around a word, ..."""
AROUND_S = 1.0
"""... which are the loudest tenth of so much before it and after it."""
SILENT_STEPS = 3
"""Less silence than this is part of a sound: the closure of a p."""
LONGEST_S = 0.5
"""Silence is looked for in so much of a word, ..."""
LARGEST_SHARE = 0.6
"""... and in no more than this share of it."""
SHORTEST_WORD_S = 0.05

Levels = npt.NDArray[np.float64]


def on_their_onsets(segment: Segment, levels: Levels) -> Segment:
    """The segment with every word beginning after the silence it was given.

    Args:
        segment: timed from the beginning of the sound.
        levels: of that sound, from `levels_of`.
    """
    words = tuple(_begun(word, levels) for word in segment.words)
    if not words or words[0].range.start == segment.words[0].range.start:
        return replace(segment, words=words)
    start = max(segment.range.start, words[0].range.start)
    return replace(segment, range=TimeRange(start, segment.range.end), words=words)


def levels_of(speech: Speech) -> Levels:
    """Decibels in steps of `STEP_S`, over twice as long each."""
    step = round(STEP_S * RATE_HZ)
    padded = np.zeros((len(speech) // step + 2) * step)
    padded[: len(speech)] = speech
    power = np.square(padded).reshape(-1, step).sum(axis=1)
    levels: Levels = 10 * np.log10((power[:-1] + power[1:]) / (2 * step) + 1e-10)
    return levels


def _begun(word: Word, levels: Levels) -> Word:
    start_s, end_s = word.range.start_s, word.range.end_s
    first, around = round(start_s / STEP_S), round(AROUND_S / STEP_S)
    last = round(min(end_s, start_s + LONGEST_S) / STEP_S)
    heard = levels[max(0, first - around) : round(end_s / STEP_S) + around]
    own = levels[first:last]
    if not len(own) or not len(heard):
        return word
    is_silent = own < np.percentile(heard, 90) - SILENT_DB
    places = np.flatnonzero(is_silent[: int(LARGEST_SHARE * len(own)) + 1])
    if len(places) < SILENT_STEPS:
        return word
    onset_s = min(start_s + (int(places[-1]) + 1) * STEP_S, end_s - SHORTEST_WORD_S)
    if onset_s <= start_s:
        return word
    return replace(word, range=TimeRange.from_seconds(onset_s, end_s))
