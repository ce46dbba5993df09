"""What moves each axis, and what a score promises."""

from __future__ import annotations

import time

import pytest

from reelremix.engine.domain.candidate import Axis, Candidate
from reelremix.engine.domain.sound import STEP, SoundTrack
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.transcript import Segment, SoundEvent, Transcript
from reelremix.engine.stages.propose import propose_candidates, split_sentences
from reelremix.engine.stages.score import (
    Calibration,
    load_calibration,
    load_weights,
    score_candidates,
)
from tests.engine.stages.talk import SENTENCE_S, covering, dull, scored, talk, timed_talk

STORY = "I remember the day I quit my job: my boss said 'you will never make it'."
PUNCHLINE = 'And my daughter looked at me and said, "Dad, that is the worst joke ever!"'


def axis_of(lines: list[str], axis: Axis, first: int, last: int) -> float:
    score = covering(scored(talk(lines)), first, last).score
    assert score is not None
    value = score.axes[axis]
    assert value is not None
    return value


def axis(candidate: Candidate, which: Axis) -> float:
    assert candidate.score is not None
    value = candidate.score.axes[which]
    assert value is not None
    return value


def rank_value(candidate: Candidate) -> float:
    assert candidate.score is not None
    return candidate.score.rank_value


def changed(lines: list[str], at: int, line: str) -> list[str]:
    return [*lines[:at], line, *lines[at + 1 :]]


def test_an_opening_that_starts_a_story_raises_the_hook() -> None:
    plain = dull(20)
    assert axis_of(changed(plain, 8, STORY), Axis.HOOK, 8, 10) > axis_of(plain, Axis.HOOK, 8, 10)


def test_a_closing_joke_raises_the_payoff() -> None:
    plain = dull(20)
    told = changed(plain, 10, PUNCHLINE)
    assert axis_of(told, Axis.PAYOFF, 8, 10) > axis_of(plain, Axis.PAYOFF, 8, 10)


def test_leaning_on_what_was_said_before_lowers_standalone() -> None:
    plain = dull(20)
    leaning = changed(
        plain, 9, plain[9][:-1] + ", as I said, to your point, as we discussed last week."
    )
    assert axis_of(leaning, Axis.STANDALONE, 8, 10) < axis_of(plain, Axis.STANDALONE, 8, 10)


def test_strong_feeling_raises_emotion() -> None:
    plain = dull(20)
    felt = changed(plain, 9, "I was terrified, I cried, and it was the worst night, a nightmare!")
    assert axis_of(felt, Axis.EMOTION, 8, 10) > axis_of(plain, Axis.EMOTION, 8, 10)


def test_laughter_at_the_end_raises_the_reaction() -> None:
    laughter = SoundEvent("laughter", TimeRange.from_seconds(55.0, 56.0))
    candidates = scored(talk(dull(20), events=[laughter]))
    with_laughter, without = covering(candidates, 8, 10), covering(candidates, 2, 4)
    assert with_laughter.score is not None and without.score is not None
    assert with_laughter.score.axes[Axis.REACTION] > without.score.axes[Axis.REACTION]  # type: ignore[operator]
    assert any("laugh" in r.text for r in with_laughter.score.reasons)


def test_a_brisk_pace_raises_the_delivery() -> None:
    paces = [1.0] * 20
    paces[8:11] = [1.6, 1.6, 1.6]
    candidates = scored(timed_talk(dull(20), paces))
    brisk, slow = covering(candidates, 8, 10), covering(candidates, 2, 4)
    assert brisk.score is not None and slow.score is not None
    assert brisk.score.axes[Axis.DELIVERY] > slow.score.axes[Axis.DELIVERY]  # type: ignore[operator]


def test_axes_without_evidence_are_unknown() -> None:
    score = scored(talk(dull(12)))[0].score
    assert score is not None
    assert score.axes[Axis.REACTION] is None
    assert score.axes[Axis.DELIVERY] is None


def test_english_cues_stay_off_in_other_languages() -> None:
    score = scored(talk(dull(12), language="sw"))[0].score
    assert score is not None
    assert score.axes[Axis.HOOK] is None and score.axes[Axis.EMOTION] is None
    assert set(score.axes) == set(Axis)
    assert score.total is None


def test_english_is_recognised_when_the_language_is_not_given() -> None:
    score = scored(talk(dull(12), language=None))[0].score
    assert score is not None and score.axes[Axis.HOOK] is not None


def test_housekeeping_ranks_below_a_story() -> None:
    lines = dull(30)
    lines[6:9] = [
        "Thanks for listening, and thank you to our sponsors for this episode.",
        "Subscribe to the podcast and follow us on our website for the show notes.",
        "Welcome back, my guest today joins us, and next week another episode.",
    ]
    lines[18:21] = [STORY, "He laughed, and I was scared, but I went home anyway.", PUNCHLINE]
    candidates = scored(talk(lines))
    assert rank_value(covering(candidates, 18, 20)) > rank_value(covering(candidates, 12, 14))
    assert rank_value(covering(candidates, 6, 8)) < rank_value(covering(candidates, 18, 20))


def test_every_reason_quotes_what_was_said_inside_the_candidate() -> None:
    lines = changed(dull(20), 8, STORY)
    for candidate in scored(talk(lines)):
        assert candidate.score is not None
        assert 1 <= len(candidate.score.reasons) <= 4
        for reason in candidate.score.reasons:
            assert reason.quote in candidate.text
            assert reason.range.start >= candidate.range.start
            assert reason.range.end <= candidate.range.end


def test_axes_and_totals_are_percentages() -> None:
    for candidate in scored(talk(dull(150)), 15, 40):
        assert candidate.score is not None
        known = [v for v in candidate.score.axes.values() if v is not None]
        assert all(0 <= v <= 100 for v in known)
        assert candidate.score.total is None or 0 < candidate.score.total < 100


def test_a_short_source_gets_no_calibrated_total() -> None:
    score = scored(talk(dull(20)))[0].score
    assert score is not None and score.total is None


def test_lengths_that_were_not_measured_get_no_total() -> None:
    found = scored(talk(dull(160)), min_s=5, max_s=120)
    by_length = {c.range.duration_s: c.score.total for c in found if c.score}
    assert all((total is None) == (s < 14 or s > 91) for s, total in by_length.items())


def test_a_better_rank_never_has_a_lower_total() -> None:
    candidates = sorted(scored(talk([*dull(140), STORY, PUNCHLINE]), 15, 40), key=rank_value)
    totals = [c.score.total for c in candidates if c.score and c.score.total is not None]
    assert totals == sorted(totals)
    assert (load_calibration() is None) == (not totals)


def test_the_calibration_rises_with_the_rank() -> None:
    import numpy as np

    chances = Calibration(-2.0, 1.5, 0.2).chance_percent(np.linspace(0, 1, 50))
    assert (np.diff(chances) > 0).all()


def test_weights_name_every_axis() -> None:
    assert {axis.value for axis in Axis} <= set(load_weights())


def test_scoring_twice_gives_the_same() -> None:
    assert scored(talk(dull(20))) == scored(talk(dull(20)))


def test_no_candidates_give_no_scores() -> None:
    assert scored(talk(dull(1))) == []


@pytest.mark.parametrize("language", ["ja", "hi", "de", None])
def test_any_language_can_be_scored(language: str | None) -> None:
    lines = ["これは本当に面白い話です。", "यह एक अच्छी कहानी है।", "Das war wirklich schön."] * 5
    assert scored(talk(lines, language=language))


def test_an_hour_is_scored_in_about_a_second() -> None:
    segments = tuple(
        Segment(TimeRange.from_seconds(i * 5, i * 5 + 4.9), line)
        for i, line in enumerate(dull(720))
    )
    began = time.perf_counter()
    assert len(scored(Transcript("en", None, segments), 15, 90)) > 5_000
    assert time.perf_counter() - began < 8


def heard(loud: range, count: int) -> SoundTrack:
    """A voice that is twelve decibels louder and livelier in these sentences."""
    steps = count * int(SENTENCE_S / STEP)
    is_loud = [int(n * STEP / SENTENCE_S) in loud for n in range(steps)]
    return SoundTrack(
        Timestamp.from_seconds(count * SENTENCE_S),
        (),
        tuple(-18.0 if loud else -30.0 for loud in is_loud),
        tuple((200.0 if n % 2 else 320.0) if loud else 150.0 for n, loud in enumerate(is_loud)),
        (1.0,) * steps,
        (0.0,) * steps,
    )


def test_a_voice_that_rises_above_its_norm_raises_the_delivery_and_is_told() -> None:
    transcript = timed_talk(dull(24), [1.0] * 24)
    sentences = split_sentences(transcript)
    candidates = propose_candidates(sentences, 9, 21)
    found = score_candidates(candidates, sentences, transcript, track=heard(range(8, 11), 24))
    lively, flat = covering(found, 8, 10), covering(found, 14, 16)
    assert axis(lively, Axis.DELIVERY) > 70 > axis(flat, Axis.DELIVERY)
    assert lively.score is not None
    [told] = [r for r in lively.score.reasons if r.axis is Axis.DELIVERY]
    assert told.text in (
        "said louder than the speaker usually is", "said with a raised voice",
        "said in a lively voice",
    )  # fmt: skip


def test_listening_without_a_reaction_is_known_and_nobody_deserves_a_rank() -> None:
    transcript = timed_talk(dull(12), [1.0] * 12)
    sentences = split_sentences(transcript)
    candidates = propose_candidates(sentences, 9, 21)
    found = score_candidates(candidates, sentences, transcript, track=heard(range(0), 12))
    assert {axis(c, Axis.REACTION) for c in found} == {0.0}
    assert {c.score.axes[Axis.REACTION] for c in scored(transcript) if c.score} == {None}
