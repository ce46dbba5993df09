from __future__ import annotations

import itertools
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from reelremix.engine.domain.speech_turn import Diarization, SpeechTurn
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.transcript import Segment, Transcript, Word
from reelremix.engine.stages.speaker_attribution import assign_speakers


def diarized(*turns: tuple[str, float, float]) -> Diarization:
    return Diarization(
        tuple(SpeechTurn(TimeRange.from_seconds(a, b), name) for name, a, b in turns), "fake"
    )


def said(text: str, start: float = 0.0) -> Segment:
    """A word a second."""
    words = tuple(
        Word(word, TimeRange.from_seconds(start + i, start + i + 0.9))
        for i, word in enumerate(text.split())
    )
    return Segment(TimeRange(words[0].range.start, words[-1].range.end), text, words)


def transcript(*segments: Segment) -> Transcript:
    return Transcript("en", 0.9, segments)


def lines(result: Transcript) -> list[tuple[str | None, str]]:
    return [(segment.speaker, segment.text) for segment in result.segments]


def test_words_and_segments_get_the_speaker_of_their_turn() -> None:
    result = assign_speakers(transcript(said("How are you?")), diarized(("S1", 0, 3)))
    assert lines(result) == [("S1", "How are you?")]
    assert [word.speaker for word in result.words] == ["S1"] * 3


def test_a_segment_is_parted_where_the_speaker_changes() -> None:
    segment = replace(said("How are you? Fine thank you."), extra={"id": 7})
    result = assign_speakers(transcript(segment), diarized(("S1", 0, 3), ("S2", 3, 6)))
    assert lines(result) == [("S1", "How are you?"), ("S2", "Fine thank you.")]
    first, second = result.segments
    assert first.extra == second.extra == {"id": 7}
    assert first.range == TimeRange.from_seconds(0, 2.9)
    assert second.range == TimeRange.from_seconds(3, 5.9)


def test_a_change_is_moved_to_the_end_of_the_sentence() -> None:
    heard = transcript(said("So how are you? I am fine."))
    for border in (2.5, 3.5, 4.5, 5.5):
        result = assign_speakers(heard, diarized(("S1", 0, border), ("S2", border, 7)))
        assert lines(result) == [("S1", "So how are you?"), ("S2", "I am fine.")]


def test_a_change_just_inside_a_segment_is_moved_to_its_start() -> None:
    heard = transcript(said("How are you?"), said("I am fine today.", 3))
    result = assign_speakers(heard, diarized(("S1", 0, 4), ("S2", 4, 7)))
    assert lines(result) == [("S1", "How are you?"), ("S2", "I am fine today.")]


def test_a_change_far_from_the_end_of_a_sentence_stays() -> None:
    heard = transcript(said("one two three four five six seven eight."))
    result = assign_speakers(heard, diarized(("S1", 0, 4), ("S2", 4, 8)))
    assert lines(result) == [("S1", "one two three four"), ("S2", "five six seven eight.")]


def test_a_single_stray_word_stays_with_its_turn() -> None:
    turns = diarized(("S1", 0, 3), ("S2", 3, 4), ("S1", 4, 7))
    heard = transcript(said("one two three four five six seven"))
    assert {word.speaker for word in assign_speakers(heard, turns).words} == {"S1"}


def test_a_single_word_between_pauses_is_an_answer() -> None:
    turns = diarized(("S1", 0, 3), ("S2", 5, 6), ("S1", 8, 11))
    heard = transcript(said("Will you come?"), said("Yes.", 5), said("See you then.", 8))
    assert [segment.speaker for segment in assign_speakers(heard, turns).segments] == [
        "S1", "S2", "S1",
    ]  # fmt: skip


def test_two_words_amid_another_turn_are_kept() -> None:
    turns = diarized(("S1", 0, 3), ("S2", 3, 5), ("S1", 5, 8))
    heard = transcript(said("one two three. Oh yes. Six seven eight"))
    assert [segment.speaker for segment in assign_speakers(heard, turns).segments] == [
        "S1", "S2", "S1",
    ]  # fmt: skip


def test_of_overlapping_turns_the_one_that_covers_more_of_a_word_counts() -> None:
    turns = diarized(("S1", 0, 10), ("S2", 2.5, 4.2))
    word = Word("so", TimeRange.from_seconds(2, 3))
    segment = Segment(word.range, "so", (word,))
    assert assign_speakers(transcript(segment), turns).words[0].speaker == "S1"


def test_a_short_turn_inside_a_long_one_does_not_hide_what_comes_after_it() -> None:
    turns = diarized(("S1", 0, 100), ("S2", 2, 3), ("S3", 5, 6))
    assert assign_speakers(transcript(said("late words", 80)), turns).words[0].speaker == "S1"


def test_words_beside_a_turn_belong_to_it() -> None:
    result = assign_speakers(transcript(said("well then", 0)), diarized(("S1", 2.5, 6)))
    assert [word.speaker for word in result.words] == ["S1", "S1"]


def test_nobody_is_named_far_from_every_turn() -> None:
    result = assign_speakers(transcript(said("well then", 60)), diarized(("S1", 0, 6)))
    assert lines(result) == [(None, "well then")]


def test_times_in_disorder_do_no_harm() -> None:
    backwards = Word("so", TimeRange(Timestamp.from_seconds(5), Timestamp.from_seconds(4)))
    empty = Word("it", TimeRange.from_seconds(1, 1))
    segment = Segment(TimeRange.from_seconds(0, 6), "so it", (backwards, empty))
    result = assign_speakers(transcript(segment), diarized(("S1", 0, 3), ("S2", 3, 6)))
    assert [word.speaker for word in result.words] == ["S2", "S1"]
    assert all(s.range.start <= s.range.end for s in result.segments)


def test_a_segment_without_words_gets_whoever_speaks_for_most_of_it() -> None:
    segment = Segment(TimeRange.from_seconds(0, 5), "How are you? Fine.")
    result = assign_speakers(transcript(segment), diarized(("S1", 0, 2), ("S2", 2, 5)))
    assert lines(result) == [("S2", "How are you? Fine.")]


def test_a_transcript_that_names_its_speakers_is_left_alone() -> None:
    named = transcript(replace(said("Hello."), speaker="Ada"), said("Hello again.", 5))
    assert assign_speakers(named, diarized(("S1", 0, 9))) is named
    words = said("Hello.")
    word = replace(words.words[0], speaker="Ada")
    by_word = transcript(replace(words, words=(word,)))
    assert assign_speakers(by_word, diarized(("S1", 0, 9))) is by_word


def test_without_turns_nothing_changes() -> None:
    heard = transcript(said("Hello."))
    assert assign_speakers(heard, diarized()) is heard


def test_scripts_without_spaces_are_parted_without_spaces() -> None:
    words = tuple(
        Word(c, TimeRange.from_seconds(i, i + 1)) for i, c in enumerate("今天很好。是的是的。")
    )
    segment = Segment(TimeRange.from_seconds(0, 10), "今天很好。是的是的。", words)
    result = assign_speakers(transcript(segment), diarized(("S1", 0, 5), ("S2", 5, 10)))
    assert lines(result) == [("S1", "今天很好。"), ("S2", "是的是的。")]


@given(
    st.lists(st.tuples(st.sampled_from("ABC"), st.integers(1, 4)), max_size=12),
    st.lists(st.sampled_from(["so", "yes.", "why?"]), min_size=1, max_size=30),
)
def test_no_word_is_lost_and_each_part_has_one_speaker(
    turns: list[tuple[str, int]], words: list[str]
) -> None:
    ends = list(itertools.accumulate(length for _, length in turns))
    known = [(name, end - length, end) for (name, length), end in zip(turns, ends, strict=True)]
    result = assign_speakers(transcript(said(" ".join(words))), diarized(*known))
    assert [word.text for word in result.words] == words
    assert " ".join(segment.text for segment in result.segments) == " ".join(words)
    for segment in result.segments:
        assert {word.speaker for word in segment.words} == {segment.speaker}
