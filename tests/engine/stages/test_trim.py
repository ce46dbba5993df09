from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelremix.engine.domain.candidate import Candidate
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Segment, Transcript, Word
from reelremix.engine.stages.propose import propose_candidates, split_sentences
from reelremix.engine.stages.quotes import Bounds, Spoken, recut
from reelremix.engine.stages.trim import trimmed

GAP_S = 0.1
LENGTH_S = 0.3


def said(text: str, gap_s: float = GAP_S, language: str = "en") -> Spoken:
    """Words one after another, `gap_s` apart."""
    words, at = [], 1.0
    for token in text.split():
        words.append(Word(token, TimeRange.from_seconds(at, at + LENGTH_S)))
        at += LENGTH_S + gap_s
    span = TimeRange(words[0].range.start, words[-1].range.end)
    transcript = Transcript(language, 1.0, (Segment(span, text, tuple(words)),))
    return Spoken(split_sentences(transcript), transcript, at + 1)


def opening(spoken: Spoken, min_s: float = 0.5) -> Candidate:
    """Everything, trimmed."""
    found = propose_candidates(spoken.sentences, 0.5, 600, duration_s=spoken.end_s)
    whole = max(found, key=lambda c: c.range.duration_s)
    return trimmed(whole, spoken, min_s)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("So, um, yeah I quit my job that day.", "I quit my job that day."),
        ("So I quit my job that day.", "I quit my job that day."),
        ("And it is the best thing I did.", "it is the best thing I did."),
        ("You know, the money was gone by then.", "the money was gone by then."),
        ("I mean, nobody told me about it.", "nobody told me about it."),
        ("Yeah. Okay. The bank called us at night.", "The bank called us at night."),
        ("Well, here's the thing about money.", "here's the thing about money."),
        ("But when we opened the door it was gone.", "when we opened the door it was gone."),
    ],
)
def test_openings_that_say_nothing_go(text: str, kept: str) -> None:
    assert opening(said(text)).text == kept


@pytest.mark.parametrize(
    "text",
    [
        "So many people quit their jobs that day.",
        "Right hands are stronger than left ones.",
        "You know the answer to that question already.",
        "Like father, like son, they say here.",
        "But for the grace of God we would all be there.",
        "The bank called us at night.",
        "I mean business when I say that to you.",
    ],
)
def test_words_that_mean_something_stay(text: str) -> None:
    spoken = said(text)
    assert opening(spoken).text == text
    assert opening(spoken).range.start_s < spoken.transcript.words[0].range.start_s


def test_a_filler_that_runs_into_the_next_word_stays() -> None:
    text = "So I quit my job that day."
    assert opening(said(text, gap_s=0.01)).text == text


def test_a_clip_never_becomes_shorter_than_asked() -> None:
    spoken = said("So, um, yeah I quit my job.")
    whole = opening(spoken, min_s=99)
    assert whole.text.startswith("So,")


def test_what_is_nothing_but_fillers_stays() -> None:
    text = "So, um, yeah."
    assert opening(said(text)).text.startswith("So,")


def test_fillers_of_other_languages_are_not_guessed() -> None:
    text = "So ist das nun einmal mit dem Geld."
    assert opening(said(text, language="de")).text == text


def test_words_without_times_are_left_alone() -> None:
    span = TimeRange.from_seconds(0, 9)
    transcript = Transcript("en", None, (Segment(span, "So, um, I quit my job."),))
    spoken = Spoken(split_sentences(transcript), transcript, 10)
    assert opening(spoken).text == "So, um, I quit my job."


tokens = st.sampled_from(
    [
        "So,",
        "um",
        "uh",
        "yeah.",
        "And",
        "but",
        "I",
        "you",
        "know,",
        "mean",
        "quit.",
        "the",
        "Bank",
        "like",
    ]
)


@given(st.lists(tokens, min_size=1, max_size=14), st.floats(0, 0.6))
def test_no_word_is_ever_cut_and_the_end_stays(words: list[str], gap_s: float) -> None:
    spoken = said(" ".join(words), gap_s)
    found = propose_candidates(spoken.sentences, 0.2, 600, duration_s=spoken.end_s)
    for whole in found:
        cut = trimmed(whole, spoken, 0.2)
        assert cut.range.end == whole.range.end
        assert cut.range.start >= whole.range.start
        starts = cut.range.start_s
        assert not any(
            w.range.start_s + 1e-6 < starts < w.range.end_s - 1e-6 for w in spoken.transcript.words
        )
        assert whole.text.endswith(cut.text)


def test_a_cut_that_begins_inside_a_sentence_is_kept() -> None:
    spoken = said("So, um, we went home. And then the bank called us at night.")
    found = propose_candidates(spoken.sentences, 0.5, 600, duration_s=spoken.end_s)
    whole = max(found, key=lambda c: c.range.duration_s)
    cut = recut(whole, "then the bank", "called us at night", spoken, Bounds(0.5, 600, ()))
    assert trimmed(cut, spoken, 0.5) == cut
    early = recut(whole, "um, we went", "the bank called us", spoken, Bounds(0.5, 600, ()))
    again = trimmed(early, spoken, 0.5)
    assert again.text == "we went home. And then the bank called us"
    assert again.range.start > early.range.start and again.range.end == early.range.end
