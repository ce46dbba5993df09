"""What a brand kit shows over a clip."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reelremix.engine.domain.brand import Brand
from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.stages.branding import title_card_of
from tests.fakes import clip_of, presented
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
