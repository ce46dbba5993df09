from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.events import Warned
from reelremix.engine.domain.origin import Origin, Subtitles
from reelremix.engine.domain.request import TranscribeOptions
from reelremix.engine.domain.source import Chapter
from reelremix.engine.domain.subject import Subject
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.export.origin import origin_file, origin_to_bytes
from reelremix.engine.stages.hints import MOST_NAMES, Hints, hints_of, listening_for, names_in
from tests.fakes import presented, run_context, spoken
from tests.media_factory import plain_film, sound_of, tone, write_media

ORIGIN = Origin(
    url="https://example.org/1",
    title="A talk",
    site="Example",
    chapters=(
        Chapter(TimeRange.from_seconds(0, 1), "Hello"),
        Chapter(TimeRange.from_seconds(1, 2), "Goodbye"),
    ),
    subtitles=Subtitles("talk.en.srt", "en", False),
)
LINES = (
    "1\n00:00:00,000 --> 00:00:02,000\nToday we ask Nora about Fernway. Is Fernway's end near?\n"
)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return plain_film(tmp_path / "talk.mp4")


def hints(film: Path, ctx: RunContext | None = None, *, is_given: bool = False) -> Hints:
    return hints_of(Subject(film, presented(film)), ctx or run_context(), is_given=is_given)


def told(ctx: RunContext) -> list[tuple[str, str | None]]:
    return [(e.message, e.hint) for e in ctx.reporter.events if isinstance(e, Warned)]  # type: ignore[attr-defined]


def test_nothing_is_known_of_most_recordings(film: Path) -> None:
    ctx = run_context()
    assert hints(film, ctx) == Hints() and not told(ctx)


def test_chapters_of_the_container_are_known(tmp_path: Path) -> None:
    marks = ((0, 1, "One"), (1, 3, "Two"))
    path = write_media(tmp_path / "a.m4a", None, sound_of(tone(3)), chapters=marks)
    assert [c.title for c in hints(path).chapters] == ["One", "Two"]


def test_one_chapter_parts_nothing(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.m4a", None, sound_of(tone(3)), chapters=((0, 3, "All"),))
    assert hints(path).chapters == ()


def test_a_site_knows_chapters_and_names(film: Path) -> None:
    origin_file(film).write_bytes(origin_to_bytes(ORIGIN, film.name))
    film.with_name("talk.en.srt").write_text(LINES)
    ctx = run_context()
    assert hints(film, ctx) == Hints(ORIGIN.chapters, ("Fernway", "Nora"))
    assert not told(ctx)


def test_nothing_is_learned_from_what_a_program_wrote(film: Path) -> None:
    automatic = replace(ORIGIN, subtitles=Subtitles("talk.en.srt", "en", True))
    origin_file(film).write_bytes(origin_to_bytes(automatic, film.name))
    film.with_name("talk.en.srt").write_text(LINES)
    assert hints(film).names == ()


def test_subtitles_beside_a_recording_are_told_and_not_used(film: Path) -> None:
    film.with_suffix(".srt").write_text(LINES)
    ctx = run_context()
    assert hints(film, ctx).names == ()
    [(message, hint)] = told(ctx)
    assert "talk.srt lies beside talk.mp4" in message and "--transcript" in str(hint)


def test_who_brings_the_words_is_not_told_of_others(film: Path) -> None:
    film.with_suffix(".srt").write_text(LINES)
    ctx = run_context()
    hints(film, ctx, is_given=True)
    assert not told(ctx)


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b'{"url": 1}', b'{"url": "a", "title": "b", "chapters": [1]}']
)
def test_a_damaged_file_of_hints_is_told_and_done_without(film: Path, content: bytes) -> None:
    origin_file(film).write_bytes(content)
    ctx = run_context()
    assert hints(film, ctx) == Hints()
    assert "talk.source.json cannot be used" in told(ctx)[0][0]


def test_words_to_listen_for_come_behind_those_that_are_asked_for() -> None:
    asked = TranscribeOptions(vocabulary=("Nora",))
    assert listening_for(asked, ("Ada", "Nora")).vocabulary == ("Nora", "Ada")
    assert listening_for(asked, ()) is asked


def test_there_is_room_for_so_many_names() -> None:
    many = spoken("so " + " ".join(f"Name{n}" for n in range(MOST_NAMES + 9)))
    assert len(names_in(many)) == MOST_NAMES


def test_words_that_begin_sentences_are_no_names() -> None:
    assert names_in(spoken("What now? Then nothing. It ends with Ada.")) == ("Ada",)
