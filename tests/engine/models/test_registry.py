"""Which models exist, and which are on this machine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reelremix.engine.models.registry import (
    HttpsOrigin,
    HubOrigin,
    InstalledModels,
    PackageOrigin,
    load_catalog,
    readable_size,
)
from reelremix.errors import ModelError, ModelNotInstalled
from tests.engine.models.weights import CONFIG, MODEL, catalog, models_in, write_model

WHISPERS = ("base", "tiny.en", "small", "medium", "large-v3", "large-v3-turbo")


@pytest.mark.parametrize(
    "name", (*WHISPERS, "blazeface", "campplus", "light-asd", "minilm", "yamnet")
)
def test_the_shipped_catalogue_pins_every_file(name: str) -> None:
    for origin in load_catalog()[name].origins:
        for file in origin.files:
            assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
            assert file.size_bytes > 0
            assert Path(file.name).name == file.name


@pytest.mark.parametrize("name", load_catalog())
def test_every_origin_of_the_shipped_catalogue_is_pinned(name: str) -> None:
    for origin in load_catalog()[name].origins:
        match origin:
            case PackageOrigin():
                assert all("==" in package for package in origin.packages)
            case HubOrigin():
                assert re.fullmatch(r"[0-9a-f]{40}", origin.revision)
            case HttpsOrigin():
                assert re.fullmatch(r"https://.*/[0-9a-f]{40}/(.*/)?", origin.address)


@pytest.mark.parametrize("name", WHISPERS)
def test_whisper_entries_hold_what_the_runtime_opens(name: str) -> None:
    for origin in load_catalog()[name].origins:
        names = {file.name for file in origin.files}
        assert {"model.bin", "config.json", "tokenizer.json"} <= names
        assert names & {"vocabulary.json", "vocabulary.txt"}


def test_a_model_is_found_in_the_first_root_that_has_it(tmp_path: Path) -> None:
    second = write_model(tmp_path / "second")
    models = InstalledModels([tmp_path / "first", tmp_path / "second"], catalog())
    assert models.folder("tiny") == second
    assert models.folder("tiny") != write_model(tmp_path / "first").parent
    assert models.folder("tiny") == tmp_path / "first" / "tiny"


def test_a_path_to_a_folder_stands_for_itself(tmp_path: Path) -> None:
    mine = tmp_path / "my-whisper"
    mine.mkdir()
    assert models_in(tmp_path / "models").folder(str(mine)) == mine


def test_a_folder_in_the_working_directory_does_not_stand_in_for_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tiny").mkdir()
    monkeypatch.chdir(tmp_path)
    models = models_in(tmp_path / "models")
    with pytest.raises(ModelNotInstalled):
        models.folder("tiny")
    assert models.folder("./tiny") == Path("tiny")


def test_a_missing_model_names_the_command_the_size_and_the_licence(tmp_path: Path) -> None:
    with pytest.raises(ModelNotInstalled, match="model 'base' is not installed") as failure:
        InstalledModels([tmp_path]).folder("base")
    assert failure.value.hint == "`reelremix models install base` (150 MB, MIT)"


def test_an_unknown_name_gets_the_nearest_one(tmp_path: Path) -> None:
    with pytest.raises(ModelNotInstalled, match="did you mean 'base'") as failure:
        InstalledModels([tmp_path]).folder("bass")
    assert failure.value.hint is not None
    assert "large-v3-turbo" in failure.value.hint


def test_a_model_with_a_missing_file_does_not_count(tmp_path: Path) -> None:
    folder = write_model(tmp_path)
    (folder / "config.json").unlink()
    models = models_in(tmp_path)
    assert models.installed() == []
    with pytest.raises(ModelNotInstalled, match=r"not whole: config\.json is missing"):
        models.folder("tiny")


def test_a_folder_the_catalogue_does_not_know_is_the_users_own_model(tmp_path: Path) -> None:
    folder = write_model(tmp_path, "dialect")
    models = models_in(tmp_path)
    assert models.folder("dialect") == folder
    own = models.list_models()[-1]
    assert (own.name, own.purpose, own.licence) == ("dialect", "your own", None)


def test_the_list_tells_what_is_installed_and_where(tmp_path: Path) -> None:
    models = models_in(tmp_path)
    before = models.list_models()[0]
    folder = write_model(tmp_path)
    after = models.list_models()[0]
    assert (before.installed, before.folder) == (False, None)
    assert (after.installed, after.folder) == (True, str(folder))
    assert before.size_bytes == after.size_bytes == len(MODEL) + len(CONFIG)


def test_hidden_folders_are_no_models(tmp_path: Path) -> None:
    write_model(tmp_path, ".partial")
    models = models_in(tmp_path)
    assert models.installed() == []
    with pytest.raises(ModelNotInstalled):
        models.folder(".partial")


def test_removing_frees_the_models_bytes(tmp_path: Path) -> None:
    folder = write_model(tmp_path)
    models = models_in(tmp_path)
    assert models.remove("tiny") == len(MODEL) + len(CONFIG)
    assert not folder.exists()
    with pytest.raises(ModelNotInstalled):
        models.remove("tiny")


def test_only_names_can_be_removed(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "elsewhere")
    with pytest.raises(ModelError, match="is a path"):
        models_in(tmp_path / "models").remove(str(folder))
    assert folder.is_dir()


@pytest.mark.parametrize(
    ("size", "text"), [(996_068, "1.0 MB"), (150_218_479, "150 MB"), (3_090_835_702, "3.1 GB")]
)
def test_sizes_are_short(size: int, text: str) -> None:
    assert readable_size(size) == text
