from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from reelremix.engine.domain.source import Source, StreamKind
from reelremix.engine.domain.time import Timestamp
from reelremix.engine.media.probe import probe
from reelremix.engine.stages.posting import (
    Check,
    Texts,
    checks,
    film_facts,
    hint_for,
    letters,
    named_platforms,
    platforms,
    told,
)
from reelremix.errors import ConfigError
from tests.media_factory import Film, sound_of, tone, write_media

TEXTS = Texts("A title", "What it is about.", ("#one", "#two"))
ALL = ("shorts", "reels", "tiktok", "linkedin", "x")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Source:
    path = tmp_path_factory.mktemp("film") / "a.mp4"
    return replace(
        probe(write_media(path, Film(frames=75, size=(360, 640)), sound_of(tone(3))), ""),
        duration=Timestamp.from_seconds(30),
        size_bytes=8_000_000,
    )


def failed(platform: str, film: Source, texts: Texts = TEXTS) -> list[Check]:
    found = checks(platforms()[platform], film, texts)
    return [check for check in found if not check.is_kept and check.limit.must]


def shaped(film: Source, **more: Any) -> Source:
    video, *rest = film.streams
    assert video.video is not None
    changed = replace(
        video, codec=more.pop("codec", video.codec), video=replace(video.video, **more)
    )
    return replace(film, streams=(changed, *rest))


def heard(film: Source, codec: str = "aac", **more: Any) -> Source:
    [sound] = film.of_kind(StreamKind.AUDIO)
    assert sound.audio is not None
    changed = replace(sound, codec=codec, audio=replace(sound.audio, **more))
    return replace(film, streams=(film.streams[0], changed))


@pytest.mark.parametrize("platform", ALL)
def test_an_ordinary_clip_fits_everywhere(platform: str, film: Source) -> None:
    assert failed(platform, film) == []


def test_every_number_says_where_it_stands_and_since_when() -> None:
    assert tuple(platforms()) == ALL
    for platform in platforms().values():
        for limit in platform.limits:
            assert limit.source.startswith("https://"), limit
            assert date.fromisoformat(limit.as_of) >= date(2026, 1, 1)
            assert limit.least is not None or limit.most is not None or limit.one_of
            assert limit.what in film_facts_known() | platform.text.keys() | {"hashtags"}, limit


def film_facts_known() -> set[str]:
    return {
        "duration_s", "size_bytes", "bit_rate", "width_px", "height_px", "aspect", "frame_rate",
        "video_codec", "pixel_format", "audio_codec", "audio_rate_hz", "audio_channels",
    }  # fmt: skip


def test_what_is_measured_is_what_limits_ask_for(film: Source) -> None:
    assert set(film_facts(film)) == film_facts_known()


@pytest.mark.parametrize(
    ("platform", "seconds", "fits"),
    [("shorts", 180, True), ("shorts", 180.1, False), ("reels", 2.9, False), ("reels", 3, True),
     ("reels", 901, False), ("tiktok", 600, True), ("tiktok", 601, False), ("linkedin", 901, False),
     ("x", 0.4, False), ("x", 1200, True)],
)  # fmt: skip
def test_length_is_held_against_each_platform(
    platform: str, seconds: float, fits: bool, film: Source
) -> None:
    # as many bits a second as before, so that only the length differs
    size = round(film.size_bytes * seconds / 30)
    long = replace(film, duration=Timestamp.from_seconds(seconds), size_bytes=size)
    reasons = {check.limit.what for check in failed(platform, long)} - {"size_bytes"}
    assert reasons == (set() if fits else {"duration_s"})


@pytest.mark.parametrize(
    ("platform", "changes", "what"),
    [("shorts", {"width_px": 1920, "height_px": 1080}, "aspect"),
     ("reels", {"codec": "av1"}, "video_codec"),
     ("tiktok", {"width_px": 300, "height_px": 533}, "width_px"),
     ("x", {"pixel_format": "yuv422p"}, "pixel_format")],
)  # fmt: skip
def test_a_picture_that_is_not_taken_is_told(
    platform: str, changes: dict[str, Any], what: str, film: Source
) -> None:
    assert what in {check.limit.what for check in failed(platform, shaped(film, **changes))}


@pytest.mark.parametrize(
    ("changes", "what"),
    [({"codec": "mp3"}, "audio_codec"), ({"rate_hz": 96_000}, "audio_rate_hz"),
     ({"channels": 6}, "audio_channels")],
)  # fmt: skip
def test_a_sound_that_is_not_taken_is_told(
    changes: dict[str, Any], what: str, film: Source
) -> None:
    assert [c.limit.what for c in failed("reels", heard(film, **changes))] == [what]


def test_a_square_film_is_a_short(film: Source) -> None:
    assert failed("shorts", shaped(film, width_px=1080, height_px=1080)) == []


def test_rates_a_little_off_are_the_same(film: Source) -> None:
    from fractions import Fraction

    assert failed("x", shaped(film, frame_rate=Fraction(60_000, 1_001) + Fraction(1, 50))) == []


@pytest.mark.parametrize(
    ("platform", "texts", "what"),
    [("shorts", replace(TEXTS, title="a" * 101), "title"),
     ("shorts", replace(TEXTS, title=""), "title"),
     ("shorts", replace(TEXTS, description="é" * 2501), "description"),
     ("reels", replace(TEXTS, description="a" * 2200), "caption"),
     ("reels", replace(TEXTS, hashtags=("#a",) * 31), "hashtags"),
     ("tiktok", replace(TEXTS, description="👾" * 1100), "caption"),
     ("linkedin", replace(TEXTS, description="a" * 3000), "caption"),
     ("x", replace(TEXTS, title="漢" * 141), "caption")],
)  # fmt: skip
def test_a_text_that_is_too_long_is_told_and_never_cut(
    platform: str, texts: Texts, what: str, film: Source
) -> None:
    [check] = failed(platform, film, texts)
    assert check.limit.what == what
    for parts in platforms()[platform].text.values():
        assert all(t in texts.field(parts) for t in [texts.title] if "title" in parts)


def test_letters_that_a_platform_refuses_are_told(film: Source) -> None:
    [check] = failed("shorts", film, replace(TEXTS, title="a <b> c"))
    assert "holds <>" in told(check, platforms()["shorts"])


@pytest.mark.parametrize(
    ("text", "count", "length"),
    [("café", "characters", 4), ("café", "bytes", 5), ("👾a", "utf16", 3), ("👾a", "weighted", 3),
     ("漢字", "weighted", 4), ("cafe\u0301", "weighted", 4), ("👨‍👩‍👧‍👦", "weighted", 2),
     ("🙋🏽", "weighted", 2), ("“x” – y", "weighted", 7)],
)  # fmt: skip
def test_letters_are_counted_as_the_platform_counts_them(
    text: str, count: str, length: int
) -> None:
    assert letters(text, count) == length


def test_every_problem_says_what_to_type(film: Source) -> None:
    bad = replace(shaped(film, width_px=1920, height_px=1080, codec="prores"), size_bytes=10**13)
    for platform in platforms().values():
        for check in checks(platform, bad, Texts("a" * 9999, "b" * 9999, ("#c",) * 99)):
            if not check.is_kept:
                line, hint = told(check, platform), hint_for(check, Path("clips.json"), 2)
                assert platform.name in line and "{" not in line + hint
                assert re.search(r"`reelremix|clips\.json", hint)


@pytest.mark.parametrize("names", [("vine",), ()])
def test_a_platform_there_is_not_is_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="--for takes shorts, reels, tiktok, linkedin, x"):
        named_platforms(names)


def test_a_platform_named_twice_counts_once() -> None:
    assert [p.key for p in named_platforms(("x", "shorts", "x"))] == ["x", "shorts"]
