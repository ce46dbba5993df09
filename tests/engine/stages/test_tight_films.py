"""Films of clips with many joins: sound and picture stay together, and nobody hears the cuts."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from reelremix.engine.domain.layout import Layout
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.media.decode import FrameReader
from reelremix.engine.stages.frame import center_layout
from reelremix.engine.stages.joins import kept_layout
from tests.engine.stages.test_render import WIDE, lumas, rendered, sound
from tests.fakes import clip_of, presented
from tests.media_factory import Film, beeps, flashing, onset_s, sound_of, write_media

pytestmark = pytest.mark.slow

JOINS = 30


def together(film: Path, count: int, rate: Fraction) -> list[float]:
    """How much later than its flash each beep is, in seconds."""
    flashes = [n for n, luma in enumerate(lumas(film)) if luma.mean() > 126]
    flashes = [n for n in flashes if n - 1 not in flashes]
    assert len(flashes) == count
    heard, late = sound(film), []
    for flash in flashes:
        shown = float(flash / rate)
        begin = max(0, round((shown - 0.1) * 48_000))
        late.append(begin / 48_000 + onset_s(heard[:, begin : begin + 9_600], 48_000) - shown)
    return late


def film_of(path: Path, ranges: list[TimeRange], rate: Fraction = Fraction(25)) -> Path:
    """The film of ranges of `path`, snapped to its frames."""
    presentation = presented(path)
    with FrameReader(path, presentation) as reader:
        kept = tuple(TimeRange(reader.snap(r.start), reader.snap(r.end)) for r in ranges)
    output = replace(WIDE, frame_rate=rate)
    whole = center_layout(TimeRange(kept[0].start, kept[-1].end), presentation.picture, output)
    layout: Layout = kept_layout(whole, kept)
    return rendered(path, clip_of(presentation, 0, 1, output, ranges=kept, layout=layout))[0]


@pytest.mark.parametrize("rate", ["25", "30000/1001"])
def test_flash_and_beep_stay_together_over_thirty_joins(tmp_path: Path, rate: str) -> None:
    exact = Fraction(rate)
    flashes = [round((n + 0.5) * exact) for n in range(JOINS + 1)]
    times = [float(n / exact) for n in flashes]
    picture = Film(round((JOINS + 1) * exact), flashing(*flashes), (160, 90), exact)
    path = write_media(tmp_path / "a.mp4", picture, sound_of(beeps(JOINS + 1, *times)))
    ranges = [TimeRange.from_seconds(at - 0.2 - 0.004 * (n % 7), at + 0.21 + 0.003 * (n % 5))
              for n, at in enumerate(times)]  # fmt: skip
    late = together(film_of(path, ranges, exact), JOINS + 1, exact)
    assert all(abs(each) <= 0.02 for each in late), late


def test_flash_and_beep_stay_together_at_a_variable_rate(tmp_path: Path) -> None:
    steps, at = [40, 33, 50, 20, 80], 0
    times, flashes, moments = [], [], []
    for number in range(260):
        times.append(Fraction(at, 1000))
        if number % 24 == 12:
            flashes.append(number)
            moments.append(at / 1000)
        at += steps[number % len(steps)]
    picture = Film(paint=flashing(*flashes), size=(160, 90), times=tuple(times))
    path = write_media(tmp_path / "a.mkv", picture, sound_of(beeps(at / 1000, *moments)))
    ranges = [TimeRange.from_seconds(m - 0.3, m + 0.3) for m in moments]
    late = together(film_of(path, ranges, Fraction(50)), len(moments), Fraction(50))
    assert all(abs(each) <= 0.03 for each in late), late
    assert abs(float(np.mean(late[-3:])) - float(np.mean(late[:3]))) < 0.02


def test_a_film_of_many_joins_is_as_long_in_sound_as_in_picture(tmp_path: Path) -> None:
    picture = Film(250, size=(160, 90))
    path = write_media(tmp_path / "a.mp4", picture, sound_of(beeps(10, 1, 5)))
    ranges = [TimeRange.from_seconds(n / 3, n / 3 + 0.21) for n in range(29)]
    film = film_of(path, ranges)
    assert abs(sound(film).shape[1] / 48_000 - len(lumas(film)) / 25) < 0.05


def test_a_range_shorter_than_a_frame_costs_neither_sound_nor_picture(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mp4", Film(75, size=(160, 90)), sound_of(beeps(3, 1)))
    ranges = tuple(TimeRange.from_seconds(a, b) for a, b in ((0.4, 0.8), (1.0, 1.01), (1.4, 2.0)))
    layout = center_layout(TimeRange.from_seconds(0, 3), presented(path).picture, WIDE)
    clip = clip_of(presented(path), 0, 1, WIDE, ranges=ranges, layout=kept_layout(layout, ranges))
    film, _, verdict = rendered(path, clip)
    assert abs(len(lumas(film)) - round(1.01 * 25)) <= 1
    assert not [note for note in verdict.notes if "ends at" in note]
    assert Timestamp(0) < ranges[0].end
