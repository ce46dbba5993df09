"""Stress, voices and emoji are decided once and simply."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from reelremix.engine.captions.style import CaptionStyle
from reelremix.engine.domain.caption import Cue
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Word
from reelremix.engine.stages.emphasis import emphasised, keywords

BOX = (0, 0, 100, 100)


def spoken(text: str, speakers: Sequence[str | None] = (None,)) -> tuple[Word, ...]:
    return tuple(
        Word(t, TimeRange.from_seconds(i * 0.4, i * 0.4 + 0.3), None, speakers[i % len(speakers)])
        for i, t in enumerate(text.split())
    )


def cues(words: Sequence[Word], each: int = 4) -> tuple[Cue, ...]:
    starts = range(0, len(words), each)
    return tuple(
        Cue(
            TimeRange.from_seconds(first * 0.4, min(first + each, len(words)) * 0.4),
            (tuple(range(first, min(first + each, len(words)))),),
            BOX,
        )
        for first in starts
    )


def stressed(text: str) -> list[str]:
    words = spoken(text)
    found = keywords(words, [[i for line in c.lines for i in line] for c in cues(words)])
    return [words[i].text for group in found for i in group]


def test_numbers_come_first_and_take_their_measure_along() -> None:
    assert stressed("so then we lost 5 million on this and it was not ours") == [
        "5",
        "million",
    ]


def test_names_are_stressed_whole() -> None:
    text = "and then we went over to New York because of all that work there"
    assert stressed(text) == ["New", "York"]


def test_a_capital_at_the_start_of_a_sentence_is_no_name() -> None:
    assert stressed("Peter did it. People said that it was so and then it was") == []


def test_a_long_word_said_once_is_stressed() -> None:
    assert stressed("it was just an extraordinary day for all of us here") == ["extraordinary"]


def test_where_nouns_have_capitals_they_are_not_taken_for_names() -> None:
    text = "der Hund und die Katze und das Haus am Berg in der Stadt mit dem Turm"
    assert stressed(text) == []


@given(
    st.lists(st.sampled_from(["500", "Rome", "so", "extraordinary", "it.", "NASA"]), max_size=40)
)
def test_at_most_one_word_in_five_is_stressed(texts: list[str]) -> None:
    assert len(stressed(" ".join(texts))) <= len(texts) // 5


def test_voices_are_numbered_as_they_are_heard_where_there_are_two() -> None:
    style = CaptionStyle(speakers=("#FFFFFF", "#FFD60A"))
    two = spoken("a b c d e f g h", ["S2"] * 4 + ["S1"] * 4)
    assert [c.voice for c in emphasised(cues(two), two, style)] == [0, 1]
    one = spoken("a b c d", ["S1"])
    assert [c.voice for c in emphasised(cues(one), one, style)] == [None]


def test_a_sentence_has_one_emoji_at_most_and_only_in_english() -> None:
    style = CaptionStyle(emoji=True)
    words = spoken("the money is for the rocket and for the camera that was in the house. ok so it")
    shown = [c.emoji for c in emphasised(cues(words), words, style)]
    assert [e for e in shown if e] == ["💰"]
    german = spoken("das ist party und money und so weiter in der stadt")
    assert not any(c.emoji for c in emphasised(cues(german), german, style))


def test_nothing_is_decided_that_the_style_does_not_ask_for() -> None:
    words = spoken("the money is 500 dollars for the rocket", ["S1", "S2"])
    assert emphasised(cues(words), words, CaptionStyle()) == cues(words)
