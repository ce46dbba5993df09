"""Which words say nothing, and which must never go."""

from __future__ import annotations

import pytest

from reelremix.engine.domain.choice import Tighten
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Word
from reelremix.engine.stages.fillers import removable, small_words

LIGHT, STRONG = Tighten.LIGHT, Tighten.STRONG


def said(text: str, gap_s: float = 0.05) -> tuple[Word, ...]:
    """Words of 0.2 s; `A:` before one changes the speaker, `/` stands for half a second."""
    words, at, speaker = [], 0.0, None
    for token in text.split():
        if token == "/":
            at += 0.5
        elif token.endswith(":"):
            speaker = token[:-1]
        else:
            words.append(Word(token, TimeRange.from_seconds(at, at + 0.2), None, speaker))
            at += 0.2 + gap_s
    return tuple(words)


def gone(text: str, level: Tighten = STRONG, language: str | None = "en") -> str:
    """What goes of a text."""
    words = said(text)
    groups = removable(words, language, level)
    return " ".join(w.text for g in groups for w in words[g.first : g.last + 1])


@pytest.mark.parametrize(
    ("language", "text", "sound"),
    [
        ("en", "We, um, went uh home", "um, uh"),
        ("de", "Wir haben äh das ähm gesehen", "äh ähm"),
        ("es", "Pues eh vamos mmm mañana", "eh mmm"),
        ("fr", "On euh part demain", "euh"),
        ("it", "Noi ehm andiamo", "ehm"),
        ("pt", "Nós hum vamos", "hum"),
        ("en-US", "We um went", "um"),
    ],
)
def test_sounds_that_say_nothing_go_in_every_language(language: str, text: str, sound: str) -> None:
    assert gone(text, LIGHT, language) == sound


def test_er_is_a_sound_in_english_and_a_person_in_german() -> None:
    assert gone("and er we went", LIGHT) == "er"
    assert gone("und er ging", LIGHT, "de") == ""


@pytest.mark.parametrize("text", ["She works in the ER now", "Hmm? Say that again", "Um! No way",
                                  "Mm-hmm I agree", "Uh-huh go on"])  # fmt: skip
def test_sounds_that_mean_something_stay(text: str) -> None:
    assert gone(text) == ""


@pytest.mark.parametrize("language", [None, "xx", "ja"])
def test_a_language_without_lists_keeps_every_word(language: str | None) -> None:
    assert gone("well um I I think", STRONG, language) == ""
    assert small_words(language) == frozenset()


def test_light_takes_neither_phrases_nor_false_starts() -> None:
    assert gone("It was, you know, I I think, fine", LIGHT) == ""


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("It was, you know, fine", "you know,"),
        ("It was / you know / fine", "you know"),
        ("I mean, we tried", "I mean,"),
        ("We got, like, huge", "like,"),
        ("She is, sort of, famous", "sort of,"),
    ],
)
def test_phrases_that_stand_apart_go(text: str, phrase: str) -> None:
    assert gone(text) == phrase


@pytest.mark.parametrize(
    "text",
    [
        "Do you know, maybe, her name",
        "you know that it works",
        "I know, you know what you want",
        "if, you know, then tell me",
        "What I mean, sir",
        "what, I mean, it exactly",
        "I mean it",
        "It looks, like, a duck",
        "It looks like rain",
        "a sort of, cake",
        "some kind of magic",
        "This is it, you know?",
        "As you know, we won",
    ],
)
def test_phrases_that_mean_something_stay(text: str) -> None:
    assert gone(text) == ""


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("I I I think so", "I I"),
        ("and we went we went to Rome", "we went"),
        ("I um I think so", "I um"),
        ("it was, it was, cold", "it was,"),
        ("w- we left", "w-"),
        ("the the cat", "the"),
    ],
)
def test_false_starts_go_and_what_is_said_last_stays(text: str, start: str) -> None:
    assert gone(text) == start


@pytest.mark.parametrize(
    "text",
    [
        "a very very good day",
        "no no no stop",
        "not not yet",
        "in twenty twenty we met",
        "call nine nine nine now",
        "it is two it is two now",
        "New York New York is big",
        "we said Anna said we said Anna left",
        "I know that that is true",
        "they had had enough",
        "It was. It was cold",
        "I did not I did not go",
    ],
)
def test_negations_numbers_names_and_emphasis_are_never_false_starts(text: str) -> None:
    assert gone(text) == ""


def test_two_people_who_say_the_same_both_stay() -> None:
    assert gone("A: and we B: we left") == ""


def test_a_whole_answer_stays() -> None:
    assert gone("Are you sure? Um. We left.") == ""
    assert gone("A: You left him B: um A: and went home") == ""
    assert gone("A: We left. Um. Then we ate.", LIGHT) == "Um."


def test_an_answer_that_goes_on_loses_its_sound() -> None:
    assert gone("Are you sure? Um, yes.") == "Um,"


def test_words_that_are_all_fillers_all_stay() -> None:
    assert gone("um uh um") == ""
    assert removable((), "en", STRONG) == []
