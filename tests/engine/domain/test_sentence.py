"""What a sentence knows about itself."""

from __future__ import annotations

from reelremix.engine.domain.sentence import Sentence
from reelremix.engine.domain.time import TimeRange


def test_a_sentence_without_words_has_only_the_times_of_its_segment() -> None:
    assert not Sentence("Hello.", TimeRange.from_seconds(0, 1)).has_word_times


def test_a_sentence_of_words_knows_where_they_are() -> None:
    sentence = Sentence("Hello there.", TimeRange.from_seconds(0, 1), None, 3, 4)
    assert sentence.has_word_times
