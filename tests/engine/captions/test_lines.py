from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelremix.engine.captions.lines import CueLines, break_cues
from reelremix.engine.captions.style import CaptionStyle
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Word

ALL = TimeRange.from_seconds(0, 1000)
STYLE = CaptionStyle(max_lines=2, max_chars=16)

Speech = Callable[..., tuple[Word, ...]]


def cues_of(
    words: tuple[Word, ...], *, width: float = 16, within: TimeRange = ALL
) -> tuple[CueLines, ...]:
    return break_cues(words, STYLE, lambda t: float(len(t)), width=width, within=within)


def texts(cues: tuple[CueLines, ...], words: tuple[Word, ...]) -> list[list[str]]:
    return [[" ".join(words[i].text for i in line) for line in cue.lines] for cue in cues]


def test_no_words_make_no_cues() -> None:
    assert cues_of(()) == ()


def test_two_lines_are_balanced(speech: Speech) -> None:
    words = speech("alpha bravo delta gamma")
    assert texts(cues_of(words), words) == [["alpha bravo", "delta gamma"]]


def test_a_pause_ends_the_cue(speech: Speech) -> None:
    words = speech("well then", gap_s=0.7)
    assert texts(cues_of(words), words) == [["well"], ["then"]]


def test_a_change_of_speaker_ends_the_cue() -> None:
    words = (
        Word("yes", TimeRange.from_seconds(1, 1.5), speaker="S1"),
        Word("no", TimeRange.from_seconds(1.5, 2), speaker="S2"),
    )
    assert len(cues_of(words)) == 2


def test_a_sentence_ends_with_its_cue(speech: Speech) -> None:
    words = speech("that was it. now comes more")
    assert texts(cues_of(words), words) == [["that was it."], ["now comes more"]]


def test_a_number_stays_with_its_unit(speech: Speech) -> None:
    words = speech("they quickly paid 500 dollars yesterday evening")
    for cue in texts(cues_of(words), words):
        assert not any(line.endswith("500") for line in cue)


def test_a_name_stays_together(speech: Speech) -> None:
    words = speech("she moved over to New York because of work")
    assert any("New York" in line for cue in texts(cues_of(words), words) for line in cue)


def test_a_word_wider_than_the_line_stands_alone(speech: Speech) -> None:
    words = speech("so unbelievablyextraordinary it is")
    assert ["unbelievablyextraordinary"] in texts(cues_of(words), words)


def test_a_short_gap_is_bridged_and_a_longer_one_is_not(speech: Speech) -> None:
    bridged = cues_of(speech("first part here. second part", gap_s=0.2))
    apart = cues_of(speech("first part here. second part", gap_s=0.5))
    assert bridged[0].range.end == bridged[1].range.start
    assert apart[0].range.end_s == pytest.approx(apart[1].range.start_s - 0.5)


def test_a_short_word_is_shown_for_the_shortest_time_at_least() -> None:
    words = (Word("Hi.", TimeRange.from_seconds(2, 2.1)),)
    assert cues_of(words)[0].range.duration_s == pytest.approx(0.3)


def test_a_cue_begins_exactly_with_its_first_word(speech: Speech) -> None:
    words = speech("one two three. four five six. seven eight")
    assert all(c.range.start == words[c.lines[0][0]].range.start for c in cues_of(words))


def test_words_cut_by_the_range_are_shown_inside_it_only(speech: Speech) -> None:
    within = TimeRange.from_seconds(1.1, 1.2)
    (cue,) = cues_of(speech("cut"), within=within)
    assert cue.range == within


def test_words_that_share_one_time_still_follow_each_other() -> None:
    time = TimeRange.from_seconds(0, 4)
    words = tuple(
        Word(t, time) for t in ["a", "segment", "without", "any", "word", "times", "at", "all"]
    )
    cues = cues_of(words, within=time)
    assert len(cues) > 1
    assert all(c.range.duration_s > 0.5 for c in cues)


def test_pieces_of_japanese_fill_a_line_without_spaces() -> None:
    words = tuple(
        Word(t, TimeRange.from_seconds(i * 0.2, i * 0.2 + 0.2))
        for i, t in enumerate("今日は良い天気")
    )
    (cue,) = cues_of(words, width=7)
    assert cue.lines == ((0, 1, 2, 3, 4, 5, 6),)


def test_a_cue_stays_until_it_can_have_been_read_where_there_is_silence() -> None:
    words = (Word("incomprehensibilities!", TimeRange.from_seconds(2, 2.5)),)
    (cue,) = cues_of(words, width=30)
    assert cue.range.duration_s == pytest.approx(22 / 21, abs=0.01)


def test_words_said_in_a_hurry_share_a_cue(speech: Speech) -> None:
    words = speech("a b. c d. e f. g h.", each_s=0.06, gap_s=0.01)
    assert all(cue.range.duration_s >= 0.27 for cue in cues_of(words)[:-1])


def test_a_style_may_ask_for_few_words_at_a_time(speech: Speech) -> None:
    words = speech("one two three four five six", each_s=0.5)
    few = replace(STYLE, max_words=2)
    cues = break_cues(words, few, lambda t: float(len(t)), width=16, within=ALL)
    assert [sum(map(len, cue.lines)) for cue in cues] == [2, 2, 2]


@st.composite
def spoken(draw: st.DrawFn) -> tuple[Word, ...]:
    parts = draw(
        st.lists(
            st.tuples(
                st.text("abcXYZ123.,!", min_size=1, max_size=22),
                st.integers(0, 900),
                st.integers(0, 1500),
            ),
            max_size=30,
        )
    )
    words: list[Word] = []
    at = 0
    for text, length, gap in parts:
        words.append(Word(text, TimeRange.from_seconds(at / 1000, (at + length) / 1000)))
        at += length + gap
    return tuple(words)


@given(spoken())
def test_every_word_is_in_exactly_one_cue_in_order(words: tuple[Word, ...]) -> None:
    shown = [i for cue in cues_of(words) for line in cue.lines for i in line]
    assert shown == list(range(len(words)))


@given(spoken())
def test_cues_never_overlap_and_stay_inside_the_range(words: tuple[Word, ...]) -> None:
    cues = cues_of(words)
    assert all(a.range.end <= b.range.start for a, b in pairwise(cues))
    assert all(ALL.start <= c.range.start <= c.range.end <= ALL.end for c in cues)


@given(spoken())
def test_lines_fit_and_there_are_at_most_two(words: tuple[Word, ...]) -> None:
    for cue in texts(cues_of(words), words):
        assert 1 <= len(cue) <= 2
        assert all(len(line) <= 16 or " " not in line for line in cue)
