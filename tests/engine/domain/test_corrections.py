from __future__ import annotations

from dataclasses import replace

import pytest

from reelremix.engine.domain.corrections import corrected, correction_of
from reelremix.engine.domain.edit import Correct, Correction
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Transcript
from tests.engine.stages.talk import dull, timed_talk

TALK: Transcript = timed_talk(dull(4), [1.0] * 4)
WORDS = TALK.words


def instead_of(first: int, last: int, text: str) -> Correction:
    """Words of the talk, written otherwise."""
    span = TimeRange(WORDS[first].range.start, WORDS[last].range.end)
    return correction_of(Correct("clip", span.start_s, span.end_s, text))


def test_without_corrections_a_transcript_is_what_it_was() -> None:
    assert corrected(TALK, []) is TALK


@pytest.mark.parametrize("text", ["Kubernetes", "New York City", ""])
def test_words_share_the_time_of_those_they_are_said_for(text: str) -> None:
    now = corrected(TALK, [instead_of(2, 3, text)])
    inside = [w for w in now.words if WORDS[2].range.start <= w.range.start < WORDS[4].range.start]
    assert [w.text for w in inside] == text.split()
    assert now.segments[0].text.split()[2 : 2 + len(text.split())] == text.split()
    assert now.segments[1:] == TALK.segments[1:]
    if text:
        assert inside[0].range.start == WORDS[2].range.start
        assert inside[-1].range.end.exact == pytest.approx(WORDS[3].range.end.exact)


def test_a_correction_over_two_lines_is_written_once() -> None:
    first, second = TALK.segments[0].words, TALK.segments[1].words
    span = TimeRange(first[-1].range.start, second[0].range.end)
    for texts in (("one", "two"), ("all of", "it is one thing"), ("short",), ()):
        words = tuple(" ".join(texts).split())
        now = corrected(TALK, [Correction(span, words)])
        assert [w.text for w in now.words] == [
            *(w.text for w in first[:-1]), *words, *(w.text for w in WORDS[len(first) + 1 :])
        ]  # fmt: skip
        assert now.segments[0].text.split()[: len(first) - 1] == [w.text for w in first[:-1]]
        assert [w.range.start for w in now.words] == sorted(w.range.start for w in now.words)


def test_each_is_made_in_what_those_before_led_to() -> None:
    first = instead_of(2, 2, "New York")
    half = corrected(TALK, [first]).words[3]
    second = Correction(half.range, ("Yorkshire",))
    now = corrected(TALK, [first, second])
    assert [w.text for w in now.words[2:4]] == ["New", "Yorkshire"]
    assert corrected(TALK, [first, second, instead_of(2, 2, "Leeds")]).words[2].text == "Leeds"


def test_lines_without_times_of_words_stay_as_they_are() -> None:
    bare = replace(TALK, segments=tuple(replace(s, words=()) for s in TALK.segments))
    assert corrected(bare, [instead_of(0, 3, "anything")]) == bare
