from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelremix.engine.captions.paint import CaptionPainter
from reelremix.engine.captions.preset import load_preset, preset_names
from reelremix.engine.captions.safe_area import safe_area
from reelremix.engine.captions.style import PLATFORMS, CaptionStyle
from reelremix.engine.codec import from_bytes, to_bytes
from reelremix.engine.domain.caption import Captions
from reelremix.engine.domain.clip import OutputFormat
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Word
from reelremix.engine.stages.caption import legible, plan_captions, refitted
from reelremix.errors import ConfigError

PORTRAIT = OutputFormat(1080, 1920, Fraction(25))
SIZES = ((1080, 1920), (1080, 1080), (1080, 1350), (1920, 1080), (270, 480))


def spoken(text: str, start_s: float = 1.0) -> tuple[Word, ...]:
    return tuple(
        Word(t, TimeRange.from_seconds(start_s + i * 0.4, start_s + i * 0.4 + 0.3))
        for i, t in enumerate(text.split())
    )


def test_portrait_captions_keep_clear_of_the_platforms_interface() -> None:
    x, y, width, height = safe_area(PORTRAIT)
    assert y >= 0.12 * 1920 and y + height <= 0.80 * 1920
    assert x + width <= 0.90 * 1080
    assert x == 1080 - (x + width)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_what_all_platforms_leave_free_each_of_them_does(platform: str) -> None:
    x, y, width, height = safe_area(PORTRAIT)
    own_x, own_y, own_width, own_height = safe_area(PORTRAIT, platform)
    assert own_x <= x and x + width <= own_x + own_width
    assert own_y <= y and y + height <= own_y + own_height


def test_a_cue_never_spans_ranges_that_lie_far_apart() -> None:
    words = spoken("one two three") + spoken("four five six", 22)
    ranges = (TimeRange.from_seconds(1, 2.4), TimeRange.from_seconds(21.2, 23.5))
    captions = plan_captions(words, ranges, PORTRAIT)
    for cue in captions.cues:
        assert any(r.start <= cue.range.start and cue.range.end <= r.end for r in ranges)


def test_words_that_are_cut_out_have_no_cue() -> None:
    words = spoken("keep drop keep")
    ranges = (TimeRange.from_seconds(1, 1.35), TimeRange.from_seconds(1.75, 3))
    cues = plan_captions(words, ranges, PORTRAIT).cues
    assert [i for c in cues for line in c.lines for i in line] == [0, 2]


def test_a_word_across_a_cut_belongs_where_most_of_it_is_heard() -> None:
    words = (Word("across", TimeRange.from_seconds(1.0, 2.0)),)
    ranges = (TimeRange.from_seconds(1.2, 3), TimeRange.from_seconds(0, 1.2))
    (cue,) = plan_captions(words, ranges, PORTRAIT).cues
    assert cue.range.start_s == 1.2


def test_a_cue_goes_on_over_a_join_where_little_is_left_out() -> None:
    words = spoken("we", 1.0) + spoken("all agree", 2.4)
    ranges = (TimeRange.from_seconds(0.9, 1.38), TimeRange.from_seconds(2.38, 4))
    (cue,) = plan_captions(words, ranges, PORTRAIT).cues
    assert cue.lines == ((0, 1, 2),)
    assert cue.range.start == words[0].range.start and cue.range.end >= words[2].range.end


def test_what_is_left_out_is_no_time_to_read() -> None:
    words = spoken("I", 1.0) + spoken("see", 4.0)
    ranges = tuple(TimeRange(w.range.start, w.range.end) for w in words)
    (cue,) = plan_captions(words, ranges, PORTRAIT).cues
    assert cue.range == TimeRange(words[0].range.start, words[1].range.end)


def test_the_manifest_holds_the_resolved_style_and_the_fonts_digest() -> None:
    style = plan_captions(spoken("hi"), (TimeRange.from_seconds(0, 9),), PORTRAIT).style
    assert style["font"] == "Montserrat ExtraBold"
    assert len(str(style["font_sha256"])) == 64


def test_captions_survive_as_bytes() -> None:
    captions = plan_captions(spoken("hi all"), (TimeRange.from_seconds(0, 9),), PORTRAIT)
    assert from_bytes(to_bytes(captions), Captions) == captions


def test_no_words_make_empty_captions() -> None:
    assert plan_captions((), (TimeRange.from_seconds(0, 9),), PORTRAIT).cues == ()


def test_an_unknown_preset_is_an_error_with_a_guess() -> None:
    with pytest.raises(ConfigError, match="did you mean 'karaoke'"):
        plan_captions((), (), PORTRAIT, "kareoke")


def test_a_given_style_overrides_the_presets() -> None:
    style = CaptionStyle(size=0.02, max_lines=1, max_chars=10)
    captions = plan_captions(
        spoken("one two three four"), (TimeRange.from_seconds(0, 9),), PORTRAIT, style=style
    )
    assert all(len(c.lines) == 1 for c in captions.cues)
    assert captions.style["size"] == 0.02


WHOLE = (TimeRange.from_seconds(0, 60),)
LONG = "Donaudampfschifffahrtsgesellschaft"


def edited(captions: Captions, words: Sequence[Word], number: int, text: str) -> Captions:
    """The captions after one of their words was written otherwise."""
    changed = [*words[:number], replace(words[number], text=text), *words[number + 1 :]]
    return refitted(captions, changed, WHOLE, PORTRAIT, load_preset("bold"))


@pytest.mark.parametrize("preset", preset_names())
def test_captions_that_nobody_changed_stay_as_they_are(preset: str) -> None:
    words = spoken("Every single morning I write three pages, and nobody ever reads them again.")
    captions = plan_captions(words, WHOLE, PORTRAIT, preset)
    assert refitted(captions, words, WHOLE, PORTRAIT, load_preset(preset)) == captions


def test_a_long_word_written_into_a_line_does_not_make_its_neighbours_small() -> None:
    words = spoken("I went to the old house again")
    captions = plan_captions(words, WHOLE, PORTRAIT)
    number = captions.cues[0].lines[0][1]
    now = edited(captions, words, number, LONG)
    alone = [cue for cue in now.cues if cue.lines == ((number,),)]
    assert len(now.cues) > len(captions.cues) and len(alone) == 1
    shown = [i for cue in now.cues for line in cue.lines for i in line]
    assert shown == list(range(len(words)))
    assert all(a.range.end <= b.range.start for a, b in pairwise(now.cues))
    left, top, width, height = safe_area(PORTRAIT)
    for cue in now.cues:
        x, y, w, h = cue.box
        assert left <= x and x + w <= left + width and top <= y and y + h <= top + height


def test_a_word_that_grew_gets_a_wider_box_at_the_same_height() -> None:
    words = spoken("my old cat")
    captions = plan_captions(words, WHOLE, PORTRAIT)
    [was], [now] = captions.cues, edited(captions, words, 2, "canary").cues
    assert now.lines == was.lines and now.range == was.range
    assert now.box[2] > was.box[2] and now.box[1::2] == was.box[1::2]
    assert abs((now.box[0] + now.box[2] / 2) - (was.box[0] + was.box[2] / 2)) <= 2


@pytest.mark.parametrize("text", ["internationalisation", LONG, "Ångström", "🎉🎉🎉🎉🎉🎉"])
@pytest.mark.parametrize("preset", ["bold", "clean"])
def test_a_word_alone_in_its_cue_is_set_as_if_it_had_always_been_there(
    preset: str, text: str
) -> None:
    captions = plan_captions(spoken("AI"), WHOLE, PORTRAIT, preset)
    changed = spoken("AI".replace("AI", text))
    [now] = refitted(captions, changed, WHOLE, PORTRAIT, load_preset(preset)).cues
    [fresh] = plan_captions(changed, WHOLE, PORTRAIT, preset).cues
    assert now.box[2:] == fresh.box[2:] and now.text == fresh.text


@pytest.mark.parametrize(
    "edit",
    [{"box": (244, 1292, 294, 136)}, {"box": (20, 100, 80, 40)}, {"lines": ((0,), (1,), (2,))}],
)
def test_a_box_and_lines_that_somebody_chose_are_left(edit: dict[str, Any]) -> None:
    words = spoken("my old cat")
    captions = plan_captions(words, WHOLE, PORTRAIT)
    kept = replace(captions, cues=(replace(captions.cues[0], **edit),))
    assert refitted(kept, words, WHOLE, PORTRAIT, load_preset("bold")) == kept


def test_a_caption_whose_words_are_gone_goes() -> None:
    words = spoken("my old cat")
    captions = plan_captions(words, WHOLE, PORTRAIT)
    silent = [replace(word, text="") for word in words]
    assert refitted(captions, silent, WHOLE, PORTRAIT, load_preset("bold")).cues == ()


def test_a_caption_over_a_join_is_broken_anew_as_it_is_heard() -> None:
    ranges = (TimeRange.from_seconds(0, 1.75), TimeRange.from_seconds(3.0, 9))
    words = spoken("I went") + spoken("to the old house", 3.0)
    captions = plan_captions(words, ranges, PORTRAIT)
    number = captions.cues[0].lines[0][1]
    changed = [replace(w, text=LONG) if i == number else w for i, w in enumerate(words)]
    now = refitted(captions, changed, ranges, PORTRAIT, load_preset("bold"))
    assert [i for c in now.cues for line in c.lines for i in line] == list(range(len(words)))
    assert all(a.range.end <= b.range.start for a, b in pairwise(now.cues))


def test_a_very_long_word_is_kept_inside_the_safe_area() -> None:
    words = spoken("Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamte")
    (cue,) = plan_captions(words, (TimeRange.from_seconds(0, 9),), PORTRAIT).cues
    x, _, width, _ = safe_area(PORTRAIT)
    assert cue.box[0] >= x and cue.box[0] + cue.box[2] <= x + width


TEXTS = st.lists(
    st.sampled_from(
        ["a", "word", "extraordinarily", "مرحبا", "שלום", "नमस्ते", "🔥", "5", "dollars.", "Größe,"]
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=40, deadline=None)
@given(TEXTS, st.sampled_from(SIZES), st.sampled_from(["bold", "clean", "pop", "pill"]))
def test_boxes_are_even_and_inside_the_safe_area(
    texts: list[str], size: tuple[int, int], preset: str
) -> None:
    output = OutputFormat(*size, Fraction(25))
    cues = plan_captions(
        spoken(" ".join(texts)), (TimeRange.from_seconds(0, 60),), output, preset
    ).cues
    left, top, safe_width, safe_height = safe_area(output)
    assert sum(len(line) for c in cues for line in c.lines) == len(texts)
    for cue in cues:
        x, y, width, height = cue.box
        assert all(n % 2 == 0 for n in cue.box) and width > 0 and height > 0
        assert left <= x and x + width <= left + safe_width
        assert top <= y and y + height <= top + safe_height
        assert len(cue.lines) <= 2


HOSTILE = ("", "  ", "\x00\x1b[2J", "\u202eevil\u202c", "x" * 10_000, "\u2067a\u2069", "a\nb", "ok")


def timed(texts: Sequence[str]) -> tuple[Word, ...]:
    return tuple(
        Word(t, TimeRange.from_seconds(1 + i * 0.4, 1.3 + i * 0.4)) for i, t in enumerate(texts)
    )


def test_hostile_text_is_shown_harmlessly_or_not_at_all() -> None:
    words = timed(HOSTILE)
    captions = plan_captions(words, (TimeRange.from_seconds(0, 9),), PORTRAIT)
    shown = [i for cue in captions.cues for line in cue.lines for i in line]
    assert shown == [2, 3, 4, 5, 6, 7]  # what is left of an escape is text
    painter = CaptionPainter(captions, words, PORTRAIT)
    for cue in captions.cues:
        assert painter.patch_at(cue.range.start) is not None


def test_an_endless_word_is_cut_and_stays_readable() -> None:
    [cue] = plan_captions(timed(["x" * 10_000]), (TimeRange.from_seconds(0, 9),), PORTRAIT).cues
    assert cue.box[3] > 15


def test_a_word_that_is_a_whole_clause_without_spaces_is_cut_into_phrases() -> None:
    text = "今日は良い天気ですね明日は東京に行きますがあなたはどうしますか" * 3
    word = Word(text, TimeRange.from_seconds(1, 13), speaker="S1")
    cut = legible([word])
    assert "".join(w.text for w in cut) == text and max(len(w.text) for w in cut) < 12
    assert (cut[0].range.start, cut[-1].range.end) == (word.range.start, word.range.end)
    cues = plan_captions(cut, (TimeRange.from_seconds(0, 14),), PORTRAIT).cues
    assert len(cues) >= 3


def test_words_with_spaces_around_them_stay_whole() -> None:
    words = spoken("unbelievably extraordinarily")
    assert legible(words) == words


def test_an_emoji_has_room_above_the_lines() -> None:
    words = spoken("so the money was in the house and it is for you")
    plain, with_emoji = (
        plan_captions(words, (TimeRange.from_seconds(0, 9),), PORTRAIT, style=style).cues[0]
        for style in (CaptionStyle(), CaptionStyle(emoji=True))
    )
    assert with_emoji.emoji == "💰" and with_emoji.box[3] > plain.box[3] + 60
    bottoms = [cue.box[1] + cue.box[3] for cue in (plain, with_emoji)]
    assert abs(bottoms[0] - bottoms[1]) <= 2
