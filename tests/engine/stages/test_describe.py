"""Titles, descriptions and hashtags out of what was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelremix.engine.domain.candidate import Candidate
from reelremix.engine.domain.sentence import Sentence
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.stages.describe import (
    LONGEST_TITLE,
    Description,
    as_heard,
    describe_clips,
    tidy_phrase,
)
from reelremix.engine.stages.propose import propose_candidates, split_sentences
from tests.engine.stages.talk import covering, dull, scored, talk

DANGLING = {"and", "the", "of", "to", "with", "a", "but", "in", "for", "is", "my"}


def wordings(
    candidates: Sequence[Candidate], sentences: Sequence[Sentence], language: str | None = "en"
) -> list[Description]:
    """What whole candidates are called."""
    spoken = [
        [s.text for s in sentences[c.first_sentence : c.last_sentence + 1]] for c in candidates
    ]
    return describe_clips(spoken, sentences, language)


def described(lines: list[str], language: str | None = "en") -> Description:
    transcript = talk(lines, language=language)
    sentences = split_sentences(transcript)
    candidates = propose_candidates(sentences, 5 * len(lines) - 1, 5 * len(lines))
    return wordings(candidates[:1], sentences, language)[0]


def test_a_title_is_the_line_that_makes_one_stay() -> None:
    lines = [*dull(3), "Nobody told me the biggest mistake was mine."]
    assert described(lines).title == "Nobody told me the biggest mistake was mine"


def test_a_title_drops_false_starts_and_loose_quotes() -> None:
    assert tidy_phrase('So, um, and "why would anybody do that?') == "Why would anybody do that?"


def test_a_long_sentence_is_cut_to_a_title_that_does_not_hang() -> None:
    line = "we were walking all the way along the river with the " * 6
    title = described([line.strip()]).title
    assert len(title) <= LONGEST_TITLE
    assert title.split()[-1].lower() not in DANGLING


def test_a_description_is_taken_from_the_clip_and_does_not_repeat_the_title() -> None:
    lines = ["The harbour froze over that winter.", "Nobody could leave for six weeks."]
    found = described(lines)
    assert found.text in " ".join(lines)
    assert found.title not in found.text or len(found.text) > len(found.title) + 1


def test_hashtags_are_the_subjects_of_the_clip() -> None:
    lines = dull(8)
    lines[3] = "The lighthouse keeper of Helgoland kept the lighthouse burning all winter."
    transcript = talk(lines)
    candidate = covering(scored(transcript), 2, 4)
    [found] = wordings([candidate], split_sentences(transcript))
    tags = found.hashtags
    assert "#Helgoland" in tags and "#lighthouse" in tags
    assert 3 <= len(tags) <= 6
    assert all(tag[1:].isalnum() for tag in tags)


def test_two_clips_do_not_get_the_same_title() -> None:
    transcript = talk([*dull(6), "Nobody told me the biggest mistake was mine.", *dull(6)])
    candidates = [c for c in scored(transcript) if c.first_sentence <= 6 <= c.last_sentence]
    titles = [d.title for d in wordings(candidates, split_sentences(transcript))]
    assert len(set(titles[:3])) == 3


@pytest.mark.parametrize(
    ("lines", "language"),
    [
        (["今日は東京タワーに行きました。", "東京タワーはとても高いです。"], "ja"),
        (["नमस्ते दोस्तों, यह दिल्ली की कहानी है।", "दिल्ली बहुत बड़ी है।"], "hi"),
        (["Мы поехали в Москву зимой.", "Москва была под снегом."], "ru"),
        (["ذهبنا إلى القاهرة في الشتاء.", "القاهرة مدينة كبيرة."], "ar"),
    ],
)
def test_any_script_gets_a_title_and_hashtags(lines: list[str], language: str) -> None:
    found = described(lines, language)
    assert found.title and found.text and found.hashtags
    assert len(found.title) <= LONGEST_TITLE


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=120).filter(str.strip), min_size=1, max_size=4))
def test_any_text_can_be_described(lines: list[str]) -> None:
    transcript = talk(lines)
    sentences = split_sentences(transcript)
    for candidate in propose_candidates(sentences, 1, 30):
        [found] = wordings([candidate], sentences)
        assert len(found.title) <= LONGEST_TITLE
        assert [found] == wordings([candidate], sentences)
        assert "\n" not in found.title


def test_sentences_are_heard_as_far_as_they_are_kept() -> None:
    spread = talk(["One two three four five.", "Six seven eight nine ten."])
    segments = tuple(replace(s, words=s.timed_words) for s in spread.segments)
    transcript = replace(spread, segments=segments)
    sentences, words = split_sentences(transcript), transcript.words
    assert as_heard(sentences, words, words, ()) == [s.text for s in sentences]
    kept = [*words[:1], *words[2:6]]
    assert as_heard(sentences, words, kept, ()) == ["One three four five.", "Six"]


def test_a_word_that_begins_later_than_it_was_heard_to_is_heard() -> None:
    [segment] = talk(["Every morning but one."]).segments
    words = segment.timed_words
    transcript = replace(talk([]), segments=(replace(segment, words=words),))
    late = TimeRange.from_seconds(words[2].range.end_s - 0.1, words[2].range.end_s)
    kept = [*words[:2], replace(words[2], range=late), words[3]]
    [sentence] = split_sentences(transcript)
    assert as_heard([sentence], words, kept, ()) == [sentence.text]


def test_a_sentence_without_times_of_its_words_is_heard_by_halves() -> None:
    untimed = split_sentences(talk(["One two three four five.", "Six seven eight nine ten."]))
    first, second = (s.range for s in untimed)
    most = TimeRange.from_seconds(first.start_s, second.start_s + second.duration_s * 0.4)
    assert as_heard(untimed, (), (), [most]) == [untimed[0].text]
