from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from reelremix.engine.captions.paint import KEPT_CUES, CaptionPainter
from reelremix.engine.captions.patch import Patch
from reelremix.engine.captions.preset import load_preset, preset_names
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
    assert before is shown(made, 1.25)
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


def painted(patch: Patch) -> int:
    """Pixels that are mostly covered."""
    return int((patch.alpha_y > 128).sum())


def test_a_popped_word_grows_and_settles(speech: Speech) -> None:
    made = painter(speech("go", each_s=1.0), "pop")
    first, peak, rest = (painted(shown(made, s)) for s in (1.0, 1.08, 1.5))
    assert first < rest < peak


def test_a_pill_glides_from_word_to_word(speech: Speech) -> None:
    words = speech("mmm mmm")
    style = replace(load_preset("pill"), pill="#FFD60A", max_lines=1)
    made = CaptionPainter(plan_captions(words, KEPT, SMALL, style=style), words, SMALL)
    middles = [np.flatnonzero(yellow_columns(shown(made, s))).mean() for s in (1.3, 1.37, 1.6)]
    assert middles[0] + 3 < middles[1] < middles[2] - 3


def test_a_wipe_passes_through_the_word_in_reading_direction(speech: Speech) -> None:
    style = replace(load_preset("karaoke"), highlight="#FFD60A")
    for text, step in (("mmmmmm", 1), ("שלוםשלום", -1)):
        words = speech(text, each_s=1.0)
        made = CaptionPainter(plan_captions(words, KEPT, SMALL, style=style), words, SMALL)
        early, late = (np.flatnonzero(yellow_columns(shown(made, s))) for s in (1.3, 1.9))
        assert late.size > early.size + 10
        assert (late.mean() - early.mean()) * step > 5


def test_letters_are_typed_one_after_the_other_and_never_move(speech: Speech) -> None:
    words = speech("typed", each_s=0.5)
    style = replace(load_preset("typewriter"), box="")
    made = CaptionPainter(plan_captions(words, KEPT, SMALL, style=style), words, SMALL)
    patches = [shown(made, s) for s in (1.0, 1.12, 1.48)]
    covered = [patch.alpha_y > 128 for patch in patches]
    assert covered[0].any() and covered[0].sum() < covered[1].sum() < covered[2].sum()
    assert not (covered[0] & ~covered[2]).any()


def test_a_cue_rises_and_fades_in(speech: Speech) -> None:
    words = speech("hello", each_s=1.0)
    style = replace(load_preset("bold"), entrance="rise")
    made = CaptionPainter(plan_captions(words, KEPT, SMALL, style=style), words, SMALL)
    first, rest = shown(made, 1.0), shown(made, 1.5)
    assert first.y > rest.y and first.alpha_y.max() < rest.alpha_y.max()
    lowest = np.flatnonzero(first.alpha_y.any(axis=1)).max()
    assert first.y + lowest < rest.y + rest.height  # inside its box all the way


def test_pictures_are_the_same_whatever_came_before(speech: Speech) -> None:
    words = speech("one two three four")
    for preset in preset_names():
        going, jumping = painter(words, preset), painter(words, preset)
        for step in range(40):
            going.patch_at(Timestamp.from_seconds(Fraction(100 + 3 * step, 100)))
        at_once, in_turn = (shown(made, Fraction(217, 100)) for made in (jumping, going))
        assert np.array_equal(at_once.pre_y, in_turn.pre_y), preset
        assert np.array_equal(at_once.pre_u, in_turn.pre_u), preset


def test_stressed_words_and_voices_have_their_colours(speech: Speech) -> None:
    words = speech("mmm mmm")
    style = replace(
        load_preset("clean"), box="", keywords="#FFD60A", speakers=("#00FF00", "#FFFFFF")
    )
    captions = plan_captions(words, KEPT, SMALL, style=style)
    marked = replace(captions.cues[0], keywords=(1,), voice=1)
    made = CaptionPainter(replace(captions, cues=(marked,)), words, SMALL)
    assert 0.3 < yellow_columns(shown(made, 1.1)).mean() < 0.6


def test_an_emoji_stands_above_the_lines_in_its_own_colours(speech: Speech) -> None:
    words = speech("hello")
    plain = plan_captions(words, KEPT, SMALL)
    x, y, width, height = plain.cues[0].box
    above = replace(plain.cues[0], emoji="🔥", box=(x, y - 60, width, height + 60))
    made = CaptionPainter(replace(plain, cues=(above,)), words, SMALL)
    patch = shown(made, 1.2)
    top = patch.alpha_uv[:20] > 200
    assert top.any() and (patch.pre_v[:20][top] > 150 * 256).any()


@pytest.mark.parametrize("preset", preset_names())
def test_every_preset_paints(speech: Speech, preset: str) -> None:
    patch = shown(painter(speech("hello there"), preset), 1.1)
    assert (patch.pre_y > 200 * 256).any()


def test_the_word_stays_lit_through_a_short_breath_only(speech: Speech) -> None:
    made = painter(speech("one two", gap_s=0.55))
    assert yellow_columns(shown(made, 1.69)).any()
    assert not yellow_columns(shown(made, 1.82)).any()


def test_pictures_are_kept_but_not_without_bound(speech: Speech) -> None:
    words = speech("word " * 60)
    made = painter(words)
    first = shown(made, 1.2)
    assert shown(made, 1.2) is first
    for word in words[:: 60 // (4 * KEPT_CUES)]:
        made.patch_at(word.range.start)
    assert shown(made, 1.2) is not first


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
