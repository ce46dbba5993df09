from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from reelremix.engine.domain.caption import Captions, Cue
from reelremix.engine.domain.clip import Clip, OutputFormat
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Word
from reelremix.engine.export.subtitles import subtitles_srt, subtitles_vtt

WORDS = tuple(
    Word(text, TimeRange.from_seconds(start, start + 0.4))
    for text, start in (("Hello", 10.0), ("there,", 10.5), ("Ann", 11.0), ("again.", 21.0))
)
CLIP = Clip(
    id="c",
    rank=1,
    ranges=(TimeRange.from_seconds(9.5, 12), TimeRange.from_seconds(20, 22)),
    text="",
    words=WORDS,
    title="",
    description="",
    hashtags=(),
    slug="c",
    score=None,
    output=OutputFormat(1080, 1920, Fraction(25)),
)
BOX = (0, 0, 100, 100)


def captioned(*cues: tuple[float, float, tuple[tuple[int, ...], ...]]) -> Clip:
    made = tuple(Cue(TimeRange.from_seconds(a, b), lines, BOX) for a, b, lines in cues)
    return replace(CLIP, captions=Captions("bold", cues=made))


def test_cues_are_written_on_the_clock_of_the_output() -> None:
    clip = captioned((10, 11.4, ((0, 1), (2,))), (21, 21.5, ((3,),)))
    assert subtitles_srt(clip) == (
        "1\n00:00:00,500 --> 00:00:01,900\nHello there,\nAnn\n\n"
        "2\n00:00:03,500 --> 00:00:04,000\nagain.\n"
    )


def test_a_cue_that_reaches_over_a_cut_is_shown_on_both_sides_of_it_as_it_is_burned_in() -> None:
    assert "00:00:02,000 --> 00:00:02,600" in subtitles_srt(captioned((11.5, 20.1, ((2,),))))


def test_a_cue_outside_the_kept_ranges_is_left_out() -> None:
    assert subtitles_srt(captioned((13, 14, ((2,),)))) == ""


def test_without_captions_words_are_grouped_by_range_and_sentence() -> None:
    assert subtitles_srt(CLIP) == (
        "1\n00:00:00,500 --> 00:00:01,900\nHello there, Ann\n\n"
        "2\n00:00:03,500 --> 00:00:03,900\nagain.\n"
    )


def test_long_speech_without_captions_has_lines_of_readable_length() -> None:
    words = tuple(
        Word("wording", TimeRange.from_seconds(i * 0.3, i * 0.3 + 0.3)) for i in range(40)
    )
    clip = replace(CLIP, words=words, ranges=(TimeRange.from_seconds(0, 30),))
    text = [x for x in subtitles_srt(clip).splitlines() if x.startswith("wording")]
    assert len(text) > 4 and max(map(len, text)) <= 42


def test_times_beyond_an_hour_carry_hours() -> None:
    clip = replace(captioned((3700, 3701, ((0,),))), ranges=(TimeRange.from_seconds(0, 4000),))
    assert "01:01:40,000 --> 01:01:41,000" in subtitles_srt(clip)


def test_webvtt_escapes_what_players_would_read_as_markup() -> None:
    words = (replace(WORDS[0], text="R&B<3"),)
    clip = replace(captioned((10, 11, ((0,),))), words=words)
    assert subtitles_vtt(clip) == "WEBVTT\n\n00:00:00.500 --> 00:00:01.500\nR&amp;B&lt;3\n"


def test_a_clip_without_speech_has_an_empty_file() -> None:
    assert subtitles_srt(replace(CLIP, words=())) == ""


def test_chinese_words_are_joined_without_spaces() -> None:
    words = (replace(WORDS[0], text="你"), replace(WORDS[1], text="好"))
    clip = replace(captioned((10, 11, ((0, 1),))), words=words)
    assert "\n你好\n" in subtitles_srt(clip)
