"""How near sentences are to a question, in numbers and in quoted words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelremix.engine.domain.terms import terms_of
from reelremix.engine.stages.propose import split_sentences
from reelremix.engine.stages.relevance import (
    MOST_TERMS,
    RELEVANT,
    Closeness,
    line_of,
    matching_words,
    read_question,
)
from reelremix.errors import ConfigError
from tests.engine.stages.talk import talk

LINES = [
    line_of(sentence)
    for sentence in split_sentences(
        talk(["We hired the wrong people.", "The weather was fine.", "Every mistake taught us."])
    )
]


def ends(*pairs: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    first, last = zip(*pairs, strict=True)
    return np.array(first), np.array(last)


def test_a_script_without_spaces_is_looked_for_in_pairs() -> None:
    assert set(read_question("時間管理", "a search").terms) <= set(terms_of("私は時間管理が好き"))


def test_small_words_are_not_looked_for_beside_telling_ones() -> None:
    assert read_question("how to be the boss of it", "a search").terms == ("boss",)
    assert read_question("to be or not", "a search").terms == ("to", "be", "or", "not")


@pytest.mark.parametrize("text", ["", "  ", "?!", "🎉🎉", "a", "'", '"" * -', "\0"])
def test_a_question_without_words_says_what_to_type(text: str) -> None:
    with pytest.raises(ConfigError, match="--about needs at least a word") as caught:
        read_question(text, "--about")
    assert "hiring mistakes" in (caught.value.hint or "")


def test_a_question_of_a_whole_page_is_cut() -> None:
    page = " ".join(f"word{n}" for n in range(2000))
    assert len(read_question(page, "a search").terms) == MOST_TERMS


@given(st.text())
def test_any_text_has_terms_without_spaces_or_quotes(text: str) -> None:
    assert all(term and not set(term) & set(" \"'\n\t-") for term in terms_of(text))


def test_words_alone_tell_what_is_said_from_what_is_not() -> None:
    closeness = Closeness(read_question("hiring mistakes", "a search"), LINES)
    scores = closeness.scores(*ends((0, 2), (1, 1), (0, 0)))
    assert scores[0] > 90 > RELEVANT > scores[2] > scores[1]


def test_the_words_that_match_are_told_as_they_were_said() -> None:
    question = read_question("hiring mistakes", "a search")
    found = Closeness(question, LINES).match(0, 1, 63.21)
    assert (found.quote, found.words, found.score) == (LINES[0].text, ("hired",), 63.2)
    assert found.range == LINES[0].range
    assert matching_words(question, "“Mistakes,” she said; hire!") == ("Mistakes", "hire")


def test_meaning_finds_what_is_said_in_other_words() -> None:
    question = replace(read_question("recruiting", "a search"), vector=np.array([1.0, 0.0]))
    vectors = np.array([[0.0, 1.0], [0.0, 1.0], [0.9, 0.436]], np.float32)
    closeness = Closeness(question, LINES, vectors)
    scores = closeness.scores(*ends((2, 2), (0, 1)))
    assert scores[0] > RELEVANT > scores[1]
    found = closeness.match(0, 2, float(scores[0]))
    assert found.quote == LINES[2].text and found.words == ()


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=20), st.data())
def test_the_nearest_sentence_of_a_stretch_is_inside_it(
    cosines: list[float], data: st.DataObject
) -> None:
    lines = [LINES[i % 3] for i in range(len(cosines))]
    question = replace(read_question("recruiting", "a search"), vector=np.array([1.0]))
    first = data.draw(st.integers(0, len(cosines) - 1))
    last = data.draw(st.integers(first, len(cosines) - 1))
    closeness = Closeness(question, lines, np.array(cosines, np.float32)[:, None])
    [row] = closeness.features(*ends((first, last)))
    assert row[0] == pytest.approx(max(cosines[first : last + 1]), abs=1e-6)
