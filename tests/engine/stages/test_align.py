from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Segment, Transcript, Word
from reelremix.engine.stages.align import Alignment, align, is_timed
from tests.fakes import spoken

SENTENCES = (
    "Printing, in the only sense, differs from most arts.",
    "The earliest book printed with movable types was a Bible.",
    "Nobody had seen anything quite like it before.",
    "It took a hundred years until everybody could read.",
)
HEARD = spoken(*SENTENCES)
"""Four seconds a sentence, the last word a little before the next begins."""
END_S = 16.0
Clock = Callable[[float], float]


def cues(transcript: Transcript, clock: Clock = lambda at: at) -> Transcript:
    """The lines without the times of words, and with times that a clock turns into others."""
    segments = (
        Segment(TimeRange.from_seconds(*(max(0, clock(t)) for t in (s.range.start_s,
                                                                  s.range.end_s))), s.text)
        for s in transcript.segments
    )  # fmt: skip
    return Transcript(None, None, tuple(segments))


def starts(transcript: Transcript) -> list[float]:
    return [round(w.range.start_s, 3) for w in transcript.words]


def changed(old: str, new: str) -> Transcript:
    """The lines with something else in the place of what is said."""
    lines = cues(HEARD)
    segments = (replace(s, text=s.text.replace(old, new)) for s in lines.segments)
    return replace(lines, segments=tuple(segments))


def word(found: Alignment, text: str) -> Word:
    return next(w for w in found.transcript.words if w.text == text)


def said_at(text: str) -> TimeRange:
    return next(w.range for w in HEARD.words if w.text == text)


@pytest.mark.parametrize(
    "clock",
    [
        lambda at: at,
        lambda at: at + 3,
        lambda at: at - 3,
        lambda at: at + 600,
        lambda at: at * 25 / 24,
        lambda _: 0.0,
    ],
    ids=["right", "late", "early", "far", "drifting", "nothing"],
)
def test_words_begin_when_they_are_heard_whatever_the_lines_say(clock: Clock) -> None:
    found = align(cues(HEARD, clock), HEARD, END_S)
    assert found.heard == 1 and found.left_out == 0
    assert starts(found.transcript) == starts(HEARD)


def test_lines_begin_and_end_with_their_words() -> None:
    found = align(cues(HEARD, lambda at: at + 5), HEARD, END_S)
    assert [s.range for s in found.transcript.segments] == [
        TimeRange(s.words[0].range.start, s.words[-1].range.end) for s in HEARD.segments
    ]


def test_a_word_that_is_written_otherwise_takes_the_place_of_the_one_that_is_heard() -> None:
    found = align(changed("movable", "portable"), HEARD, END_S)
    placed, true = word(found, "portable"), said_at("movable")
    assert placed.probability is None
    assert abs(placed.range.start_s - true.start_s) < 0.1
    assert found.heard < 1


def test_a_word_that_is_written_in_two_is_heard_in_its_parts() -> None:
    found = align(changed("anything", "any thing"), HEARD, END_S)
    true = said_at("anything")
    assert word(found, "any").range.start == true.start
    assert word(found, "thing").range.end_s == pytest.approx(true.end_s, abs=1e-5)


def test_what_nobody_says_stands_between_the_words_around_it() -> None:
    found = align(changed("Nobody", "[MUSIC] JOHN: Nobody"), HEARD, END_S)
    for text in ("[MUSIC]", "JOHN:"):
        assert word(found, text).probability is None
        assert word(found, text).range.start_s >= said_at("a").start_s
        assert word(found, text).range.end_s <= said_at("Nobody").start_s
    assert word(found, "Nobody").range == said_at("Nobody")


def test_a_line_that_the_recogniser_missed_stands_where_the_lines_around_it_put_it() -> None:
    lines = cues(HEARD, lambda at: at + 3)
    missing = replace(HEARD, segments=(*HEARD.segments[:2], HEARD.segments[3]))
    found = align(lines, missing, END_S)
    missed = found.transcript.segments[2]
    assert all(w.probability is None for w in missed.words)
    assert missed.range.start_s == pytest.approx(HEARD.segments[2].range.start_s, abs=0.3)
    assert missed.range.end_s <= HEARD.segments[3].range.start_s


def test_lines_behind_the_end_are_left_out() -> None:
    lines = cues(spoken(*SENTENCES, *["What was cut away from here."] * 3))
    found = align(lines, HEARD, END_S)
    assert found.left_out == 3 and starts(found.transcript) == starts(HEARD)


def test_lines_between_words_that_follow_each_other_are_left_out() -> None:
    lines = cues(HEARD, lambda _: 0.0)
    extra = Segment(lines.segments[0].range, "A whole chapter that somebody has cut out " * 10)
    segments = (*lines.segments[:2], extra, *lines.segments[2:])
    found = align(replace(lines, segments=segments), HEARD, END_S)
    assert found.left_out == 1 and starts(found.transcript) == starts(HEARD)


def test_of_another_recording_next_to_nothing_is_heard() -> None:
    other = cues(spoken("The weather in the north is cold and the wind blows.",
                        "It took the farmers of the valley by surprise."))  # fmt: skip
    assert align(other, HEARD, END_S).heard < 0.1


def test_words_with_times_of_their_own_keep_them() -> None:
    own = replace(HEARD.segments[1], words=tuple(
        replace(w, range=TimeRange.from_seconds(w.range.start_s + 0.05, w.range.end_s + 0.05))
        for w in HEARD.segments[1].words
    ))  # fmt: skip
    lines = cues(HEARD)
    mixed = replace(lines, segments=(lines.segments[0], own, *lines.segments[2:]))
    found = align(mixed, HEARD, END_S).transcript
    assert found.segments[1] == own
    assert found.segments[0].words[0].range == HEARD.segments[0].words[0].range
    assert is_timed(found) and not is_timed(mixed)


def test_text_without_spaces_is_aligned_letter_by_letter() -> None:
    heard = Transcript("ja", 1.0, (Segment(TimeRange.from_seconds(1, 5), "今日は天気", (
        Word("今日は", TimeRange.from_seconds(1, 4), 0.9),
        Word("天気", TimeRange.from_seconds(4, 5), 0.9),
    )),))  # fmt: skip
    lines = Transcript(None, None, (Segment(TimeRange.from_seconds(9, 12), "今日は天気。"),))
    found = align(lines, heard, 20.0).transcript
    assert starts(found) == [1, 2, 3, 4, 4.5]
    assert found.language == "ja"


def test_where_nothing_is_heard_nothing_breaks() -> None:
    found = align(cues(HEARD), Transcript(None, None, ()), END_S)
    assert found.heard == 0


TEXTS = st.lists(
    st.sampled_from(["of the", "one", "two three four", "five six seven eight", "♪", "[x]", "—"]),
    min_size=1, max_size=8,
)  # fmt: skip
MOMENTS = st.floats(0, 40, allow_nan=False)


@for_all(TEXTS, TEXTS, st.lists(MOMENTS, min_size=16, max_size=16))
def test_words_never_overlap_and_lie_inside_the_recording(
    lines: list[str], heard: list[str], moments: list[float]
) -> None:
    bounds = [TimeRange.from_seconds(*sorted(moments[2 * n : 2 * n + 2])) for n in range(8)]
    segments = (Segment(span, text) for span, text in zip(bounds, lines, strict=False))
    found = align(Transcript(None, None, tuple(segments)), spoken(*heard), 30.0).transcript
    spans = [w.range for w in found.words]
    assert all(0 <= s.start_s <= s.end_s <= 30 for s in spans)
    assert all(a.end <= b.start for a, b in pairwise(spans))


def test_words_that_are_misheard_stay_in_their_line() -> None:
    lines = cues(HEARD, lambda at: at + 3)
    other = replace(HEARD.segments[2], text="x", words=tuple(
        replace(w, text=text, range=TimeRange.from_seconds(7.7 + n / 40, 7.7 + (n + 1) / 40))
        for n, (w, text) in enumerate(zip(HEARD.segments[2].words, "abcdef",
                                          strict=False))
    ))  # fmt: skip
    misheard = replace(HEARD, segments=(*HEARD.segments[:2], other, HEARD.segments[3]))
    placed = align(lines, misheard, END_S).transcript.segments[2]
    assert placed.range.start_s == pytest.approx(HEARD.segments[2].range.start_s, abs=0.3)


def test_words_that_are_said_twice_are_not_taken_for_each_other() -> None:
    said = spoken("One two three four five six seven eight.", "Nine ten eleven twelve.",
                  "So much for it.", each_s=10)  # fmt: skip
    between = spoken("Something else is talked about at length.", start_s=60).segments
    later = spoken("So much for it.", start_s=200).segments
    again = replace(said, segments=(*said.segments[:2], *between, *later))
    placed = align(cues(said), again, 300).transcript.segments[2]
    assert placed.range.start_s == pytest.approx(said.segments[2].range.start_s, abs=1)


def test_every_word_has_a_length() -> None:
    found = align(changed("quite", "ever never so very quite"), HEARD, END_S).transcript
    assert min(w.range.duration_s for w in found.words) > 0
