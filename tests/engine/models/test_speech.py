from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelremix.engine.models import speech as parting
from reelremix.engine.models.speech import (
    PART_S,
    RATE_HZ,
    Span,
    SpokenParts,
    find_speech,
    grouped,
    whole,
)

LENGTHS = st.lists(st.tuples(st.integers(1, 30), st.integers(0, 20)), max_size=40)
"""Seconds of speech and of the silence behind it."""


def spans_of(lengths: list[tuple[int, int]], begin_s: int = 0) -> list[Span]:
    """Speech and silence in turn."""
    spans: list[Span] = []
    at = begin_s * RATE_HZ
    for speech_s, silence_s in lengths:
        spans.append({"start": at, "end": at + speech_s * RATE_HZ})
        at += (speech_s + silence_s) * RATE_HZ
    return spans


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Parts a window in which speech is found at given spans."""

    def make(
        spans: list[Span], seconds: float, batch: int = 2, *, goes_on: bool = True
    ) -> SpokenParts:
        from faster_whisper import vad

        monkeypatch.setattr(vad, "get_speech_timestamps", lambda *_: spans)
        window = np.arange(round(seconds * RATE_HZ), dtype=np.float32)
        return find_speech(window, batch, goes_on=goes_on)

    return make


@given(LENGTHS)
def test_parts_are_those_of_faster_whisper(lengths: list[tuple[int, int]]) -> None:
    from faster_whisper.vad import collect_chunks

    spans = spans_of(lengths)
    window = np.zeros(spans[-1]["end"] if spans else 0, np.float32)
    _, known = collect_chunks(window, list(spans), max_duration=PART_S)
    durations = [sum(s["end"] - s["start"] for s in group) / RATE_HZ for group in grouped(spans)]
    assert durations == [chunk["duration"] for chunk in known if chunk["duration"]]


@given(LENGTHS)
def test_no_part_is_longer_than_whisper_takes_and_none_is_lost(
    lengths: list[tuple[int, int]],
) -> None:
    spans = spans_of(lengths)
    groups = grouped(spans)
    assert [span for group in groups for span in group] == spans
    assert all(sum(s["end"] - s["start"] for s in g) <= PART_S * RATE_HZ for g in groups)


@pytest.mark.parametrize(
    ("groups", "batch", "taken"),
    [(0, 8, 0), (1, 8, 0), (5, 8, 4), (9, 8, 8), (12, 8, 8), (17, 8, 16), (18, 8, 16)],
)
def test_full_batches_of_full_parts_are_taken(groups: int, batch: int, taken: int) -> None:
    assert whole(groups, batch) == taken


def test_the_last_window_is_taken_whole(parts: Any) -> None:
    spans = spans_of([(20, 5)] * 4)
    made = parts(spans, 100, goes_on=False)
    assert made.spans == spans and made.used == 100 * RATE_HZ
    assert len(made.clips) == 4


def test_what_fills_no_batch_is_left_for_the_next_window(parts: Any) -> None:
    spans = spans_of([(20, 5)] * 4)
    made = parts(spans, 100)
    assert made.spans == spans[:2]
    assert made.used == 47.5 * RATE_HZ  # in the middle of the silence before the next


def test_a_window_cut_inside_the_only_speech_leaves_all_of_it(parts: Any) -> None:
    made = parts(spans_of([(20, 0)], begin_s=30), 50)
    assert made.spans == [] and made.used == 30 * RATE_HZ


def test_little_speech_followed_by_silence_is_taken(parts: Any) -> None:
    spans = spans_of([(10, 40)])
    made = parts(spans, 50)
    assert made.spans == spans and made.used == 50 * RATE_HZ


def test_speech_from_end_to_end_is_taken_although_it_goes_on(parts: Any) -> None:
    made = parts(spans_of([(10, 0)]), 10)
    assert len(made.spans) == 1 and made.used == 10 * RATE_HZ


def test_silence_is_dealt_with_at_once(parts: Any) -> None:
    made = parts([], 50)
    assert made.spans == [] and made.clips == [] and made.used == 50 * RATE_HZ


def test_clips_follow_each_other_and_hold_the_speech_alone(parts: Any) -> None:
    spans = spans_of([(20, 5)] * 5)
    made = parts(spans, 130)
    bounds = [(int(c["start"] * RATE_HZ), int(c["end"] * RATE_HZ)) for c in made.clips]
    assert bounds[0][0] == 0 and bounds[-1][1] == len(made.speech)
    assert all(a[1] == b[0] for a, b in pairwise(bounds))
    starts = [int(made.speech[begin]) for begin, _ in bounds]
    assert starts == [span["start"] for span in made.spans]


def test_every_window_gets_on(parts: Any) -> None:
    for lengths in ([(1, 0)], [(30, 1)] * 3, [(5, 1)] * 9):
        spans = spans_of(lengths)
        seconds = spans[-1]["end"] / RATE_HZ
        assert 0 < parts(spans, seconds).used <= seconds * RATE_HZ
    assert parting.TOUCHING < RATE_HZ
