from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from reelremix.engine.domain.bookends import Bookend
from reelremix.engine.domain.brand import Brand
from reelremix.engine.domain.clip import OutputFormat
from reelremix.engine.domain.time import TimeRange
from tests.engine.examples import CLIP

NTSC = OutputFormat(180, 320, Fraction(30000, 1001))
BRAND = Brand("mine", intro=Bookend("a.mp4", 2.002), outro=Bookend("b.png", 1.5))


def test_an_intro_has_whole_frames_and_the_clip_begins_with_the_next() -> None:
    film = replace(CLIP, output=NTSC, brand=BRAND, ranges=(TimeRange.from_seconds(3, 5),)).film
    assert (film.intro, film.clip, film.outro, film.total) == (60, 60, 45, 165)
    assert film.clip_begins == 60 * Fraction(1001, 30000)
    assert film.clip_ends == 2 * film.clip_begins
    assert film.ends == 165 * Fraction(1001, 30000)


@pytest.mark.parametrize("brand", [None, Brand("mine", progress={})])
def test_without_them_a_film_is_its_clip(brand: Brand | None) -> None:
    clip = replace(CLIP, brand=brand)
    assert clip.film.clip_begins == 0 and clip.film.total == clip.film.clip
    assert clip.film_duration_s == clip.duration_s


def test_a_film_lasts_as_long_as_all_of_its_frames() -> None:
    clip = replace(CLIP, output=NTSC, brand=BRAND, ranges=(TimeRange.from_seconds(3, 5),))
    assert clip.duration_s == 2 and clip.film_duration_s == round(165 * 1001 / 30000, 6)


def test_they_are_not_laid_over_the_clip() -> None:
    assert not BRAND.draws and not BRAND.is_empty
    assert replace(BRAND, progress={}).draws
    assert Brand("mine").is_empty


def test_even_the_shortest_is_shown() -> None:
    assert Bookend("a.mp4", 0.001).frames(Fraction(25)) == 1
