"""What a preset says of intro and outro, before anybody looks into their files."""

from __future__ import annotations

from pathlib import Path

import pytest

from reelremix.engine.captions.preset import check_preset, read_preset
from reelremix.engine.domain.bookends import Bookend, Fit
from tests.engine.captions.kit import png


def preset(folder: Path, text: str) -> Path:
    """The preset's path; `end.png` lies beside it."""
    (folder / "end.png").write_bytes(png(32, 32))
    path = folder / "mine.toml"
    path.write_text(text, "utf-8")
    return path


def test_an_intro_is_a_table_or_a_name_in_the_brand(tmp_path: Path) -> None:
    table = read_preset(str(preset(tmp_path, '[intro]\nfile = "end.png"'))).brand
    short = read_preset(str(preset(tmp_path, '[brand]\nintro = "end.png"'))).brand
    assert table == short
    assert table.intro == Bookend("end.png", 0.0) and table.outro is None
    assert [asset.file for asset in table.assets] == ["end.png"]
    assert table.path_of("end.png") == str(tmp_path / "end.png")


def test_seconds_and_fit_are_read(tmp_path: Path) -> None:
    text = '[outro]\nfile = "end.png"\nseconds = 2.5\nfit = "fit"'
    assert read_preset(str(preset(tmp_path, text))).brand.outro == Bookend("end.png", 2.5, Fit.FIT)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[intro]\nfile = "no.mp4"', ":2: the intro "),
        ('[intro]\nfile = "no.mp4"', "no.mp4 cannot be read: no such file or directory"),
        ("[outro]\nseconds = 2", ":1: [outro] needs file, a video or a picture beside the preset"),
        ('[intro]\nfile = "."', "cannot be read: is a directory"),
        ('[intro]\nfile = "end.png"\nfit = "fil"', ":3: intro.fit cannot be 'fil'; did you mean"),
        ('[intro]\nfile = "end.png"\nseconds = 99', ":3: intro.seconds must be a number from 0.1"),
        ('[intro]\nfiel = "end.png"', ":2: unknown key 'fiel' in [intro]; did you mean 'file'?"),
        ("[brand]\nintro = 3", ":2: brand.intro must be the name of a file"),
        ('intro = "end.png"', ":1: intro must be a table, [intro]"),
        ('[brand]\noutro = "end.png"\n[outro]\nfile = "b.png"', ":2: the outro is set twice"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    problems = check_preset(preset(tmp_path, text))
    assert any(told in problem for problem in problems), problems


def test_an_empty_file_is_told(tmp_path: Path) -> None:
    path = preset(tmp_path, '[intro]\nfile = "nothing.mp4"')
    (tmp_path / "nothing.mp4").touch()
    assert check_preset(path) == [f"{path}:2: the intro {tmp_path}/nothing.mp4 is empty"]
