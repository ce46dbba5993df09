from __future__ import annotations

from dataclasses import replace

from reelremix.engine.choosing import NOT_UNDERSTOOD, UNRANKED, rank
from reelremix.engine.domain.events import Warned
from reelremix.engine.domain.request import SelectOptions
from reelremix.engine.domain.source import Chapter
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.hearing import Heard
from tests.engine.stages.talk import dull, talk
from tests.fakes import Recorder, run_context


def warnings_of(lines: int, language: str = "en") -> list[str]:
    recorder = Recorder()
    transcript = replace(talk(dull(lines)), language=language)
    rank(Heard(transcript, "cpu"), SelectOptions(), None, run_context(reporter=recorder))
    return [e.message for e in recorder.events if isinstance(e, Warned)]


def test_a_missing_sentence_model_is_told_where_it_would_be_used() -> None:
    assert warnings_of(80) == [UNRANKED]
    assert warnings_of(20) == [UNRANKED]


def test_a_sentence_model_that_would_not_be_used_is_not_missed() -> None:
    assert UNRANKED not in warnings_of(80, language="xx")


def test_a_language_that_is_not_understood_is_told() -> None:
    assert warnings_of(80, language="de") == [NOT_UNDERSTOOD.format("de")]


def test_chapters_are_the_topics_whether_what_is_said_is_understood_or_not() -> None:
    marks = tuple(
        Chapter(TimeRange.from_seconds(start, start + 60), name)
        for start, name in ((0, "One"), (60, "Two"))
    )
    transcript = replace(talk(dull(80)), language="de")
    ranking = rank(Heard(transcript, "cpu", None, marks), SelectOptions(), None, run_context())
    assert [topic.words for topic in ranking.timeline.topics] == [("One",), ("Two",)]
