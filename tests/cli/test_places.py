"""Files as they are typed, and as the daemon is told of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from reelremix.cli.places import as_typed, full_model, full_path, full_preset, located
from reelremix.engine.domain.request import ClipRequest, SoundOptions, TranscribeOptions
from reelremix.engine.request_places import NAMES, PATHS, paths_of
from reelremix.errors import ConfigError, UnreadableMedia


@pytest.mark.parametrize(
    "typed", ["talk.mp4", "./talk.mp4", "deep/../talk.mp4", "../here/talk.mp4"]
)
def test_a_path_is_told_from_the_root_on(typed: str) -> None:
    Path("deep").mkdir()
    assert full_path(typed) == str(Path.cwd() / "talk.mp4")


def test_a_step_up_behind_a_link_is_left_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "far" / "folder").mkdir(parents=True)
    Path("link").symlink_to(tmp_path / "far" / "folder")
    assert (
        Path(full_path("link/../talk.mp4")).resolve() == (tmp_path / "far" / "talk.mp4").resolve()
    )


def test_a_home_and_an_address_are_as_they_are_meant() -> None:
    assert full_path("~/talk.mp4") == str(Path.home() / "talk.mp4")
    assert full_path("https://example.org/../a") == "https://example.org/../a"


def test_names_of_presets_and_models_are_no_paths() -> None:
    Path("own").mkdir()
    assert [full_preset(name) for name in (None, "bold", "bold.toml", "a/b")] == [
        None, "bold", str(Path.cwd() / "bold.toml"), str(Path.cwd() / "a/b"),
    ]  # fmt: skip
    assert [full_model(name) for name in ("auto", "base", "lost", "own", "./base")] == [
        "auto", "base", "lost", str(Path.cwd() / "own"), str(Path.cwd() / "base"),
    ]  # fmt: skip


@pytest.mark.parametrize(("message", "said"), [
    ("talk.mp4: no such file", "talk.mp4: no such file"),
    ("cannot write {here}/clips/talk: no space", "cannot write clips/talk: no space"),
    ("{here}/clips.bak is a file", "./clips.bak is a file"),
    ("'{here}/talk.mp4' is empty", "'talk.mp4' is empty"),
    ("looked in {here}", "looked in ."),
    ("looked in {here}; twice", "looked in .; twice"),
    ("looked in {here}er", "looked in {here}er"),
])  # fmt: skip
def test_an_error_calls_files_as_they_were_typed(message: str, said: str) -> None:
    typed = ClipRequest("talk.mp4")
    told = message.format(here=Path.cwd())
    error = as_typed(ConfigError(told, hint=told), typed, located(typed))
    assert error.message == error.hint == said.format(here=Path.cwd())


def test_the_root_is_no_part_of_every_path() -> None:
    up = "/".join([".."] * (len(Path.cwd().parts) - 1))
    typed = ClipRequest(f"{up}/talk.mp4", out=up)
    error = as_typed(ConfigError("cannot write /a/b: no"), typed, located(typed))
    assert error.message == "cannot write /a/b: no"


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(UnreadableMedia, match="not Unicode text"):
        located(ClipRequest("talk\udcff.mp4"))
    with pytest.raises(ConfigError, match="not Unicode text"):
        located(ClipRequest("talk.mp4", out="clips\udcff"))


def test_every_field_that_is_a_path_is_told_from_the_root_on() -> None:
    asked = ClipRequest(
        "talk.mp4", "clips", captions="a/b", brand="a/b",
        transcribe=TranscribeOptions(model="./own", transcript="words.json"),
        sound=SoundOptions(music="theme.mp3", censor_words="words.txt"),
    )  # fmt: skip
    told = paths_of(located(asked))
    assert set(told) == {*PATHS, *NAMES}
    assert all(Path(path).is_absolute() for path in told.values())
