"""Sentences out of words, candidates out of sentences."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelremix.engine.domain.sentence import Sentence
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Segment, Transcript, Word
from reelremix.engine.stages.propose import (
    MOST_CANDIDATES,
    propose_candidates,
    quotations,
    split_sentences,
)
from tests.engine.stages.talk import dull, talk

span = TimeRange.from_seconds


def timed(text: str, start_s: float = 0.0, speaker: str | None = None) -> Segment:
    """Words of 0.3 s, 0.1 s apart; `|` is a pause of two seconds."""
    spoken: list[Word] = []
    at = start_s
    for token in text.split():
        if token == "|":
            at += 2.0
            continue
        spoken.append(Word(token, span(at, at + 0.3), None, speaker))
        at += 0.4
    bounds = TimeRange(spoken[0].range.start, spoken[-1].range.end)
    return Segment(bounds, text.replace("|", ""), tuple(spoken), speaker)


def texts(*segments: Segment, language: str = "en") -> list[str]:
    return [s.text for s in split_sentences(Transcript(language, None, segments))]


def test_segments_are_merged_and_split_where_sentences_end() -> None:
    a, b = timed("We went to the"), timed("sea. It was cold!", 2.0)
    assert texts(a, b) == ["We went to the sea.", "It was cold!"]


@pytest.mark.parametrize(
    "text",
    [
        "We saw Dr. Miller at St. James.",
        "It grew by 3.5 percent.",
        "Bring fruit, e.g. apples.",
        "Mr. and Mrs. Brown left.",
        "That was No. 5 again.",
        "He waited... and then left.",
        "J. R. Smith wrote it.",
    ],
)
def test_a_full_stop_inside_a_sentence_does_not_end_it(text: str) -> None:
    assert texts(timed(text)) == [text]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("你好。 今天好吗？ 很好！", 3),
        ("नमस्ते। आप कैसे हैं?", 2),
        ("مرحبا؟ نعم.", 2),
        ("Ну да… Потом ушли.", 2),
        ("Really?! Yes.", 2),
        ("Wir kamen am 3. Mai an. Dann gingen wir.", 2),
    ],
)
def test_sentences_end_in_many_scripts(text: str, count: int) -> None:
    language = "de" if text.startswith("Wir") else "xx"
    assert len(texts(timed(text), language=language)) == count


def test_words_of_scripts_without_spaces_are_joined_without_spaces() -> None:
    assert texts(timed("今日 は 晴れ です。"), language="ja") == ["今日は晴れです。"]


def test_a_long_pause_ends_a_sentence_without_punctuation() -> None:
    assert texts(timed("we went home | then it rained")) == ["we went home", "then it rained"]


def test_a_change_of_speaker_ends_a_sentence() -> None:
    a, b = timed("I think that", 0.0, "S1"), timed("you are wrong", 1.3, "S2")
    assert texts(a, b) == ["I think that", "you are wrong"]


def test_endless_text_without_punctuation_is_cut_into_pieces() -> None:
    sentences = split_sentences(Transcript("en", None, (timed("word " * 500),)))
    assert max(s.range.duration_s for s in sentences) <= 15.0
    assert sum(len(s.text.split()) for s in sentences) == 500


def test_sentences_point_at_their_words() -> None:
    transcript = Transcript("en", None, (timed("One two. Three four five."),))
    second = split_sentences(transcript)[1]
    assert (second.first_word, second.last_word) == (2, 4)


def test_segments_without_words_are_never_cut() -> None:
    segment = Segment(span(0, 20), "One sentence. Another sentence.")
    assert len(split_sentences(Transcript("en", None, (segment,)))) == 1


def test_a_clip_begins_and_ends_inside_the_silence_around_it() -> None:
    text = "Aa bb cc. | " + "Dd ee ff gg hh ii. " * 4 + "| Jj kk."
    transcript = Transcript("en", None, (timed(text),))
    words = transcript.words
    candidates = propose_candidates(split_sentences(transcript), 9, 10)
    assert candidates[0].range.start_s == pytest.approx(words[3].range.start_s - 0.15)
    assert candidates[0].range.end_s == pytest.approx(words[26].range.end_s + 0.25)


def test_a_short_gap_is_shared_in_the_middle() -> None:
    transcript = Transcript("en", None, (timed("Aa bb. Cc dd. Ee ff."),))
    candidate = propose_candidates(split_sentences(transcript), 0.5, 1)[1]
    assert candidate.range.start_s == pytest.approx(0.75)
    assert candidate.range.end_s == pytest.approx(1.55)


def test_nothing_is_proposed_from_silence_or_from_too_little() -> None:
    assert propose_candidates((), 5, 10) == []
    sentences = split_sentences(Transcript("en", None, (timed("Too short."),)))
    assert propose_candidates(sentences, 5, 10) == []


spoken_words = st.lists(
    st.tuples(
        st.sampled_from(["so", "we", "left.", "Why?", "home", "Yes!"]),
        st.sampled_from([0.0, 0.05, 0.4, 1.5, -0.1]),
        st.floats(0.05, 1.0),
        st.sampled_from(["S1", "S2", None]),
    ),
    min_size=1,
    max_size=60,
)


def conversation(listed: list[tuple[str, float, float, str | None]]) -> Transcript:
    words, at = [], 1.0
    for text, gap, length, speaker in listed:
        start = max(0.0, at + gap)
        words.append(Word(text, span(start, start + length), None, speaker))
        at = start + length
    words.sort(key=lambda w: (w.range.start_s, w.range.end_s))
    bounds = TimeRange(words[0].range.start, words[-1].range.end)
    return Transcript("en", None, (Segment(bounds, "", tuple(words)),))


@settings(max_examples=60)
@given(spoken_words)
def test_a_candidate_never_starts_or_ends_inside_a_word(
    listed: list[tuple[str, float, float, str | None]],
) -> None:
    transcript = conversation([(t, abs(gap), length, who) for t, gap, length, who in listed])
    for candidate in propose_candidates(split_sentences(transcript), 2, 8):
        for edge in (candidate.range.start_s, candidate.range.end_s):
            assert not any(w.range.start_s < edge < w.range.end_s for w in transcript.words)


def test_nobody_is_cut_off_where_two_people_talk_at_once() -> None:
    lines = [timed("We left at noon. " * 3, i * 10.0, "S1") for i in range(4)]
    lines.append(timed("Wait what?", 4.6, "S2"))
    transcript = Transcript("en", None, tuple(lines))
    interruption = transcript.words[-2:]
    for candidate in propose_candidates(split_sentences(transcript), 4, 20):
        for edge in (candidate.range.start_s, candidate.range.end_s):
            assert not any(w.range.start_s < edge < w.range.end_s for w in interruption)


@settings(max_examples=60)
@given(spoken_words, st.floats(1, 5), st.floats(5, 20))
def test_a_candidate_keeps_to_the_lengths_asked_for(
    listed: list[tuple[str, float, float, str | None]], min_s: float, max_s: float
) -> None:
    sentences = split_sentences(conversation(listed))
    for candidate in propose_candidates(sentences, min_s, max_s):
        assert min_s - 1e-5 <= candidate.range.duration_s <= max_s + 1e-5


@settings(max_examples=60)
@given(spoken_words)
def test_every_word_is_in_exactly_one_sentence(
    listed: list[tuple[str, float, float, str | None]],
) -> None:
    sentences = split_sentences(conversation(listed))
    assert sum(len(s.text.split()) for s in sentences) == len(listed)


@pytest.mark.slow
def test_twelve_hours_do_not_explode() -> None:
    segments = tuple(
        Segment(span(i * 3.0, i * 3.0 + 2.9), f"This is sentence {i}.") for i in range(14_400)
    )
    began = time.perf_counter()
    candidates = propose_candidates(split_sentences(Transcript("en", None, segments)), 15, 90)
    assert len(candidates) <= 1.3 * MOST_CANDIDATES
    assert time.perf_counter() - began < 10


@pytest.mark.parametrize(
    ("texts", "begins", "ends"),
    [
        (['She said, "You failed.', 'You did!" Then she left.'], [1], [0]),
        (["She said, “You failed.", "You did.", "You!” Then she left."], [1, 2], [0, 1]),
        (['You failed." So she fought back.', "Then she left."], [0], []),
        (['She said, "You failed," and left.', "So it was."], [], []),
        (['He is 6 feet tall (the "giant").', "It's the dogs' bowl, isn't it?"], [], []),
        (['A quotation that "never ends.', *["And goes on."] * 9, "No."], [], []),
        (["", "Nothing."], [], []),
    ],
)
def test_somebodys_words_are_found(texts: list[str], begins: list[int], ends: list[int]) -> None:
    sentences = [Sentence(t, span(i, i + 0.9), None, None, None) for i, t in enumerate(texts)]
    found = quotations(sentences)
    assert [[i for i, flag in enumerate(flags) if flag] for flags in found] == [begins, ends]


def test_a_quotation_ends_with_its_speaker() -> None:
    texts = [('She said, "No way.', "S1"), ("What?", "S2"), ('I did" indeed.', "S2")]
    sentences = [Sentence(t, span(i, i + 0.9), s, None, None) for i, (t, s) in enumerate(texts)]
    assert quotations(sentences) == ([False, False, True], [False] * 3)


def test_a_clip_neither_begins_nor_ends_inside_a_quotation() -> None:
    lines = dull(12)
    lines[4], lines[5] = 'She said, "You failed.', 'And you know it." Then she left the room.'
    found = propose_candidates(split_sentences(talk(lines)), 5, 40)
    assert {c.first_sentence for c in found} == set(range(11)) - {5}
    assert 4 not in {c.last_sentence for c in found}
