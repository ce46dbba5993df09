from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from reelremix.engine.captions.preset import DEFAULT_PRESET, load_preset, preset_names
from reelremix.engine.captions.style import (
    CaptionStyle,
    from_dict,
    rgba,
    to_dict,
)
from reelremix.engine.captions.typefaces import chain_for
from reelremix.engine.domain.clip import OutputFormat
from reelremix.errors import ConfigError


def preset_file(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("name", preset_names())
def test_every_built_in_preset_can_be_read_and_names_a_font_that_is_there(name: str) -> None:
    assert chain_for(load_preset(name).font).primary.has("Aa")


def test_the_default_preset_is_built_in() -> None:
    assert DEFAULT_PRESET in preset_names()


@pytest.mark.parametrize("name", preset_names())
def test_a_style_survives_the_manifest(name: str) -> None:
    style = load_preset(name)
    assert from_dict(to_dict(style)) == style


def test_keys_of_a_later_version_in_a_manifest_are_ignored() -> None:
    assert from_dict({"sparkle": 3, "size": 0.06}) == CaptionStyle(size=0.06)


def test_an_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="no preset named 'bald'; did you mean 'bold'") as error:
        load_preset("bald")
    assert "karaoke" in (error.value.hint or "")


def test_a_preset_can_be_a_file(tmp_path: Path) -> None:
    style = load_preset(preset_file(tmp_path, 'fill = "#00FF00"\nsize = 0.08'))
    assert (style.fill, style.size) == ("#00FF00", 0.08)


def test_an_unknown_key_names_file_key_and_nearest_match(tmp_path: Path) -> None:
    path = preset_file(tmp_path, "sise = 0.05")
    with pytest.raises(ConfigError) as error:
        load_preset(path)
    assert error.value.message == f"{path}: unknown key 'sise'; did you mean 'size'?"


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("size = 3", "size must be a number from 0.01 to 0.2 (got 3)"),
        ('size = "big"', "size must be a number"),
        ("max_lines = 1.5", "max_lines must be a whole number from 1 to 2"),
        ("max_lines = true", "max_lines must be a whole number"),
        ("font = 12", "font must be text (got 12)"),
        ('fill = "yellow"', "fill must be a colour such as #FFD60A (got 'yellow')"),
        ('case = "uper"', "case cannot be 'uper'; did you mean 'upper'?"),
        ('animation = "spin"', "animation cannot be 'spin'"),
        ("size = ", "is not valid TOML"),
    ],
)
def test_a_wrong_value_is_explained(tmp_path: Path, line: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as error:
        load_preset(preset_file(tmp_path, line))
    assert complaint in error.value.message
    assert "mine.toml" in error.value.message


def test_a_preset_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml"):
        load_preset(str(tmp_path / "nowhere.toml"))


def test_colours_may_carry_alpha_and_may_be_absent() -> None:
    assert rgba("#FF8000") == (255, 128, 0, 255)
    assert rgba("#00000080") == (0, 0, 0, 128)
    assert rgba("") is None


def test_letters_are_not_smaller_in_a_square_than_their_share_of_its_height() -> None:
    square, portrait = (OutputFormat(1080, h, Fraction(25)) for h in (1080, 1920))
    style = CaptionStyle(size=0.05)
    assert style.em_px(portrait) == 96
    assert 54 < style.em_px(square) < 96
