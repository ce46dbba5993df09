"""A manifest's brand kit on the way to being drawn again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reelremix.engine.domain.brand import Asset, Brand
from reelremix.engine.stages.branding import found_again
from reelremix.errors import ConfigError


@pytest.mark.parametrize(
    ("tables", "told"),
    [
        ({"title": {"seconds": "abc"}}, "title.seconds must be a number from 0.5 to 60.0"),
        ({"title": {"fill": "red"}}, "in [title], fill must be a colour"),
        ({"title": {"on_thumbnail": "yes"}}, "title.on_thumbnail must be true or false"),
        ({"progress": {"colour": "#zz"}}, "progress.colour must be a colour"),
        ({"progress": {"height": None}}, "progress.height must be a number"),
        ({"logo": {"corner": "middle"}}, "logo.corner cannot be 'middle'"),
        ({"logo": {"size": 0.1}}, "the logo None is not among the kit's files"),
        ({"logo": {"file": ["a.png"]}}, "the logo ['a.png'] is not among the kit's files"),
    ],
)
def test_a_kit_that_cannot_be_drawn_is_refused_before_anything_is(
    tables: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConfigError, match=r"clips\.json: the brand kit of a clip") as caught:
        found_again(Brand("mine", **tables), None, None, Path("clips.json"))
    assert told in caught.value.message and caught.value.hint


def test_unknown_keys_of_a_kit_are_ignored(tmp_path: Path) -> None:
    kit = Brand("mine", title={"seconds": 2, "mood": "calm"}, progress={"glow": 7})
    assert found_again(kit, None, None, tmp_path / "clips.json") == kit


def test_a_missing_file_of_a_kit_is_named(tmp_path: Path) -> None:
    kit = Brand("mine", logo={"file": "logo.png"}, assets=(Asset("logo.png", "0" * 64),))
    with pytest.raises(ConfigError, match=r"the file logo\.png that the clips need"):
        found_again(kit, None, None, tmp_path / "clips.json")
