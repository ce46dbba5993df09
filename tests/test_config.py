from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelremix.config import Settings, describe_settings, load_settings, user_file
from reelremix.errors import ConfigError


@pytest.fixture
def user(tmp_path: Path) -> dict[str, str]:
    """An environment whose user has a settings file."""
    (tmp_path / "user.toml").write_text("count = 3\ncrf = 25\n")
    return {"REELREMIX_CONFIG": str(tmp_path / "user.toml")}


def test_without_files_everything_is_a_default(tmp_path: Path) -> None:
    loaded = load_settings({"REELREMIX_CONFIG": str(tmp_path / "none")}, tmp_path)
    assert loaded.settings == Settings()
    assert set(loaded.origins.values()) == {"default"}


def test_each_layer_overrides_the_one_below_and_says_so(
    tmp_path: Path, user: dict[str, str]
) -> None:
    (tmp_path / ".reelremix.toml").write_text("crf = 28\nmax = 40\naspect = '1:1'\n")
    environ = user | {"REELREMIX_MAX": "50", "REELREMIX_ASPECT": "4:5"}
    loaded = load_settings(environ, tmp_path).with_flags({"aspect": "16:9", "count": None})
    found = loaded.settings
    assert (found.count, found.crf, found.max, found.aspect, found.min) == ("3", 28, 50, "16:9", 15)
    assert [loaded.origins[n] for n in ("count", "crf", "max", "aspect", "min")] == [
        user["REELREMIX_CONFIG"],
        str(tmp_path / ".reelremix.toml"),
        "environment REELREMIX_MAX",
        "flag --aspect",
        "default",
    ]


LAYERS = ("user", "project", "environment", "flag")


@given(st.dictionaries(st.sampled_from(LAYERS), st.integers(1, 100)))
def test_the_highest_layer_that_speaks_wins(values: dict[str, int]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environ = {"REELREMIX_CONFIG": str(folder / "user.toml")}
        for layer, file in (("user", "user.toml"), ("project", ".reelremix.toml")):
            if layer in values:
                (folder / file).write_text(f"count = {values[layer]}\n")
        if "environment" in values:
            environ["REELREMIX_COUNT"] = str(values["environment"])
        loaded = load_settings(environ, folder).with_flags({"count": values.get("flag")})
    spoken = [values[layer] for layer in LAYERS if layer in values]
    assert loaded.settings.count == (str(spoken[-1]) if spoken else Settings().count)


def test_a_flag_counts_only_if_it_was_typed() -> None:
    loaded = load_settings({}, Path.cwd()).with_flags({"faces": None, "count": 2, "crf": 0})
    assert (loaded.settings.faces, loaded.settings.count, loaded.settings.crf) == (True, "2", 0)
    assert loaded.origins["faces"] == "default"


def test_false_is_a_value() -> None:
    assert load_settings({}, Path.cwd()).with_flags({"faces": False}).settings.faces is False


@pytest.mark.parametrize(("key", "near"), [("cuont", "count"), ("caption", "captions"),
                                           ("modle", "model")])  # fmt: skip
def test_an_unknown_key_names_file_key_and_nearest_match(
    tmp_path: Path, key: str, near: str
) -> None:
    (tmp_path / ".reelremix.toml").write_text(f"{key} = 1\n")
    with pytest.raises(ConfigError) as caught:
        load_settings({}, tmp_path)
    assert f"there is no setting '{key}'; did you mean '{near}'?" in caught.value.message
    assert str(tmp_path / ".reelremix.toml") in caught.value.message
    assert "reelremix config show" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("count = 'many'", "count must be auto, or between 1 and 100 (got many)"),
        ("count = 0", "count must be auto, or between 1 and 100 (got 0)"),
        ("count = 2.5", "count must be auto, or between"),
        ("count = true", "count must be auto, or between"),
        ("speakers = 'some'", "speakers must be auto or off, or between 1 and 100"),
        ("crf = 2.5", "crf must be a whole number (got 2.5)"),
        ("faces = 1", "faces must be true or false"),
        ("max = 'long'", "max must be a number"),
        ("out = ['a']", "out must be text"),
        ("count = ", "is not valid TOML"),
        ("count = " + "[" * 50_000, "its values are nested too deeply"),
        ("[clip]\ncount = 3", "there is no setting 'clip'"),
    ],
)
def test_a_wrong_value_is_refused_by_name(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / ".reelremix.toml").write_text(line)
    with pytest.raises(ConfigError) as caught:
        load_settings({}, tmp_path)
    assert said in caught.value.message


@pytest.mark.parametrize(("line", "name", "value"), [("max = 40", "max", 40.0),
                                                     ("fps = 25", "fps", "25")])  # fmt: skip
def test_numbers_are_taken_where_they_are_meant(
    tmp_path: Path, line: str, name: str, value: Any
) -> None:
    (tmp_path / ".reelremix.toml").write_text(line)
    assert getattr(load_settings({}, tmp_path).settings, name) == value


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [("COUNT", "7", "7"), ("COUNT", "auto", "auto"), ("CRF", "7", 7),
     ("MAX", "45.5", 45.5), ("FACES", "no", False), ("FACES", "TRUE", True),
     ("MODEL", "small", "small"), ("DATA_DIR", "/d", "/d")],
)  # fmt: skip
def test_the_environment_speaks_for_every_setting(name: str, text: str, value: object) -> None:
    loaded = load_settings({f"REELREMIX_{name}": text}, Path.cwd())
    assert getattr(loaded.settings, name.lower()) == value


@pytest.mark.parametrize(("name", "text"), [("COUNT", "x"), ("MAX", ""), ("FACES", "maybe")])
def test_a_wrong_variable_is_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(ConfigError, match=f"REELREMIX_{name} must be"):
        load_settings({f"REELREMIX_{name}": text}, Path.cwd())


def test_variables_that_are_no_settings_are_ignored() -> None:
    environ = {"REELREMIX_SHARED": "/x", "PATH": "/bin", "REELREMIX_CONFIG": "/none"}
    assert load_settings(environ, Path.cwd()).settings == Settings()


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / ".reelremix.toml").mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        load_settings({}, tmp_path)


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    (tmp_path / ".reelremix.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="is not valid TOML"):
        load_settings({}, tmp_path)


def test_the_users_file_lies_in_the_users_folder(clean_environment: Path) -> None:
    assert clean_environment in user_file({}).parents


def test_paths_follow_the_data_folder(tmp_path: Path) -> None:
    found = Settings(data_dir=str(tmp_path))
    assert found.library_file == tmp_path / "library.sqlite3"
    for path in (found.artifacts_path, found.locks_path, found.log_path, *found.model_roots):
        assert path.parent == tmp_path
    assert Settings(data_dir=str(tmp_path), models_dir="/m").model_roots[0] == Path("/m")


def test_a_tilde_is_the_home(clean_environment: Path) -> None:
    assert Settings(data_dir="~/reels").data_path == clean_environment / "reels"


def test_every_setting_is_explained() -> None:
    explained = describe_settings()
    assert set(explained) == {field.name for field in fields(Settings)}
    assert all(text.endswith(".") for text in explained.values())


@pytest.mark.parametrize("value", ["0", "-5", "nan", "inf", "3601"])
def test_a_number_outside_its_bounds_is_refused_naming_where_it_is_from(
    tmp_path: Path, value: str
) -> None:
    with pytest.raises(ConfigError, match="REELREMIX_MIN must be between 1 and 3600"):
        load_settings({"REELREMIX_MIN": value}, tmp_path)
    (tmp_path / ".reelremix.toml").write_text(f"min = {value}\n")
    with pytest.raises(ConfigError, match=r"\.reelremix\.toml: min must be between 1 and 3600"):
        load_settings({}, tmp_path)
    with pytest.raises(ConfigError, match=r"^--min must be between 1 and 3600"):
        load_settings({}, Path.cwd()).with_flags({"min": float(value)})


def test_a_home_there_is_not_is_explained(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="REELREMIX_CONFIG"):
        load_settings({"REELREMIX_CONFIG": "~nobody-here/config.toml"}, tmp_path)
    lost = load_settings({"REELREMIX_DATA_DIR": "~nobody-here/data"}, tmp_path).settings
    with pytest.raises(ConfigError, match="data_dir"):
        _ = lost.data_path


def test_a_deleted_working_folder_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(ConfigError, match="was deleted"):
        load_settings({})


@pytest.mark.parametrize("name", ["judge", "judge_model"])
def test_a_folder_cannot_say_where_what_is_said_is_sent(tmp_path: Path, name: str) -> None:
    (tmp_path / ".reelremix.toml").write_text(f"{name} = 'https://judge.example/v1'\n")
    with pytest.raises(ConfigError, match=f"{name} is not taken from a folder's file") as caught:
        load_settings({}, tmp_path)
    assert "--judge" in (caught.value.hint or "")
