"""Sounds between words that nobody wrote down: hesitations are found, words never."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from reelremix.engine.domain.choice import Tighten
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.transcript import Segment, Transcript, Word
from reelremix.engine.models.speech import Speech
from reelremix.engine.stages.hesitations import hesitations, listened
from reelremix.engine.stages.quiet import measure
from reelremix.engine.stages.tighten import tighten

RATE = 16_000
Wave = npt.NDArray[np.float64]


def vowel(seconds: float, formants: tuple[float, float] = (600, 600)) -> Wave:
    """A voice at 120 Hz whose mouth moves from one formant to another."""
    t = np.arange(round(seconds * RATE)) / RATE
    formant = np.linspace(*formants, len(t))
    harmonics = [
        np.exp(-(((n * 120 - formant) / 250) ** 2)) * np.sin(2 * np.pi * n * 120 * t)
        for n in range(1, 40)
    ]
    return np.asarray(0.1 * np.sum(harmonics, axis=0))


def talk(*sounds: tuple[float, Wave], length_s: float = 4.0) -> Speech:
    made = np.random.default_rng(0).normal(size=round(length_s * RATE)) * 1e-4
    for start, sound in sounds:
        begin = round(start * RATE)
        made[begin : begin + len(sound)] += sound
    return made.astype(np.float32)


def word(text: str, start: float, end: float) -> Word:
    return Word(text, TimeRange.from_seconds(start, end))


STILL, MOVING = vowel(0.25), vowel(0.25, (300, 3500))
HISS = np.random.default_rng(1).normal(size=RATE // 4) * 0.05
STRETCHED = (word("morning", 1.2, 1.6), word("but", 2.02, 3.0))


def found(middle: Wave, words: tuple[Word, ...] = STRETCHED) -> list[TimeRange]:
    sound = talk((1.2, vowel(0.4, (300, 2500))), (2.0, middle), (2.6, vowel(0.4, (900, 2500))))
    return hesitations(sound, measure(sound, 0.0), words)


def test_a_still_voiced_sound_under_a_stretched_word_is_a_hesitation() -> None:
    [span] = found(STILL)
    assert (span.start_s, span.end_s) == pytest.approx((2.0, 2.25), abs=0.02)


@pytest.mark.parametrize("middle", [MOVING, HISS, vowel(0.05), vowel(0.58)[: RATE // 20]])
def test_what_moves_hisses_or_is_very_short_may_be_a_word(middle: Wave) -> None:
    assert found(middle) == []


@pytest.mark.parametrize(
    "words",
    [
        (word("morning", 1.2, 1.6), word("no", 2.0, 2.25), word("but", 2.6, 3.0)),
        (word("morning", 1.2, 1.6), word("but", 2.6, 3.0)),
        (word("yeah", 1.7, 1.8), word("but", 2.02, 3.0)),
        (word("morning", 1.2, 1.6), word("incomprehensibility", 2.02, 3.0)),
        (word("but", 2.02, 3.0),),
        (),
    ],
)
def test_a_sound_that_may_be_a_word_stays(words: tuple[Word, ...]) -> None:
    """It has a word, or none that begins with it; or the words near by are not where they sound."""
    assert found(STILL, words) == []


def test_a_hesitation_is_cut_out_and_its_neighbour_begins_where_it_sounds() -> None:
    sound = talk((1.2, vowel(0.4, (300, 2500))), (2.0, STILL), (2.6, vowel(0.4, (900, 2500))))
    span = TimeRange.from_seconds(0.8, 3.2)
    transcript = Transcript("en", 0.9, (Segment(span, "morning but", STRETCHED),))
    part = sound[round(0.8 * RATE) : round(3.2 * RATE)]
    stretch = listened(span, STRETCHED, part, transcript)
    tight = tighten(stretch, Tighten.LIGHT, lambda at: Timestamp.from_seconds(at.exact))
    assert tight.tightened is not None
    [cut] = tight.tightened.removed
    assert (cut.reason, cut.text) == ("filler", "")
    assert 1.6 < cut.range.start_s < 2.0 and 2.25 < cut.range.end_s < 2.6
    assert [w.text for w in tight.words] == ["morning", "but"]
    assert tight.words[1].range.start_s > 2.2


def test_without_word_times_no_word_is_cut_out() -> None:
    span = TimeRange.from_seconds(0, 4)
    transcript = Transcript("en", 0.9, (Segment(span, "so um we went"),))
    sound = talk((0.5, STILL), (1.2, MOVING))
    stretch = listened(span, transcript.timed_words, sound, transcript)
    tight = tighten(stretch, Tighten.STRONG, lambda at: at)
    assert [w.text for w in tight.words] == ["so", "um", "we", "went"]
