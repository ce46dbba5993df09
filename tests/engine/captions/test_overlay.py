"""Title card, progress bar and logo where and when they belong."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from reelremix.engine.captions.brand import located, with_own_font
from reelremix.engine.captions.overlay import OverlayPainter
from reelremix.engine.captions.patch import blend
from reelremix.engine.captions.preset import read_preset
from reelremix.engine.captions.style import CaptionStyle
from reelremix.engine.domain.brand import Asset, Brand
from reelremix.engine.domain.clip import OutputFormat
from reelremix.errors import ConfigError
from tests.engine.captions.kit import KIT, write_kit

SMALL = OutputFormat(360, 640, Fraction(25))
GREY = 60
Luma = NDArray[np.uint8]


def brand(folder: Path, text: str = KIT) -> Brand:
    return read_preset(str(write_kit(folder, text=text))).brand


def drawn(shown: Brand, at_s: float, title: str = "A title", duration_s: float = 10) -> Luma:
    """The luma plane of a grey picture with the kit on it."""
    planes = (
        np.full((640, 360), GREY, np.uint8),
        np.full((320, 180), 128, np.uint8),
        np.full((320, 180), 128, np.uint8),
    )
    painter = OverlayPainter(shown, title, SMALL, duration_s)
    for patch in painter.patches_at(Fraction(str(at_s))):
        blend(*planes, patch)
    return planes[0]


def test_the_bar_is_as_long_as_the_clip_has_gone_on(tmp_path: Path) -> None:
    only = replace(brand(tmp_path), title=None, logo=None)
    for at_s, share in ((0.0, 0.0), (2.5, 0.25), (10.0, 1.0)):
        assert (drawn(only, at_s)[-1] != GREY).mean() == pytest.approx(share, abs=0.01)


def test_the_title_is_shown_for_its_time_in_the_upper_part(tmp_path: Path) -> None:
    only = replace(brand(tmp_path), progress=None, logo=None)
    rows = np.flatnonzero((drawn(only, 1.0) > 200).any(axis=1))
    assert rows.size and rows.max() < 320
    assert (drawn(only, 2.0) == GREY).all()


def test_a_title_comes_and_goes_softly(tmp_path: Path) -> None:
    soft = KIT.replace('entrance = "none"', 'entrance = "rise"')
    only = replace(brand(tmp_path, soft), progress=None, logo=None)
    brightest = [int(drawn(only, at_s).max()) for at_s in (0.0, 1.0, 1.96)]
    assert brightest[0] < brightest[1] > brightest[2]


@pytest.mark.parametrize("title", ["", "  ", "\u202e\x00"])
def test_a_title_of_nothing_is_not_shown(tmp_path: Path, title: str) -> None:
    only = replace(brand(tmp_path), progress=None, logo=None)
    assert (drawn(only, 1.0, title) == GREY).all()


@pytest.mark.parametrize(
    "title", ["word " * 60, "x" * 10_000, "שלום עולם 5", "今日は良い天気ですね"]
)
def test_any_title_stays_inside_the_picture(tmp_path: Path, title: str) -> None:
    only = replace(brand(tmp_path), progress=None, logo=None)
    columns = np.flatnonzero((drawn(only, 1.0, title) != GREY).any(axis=0))
    assert columns.size == 0 or (columns.min() >= 20 and columns.max() < 340)


@pytest.mark.parametrize("corner", ["top-left", "top-right", "bottom-left", "bottom-right"])
def test_the_logo_stands_in_its_corner_in_its_shape(tmp_path: Path, corner: str) -> None:
    kit = brand(
        tmp_path, KIT.replace('file = "logo.png"', f'file = "logo.png"\ncorner = "{corner}"')
    )
    ys, xs = np.nonzero(drawn(replace(kit, title=None, progress=None), 5.0) != GREY)
    assert bool(xs.max() < 180) is corner.endswith("left")
    assert bool(ys.max() < 320) is corner.startswith("top")
    assert np.ptp(xs) == pytest.approx(2 * np.ptp(ys), abs=3)


def test_a_logo_taller_than_wide_does_not_fill_the_picture(tmp_path: Path) -> None:
    path = write_kit(tmp_path, logo_px=(4, 400))
    kit = replace(read_preset(str(path)).brand, title=None, progress=None)
    ys, _ = np.nonzero(drawn(kit, 5.0) != GREY)
    assert np.ptp(ys) <= 160


def test_a_file_that_is_gone_or_changed_is_named(tmp_path: Path) -> None:
    asset = next(a for a in brand(tmp_path / "a").assets if a.file == "logo.png")
    bare = Asset(asset.file, asset.sha256)
    assert located([bare], [tmp_path, tmp_path / "a"])[0].path.endswith("a/logo.png")
    with pytest.raises(ConfigError, match=r"logo\.png that the clips need is not to be found"):
        located([bare], [tmp_path])
    (tmp_path / "a" / "logo.png").write_bytes(b"other")
    with pytest.raises(ConfigError, match=r"logo\.png is not the file .* content has changed"):
        located([bare], [tmp_path / "a"])


def test_a_font_file_is_found_among_the_assets(tmp_path: Path) -> None:
    kit = brand(tmp_path)
    found = with_own_font(CaptionStyle(font="Own.ttf"), kit.assets)
    assert Path(found.font).is_absolute()
    with pytest.raises(ConfigError, match=r"font file Own\.ttf"):
        with_own_font(CaptionStyle(font="Own.ttf"), ())


def test_a_place_that_a_manifest_names_does_not_pass_by_the_check(tmp_path: Path) -> None:
    kit, other = brand(tmp_path), tmp_path / "other" / "Own.ttf"
    found = with_own_font(CaptionStyle(font=str(other)), kit.assets)
    assert found.font == str(tmp_path / "Own.ttf")
    with pytest.raises(ConfigError, match="that the captions need is not to be found"):
        with_own_font(CaptionStyle(font=str(tmp_path / "Own.ttf")), ())
