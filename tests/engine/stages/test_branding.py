"""What a brand kit shows over a clip, and a manifest's on the way to being drawn again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reelremix.engine.domain.brand import Asset, Brand
from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.export.clip_entry import clip_to_dict
from reelremix.engine.stages.branding import dress_of, found_again, remember_kit, title_card_of
from reelremix.errors import ConfigError
from tests.engine.captions.kit import write_kit
from tests.engine.examples import CLIP
from tests.fakes import clip_of, presented, run_context
from tests.media_factory import Film, write_media

TIGHT = ((10, 11), (12, 15), (16, 20))


@pytest.fixture
def clip(tmp_path: Path) -> Clip:
    """One that is kept in three pieces, with a title for two seconds."""
    presentation = presented(write_media(tmp_path / "a.mp4", Film(5)))
    ranges = tuple(TimeRange.from_seconds(*span) for span in TIGHT)
    return clip_of(presentation, 0, 0.2, ranges=ranges, brand=Brand("", title={"seconds": 2}))


def test_a_title_card_stands_in_every_range_that_the_film_shows_it_over(clip: Clip) -> None:
    cards = title_card_of(clip)
    assert [(c.range.start_s, c.range.end_s) for c in cards] == [(10, 11), (12, 13)]
    assert cards[0].box == cards[1].box


def test_a_clip_that_is_shorter_than_its_title_card_has_it_throughout(clip: Clip) -> None:
    short = replace(clip, ranges=clip.ranges[:1])
    assert [card.range for card in title_card_of(short)] == [clip.ranges[0]]


def test_a_clip_without_a_title_card_has_none_in_the_way(clip: Clip) -> None:
    assert title_card_of(replace(clip, brand=None)) == ()


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
        found_again(Brand("mine", **tables), Path("clips.json"), run_context())
    assert told in caught.value.message and caught.value.hint


def test_unknown_keys_of_a_kit_are_ignored(tmp_path: Path) -> None:
    kit = Brand("mine", title={"seconds": 2, "mood": "calm"}, progress={"glow": 7})
    assert found_again(kit, tmp_path / "clips.json", run_context()) == kit


def test_a_missing_file_of_a_kit_is_named(tmp_path: Path) -> None:
    kit = Brand("mine", logo={"file": "logo.png"}, assets=(Asset("logo.png", "0" * 64),))
    with pytest.raises(ConfigError, match=r"the file logo\.png that the clips need"):
        found_again(kit, tmp_path / "clips.json", run_context())


ELSEWHERE = """
font = "{away}/Own.ttf"
[title]
font = "{away}/Own.ttf"
[logo]
file = "{away}/logo.png"
[outro]
file = "{away}/logo.png"
"""


def test_files_and_presets_are_published_by_name_and_found_where_they_were(
    tmp_path: Path,
) -> None:
    away = write_kit(tmp_path / "away").parent
    path = tmp_path / "mine.toml"
    path.write_text(ELSEWHERE.format(away=away), "utf-8")
    dress, ctx = dress_of(str(path), None, None), run_context()
    assert dress.brand is not None and dress.preset == dress.brand.preset == "mine"
    remember_kit(dress.brand, ctx)
    clip = replace(CLIP, brand=dress.brand)
    published = json.dumps(clip_to_dict(clip))
    assert str(tmp_path) not in published and "logo.png" in published
    bare = replace(dress.brand, assets=tuple(replace(a, path="") for a in dress.brand.assets))
    assert found_again(bare, Path("elsewhere/clips.json"), ctx) == dress.brand


def test_two_files_of_one_name_cannot_be_told_apart(tmp_path: Path) -> None:
    away = write_kit(tmp_path / "away").parent
    text = f'[logo]\nfile = "logo.png"\n[outro]\nfile = "{away}/logo.png"'
    (write_kit(tmp_path, (10, 10)).parent / "two.toml").write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=r"two different files are called logo\.png"):
        dress_of(str(tmp_path / "two.toml"), None, None)
