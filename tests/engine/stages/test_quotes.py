from __future__ import annotations

from dataclasses import replace

import pytest

from reelremix.engine.domain.candidate import Axis, Candidate, Reason, Score
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Segment, Transcript, Word
from reelremix.engine.stages.propose import propose_candidates, split_sentences
from reelremix.engine.stages.quotes import Bounds, CutRefused, Spoken, recut
from tests.fakes import spoken as said

LINES = (
    "Nobody tells you this when you begin.",
    "Ten minutes a day is quite enough.",
    "I read forty books in one year.",
    "The secret is never to miss twice.",
    "Thanks for having me on the show.",
)
ANY = Bounds(1, 60, ())


def talk(transcript: Transcript | None = None, end_s: float | None = 20.0) -> Spoken:
    transcript = transcript or said(*LINES)
    return Spoken(split_sentences(transcript), transcript, end_s)


def middle(spoken: Spoken, first: int = 1, last: int = 2) -> Candidate:
    """The candidate of these sentences."""
    found = propose_candidates(spoken.sentences, 1, 60, duration_s=spoken.end_s)
    return next(c for c in found if (c.first_sentence, c.last_sentence) == (first, last))


def test_the_same_words_leave_everything_as_it_was() -> None:
    spoken = talk()
    candidate = middle(spoken)
    assert recut(candidate, "ten minutes a", "in one year", spoken, ANY) is candidate


@pytest.mark.parametrize("quote", ["Nobody tells you", "NOBODY, tells you!", "nobody  tells you…"])
def test_the_cut_moves_to_the_sentence_before(quote: str) -> None:
    spoken = talk()
    moved = recut(middle(spoken), quote, "in one year.", spoken, ANY)
    assert moved.text == " ".join(LINES[:3])
    assert (moved.first_sentence, moved.last_sentence) == (0, 2)
    assert moved.range.start_s == 0.0 and moved.range.end_s == middle(spoken).range.end_s


def test_a_moved_cut_lies_where_a_proposal_would() -> None:
    spoken = talk()
    moved = recut(middle(spoken), "I read forty books", "never to miss twice.", spoken, ANY)
    assert moved.range == middle(spoken, 2, 3).range


def test_a_cut_inside_a_sentence_lies_between_its_words() -> None:
    spoken = talk()
    moved = recut(middle(spoken), "minutes a day", "books in one year", spoken, ANY)
    words = spoken.transcript.words
    inside = [w for w in words if moved.range.overlap_s(w.range) > 0]
    assert moved.text.startswith("minutes a day") and inside[0].text == "minutes"
    assert all(
        moved.range.start <= w.range.start and w.range.end <= moved.range.end for w in inside
    )


@pytest.mark.parametrize(
    ("first", "last", "why"),
    [
        ("Ten hours a day", "in one year", "first_words are not said here"),
        ("Ten minutes a", "in a year", "last_words are not said here"),
        ("Thanks for having me", "on the show", "first_words are not said here"),
        ("Ten minutes", "in one year", "first_words are fewer than 3 words"),
        ("inutes a day", "in one year", "first_words are not said here"),
        ("...", "in one year", "first_words are not said here"),
        ("never to miss", "Nobody tells you", "last_words come before first_words"),
    ],
)
def test_what_was_not_said_moves_nothing(first: str, last: str, why: str) -> None:
    spoken = talk()
    with pytest.raises(CutRefused, match=why):
        recut(middle(spoken), first, last, spoken, ANY)


def test_the_words_nearest_to_the_cut_are_meant() -> None:
    lines = ("So I said to her.", "Then I said to him, wait.", "And I said to all, go now please.")
    spoken = talk(said(*lines), 12)
    moved = recut(middle(spoken, 1, 2), "I said to", "to all, go now", spoken, ANY)
    assert moved.text == "I said to him, wait. And I said to all, go now"


@pytest.mark.parametrize(
    ("bounds", "why"),
    [
        (Bounds(1, 8, ()), "it would last 11"),
        (Bounds(13, 60, ()), "it would last 11"),
        (Bounds(1, 60, (TimeRange.from_seconds(0, 2),)), "reach into another clip"),
    ],
)
def test_a_cut_keeps_to_its_bounds(bounds: Bounds, why: str) -> None:
    spoken = talk()
    with pytest.raises(CutRefused, match=why):
        recut(middle(spoken), "Nobody tells you", "in one year", spoken, bounds)


def test_nothing_is_cut_where_somebody_else_speaks() -> None:
    transcript = said(*LINES)
    over = Word("Hello", TimeRange.from_seconds(4.9, 5.3))
    segments = (*transcript.segments, Segment(over.range, "Hello", (over,)))
    spoken = talk(replace(transcript, segments=segments))
    candidate = middle(talk())
    with pytest.raises(CutRefused, match="somebody else speaks"):
        recut(candidate, "minutes a day", "in one year", replace_sentences(spoken), ANY)


def replace_sentences(spoken: Spoken) -> Spoken:
    """The sentences of the undisturbed talk, so that indexes stay the same."""
    return replace(spoken, sentences=talk().sentences)


def test_nothing_goes_beyond_the_end() -> None:
    spoken = talk(end_s=14.0)
    with pytest.raises(CutRefused, match="beyond the end"):
        recut(middle(talk()), "Ten minutes a", "never to miss twice", spoken, ANY)


def test_without_word_times_the_cut_stays() -> None:
    transcript = said(*LINES)
    bare = replace(transcript, segments=tuple(replace(s, words=()) for s in transcript.segments))
    spoken = talk(bare)
    with pytest.raises(CutRefused, match="no times of their own"):
        recut(middle(spoken), "Ten minutes a", "in one year", spoken, ANY)


def test_scripts_without_spaces_are_found() -> None:
    words = [["これは", "とても", "大事な", "話です。"], ["毎日", "十分", "読む", "だけ。"]]
    segments = []
    for n, line in enumerate(words):
        timed = tuple(
            Word(w, TimeRange.from_seconds(n * 4 + k, n * 4 + k + 0.7)) for k, w in enumerate(line)
        )
        span = TimeRange(timed[0].range.start, timed[-1].range.end)
        segments.append(Segment(span, "".join(line), timed))
    spoken = talk(Transcript("ja", 1.0, tuple(segments)), 8)
    moved = recut(middle(spoken, 0, 1), "とても大事な話です", "毎日十分読むだけ", spoken, ANY)
    assert moved.text == "とても大事な話です。毎日十分読むだけ。"


def test_evidence_that_is_cut_away_is_not_shown_and_the_score_stays() -> None:
    spoken = talk()
    reasons = tuple(
        Reason(Axis.HOOK, "opens well", "quote", spoken.sentences[n].range) for n in (1, 2)
    )
    score = Score(70.0, {}, reasons, 1.5)
    candidate = replace(middle(spoken), score=score)
    moved = recut(candidate, "I read forty", "never to miss twice", spoken, ANY)
    assert moved.score is not None
    assert (moved.score.total, moved.score.rank_value) == (70.0, 1.5)
    assert moved.score.reasons == reasons[1:]
