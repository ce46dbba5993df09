"""How words look at a moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelremix.engine.captions.motion import CueMotion, Scene, WordLook
from reelremix.engine.captions.style import ANIMATIONS, CaptionStyle
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Word

Speech = Callable[..., tuple[Word, ...]]
START = Fraction(1)


def motion(words: tuple[Word, ...], animation: str, entrance: str = "none") -> CueMotion:
    return CueMotion(words, CaptionStyle(animation=animation, entrance=entrance), START)


def at(made: CueMotion, seconds: float) -> Scene:
    return made.at(Fraction(str(seconds)))


def test_a_word_takes_colour_within_three_pictures_of_its_start(speech: Speech) -> None:
    made = motion(speech("one two"), "highlight")
    first, later = at(made, 1.0).words[0].lit, at(made, 1.08).words[0].lit
    assert 0.3 < first < 1.0 == later


def test_at_rest_nothing_changes_so_that_nothing_is_drawn_anew(speech: Speech) -> None:
    words = speech("one two", each_s=1.0)
    for animation in set(ANIMATIONS) - {"karaoke", "typewriter"}:
        made = motion(words, animation)
        assert at(made, 1.5) == at(made, 1.9), animation


def test_the_word_before_goes_out_while_the_next_one_lights_up(speech: Speech) -> None:
    scene = at(motion(speech("one two"), "highlight"), 1.37)
    assert 0 < scene.words[0].lit < 1 and 0 < scene.words[1].lit < 1


def test_a_popped_word_springs_beyond_its_size_and_settles(speech: Speech) -> None:
    made = motion(speech("one", each_s=2.0), "pop")
    sizes = [at(made, 1 + t / 100).words[0].grown for t in range(40)]
    assert max(sizes) == 1.0 and sizes[-1] < 1.0 and sizes[0] < sizes[2]


def test_the_pill_glides_between_words_and_appears_after_a_breath(speech: Speech) -> None:
    close, apart = speech("one two"), speech("one two", gap_s=0.5)
    gliding, fresh = at(motion(close, "pill"), 1.36).pill, at(motion(apart, "pill"), 1.81).pill
    assert gliding is not None and gliding.origin == 0 and 0 < gliding.travelled < 1
    assert fresh is not None and fresh.origin == 1 and 0 < fresh.opacity < 1


def test_a_wipe_follows_the_time_of_the_word(speech: Speech) -> None:
    made = motion(speech("one", each_s=1.0), "karaoke")
    assert at(made, 1.25).words[0].wiped == pytest.approx(0.25)
    assert at(made, 5.0).words[0].wiped == 1.0


def test_letters_are_typed_whole_and_done_when_the_word_ends(speech: Speech) -> None:
    made = motion(speech("typing", each_s=0.3), "typewriter")
    assert at(made, 1.0).words[0].typed == pytest.approx(1 / 6)
    assert at(made, 1.299).words[0].typed == 1.0


def test_entrances_end_and_leave_the_cue_where_it_belongs(speech: Speech) -> None:
    made = motion(speech("one", each_s=1.0), "none", "rise")
    assert at(made, 1.0).opacity < 1 and at(made, 1.0).sunk > 0
    assert (at(made, 1.3).opacity, at(made, 1.3).sunk) == (1.0, 0.0)


@given(st.sampled_from(ANIMATIONS), st.floats(0, 20), st.floats(0.0, 1.0), st.floats(-0.5, 0.8))
def test_looks_stay_between_nothing_and_all(
    animation: str, now: float, each: float, gap: float
) -> None:
    words = []
    begin = 1.0
    for text in ("a", "bcd", "ef"):
        words.append(Word(text, TimeRange.from_seconds(begin, begin + each)))
        begin = max(0.0, begin + each + gap)
    scene = at(motion(tuple(words), animation), round(now, 3))
    for look in scene.words:
        assert all(0 <= v <= 1 for v in (look.lit, look.grown, look.wiped, look.typed))


def test_a_style_without_animation_is_always_at_rest(speech: Speech) -> None:
    words = speech("one two")
    assert at(motion(words, "none"), 1.1).words == (WordLook(), WordLook())
    assert replace(WordLook(), lit=1.0) in at(motion(words, "highlight"), 1.2).words
