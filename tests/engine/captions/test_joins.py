"""Names, numbers and phrases stay together."""

from __future__ import annotations

import pytest

from reelremix.engine.captions.joins import TOGETHER, is_number, phrases_of, split_costs
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Word

SMALL_WORDS = frozenset(["the", "when", "and", "we", "for", "of", "new", "in", "i"])


def words(texts: list[str]) -> tuple[Word, ...]:
    return tuple(
        Word(t, TimeRange.from_seconds(i * 0.3, i * 0.3 + 0.3)) for i, t in enumerate(texts)
    )


def held(text: str) -> list[str]:
    """The pairs of neighbours that must not be parted."""
    parts = text.split()
    costs = split_costs(words(parts), SMALL_WORDS)
    return [
        f"{a} {b}" for a, b, c in zip(parts, parts[1:], costs[1:], strict=False) if c >= TOGETHER
    ]


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("she moved to New York for good", ["New York"]),
        ("then Dr. Smith called me", ["Dr. Smith"]),
        ("a book by J. K. Rowling again", ["J. K.", "K. Rowling"]),
        ("it cost 5 million last year", ["5 million"]),
        ("about five million people came", ["five million"]),
        ("only 20 % of them", ["20 %"]),
        ("we paid $ 20 for it", ["$ 20"]),
        ("they paid 500 dollars there", ["500 dollars"]),
        ("on 1 000 metres of track", ["1 000", "000 metres"]),
        ("in 2020 we left", []),
        ("When Peter came home", []),
        ("and then I Peter said so", []),
        ("it ended. Peter Jackson left", ["Peter Jackson"]),
        ("we met Ann, Bob came too", []),
        ("der Herr Müller kommt morgen", ["Herr Müller"]),
        ("that was ten years ago", ["ten years"]),
    ],
)
def test_what_belongs_together_is_held_together(text: str, pairs: list[str]) -> None:
    assert held(text) == pairs


def test_capitals_throughout_say_nothing_about_names() -> None:
    assert held("EVERY WORD IN HERE HAS ITS CAPITALS") == []


def test_a_sentence_may_end_anywhere_but_behind_a_title() -> None:
    costs = split_costs(words(["that", "is", "it.", "So", "we", "go"]), SMALL_WORDS)
    assert costs[3] == 0.0


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("500", True),
        ("$5,000", True),
        ("3.5", True),
        ("20th", True),
        ("five", False),
        ("a1", False),
    ],
)
def test_numbers_are_known_by_their_digits(text: str, number: bool) -> None:
    assert is_number(text) is number


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("今日は良い天気ですね。", ["今日は", "良い", "天気ですね。"]),
        ("今天是个好天气", ["今天", "是", "个", "好", "天", "气"]),
        ("hello", ["hello"]),
    ],
)
def test_phrases_of_scripts_without_spaces_are_found(text: str, phrases: list[str]) -> None:
    assert phrases_of(text) == phrases


def test_a_break_inside_a_japanese_phrase_costs_more_than_one_before_it() -> None:
    costs = split_costs(words(list("今日は良い天気")), frozenset())
    assert costs[3] < 1.0 < costs[1] < TOGETHER
