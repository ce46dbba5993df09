from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from reelremix.engine.domain.sound import SoundTrack
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.transcript import Segment, Transcript, Word
from reelremix.engine.stages.delivery import (
    Floats,
    delivery_of,
    mean_over,
    measure_delivery,
    pauses_before,
    peak_over,
    spread_over,
    steps_in,
)

TURN_S = 20


def words_of(start_s: float, end_s: float, per_s: float, speaker: str | None = None) -> list[Word]:
    """Words one after another."""
    count = round((end_s - start_s) * per_s)
    return [
        Word(
            "word",
            TimeRange.from_seconds(start_s + n / per_s, start_s + (n + 0.8) / per_s),
            0.9,
            speaker,
        )
        for n in range(count)
    ]


def transcript_of(*turns: Sequence[Word]) -> Transcript:
    segments = tuple(
        Segment(TimeRange(turn[0].range.start, turn[-1].range.end), "", tuple(turn))
        for turn in turns
    )
    return Transcript("en", 0.9, segments)


def track_of(seconds: float, *parts: tuple[float, float, float | None]) -> SoundTrack:
    """Loudness and pitch from each time on, without pauses."""
    steps = round(seconds * 2)
    loudness, pitch = [0.0] * steps, [None] * steps
    curves: list[tuple[float, float | None]] = list(zip(loudness, pitch, strict=True))
    for start_s, lufs, hz in parts:
        curves[round(start_s * 2) :] = [(lufs, hz)] * (steps - round(start_s * 2))
    return SoundTrack(
        Timestamp.from_seconds(seconds),
        (),
        tuple(lufs for lufs, _ in curves),
        tuple(hz for _, hz in curves),
        (1.0,) * steps,
        (0.0,) * steps,
    )


def span(start_s: float, end_s: float) -> TimeRange:
    return TimeRange.from_seconds(start_s, end_s)


def over(curve: Floats, track: SoundTrack, spans: Sequence[TimeRange]) -> Floats:
    return mean_over(curve, steps_in(track, spans))


def two_speakers() -> tuple[SoundTrack, Transcript]:
    """A loud man for 40 s and a soft woman for 40 s, each lifted in the second of four turns."""
    track = track_of(
        80,
        (0, -20, 100), (20, -14, 200), (25, -20, 100),
        (40, -35, 220), (60, -32, 220), (65, -35, 220),
    )  # fmt: skip
    return track, transcript_of(words_of(0, 40, 2, "man"), words_of(40, 80, 3, "woman"))


def test_each_speaker_is_set_against_their_own_norm() -> None:
    track, transcript = two_speakers()
    delivery = delivery_of(track, transcript)
    moments = [span(2, 18), span(20, 25), span(42, 58), span(60, 65)]
    assert over(delivery.loudness_db, track, moments) == pytest.approx([0, 6, 0, 3])
    assert over(delivery.pitch_semitones, track, moments) == pytest.approx([0, 12, 0, 0])
    assert over(delivery.pace, track, moments) == pytest.approx([0, 0, 0, 0], abs=0.02)


def test_without_speakers_the_whole_source_is_the_norm() -> None:
    track, transcript = two_speakers()
    nameless = [[replace(word, speaker=None) for word in s.words] for s in transcript.segments]
    loudness = over(
        delivery_of(track, transcript_of(*nameless)).loudness_db, track, [span(2, 18), span(42, 58)]
    )
    assert loudness[0] - loudness[1] == pytest.approx(15)


def test_twice_as_many_words_a_second_are_one_octave_of_pace() -> None:
    turns = [words_of(0, 60, 2, "a"), words_of(60, 70, 4, "a"), words_of(70, 130, 2, "a")]
    track = track_of(130, (0, -20, 100))
    delivery = delivery_of(track, transcript_of(*turns))
    found = over(delivery.words_per_s, track, [span(10, 50), span(61, 69)])
    assert found == pytest.approx([2, 4], rel=0.02)
    lifts = over(delivery.pace, track, [span(10, 50), span(61, 69)])
    assert lifts[1] - lifts[0] == pytest.approx(1, abs=0.02)


def test_a_long_pause_is_no_slow_speech() -> None:
    turns = [words_of(0, 20, 2, "a"), words_of(30, 50, 2, "a")]
    track = track_of(50, (0, -20, 100))
    delivery = delivery_of(track, transcript_of(*turns))
    assert over(delivery.words_per_s, track, [span(0, 50)]) == pytest.approx([2], rel=0.05)
    assert np.isnan(delivery.words_per_s[44:58]).all()


def test_pauses_are_set_against_what_the_speaker_usually_leaves() -> None:
    track, transcript = two_speakers()
    pause = [0.1] * 80 + [0.4] * 80
    pause[100:110] = [0.9] * 10
    track = replace(track, pause=tuple(pause))
    found = over(
        delivery_of(track, transcript).pause, track, [span(0, 40), span(50, 55), span(60, 80)]
    )
    assert found[0] == pytest.approx(0, abs=0.02)
    assert found[1] > 0.4 > 0 > found[2]


def test_who_says_little_is_set_against_everybody() -> None:
    turns = [words_of(0, 40, 2, "host"), words_of(40, 45, 4, "caller")]
    track = track_of(45, (0, -20, 100), (40, -30, 100))
    delivery = delivery_of(track, transcript_of(*turns))
    assert over(delivery.loudness_db, track, [span(41, 44)]) == pytest.approx([-10])
    assert over(delivery.pace, track, [span(41, 44)])[0] > 0.8


def test_where_nobody_speaks_nothing_is_known() -> None:
    track = track_of(30, (0, -20, None))
    delivery = delivery_of(track, transcript_of(words_of(5, 25, 2, "a")))
    for curve in (delivery.loudness_db, delivery.pace, delivery.words_per_s):
        assert np.isnan(curve[:9]).all() and np.isnan(curve[53:]).all()
        assert np.isfinite(curve[12:48]).all()
    assert np.isnan(delivery.pitch_semitones).all()
    assert np.isnan(delivery.pause[:9]).all()


def test_a_transcript_without_words_says_nothing() -> None:
    track = track_of(10, (0, -20, 100))
    found = measure_delivery(track, Transcript("en", None, ()), [span(0, 5), span(5, 10)])
    assert all(np.isnan(values).all() and values.shape == (2,) for values in found.values())


def test_an_empty_track_says_nothing() -> None:
    _, transcript = two_speakers()
    found = measure_delivery(SoundTrack(Timestamp(0)), transcript, [span(0, 5)])
    assert all(math.isnan(found[name][0]) for name in found if name != "pause_before")


def test_segments_without_word_times_have_a_pace() -> None:
    segment = Segment(span(0, 20), " ".join(["word"] * 50), (), "a")
    track = track_of(20, (0, -20, 100))
    delivery = delivery_of(track, Transcript("en", None, (segment,)))
    assert over(delivery.words_per_s, track, [span(2, 18)]) == pytest.approx([2.5], rel=0.05)


def test_every_span_gets_a_value_for_every_name() -> None:
    track, transcript = two_speakers()
    found = measure_delivery(track, transcript, [span(0, 20), span(19, 27), span(90, 95)])
    assert {values.shape for values in found.values()} == {(3,)}
    assert all(math.isnan(values[2]) for values in found.values())
    assert found["loudness_peak"][:2] == pytest.approx([0, 6])
    assert found["pitch_spread"][0] == pytest.approx(0)
    assert found["pitch_spread"][1] > 5
    assert measure_delivery(track, transcript, [])["pace"].shape == (0,)


def test_the_pause_before_a_span_is_the_time_without_a_word() -> None:
    transcript = transcript_of(words_of(1, 5, 2), words_of(8, 12, 2))
    found = pauses_before(transcript, [span(8, 12), span(2, 5), span(0, 5), span(5.5, 7)])
    assert found[:2] == pytest.approx([3.1, 0.1])
    assert np.isnan(found[2:]).all()


def test_no_pause_is_counted_while_another_word_goes_on() -> None:
    long, short, later = (Word("word", span(*at)) for at in ((0, 5), (1, 2), (5.5, 6)))
    assert pauses_before(transcript_of([long, short, later]), [span(5.5, 6)]) == pytest.approx(
        [0.5]
    )


def test_unknown_steps_are_left_out_of_means_peaks_and_spreads() -> None:
    track = track_of(4, (0, -20, 100))
    curve = np.array([1.0, np.nan, 3.0, np.nan, np.nan, np.nan, 2.0, np.nan])
    spans = [span(0, 2), span(2, 3), span(3, 4)]
    steps = steps_in(track, spans)
    assert mean_over(curve, steps) == pytest.approx([2, np.nan, 2], nan_ok=True)
    assert peak_over(curve, steps) == pytest.approx([3, np.nan, 2], nan_ok=True)
    assert spread_over(curve, steps) == pytest.approx([1, np.nan, np.nan], nan_ok=True)


def steps_of(*spans: TimeRange) -> list[list[int]]:
    """Steps of spans in ten seconds of sound."""
    steps = steps_in(track_of(10), spans)
    return [list(range(a, b)) for a, b in zip(steps.first, steps.last, strict=True)]


@pytest.mark.parametrize(
    ("start_s", "end_s", "steps"),
    [
        (0.0, 2.0, [0, 1, 2, 3]),
        (0.2, 1.3, [0, 1, 2]),
        (0.3, 0.9, [1]),
        (1.05, 1.1, [2]),
        (-3.0, 0.6, [0]),
        (8.9, 14.0, [18, 19]),
        (12.0, 14.0, []),
        (-4.0, -2.0, []),
    ],
)
def test_a_span_has_the_steps_that_lie_mostly_in_it(
    start_s: float, end_s: float, steps: list[int]
) -> None:
    assert steps_of(span(start_s, end_s)) == [steps]


def test_neighbouring_spans_share_no_step_and_leave_none_out() -> None:
    edges = [0.0, 0.7, 2.2, 2.9, 6.1, 10.0]
    found = steps_of(*(span(a, b) for a, b in itertools.pairwise(edges)))
    assert [step for steps in found for step in steps] == list(range(20))
