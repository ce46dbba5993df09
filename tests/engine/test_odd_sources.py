"""Sources of every kind give sensible moments, and so do transcripts that are not well formed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reelremix.engine.choosing import Ranking, rank, select_scored
from reelremix.engine.domain.candidate import Axis, Candidate
from reelremix.engine.domain.events import Warned
from reelremix.engine.domain.request import SelectOptions
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Segment, SoundEvent, Transcript, Word
from reelremix.engine.hearing import Heard
from reelremix.engine.models.registry import InstalledModels
from reelremix.engine.stages.select import Floor, Selection, select_clips
from tests.conftest import Models
from tests.engine.stages.talk import SENTENCE_S, dull, talk
from tests.fakes import Recorder, run_context

pytestmark = pytest.mark.slow

STORY = [
    "I remember the night my father called me and said, 'You have to come home, it is over.'",
    "I was terrified, and I drove four hours through the snow and cried the whole way.",
    "And when I opened the door he was standing there, laughing, with a cake in his hands.",
    "He said, 'I quit my job today, and I have never been so happy in my whole life.'",
    "That was the moment I understood that nobody is going to give you permission.",
]
MEETING = [
    "Item {n} on the agenda is the approval of the minutes of the previous meeting.",
    "The minutes were circulated on Tuesday and there were no comments on section {n}.",
    "The next item is the schedule for room {n} and the allocation of the equipment.",
    "Please send your availability for week {n} to the secretary by the end of the month.",
    "We will take point {n} offline and come back to it in the next session.",
]
QUIZ = ["Question {n} for the team on the left.", "Is it number {n}?", "No, sorry."]
GERMAN = [
    "Der Bericht umfasst das zweite Quartal und nennt im Anhang die {n} Niederlassungen.",
    "Der Ausschuss hat den Zeitplan geprüft und den Punkt {n} auf das Frühjahr verschoben.",
    "Das Formular besteht aus vier Teilen, und Teil {n} geht an eine andere Abteilung.",
    "Die Tabelle zeigt die Werte nach Monaten, links stehen die Kennzahlen der Gruppe {n}.",
]


@pytest.fixture
def models(installed_models: Models) -> InstalledModels:
    return InstalledModels((Path(installed_models("minilm")),))


def lines(pattern: Sequence[str], count: int) -> list[str]:
    return [pattern[i % len(pattern)].format(n=i + 10) for i in range(count)]


def ranked(transcript: Transcript, models: Any, **options: Any) -> tuple[Ranking, list[str]]:
    recorder = Recorder()
    ctx = run_context(models=models, reporter=recorder)
    asked = SelectOptions(**{"min_s": 10.0, "max_s": 40.0} | options)
    ranking = rank(Heard(transcript, "cpu"), asked, None, ctx)
    return ranking, [e.message for e in recorder.events if isinstance(e, Warned)]


def chosen(ranking: Ranking, count: int | None = 10, **more: Any) -> Selection:
    return select_clips(ranking.candidates, count, **more)


def overlaps(candidate: Candidate, first: int, last: int) -> float:
    """Share of the candidate in these sentences."""
    span = TimeRange.from_seconds(first * SENTENCE_S, (last + 1) * SENTENCE_S)
    return candidate.range.overlap_s(span) / candidate.range.duration_s


def test_the_story_of_a_single_speaker_is_found(models: InstalledModels) -> None:
    texts = dull(100)
    texts[40:45] = STORY
    ranking, warned = ranked(talk(texts, speakers=["S1"] * 100), models)
    best = chosen(ranking).chosen[0]
    assert overlaps(best, 40, 44) > 0.6
    assert best.score is not None and "story" in {kind.name for kind in best.score.kinds}
    assert not warned


def test_the_round_of_a_game_show_that_people_clap_at_is_found(models: InstalledModels) -> None:
    texts = lines(
        ["Question {n} for the team on the left.", "Is it number {n}?", "No, sorry."], 120
    )
    texts[60:64] = [
        "For a million dollars, what did nobody on this stage believe ten years ago?",
        "I think it is that a computer would ever beat us at this game, that is my final answer!",
        "You are right! You just won a million dollars!",
        "Oh my god, I can't believe it, I am shaking!",
    ]
    claps = [SoundEvent(k, TimeRange.from_seconds(t, t + 4)) for k, t in
             (("applause", 312.0), ("laughter", 317.0), ("cheering", 319.0))]  # fmt: skip
    speakers = [f"S{1 + i % 3}" for i in range(120)]
    ranking, _ = ranked(talk(texts, events=claps, speakers=speakers), models)
    best = chosen(ranking).chosen[0]
    assert overlaps(best, 60, 63) > 0.4
    assert best.score is not None and (best.score.axes[Axis.REACTION] or 0) > 80
    assert any(reason.axis is Axis.REACTION for reason in best.score.reasons)


def test_a_dull_meeting_gives_few_clips_and_says_why(models: InstalledModels) -> None:
    ranking, _ = ranked(talk(lines(MEETING, 160)), models)
    kept = chosen(ranking, 10, floor=Floor())
    assert len(kept.chosen) < 10
    assert kept.shortfall
    assert len(chosen(ranking, None, floor=Floor()).chosen) <= 3


def test_the_one_moment_of_a_dull_meeting_comes_first(models: InstalledModels) -> None:
    texts = lines(MEETING, 160)
    texts[70:75] = STORY
    ranking, _ = ranked(talk(texts), models)
    assert overlaps(chosen(ranking).chosen[0], 70, 74) > 0.6


def test_what_needs_english_is_off_in_german_and_that_is_told(models: InstalledModels) -> None:
    laughs = [SoundEvent("laughter", TimeRange.from_seconds(203.0, 205.0))]
    german = replace(talk(lines(GERMAN, 100), events=laughs), language="de")
    ranking, warned = ranked(german, models)
    assert len(chosen(ranking).chosen) == 10
    scores = [c.score for c in chosen(ranking, 3).chosen if c.score]
    assert all(s.total is None and s.axes[Axis.HOOK] is None and not s.kinds for s in scores)
    assert (scores[0].axes[Axis.REACTION] or 0) > 80
    assert len(warned) == 1 and "not understood in de" in warned[0]


def test_text_without_punctuation_is_ranked(models: InstalledModels) -> None:
    said = " ".join(dull(90)).replace(".", "").lower().split()
    words = tuple(
        Word(w, TimeRange.from_seconds(i * 0.4, i * 0.4 + 0.3)) for i, w in enumerate(said)
    )
    span = TimeRange(words[0].range.start, words[-1].range.end)
    ranking, _ = ranked(Transcript("en", 1.0, (Segment(span, " ".join(said), words),)), models)
    assert len(chosen(ranking, 3).chosen) == 3


def test_one_word_is_no_moment(models: InstalledModels) -> None:
    span = TimeRange.from_seconds(0, 1)
    ranking, _ = ranked(Transcript("en", 1.0, (Segment(span, "Hello"),)), models)
    assert chosen(ranking).chosen == ()
    assert ranking.timeline.score == ()


def test_mixed_languages_are_ranked(models: InstalledModels) -> None:
    texts = [a for pair in zip(dull(60), lines(GERMAN, 60), strict=True) for a in pair]
    for language in ("en", "de", None):
        ranking, _ = ranked(replace(talk(texts), language=language), models)
        assert len(chosen(ranking).chosen) == 10


def test_a_source_that_is_nothing_but_laughter_is_ranked(models: InstalledModels) -> None:
    laughs = [SoundEvent("laughter", TimeRange.from_seconds(t, t + 5)) for t in range(0, 400, 5)]
    ranking, _ = ranked(talk(["Ha ha ha!"] * 80, events=laughs), models)
    values = {c.score.axes[Axis.REACTION] for c in ranking.candidates if c.score}
    assert None not in values
    assert len(chosen(ranking).chosen) == 10


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.floats(0, 300), st.floats(0, 30)), min_size=1, max_size=40), st.data())
def test_overlapping_and_unordered_times_are_ranked(
    models: InstalledModels, spans: list[tuple[float, float]], data: st.DataObject
) -> None:
    texts = data.draw(st.lists(st.sampled_from([*STORY, *dull(5), "Ha!", ""]),
                               min_size=len(spans), max_size=len(spans)))  # fmt: skip
    segments = tuple(
        Segment(TimeRange.from_seconds(at, at + length), text)
        for (at, length), text in zip(spans, texts, strict=True)
    )
    ranking, _ = ranked(Transcript("en", 1.0, segments), models)
    found = select_scored(ranking.candidates, 10, "en")
    assert all(10 <= c.range.duration_s <= 40 for c in found.chosen)
    assert all(0 <= (v or 0) <= 100 for v in ranking.timeline.score)
