from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from reelremix.engine.captions.style import CaptionStyle, to_dict
from reelremix.engine.domain.bookends import Bookend
from reelremix.engine.domain.brand import Brand
from reelremix.engine.domain.caption import Captions, Cue
from reelremix.engine.domain.clip import Clip, OutputFormat
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Word
from reelremix.engine.export.ass import subtitles_ass
from reelremix.engine.export.subtitles import WRITERS, subtitles_srt, subtitles_vtt

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


def test_an_arrow_that_is_said_is_no_time_line() -> None:
    words = (replace(WORDS[0], text="a --> b\nc"), *WORDS[1:])
    clip = replace(captioned((10, 11.4, ((0, 1), (2,)))), words=words)
    assert subtitles_srt(clip).splitlines()[2] == "a → b c there,"
    assert subtitles_srt(clip).count("-->") == 1
    assert "a --&gt; b" in subtitles_vtt(clip) and subtitles_vtt(clip).count("-->") == 1


def test_cues_are_written_on_the_clock_of_the_output() -> None:
    clip = captioned((10, 11.4, ((0, 1), (2,))), (21, 21.5, ((3,),)))
    assert subtitles_srt(clip) == (
        "1\n00:00:00,500 --> 00:00:01,900\nHello there,\nAnn\n\n"
        "2\n00:00:03,500 --> 00:00:04,000\nagain.\n"
    )


def test_a_cue_that_reaches_over_a_cut_is_shown_on_both_sides_of_it_as_it_is_burned_in() -> None:
    assert "00:00:02,000 --> 00:00:02,600" in subtitles_srt(captioned((11.5, 20.1, ((2,),))))


def test_subtitles_wait_for_an_intro() -> None:
    brand = Brand("mine", intro=Bookend("intro.mp4", 2.0), outro=Bookend("outro.mp4", 3.0))
    clip = captioned((10, 11.4, ((0, 1), (2,))))
    assert "00:00:02,500 --> 00:00:03,900" in subtitles_srt(replace(clip, brand=brand))
    assert "00:00:02.500 --> 00:00:03.900\nHello <00:00:03.000>there," in subtitles_vtt(
        replace(clip, brand=brand)
    )
    before, after = (subtitles_ass(c).splitlines()[-1] for c in (clip, replace(clip, brand=brand)))
    assert after == before.replace("0:00:00.50,0:00:01.90", "0:00:02.50,0:00:03.90") != before


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


def voiced(*speakers: str) -> tuple[Word, ...]:
    return tuple(replace(w, speaker=s) for w, s in zip(WORDS, speakers, strict=True))


def test_webvtt_tells_who_speaks_where_more_than_one_does() -> None:
    clip = captioned((10, 11.4, ((0, 1),)), (21, 21.5, ((3,),)))
    two = replace(clip, words=voiced("S1", "S1", "S1", "S<2>"))
    assert "<v S1>Hello" in subtitles_vtt(two) and "<v S&lt;2&gt;>again." in subtitles_vtt(two)
    assert "<v" not in subtitles_vtt(replace(clip, words=voiced("S1", "S1", "S1", "S1")))


def test_webvtt_tells_when_each_word_is_said_with_times_that_rise_inside_the_cue() -> None:
    clip = captioned((10, 11.4, ((0, 1), (2,))))
    assert "Hello <00:00:01.000>there,\n<00:00:01.500>Ann" in subtitles_vtt(clip)


def test_without_captions_a_change_of_voice_ends_the_group() -> None:
    clip = replace(CLIP, words=voiced("S1", "S1", "S2", "S2"))
    assert "\nHello there,\n" in subtitles_srt(clip) and "\nAnn\n" in subtitles_srt(clip)


def styled(clip: Clip, **style: object) -> Clip:
    assert clip.captions is not None
    captions = replace(clip.captions, style=to_dict(CaptionStyle()) | style)
    return replace(clip, captions=captions)


def events(clip: Clip) -> list[str]:
    return [x for x in subtitles_ass(clip).splitlines() if x.startswith("Dialogue: ")]


TWO_LINES = captioned((10, 11.4, ((0, 1), (2,))))


def test_ass_has_the_times_lines_and_place_of_the_cue() -> None:
    [event] = events(styled(TWO_LINES, animation="none"))
    assert event == (
        "Dialogue: 0,0:00:00.50,0:00:01.90,Caption,,0,0,0,,{\\pos(50,50)}Hello there,\\NAnn"
    )


def test_ass_sings_karaoke_word_by_word() -> None:
    [event] = events(styled(TWO_LINES, animation="karaoke"))
    assert event.endswith("{\\kf50}Hello {\\kf50}there,\\N{\\kf40}Ann")


def test_ass_lights_the_spoken_word_for_as_long_as_it_is_said() -> None:
    [event] = events(styled(TWO_LINES, animation="pop", highlight="#FF8000", fill="#FFFFFF"))
    assert "{\\1c&HFFFFFF&\\t(500,580,\\1c&H0080FF&)\\t(900,980,\\1c&HFFFFFF&)}there," in event


def test_ass_gives_font_colours_edge_and_box_of_the_style() -> None:
    style = {"font": "Anton", "fill": "#102030", "outline": "", "box": "#00000080", "size": 0.05}
    line = next(
        x for x in subtitles_ass(styled(TWO_LINES, **style)).splitlines() if x.startswith("Style:")
    )
    assert line.startswith("Style: Caption,Anton,115,&H00302010,&H00302010,&H7F000000,")
    assert ",3,19.2,0.0,5," in line


def test_ass_leaves_lines_from_right_to_left_whole() -> None:
    texts = ("אבג", "דהו", "זחט", "יכל")
    words = tuple(replace(w, text=t) for w, t in zip(WORDS, texts, strict=True))
    [event] = events(styled(replace(TWO_LINES, words=words), animation="karaoke"))
    assert event.endswith("}אבג דהו\\Nזחט")


def test_what_players_would_take_for_orders_is_written_harmlessly() -> None:
    words = (replace(WORDS[0], text="{\\b1}\u202ex\x00y"), *WORDS[1:])
    clip = styled(replace(TWO_LINES, words=words), animation="none")
    assert "｛＼b1｝xy there," in events(clip)[0]
    assert "\u202e" not in subtitles_srt(clip) and "\x00" not in subtitles_vtt(clip)


@pytest.mark.parametrize("kind", WRITERS)
def test_every_kind_has_the_same_cues(kind: str) -> None:
    clip = styled(captioned((10, 11.4, ((0, 1), (2,))), (21, 21.5, ((3,),))))
    text = WRITERS[kind](clip)
    starts = {"srt": "00:00:03,500", "vtt": "00:00:03.500", "ass": "0:00:03.50"}
    assert starts[kind] in text and text.count("-->") in (0, 2)
    assert kind != "ass" or len(events(clip)) == 2


def test_ass_without_captions_still_has_what_is_said() -> None:
    assert events(CLIP)[0].endswith("Hello there, Ann")


def test_ass_has_the_colours_of_stress_and_voices_and_a_pills_own() -> None:
    clip = styled(
        TWO_LINES, animation="none", keywords="#FF0000", speakers=["#00FF00", "#0000FF"], pill=""
    )
    assert clip.captions is not None
    [cue] = clip.captions.cues
    captions = replace(clip.captions, cues=(replace(cue, keywords=(2,), voice=1),))
    [event] = events(replace(clip, captions=captions))
    assert event.endswith("{\\1c&HFF0000&}Hello {\\1c&HFF0000&}there,\\N{\\1c&H0000FF&}Ann")
    pill = styled(TWO_LINES, animation="pill", pill="#112233", highlight="#000000")
    assert "\\1c&H332211&)" in events(pill)[0] and "\\1c&H000000&" not in events(pill)[0]
