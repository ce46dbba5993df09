from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reelremix.daemon.folder_settings import settings_of
from reelremix.engine.domain.watch import Watch
from reelremix.errors import ConfigError


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    """Of an empty folder."""
    return Watch(id="w", folder=str(tmp_path), created_at=1.0)


def test_the_folders_own_file_counts_and_the_watch_counts_for_more(watch: Watch) -> None:
    (Path(watch.folder) / ".reelremix.toml").write_text('captions = "clean"\ncount = 3\n')
    watch = replace(watch, options={"captions": "none"})
    settings = settings_of(watch, {"REELREMIX_COUNT": "7"}).settings
    assert (settings.captions, settings.count) == ("none", "7")


def test_places_are_looked_for_from_the_folder(watch: Watch) -> None:
    (Path(watch.folder) / ".reelremix.toml").write_text('music = "../beds/calm.mp3"')
    settings = settings_of(replace(watch, options={"censor_words": "/words.txt"}), {}).settings
    assert settings.out == f"{watch.folder}/clips"
    assert settings.music == f"{watch.folder}/../beds/calm.mp3"
    assert settings.censor_words == "/words.txt"


def test_presets_and_models_that_are_files_are_looked_for_from_the_folder(watch: Watch) -> None:
    content = 'captions = "./mine.toml"\nbrand = "clean"\nmodel = "../models/own"'
    (Path(watch.folder) / ".reelremix.toml").write_text(content)
    settings = settings_of(watch, {}).settings
    assert settings.captions == f"{watch.folder}/mine.toml" and settings.brand == "clean"
    assert settings.model == f"{watch.folder}/../models/own"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("judge = 'https://elsewhere.example'", "not taken from a folder's file"),
        ("captoins = 'none'", "did you mean 'captions'"),
        ("count = 0", "count must be"),
        ("= 3", "not valid TOML"),
    ],
)
def test_a_wrong_file_is_an_error_that_names_it(watch: Watch, text: str, said: str) -> None:
    (Path(watch.folder) / ".reelremix.toml").write_text(text)
    with pytest.raises(ConfigError, match=said) as caught:
        settings_of(watch, {})
    assert ".reelremix.toml" in caught.value.message


def test_a_watch_with_wrong_options_is_an_error(watch: Watch) -> None:
    with pytest.raises(ConfigError, match="no setting 'nonsense'"):
        settings_of(replace(watch, options={"nonsense": 1}), {})
