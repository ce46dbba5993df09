"""Which clip a published video is."""

from __future__ import annotations

import pytest

from reelremix.engine.domain.clip import ClipEntry
from reelremix.engine.stages.match import ClipNames, words_of


def clip(id: str, title: str, slug: str = "") -> ClipEntry:
    return ClipEntry(id, "source", title, slug, ())


HABITS = clip("c0ffee000001", "Ten minutes a day is enough", "ten-minutes-a-day-is-enough")
TWICE = clip("c0ffee000002", "Never miss twice", "never-miss-twice")
LONGER = clip("c0ffee000003", "Never miss twice in a row", "never-miss-twice-in-a-row")
NAMES = ClipNames([HABITS, TWICE, LONGER, clip("c0ffee000004", "Hi", "hi")])


@pytest.mark.parametrize(
    "name",
    [
        "Ten minutes a day is enough",
        "TEN MINUTES A DAY IS ENOUGH!!!",
        "Ten minutes a day is enough 😳🔥 #habits #shorts",
        "01-ten-minutes-a-day-is-enough.mp4",
        "Podcast: ten minutes a day is enough | part 3",
        "https://example.org/v/C0FFEE000001",
        "Something else (c0ffee000001)",
        "Ten minutes a day is enough",
    ],
)
def test_a_clip_is_known_by_title_slug_or_id(name: str) -> None:
    assert NAMES.find([name]) == [HABITS]


def test_the_longest_name_inside_a_title_decides() -> None:
    assert NAMES.find(["Why you never miss twice in a row"]) == [LONGER]
    assert NAMES.find(["Never miss twice"]) == [TWICE]


def test_short_names_count_only_as_the_whole() -> None:
    assert NAMES.find(["Hi"])[0].title == "Hi"
    assert NAMES.find(["Hi everybody"]) == []


@pytest.mark.parametrize("name", ["", "Minutes a day", "#neverMissTwice", "c0ffee0000019", "😳"])
def test_what_names_no_clip_finds_none(name: str) -> None:
    assert NAMES.find([name]) == []


def test_two_clips_of_one_title_are_both_named() -> None:
    twins = ClipNames([clip("a" * 12, "The same words"), clip("b" * 12, "the same words!")])
    assert len(twins.find(["The same words"])) == 2
    assert len(twins.find(["Watch: the same words"])) == 2
    assert [found.id for found in twins.find(["The same words", "x " + "b" * 12])] == ["b" * 12]


def test_letters_of_every_script_are_compared() -> None:
    assert words_of("Füße, Über 20 %…") == words_of("FÜSSE über 20")
    assert words_of("किताब पढ़ना!") == words_of("किताब   पढ़ना")
    assert words_of("don’t") == words_of("don't") == ("dont",)
