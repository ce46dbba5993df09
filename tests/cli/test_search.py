"""`reelremix search` and `--about`, as they are typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from reelremix.cli import output
from tests.cli.commandline import QUICK, Command, manifest_in, words_file
from tests.media_factory import plain_film


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Seventeen seconds of a talk, with a space in its name."""
    return plain_film(tmp_path / "a talk.mp4", 17, size=(160, 90))


def test_a_transcribed_recording_is_found_with_the_line_to_type_next(
    reelremix: Command, film: Path, tmp_path: Path
) -> None:
    words = words_file(tmp_path / "words.json")
    assert reelremix("transcribe", film, "--transcript", words, "-q").code == 0
    ended = reelremix("search", "forty books", "-q")
    assert ended.code == 0 and "So I began with one page" in ended.out
    assert f"reelremix clip '{film}' --range 0.00-15." in ended.out
    assert "\x1b" not in ended.out
    assert reelremix("search", "forty books", film, "-q").out == ended.out


def test_a_recording_nobody_listened_to_says_what_to_run(reelremix: Command, film: Path) -> None:
    ended = reelremix("search", "books", film, "-q")
    assert ended.failed_politely(2, "a talk.mp4 was never transcribed")
    assert "reelremix transcribe" in ended.err


def test_nothing_found_ends_with_3_and_the_reason(reelremix: Command, tmp_path: Path) -> None:
    ended = reelremix("search", "pasta", words_file(tmp_path / "words.json"), "-q")
    assert (ended.code, ended.out) == (3, "")
    assert 'nothing there is about "pasta"' in ended.err


def test_a_question_without_words_is_a_usage_error(reelremix: Command) -> None:
    assert reelremix("search", "?!").failed_politely(2, "a search needs at least a word")


def test_clips_about_a_subject_say_why(reelremix: Command, film: Path, tmp_path: Path) -> None:
    words = words_file(tmp_path / "words.json")
    ended = reelremix("clip", film, "--transcript", words, "--min", 3, "--max", 9, "--plan",
                      "--about", "reading books", *QUICK)  # fmt: skip
    assert ended.code == 0 and 'says "So I began with one page' in " ".join(ended.out.split())
    manifest = manifest_in(Path("clips/a talk"))
    assert manifest["options"]["about"] == "reading books"
    assert [clip["match"]["words"] for clip in manifest["clips"]] == [["read", "books"]]


def test_a_subject_nobody_speaks_of_ends_with_3_and_the_reason(
    reelremix: Command, film: Path, tmp_path: Path
) -> None:
    words = words_file(tmp_path / "words.json")
    ended = reelremix("clip", film, "--transcript", words, "--min", 3, "--max", 9, "--plan",
                      "--about", "pasta", *QUICK)  # fmt: skip
    assert ended.code == 3 and 'nothing here is about "pasta"' in ended.err
    assert manifest_in(Path("clips/a talk"))["clips"] == []


def test_matching_words_stand_out_whole_and_as_they_were_said() -> None:
    text = output._styled("Hired? He hired (a) hiredman.", ("Hired", "hired"))
    assert [(span.start, span.end) for span in text.spans] == [(0, 5), (10, 15)]
    assert output._styled("No words.", ()).spans == []
