"""Words that are neither read nor heard."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reelremix.engine.domain.choice import Censor
from reelremix.engine.domain.mix import Censored
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Word
from reelremix.engine.stages.censor import WordList, censored, mask, masked_text, word_list
from reelremix.errors import ConfigError
from tests.engine.examples import CLIP


def said(*texts: str, gap_s: float = 0.1) -> tuple[Word, ...]:
    step = 0.3 + gap_s
    return tuple(
        Word(text, TimeRange.from_seconds(n * step, n * step + 0.3)) for n, text in enumerate(texts)
    )


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("fuck", "f***"),
        ("Fucking,", "F******,"),
        ("scheiße", "s******"),
        ("e\u0301tron", "e\u0301****"),
        ("mother-fucker", "m*****-******"),
        ("हरामी", "ह**"),
        ("x", "x"),
        ("", ""),
    ],
)
def test_the_first_letter_stays_with_all_that_belongs_to_it(word: str, shown: str) -> None:
    assert mask(word) == shown


@pytest.mark.parametrize(
    ("language", "word"),
    [("en", "fuck"), ("en", "Fucking!"), ("en-GB", "bullshit."), ("de", "Scheiße"),
     ("de", "verfickte"), ("es", "joder,"), ("fr", "putain"), ("it", "vaffanculo"),
     ("pt", "caralho"), ("pt", "foda-se")],
)  # fmt: skip
def test_strong_profanity_is_known_in_every_language(language: str, word: str) -> None:
    assert word_list(language, None).has(word)


@pytest.mark.parametrize("word", ["shitake", "class", "damn", "hell", "Scunthorpe", "cocktail",
                                  "assess", "", "..."])  # fmt: skip
def test_other_words_are_left_alone(word: str) -> None:
    assert not word_list("en", None).has(word)


def test_a_word_of_another_language_is_left_alone() -> None:
    assert not word_list("de", None).has("fuck")
    assert not word_list(None, None).has("fuck")
    assert word_list("xx", None) == WordList()


def test_ones_own_list_adds_to_the_languages(tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_text("\ufeffacme   # a competitor\n\n# nothing\nFRAK*\n", encoding="utf-8")
    words = word_list("en", own)
    assert all(words.has(text) for text in ("Acme,", "frakking", "fuck"))
    assert not words.has("nothing")


@pytest.mark.parametrize(
    ("line", "spoken"),
    [("d’oh", "D'oh!"), ("shucks!", "shucks"), ('"gosh"', "gosh"), ("frick…", "frick,"),
     ("darn*!", "darned")],
)  # fmt: skip
def test_an_entry_is_found_however_it_is_written(tmp_path: Path, line: str, spoken: str) -> None:
    own = tmp_path / "own.txt"
    own.write_text(line, encoding="utf-8")
    assert word_list("en", own).has(spoken)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00\xd8"])
def test_a_list_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    own = tmp_path / "own.txt"
    if content is not None:
        own.write_bytes(content)
    with pytest.raises(ConfigError, match=r"own\.txt cannot be read"):
        word_list("en", own)


def test_everything_a_clip_shows_is_masked() -> None:
    clip = replace(CLIP, words=said("Oh", "shit,", "no"), text="Oh shit, no", censored=(),
                   title="Oh Shit", description="Shit happens (shit).",
                   hashtags=("#oh", "#shit"))  # fmt: skip
    made = censored(clip, Censor.BLEEP, word_list("en", None))
    assert [word.text for word in made.words] == ["Oh", "s***,", "no"]
    assert (made.text, made.title) == ("Oh s***, no", "Oh S***")
    assert made.description == "S*** happens (s***)."
    assert made.hashtags == ("#oh",) and "shit" not in made.slug
    [cover] = made.censored
    assert cover.mode is Censor.BLEEP
    assert cover.range == TimeRange.from_seconds(0.34, 0.76)


def test_a_clip_without_such_words_is_unchanged() -> None:
    clip = replace(CLIP, censored=())
    assert censored(clip, Censor.MUTE, word_list("en", None)) == clip


def test_off_masks_nothing() -> None:
    clip = replace(CLIP, words=said("shit"), censored=())
    assert censored(clip, Censor.OFF, word_list("en", None)) == clip


def test_neighbouring_words_are_heard_whole() -> None:
    clip = replace(CLIP, words=said("you", "fuck", "off", gap_s=0.0), censored=())
    [cover] = censored(clip, Censor.MUTE, word_list("en", None)).censored
    assert cover == Censored(TimeRange.from_seconds(0.3, 0.6), Censor.MUTE)


def test_words_that_follow_each_other_are_covered_as_one() -> None:
    clip = replace(CLIP, words=said("fuck", "shit", "well", gap_s=0.02), censored=())
    [cover] = censored(clip, Censor.MUTE, word_list("en", None)).censored
    assert (cover.range.start_s, cover.range.end_s) == (0.0, 0.64)


def test_a_word_before_zero_is_covered_from_its_start() -> None:
    words = (Word("shit", TimeRange.from_seconds(0.0, 0.2)),)
    [cover] = censored(replace(CLIP, words=words), Censor.MUTE, word_list("en", None)).censored
    assert cover.range.start_s == 0


def test_punctuation_and_scripts_around_a_word_stay() -> None:
    assert masked_text("“Fuck!” – he said: fuck…", word_list("en", None)) == (
        "“F***!” – he said: f***…"
    )


@pytest.mark.parametrize("line", ["rocket fire", "*", "-- !"])
def test_a_line_that_would_never_be_found_is_an_error(tmp_path: Path, line: str) -> None:
    own = tmp_path / "own.txt"
    own.write_text(f"fine # a comment with words\n{line}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"own\.txt:2: .* is not one word"):
        word_list("en", own)
