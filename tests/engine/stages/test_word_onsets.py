from __future__ import annotations

import numpy as np
import pytest

from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Segment, Word
from reelremix.engine.models.speech import RATE_HZ, Speech
from reelremix.engine.stages.word_onsets import levels_of, on_their_onsets


def loud_in(*spans: tuple[float, float], length_s: float = 4.0, level: float = 0.2) -> Speech:
    sound = np.random.default_rng(0).normal(0, 1e-4, round(length_s * RATE_HZ)).astype(np.float32)
    for start, end in spans:
        part = slice(round(start * RATE_HZ), round(end * RATE_HZ))
        sound[part] = np.random.default_rng(1).normal(0, level, part.stop - part.start)
    return sound


def begun(sound: Speech, *words: tuple[float, float]) -> list[float]:
    """When words recognised at these times begin."""
    timed = tuple(Word("word", TimeRange.from_seconds(a, b)) for a, b in words)
    span = TimeRange(timed[0].range.start, timed[-1].range.end)
    segment = on_their_onsets(Segment(span, "words", timed), levels_of(sound))
    assert segment.range.start <= segment.words[0].range.start
    return [word.range.start_s for word in segment.words]


def test_the_silence_before_a_word_is_not_the_words() -> None:
    starts = begun(loud_in((1, 1.4), (1.65, 2.2)), (1, 1.4), (1.4, 2.2))
    assert starts == pytest.approx([1.0, 1.65], abs=0.02)


def test_words_of_flowing_speech_stay_where_they_are() -> None:
    words = [(1 + n * 0.3, 1.3 + n * 0.3) for n in range(5)]
    assert begun(loud_in((0.5, 3)), *words) == pytest.approx([a for a, _ in words])


def test_the_closure_of_a_stop_is_part_of_a_word() -> None:
    assert begun(loud_in((0.5, 1.05), (1.07, 2)), (1.0, 1.5)) == [1.0]


@pytest.mark.parametrize("sound", [loud_in(), np.zeros(100, np.float32), np.zeros(0, np.float32)])
def test_where_nothing_is_heard_words_stay(sound: Speech) -> None:
    assert begun(sound, (1.0, 1.4)) == [1.0]


def test_a_word_keeps_some_length() -> None:
    [start] = begun(loud_in((0, 1), (1.09, 2)), (1.0, 1.1))
    assert start <= 1.05
