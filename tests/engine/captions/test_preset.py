"""Presets: found by name, checked as a whole, copied with every key explained."""

from __future__ import annotations

from pathlib import Path

import pytest

from reelremix.engine.captions.preset import (
    check_preset,
    listed_presets,
    load_preset,
    new_preset,
    preset_names,
    read_preset,
)
from reelremix.engine.captions.reference import keys
from reelremix.engine.captions.style import CaptionStyle
from reelremix.errors import ConfigError
from tests.engine.captions.kit import write_kit


def write(folder: Path, text: str, name: str = "mine") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_there_are_at_least_eight_styles_each_told_in_a_line() -> None:
    assert len(preset_names()) >= 8
    told = [read_preset(name).description for name in preset_names()]
    assert len(set(told)) == len(told) and all(20 < len(text) < 100 for text in told)


def test_no_two_built_in_styles_look_alike() -> None:
    styles = [read_preset(name).style for name in preset_names()]
    assert len({(s.font, s.animation, s.fill, s.highlight, s.box) for s in styles}) == len(styles)


def test_a_users_preset_is_found_by_its_name(tmp_path: Path) -> None:
    write(tmp_path, 'description = "Ours"\nsize = 0.07')
    preset = read_preset("mine", tmp_path)
    assert (preset.style.size, preset.origin, preset.description) == (0.07, "yours", "Ours")
    assert "mine" in preset_names(tmp_path)


def test_a_built_in_name_is_not_taken_over(tmp_path: Path) -> None:
    write(tmp_path, "size = 0.07", "bold")
    assert read_preset("bold", tmp_path).origin == "built-in"


def test_a_list_tells_of_broken_presets_too(tmp_path: Path) -> None:
    write(tmp_path, "sise = 1")
    [broken] = [p for p in listed_presets(tmp_path) if p.name == "mine"]
    assert broken.problem is not None and "did you mean 'size'" in broken.problem


def test_everything_wrong_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        'sise = 1\nfill = "red"\n\n[title]\nsecond = 2\nsize = 9\n\n[progress]\nplace = "left"\n'
        '[logo]\nfile = "none.png"\nsize = 4\n[brand.colours]\nmain = "blue"\n',
    )
    told = check_preset(path)
    for line, words in (
        (1, "unknown key 'sise'; did you mean 'size'?"),
        (2, "fill must be a colour"),
        (5, "unknown key 'second' in [title]; did you mean 'seconds'?"),
        (6, "in [title], size must be a number"),
        (9, "progress.place cannot be 'left'"),
        (11, "none.png cannot be read"),
        (14, "brand.colours.main must be a colour"),
    ):
        assert any(t.startswith(f"{path}:{line}: ") and words in t for t in told), (words, told)


@pytest.mark.parametrize("name", preset_names())
def test_every_built_in_preset_passes_its_own_check(tmp_path: Path, name: str) -> None:
    assert check_preset(new_preset("copy", name, tmp_path)) == []


def test_an_absent_font_names_the_nearest(tmp_path: Path) -> None:
    path = write(tmp_path, 'font = "Antn"')
    with pytest.raises(ConfigError, match=r"no font named 'Antn'.*did you mean 'Anton'"):
        read_preset(str(path))


def test_a_font_file_that_is_no_font_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, 'font = "own.ttf"')
    (tmp_path / "own.ttf").write_text("not a font")
    assert any("own.ttf cannot be used" in told for told in check_preset(path))


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"no picture", "is not a picture"), (b"\x89PNG\r\n\x1a\n", "is not a picture")],
)
def test_a_logo_that_is_no_picture_is_told(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "logo.png").write_bytes(content)
    path = write(tmp_path, '[logo]\nfile = "logo.png"')
    assert any(words in told for told in check_preset(path))


def test_a_huge_logo_is_told_without_being_drawn(tmp_path: Path) -> None:
    path = write_kit(tmp_path, logo_px=(9000, 2))
    assert any("9000x2; at most 8192" in told for told in check_preset(path))


def test_names_stand_for_colours_and_fonts(tmp_path: Path) -> None:
    preset = read_preset(str(write_kit(tmp_path)))
    assert preset.style.highlight == "#7C3AED"
    assert Path(preset.style.font).name == "Own.ttf"
    assert {asset.file for asset in preset.brand.assets} == {"Own.ttf", "logo.png"}


def test_an_unknown_name_for_a_colour_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path, 'fill = "$primry"\n[brand.colours]\nprimary = "#000000"')
    assert any("got '$primry'" in told for told in check_preset(path))


def test_a_copy_means_the_same_and_explains_every_key(tmp_path: Path) -> None:
    path = new_preset("ours", "impact", tmp_path)
    assert read_preset("ours", tmp_path).style == load_preset("impact")
    text = path.read_text("utf-8")
    assert all(f"{name} = " in text for name in CaptionStyle.__dataclass_fields__)


@pytest.mark.parametrize("name", ["bold", "../out", "", "a/b"])
def test_a_copy_needs_a_name_that_is_free_and_plain(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError):
        new_preset(name, "bold", tmp_path)


def test_every_key_has_a_meaning() -> None:
    assert all(key.meaning for key in keys())
    assert {"title.seconds", "logo.file", "progress.colour"} <= {
        f"{key.table}.{key.name}" for key in keys()
    }


def test_values_nested_without_end_are_told(tmp_path: Path) -> None:
    path = write(tmp_path, "deep = " + "[" * 50_000)
    with pytest.raises(ConfigError, match="nested too deeply"):
        read_preset(str(path))
    assert check_preset(path) == [f"{path} is no preset: its values are nested too deeply"]
