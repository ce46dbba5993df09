from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from reelremix.engine.captions.paint import KEPT_PATCHES, CaptionPainter
from reelremix.engine.captions.patch import Patch
from reelremix.engine.captions.style import load_preset, preset_names
from reelremix.engine.domain.caption import Captions, Cue
from reelremix.engine.domain.clip import OutputFormat
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.transcript import Word
from reelremix.engine.stages.caption import plan_captions
from reelremix.errors import ConfigError, ModelError

SMALL = OutputFormat(360, 640, Fraction(25))
KEPT = (TimeRange.from_seconds(0, 60),)

Speech = Callable[..., tuple[Word, ...]]


def painter(words: tuple[Word, ...], preset: str = "bold") -> CaptionPainter:
    return CaptionPainter(plan_captions(words, KEPT, SMALL, preset), words, SMALL)


def shown(painter: CaptionPainter, seconds: float | Fraction) -> Patch:
    patch = painter.patch_at(Timestamp.from_seconds(seconds))
    assert patch is not None
    return patch


def yellow_columns(patch: Patch) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Columns of the chroma plane that hold yellow: little blue."""
    covered = patch.alpha_uv > 200
    return np.asarray((covered & (patch.pre_u < 80 * patch.alpha_uv)).any(axis=0))


def test_nothing_is_shown_before_the_first_word_and_after_the_last(speech: Speech) -> None:
    made = painter(speech("hello there"))
    assert made.patch_at(Timestamp.from_seconds(0.99)) is None
    assert made.patch_at(Timestamp.from_seconds(30)) is None


def test_a_patch_lies_inside_its_cues_box_on_even_numbers(speech: Speech) -> None:
    words = speech("some words on two lines")
    captions = plan_captions(words, KEPT, SMALL)
    patch = shown(CaptionPainter(captions, words, SMALL), 1.1)
    x, y, width, height = captions.cues[0].box
    assert x <= patch.x and patch.x + patch.width <= x + width
    assert y <= patch.y and patch.y + patch.height <= y + height
    assert all(n % 2 == 0 for n in (patch.x, patch.y, patch.width, patch.height))


def test_the_lit_word_changes_exactly_at_its_start(speech: Speech) -> None:
    words = speech("one two")
    made = painter(words)
    start = words[1].range.start
    before = made.patch_at(Timestamp(start.ticks - 1))
    assert before is shown(made, 1.0)
    assert before is not made.patch_at(start)


def test_the_highlight_moves_to_the_right_in_latin_and_to_the_left_in_hebrew(
    speech: Speech,
) -> None:
    for text, step in (("one two", 1), ("אחת שתיים", -1)):
        made = painter(speech(text))
        first, second = (np.flatnonzero(yellow_columns(shown(made, s))) for s in (1.1, 1.4))
        assert (second.mean() - first.mean()) * step > 10


def test_only_the_spoken_word_is_lit(speech: Speech) -> None:
    lit = yellow_columns(shown(painter(speech("mmm mmm")), 1.1))
    assert 0.3 < lit.mean() < 0.6


def test_karaoke_keeps_words_lit(speech: Speech) -> None:
    words = speech("mmm mmm")
    captions = plan_captions(
        words, KEPT, SMALL, style=replace(load_preset("karaoke"), highlight="#FFD60A")
    )
    made = CaptionPainter(captions, words, SMALL)
    assert yellow_columns(shown(made, 1.4)).mean() > yellow_columns(shown(made, 1.1)).mean() + 0.2


def test_a_style_without_animation_has_one_picture_a_cue(speech: Speech) -> None:
    made = painter(speech("one two three"), "clean")
    assert shown(made, 1.0) is shown(made, 1.9)


def test_a_popped_word_is_larger(speech: Speech) -> None:
    words = speech("go go")
    plain = replace(load_preset("pop"), animation="none")
    still = CaptionPainter(plan_captions(words, KEPT, SMALL, style=plain), words, SMALL)
    assert shown(painter(words, "pop"), 1.0).height > shown(still, 1.0).height


@pytest.mark.parametrize("preset", preset_names())
def test_every_preset_paints(speech: Speech, preset: str) -> None:
    patch = shown(painter(speech("hello there"), preset), 1.1)
    assert (patch.pre_y > 200 * 256).any()


def test_the_word_stays_lit_through_a_short_breath_only(speech: Speech) -> None:
    made = painter(speech("one two", gap_s=0.5))
    assert yellow_columns(shown(made, 1.69)).any()
    assert not yellow_columns(shown(made, 1.75)).any()


def test_pictures_are_kept_but_not_without_bound(speech: Speech) -> None:
    words = speech("word " * 60)
    made = painter(words)
    first = shown(made, 1.1)
    assert shown(made, 1.1) is first
    for word in words[: 2 * KEPT_PATCHES]:
        made.patch_at(word.range.start)
    assert shown(made, 1.1) is not first


def test_type_that_does_not_fit_its_box_is_scaled_down(speech: Speech) -> None:
    words = speech("wide words")
    captions = plan_captions(words, KEPT, SMALL)
    narrow = replace(captions.cues[0], box=(100, 300, 80, 60))
    patch = shown(CaptionPainter(replace(captions, cues=(narrow,)), words, SMALL), 1.1)
    assert patch.width <= 80 and patch.height <= 60


def test_a_box_partly_outside_the_picture_is_painted_where_it_is_inside(speech: Speech) -> None:
    words = speech("edge")
    captions = plan_captions(words, KEPT, SMALL)
    moved = replace(captions.cues[0], box=(-51, 601, 400, 99))
    patch = shown(CaptionPainter(replace(captions, cues=(moved,)), words, SMALL), 1.1)
    assert patch.x >= 0 and patch.y + patch.height <= 640


def test_captions_that_name_words_that_are_not_there_are_refused(speech: Speech) -> None:
    cue = Cue(TimeRange.from_seconds(1, 2), ((0, 7),), (0, 0, 100, 100))
    with pytest.raises(ConfigError, match="word 7, but the clip has words 0 to 0"):
        CaptionPainter(Captions("bold", cues=(cue,)), speech("one"), SMALL)


def test_missing_system_libraries_are_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "skia", None)
    monkeypatch.delitem(sys.modules, "reelremix.engine.captions.skia_canvas", raising=False)
    with pytest.raises(ModelError, match="libEGL and libGL") as error:
        importlib.import_module("reelremix.engine.captions.skia_canvas")
    assert "apt install libegl1 libgl1" in (error.value.hint or "")


def test_captions_without_a_resolved_style_take_the_presets(speech: Speech) -> None:
    words = speech("hello")
    captions = replace(plan_captions(words, KEPT, SMALL), style={})
    assert shown(CaptionPainter(captions, words, SMALL), 1.1).width > 0
