"""`reelremix package`, from a run of `clip` to a folder that can be uploaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.commandline import QUICK, Command, words_file
from tests.contract.schemas import faults
from tests.media_factory import Film, counted, sound_of, tone, write_media

pytestmark = pytest.mark.slow


@pytest.fixture
def clips(tmp_path: Path, reelremix: Command) -> Path:
    """A run that rendered one clip of two."""
    film = Film(frames=300, size=(320, 180), paint=counted, rate=Film().rate)
    talk = write_media(tmp_path / "talk.mp4", film, sound_of(tone(12)))
    words = words_file(tmp_path / "words.json")
    given = ("clip", talk, "--transcript", words, "--speakers", "off", "--range", "1-3",
             "--range", "6-8", "--out", tmp_path, "-q", *QUICK[:-4],
             "--fps", "25", "--encoder-preset", "ultrafast")  # fmt: skip
    assert reelremix(*given, "--plan").code == 0
    assert reelremix("render", tmp_path / "talk", "1", "-q").code == 0
    return tmp_path / "talk"


def test_what_fits_is_laid_out_and_what_does_not_is_told(clips: Path, reelremix: Command) -> None:
    ended = reelremix("package", clips, "--for", "shorts,x", "--json", "-q")
    assert ended.code == 3
    assert faults("post", ended.json) == []
    assert [(p["platform"], p["rank"]) for p in ended.json["posts"]] == [("shorts", 1), ("x", 1)]
    assert {p["rank"] for p in ended.json["left_out"]} == {2}
    assert all((clips / "post" / p["files"]["video"]).is_file() for p in ended.json["posts"])


def test_a_clip_that_is_named_is_packaged_alone(clips: Path, reelremix: Command) -> None:
    ended = reelremix("package", clips, "1", "--for", "tiktok", "-q")
    assert ended.code == 0 and ended.err == ""
    assert str(clips / "post" / "tiktok") in ended.out.replace("\n", "")


def test_what_to_type_is_told_of_a_clip_that_is_not_rendered(
    clips: Path, reelremix: Command
) -> None:
    ended = reelremix("package", clips, "2", "--for", "x", "-q")
    assert ended.code == 3 and ended.out == ""
    assert "clip 2 is not packaged for x: it is not rendered yet" in ended.err
    assert f"`reelremix render {clips / 'clips.json'} 2`" in ended.err


def test_a_platform_there_is_not_is_refused(clips: Path, reelremix: Command) -> None:
    ended = reelremix("package", clips, "--for", "vine", "-q")
    assert ended.failed_politely(2, "--for takes shorts, reels, tiktok, linkedin, x (got 'vine')")
