"""Films with something before and after their clip: every time is known, none may be off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from reelremix.engine.captions.preset import read_preset
from reelremix.engine.domain.brand import Brand
from reelremix.engine.domain.clip import Clip, OutputFormat, Verdict
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Word
from reelremix.engine.media.audio import LoudnessMeter
from reelremix.engine.media.decode import FrameReader, planes
from reelremix.engine.media.still import read_still
from reelremix.engine.models.speech import Speech
from reelremix.engine.stages.bookends import check_kit, measured
from reelremix.engine.stages.ends import END_S, read_ends
from reelremix.errors import ConfigError, RenderError
from tests.engine.captions.kit import png
from tests.engine.stages.test_render import lumas, rendered, sound
from tests.engine.stages.test_tight_films import together
from tests.fakes import clip_of, presented, run_context
from tests.media_factory import (
    BLUE,
    GREEN,
    RED,
    WHITE,
    Film,
    Paint,
    Solid,
    beeps,
    click_and_flash,
    counted,
    cut_short,
    quarters,
    sound_of,
    tone,
    write_media,
)

TALL, WIDE = OutputFormat(180, 320, Fraction(25)), OutputFormat(320, 180, Fraction(25))
Colour = tuple[float, float, float]
YUV: dict[str, Colour] = {
    "red": (63, 102, 240), "green": (173, 42, 26), "blue": (32, 240, 118), "white": (235, 128, 128),
    "grey": (126, 128, 128), "black": (16, 128, 128),
}  # fmt: skip
"""bt709, limited range."""


def brand(folder: Path, text: str = '[intro]\nfile = "intro.mp4"') -> Brand:
    """The kit of a preset in a folder that has its files already."""
    path = folder / "mine.toml"
    path.write_text(text, "utf-8")
    return measured(read_preset(str(path)).brand)


def video(path: Path, seconds: float = 2, paint: Paint | None = None, **more: Any) -> Path:
    """A red film with a tone."""
    heard = more.pop("heard", tone(seconds))
    film = Film(**{"size": (160, 90), "paint": paint or Solid(RED), "rate": Fraction(25), **more})
    frames = Film(**{**_values(film), "frames": round(seconds * film.rate)})
    return write_media(path, frames, *([] if heard is None else [sound_of(heard)]))


def _values(film: Film) -> dict[str, Any]:
    return {name: getattr(film, name) for name in film.__dataclass_fields__}


def talk(folder: Path, seconds: float = 6, **more: Any) -> Path:
    return video(folder / "talk.mp4", seconds, **{"paint": counted, "heard": tone(seconds), **more})


def made(path: Path, kit: Brand, output: OutputFormat = WIDE, **more: Any) -> tuple[Path, Clip]:
    """The film of seconds 1 to 3 of `path`, and its clip."""
    start_s, end_s = more.pop("span", (1, 3))
    clip = clip_of(presented(path), start_s, end_s, output, brand=kit, **more)
    return rendered(path, clip)[0], clip


def colours(film: Path) -> list[Colour]:
    """The mean of each frame's middle."""
    whole = TimeRange.from_seconds(0, presented(film).duration.seconds + 1)
    with FrameReader(film, presented(film)) as reader:
        return [_middle(planes(picture.frame)) for picture in reader.frames(whole)]


def _middle(frame: tuple[npt.NDArray[np.uint8], ...]) -> Colour:
    y, u, v = (
        float(p[p.shape[0] // 4 : -p.shape[0] // 4, p.shape[1] // 4 : -p.shape[1] // 4].mean())
        for p in frame
    )
    return y, u, v


def looks(seen: Colour, name: str) -> bool:
    return max(abs(a - b) for a, b in zip(seen, YUV[name], strict=True)) < 6


def loudness(wave: npt.NDArray[Any]) -> float:
    meter = LoudnessMeter()
    meter.add(np.ascontiguousarray(wave, np.float32))
    heard = meter.result().integrated_lufs
    assert heard is not None
    return heard


BOTH = '[intro]\nfile = "intro.mp4"\n[outro]\nfile = "end.png"\nseconds = 1.2'


def test_the_clip_begins_exactly_where_its_intro_ends_and_ends_where_the_outro_begins(
    tmp_path: Path,
) -> None:
    video(tmp_path / "intro.mp4", 1.4)
    (tmp_path / "end.png").write_bytes(png(160, 90))
    film, _ = made(talk(tmp_path, paint=Solid(BLUE)), brand(tmp_path, BOTH))
    seen = colours(film)
    names = ["red"] * 35 + ["blue"] * 50 + ["green"] * 30
    assert len(seen) == len(names)
    assert all(looks(colour, name) for colour, name in zip(seen, names, strict=True))


def test_picture_and_sound_are_exactly_as_long_as_all_parts_together(tmp_path: Path) -> None:
    video(tmp_path / "intro.mp4", 1.4)
    (tmp_path / "end.png").write_bytes(png(160, 90))
    film, clip = made(talk(tmp_path), brand(tmp_path, BOTH))
    assert clip.film_duration_s == 1.4 + 2 + 1.2
    lengths = [s.duration.seconds for s in presented(film).source.streams if s.duration]
    assert lengths == pytest.approx([4.6, 4.6], abs=0.001)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rate", "of_outro", "limit_s"),
    [("25", 25, 0.001), ("30000/1001", 30, 1 / 29.9), ("24", 30, 1 / 24)],
)
def test_flash_and_beep_stay_together_across_both_joins(
    tmp_path: Path, rate: str, of_outro: int, limit_s: float
) -> None:
    click_and_flash(tmp_path / "intro.mp4", 2)
    click_and_flash(tmp_path / "outro.mp4", 2, of_outro)
    path = click_and_flash(tmp_path / "talk.mp4", 4)
    kit = brand(tmp_path, '[brand]\nintro = "intro.mp4"\noutro = "outro.mp4"')
    film, _ = made(path, kit, OutputFormat(320, 180, Fraction(rate)), span=(0.04, 3.02))
    late = together(film, 7, Fraction(rate))
    assert all(abs(each) <= limit_s for each in late), late


@pytest.mark.slow
@pytest.mark.parametrize("level", [0.01, 0.9])
def test_their_sound_is_as_loud_as_the_clip_and_the_film_as_loud_as_it_should_be(
    tmp_path: Path, level: float
) -> None:
    video(tmp_path / "intro.mp4", 3, heard=tone(3, 600, level))
    path = talk(tmp_path, heard=tone(6, 997, 0.05))
    clip = clip_of(presented(path), 1, 4, WIDE, brand=brand(tmp_path))
    film, _, verdict = rendered(path, clip)
    heard = sound(film)
    parts = [loudness(heard[:, a * 48_000 : b * 48_000]) for a, b in ((0, 3), (3, 6))]
    assert parts == pytest.approx([-14, -14], abs=0.5)
    assert verdict.ok and verdict.true_peak_dbtp <= -1, verdict
    assert verdict.loudness_lufs == pytest.approx(-14, abs=0.5)


def test_peaks_of_an_intro_stay_under_the_limit(tmp_path: Path) -> None:
    video(tmp_path / "intro.mp4", 3, heard=beeps(3, 0.5, 1.5, 2.5))
    path = talk(tmp_path)
    clip = clip_of(presented(path), 1, 3, WIDE, brand=brand(tmp_path))
    verdict: Verdict = rendered(path, clip)[2]
    assert verdict.true_peak_dbtp is not None and verdict.true_peak_dbtp <= -1
    assert not [note for note in verdict.notes if "dBTP" in note or "too" in note], verdict


@pytest.mark.parametrize("silent", ["intro.mp4", "intro.png"])
def test_an_intro_without_sound_is_silent(tmp_path: Path, silent: str) -> None:
    video(tmp_path / "intro.mp4", 3, heard=None)
    (tmp_path / "intro.png").write_bytes(png(160, 90))
    film, _ = made(talk(tmp_path), brand(tmp_path, f'[intro]\nfile = "{silent}"'))
    heard = np.abs(sound(film)).max(axis=0)
    assert heard[: round(2.95 * 48_000)].max() < 0.001
    assert heard[round(3.02 * 48_000) : round(3.1 * 48_000)].max() > 0.1


def test_an_intro_is_heard_before_a_recording_without_sound(tmp_path: Path) -> None:
    video(tmp_path / "intro.mp4", 2)
    film, _ = made(talk(tmp_path, heard=None), brand(tmp_path))
    heard = np.abs(sound(film)).max(axis=0)
    assert heard[: 2 * 48_000].max() > 0.1 and heard[round(2.1 * 48_000) :].max() < 0.01


def test_an_intro_of_a_variable_rate_keeps_its_time(tmp_path: Path) -> None:
    times = tuple(Fraction(t, 1000) for t in (0, 40, 80, 400, 440, 480, 800, 840))
    write_media(tmp_path / "intro.mkv", Film(times=times, paint=counted))
    kit = brand(tmp_path, '[intro]\nfile = "intro.mkv"')
    film, clip = made(talk(tmp_path, paint=Solid(WHITE)), kit)
    seen = [round(luma[:, 300:316].mean()) for luma in lumas(film)]  # the lowest bit
    shown = [value > 126 for value in seen[: clip.film.intro]]
    expected = [bool(sum(t <= Fraction(n, 25) for t in times) - 1 & 1)
                for n in range(clip.film.intro)]  # fmt: skip
    assert shown == expected
    assert min(seen[clip.film.intro :]) > 230


def test_an_intro_of_another_rate_keeps_its_time(tmp_path: Path) -> None:
    video(tmp_path / "intro.mp4", 2, paint=lambda n, size: Solid(RED if n < 30 else BLUE)(n, size),
          rate=Fraction(30))  # fmt: skip
    seen = colours(made(talk(tmp_path), brand(tmp_path))[0])
    assert [looks(c, "red") for c in seen[:50]] == [True] * 25 + [False] * 25


@pytest.mark.parametrize(("fit", "corner"), [("fill", "cut"), ("fit", "background")])
def test_a_wide_intro_fills_a_tall_film_or_is_fitted_into_it(
    tmp_path: Path, fit: str, corner: str
) -> None:
    video(tmp_path / "intro.mp4", 1, paint=Solid(WHITE))
    kit = brand(tmp_path, f'[intro]\nfile = "intro.mp4"\nfit = "{fit}"')
    first = lumas(made(talk(tmp_path), kit, TALL)[0])[0]
    assert first.shape == (320, 180) and first[150:170].min() > 225
    assert (first[:100].mean() > 225) == (corner == "cut")


def test_a_rotated_intro_stands_upright(tmp_path: Path) -> None:
    video(tmp_path / "intro.mp4", 1, quarters, clockwise_deg=90, size=(160, 90))
    with FrameReader(film := made(talk(tmp_path), brand(tmp_path), TALL)[0], presented(film)) as r:
        y, u, v = planes(next(r.frames(TimeRange.from_seconds(0, 1))).frame)
    corners = [
        (float(y[a, b]), float(u[a // 2, b // 2]), float(v[a // 2, b // 2]))
        for a, b in ((40, 40), (40, 140), (280, 40), (280, 140))
    ]
    assert [looks(c, n) for c, n in zip(corners, ("blue", "red", "white", "green"), strict=True)] \
        == [True] * 4  # fmt: skip


@pytest.mark.parametrize("size", [(321, 181), (33, 97), (17, 640)])
@pytest.mark.parametrize("fit", ["fill", "fit"])
def test_pictures_of_odd_sizes_are_shown(tmp_path: Path, size: tuple[int, int], fit: str) -> None:
    (tmp_path / "intro.png").write_bytes(png(*size))
    kit = brand(tmp_path, f'[intro]\nfile = "intro.png"\nseconds = 0.2\nfit = "{fit}"')
    seen = colours(made(talk(tmp_path), kit, TALL)[0])
    assert len(seen) == 55
    if fit == "fill":
        assert all(looks(colour, "green") for colour in seen[:5])


@pytest.mark.slow
def test_a_short_clip_keeps_its_length_between_long_ends(tmp_path: Path) -> None:
    video(tmp_path / "intro.mp4", 15, heard=tone(15), size=(64, 36))
    kit = brand(tmp_path, '[brand]\nintro = "intro.mp4"\noutro = "intro.mp4"')
    path = talk(tmp_path, 6, paint=Solid(GREEN))
    film, clip = made(path, kit, OutputFormat(64, 36, Fraction(10)), span=(0.5, 5.5))
    seen = [looks(colour, "green") for colour in colours(film)]
    assert seen == [False] * 150 + [True] * 50 + [False] * 150
    assert clip.film_duration_s == 35


def test_the_first_and_the_last_word_are_looked_for_in_the_clip(tmp_path: Path) -> None:
    video(tmp_path / "intro.mp4", 2)
    wave = tone(6)
    wave[:, 48_000 : 2 * 48_000] = 0
    path = talk(tmp_path, heard=wave)
    words = tuple(Word(w, TimeRange.from_seconds(a, a + 0.5))
                  for w, a in (("missing", 1.2), ("there", 2.4)))  # fmt: skip
    clip = clip_of(presented(path), 1, 3, WIDE, brand=brand(tmp_path), words=words)
    verdict = rendered(path, clip)[2]
    assert [n for n in verdict.notes if "heard" in n] == [
        "its first word, “missing”, cannot be heard"
    ]


def hz(wave: Speech) -> float:
    return float(np.count_nonzero(np.diff(np.signbit(wave)))) / 2 / (len(wave) / 16_000)


@pytest.mark.parametrize("names", [(), ("intro",), ("outro",), ("intro", "outro")])
def test_the_clips_own_ends_are_heard_again(tmp_path: Path, names: tuple[str, ...]) -> None:
    video(tmp_path / "end.mp4", 2, heard=tone(2, 3000), size=(64, 36))
    kit = brand(tmp_path, "[brand]\n" + "\n".join(f'{name} = "end.mp4"' for name in names))
    words = (Word("tone", TimeRange.from_seconds(0, 5)),)
    path = talk(tmp_path, heard=tone(6, 300))
    film, clip = made(path, kit, span=(0, 5), words=words)
    for piece in read_ends(film, clip, run_context()):
        assert len(piece) == END_S * 16_000
        tones = [hz(piece[n * 8_000 : (n + 1) * 8_000]) for n in range(2 * END_S)]
        assert tones == pytest.approx([300] * len(tones), abs=20)


def test_the_bar_runs_over_the_clip_alone(tmp_path: Path) -> None:
    video(tmp_path / "intro.mp4", 2, paint=Solid((128, 128, 128)))
    text = '[progress]\ncolour = "#FFFFFF"\nback = "#000000"\nheight = 0.1\n' \
        '[intro]\nfile = "intro.mp4"\n[outro]\nfile = "intro.mp4"'  # fmt: skip
    path = talk(tmp_path, paint=Solid((128, 128, 128)))
    bars = [luma[-6] for luma in lumas(made(path, brand(tmp_path, text))[0])]
    shares = [float((bar > 200).mean()) for bar in bars]
    assert max(shares[:50]) == 0 and max(shares[-50:]) == 0
    assert shares[51] < 0.05 and shares[99] > 0.95 and shares[75] == pytest.approx(0.5, abs=0.03)


def test_the_thumbnail_is_of_the_clip(tmp_path: Path) -> None:
    video(tmp_path / "intro.mp4", 2, paint=counted)  # sharp, while the clip is one colour
    path = talk(tmp_path, paint=Solid(BLUE))
    made(path, brand(tmp_path))
    still = path.with_name(".reelremix-still.part")
    y, u, v = _middle(planes(read_still(still)))
    assert y < 60 and u > 220 and v < 128


def test_progress_counts_every_frame_of_the_film(tmp_path: Path) -> None:
    video(tmp_path / "intro.mp4", 1)
    path, told = talk(tmp_path), []
    clip = clip_of(presented(path), 1, 3, WIDE, brand=brand(tmp_path))
    rendered(path, clip, progress=lambda done, total: told.append((done, total)))
    assert told == [(n, 75) for n in range(1, 76)]


def stub(path: Path) -> Path:
    path.write_text("this is no video")
    return path


WRONG: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "text": ("intro.mp4", lambda d: stub(d / "intro.mp4"), "intro.mp4 cannot be shown: intro.mp4"),
    "a damaged picture": (
        "intro.png", lambda d: (d / "intro.png").write_bytes(b"\x89PNG\r\n\x1a\n12345678"),
        "intro.png cannot be shown",
    ),
    "a tiny picture": (
        "intro.png", lambda d: (d / "intro.png").write_bytes(png(8, 64)),
        "intro.png is 8x64; at least 16 pixels a side",
    ),
    "too long": (
        "intro.mp4", lambda d: video(d / "intro.mp4", 16, size=(32, 32)),
        "intro.mp4 lasts 16.0 s; at most 15",
    ),
    "sound alone": (
        "intro.m4a", lambda d: write_media(d / "intro.m4a", None, sound_of(tone(1))),
        "intro.m4a holds no picture",
    ),
    "without an index": (
        "intro.mp4", lambda d: cut_short(video(d / "whole.mp4"), d / "intro.mp4", 0.6),
        "intro.mp4 cannot be shown",
    ),
    "cut off": (
        "intro.mp4",
        lambda d: cut_short(
            write_media(d / "whole.mp4", Film(100, quarters), sound_of(tone(4)), index_first=True),
            d / "intro.mp4", 0.5,
        ),
        "is cut off: it ends at",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_file_that_cannot_be_shown_is_told_by_a_check_and_refused(
    tmp_path: Path, name: str
) -> None:
    file, write, told = WRONG[name]
    write(tmp_path)
    text = f'size = 0.05\n[intro]\nfile = "{file}"'
    with pytest.raises(ConfigError) as refused:
        brand(tmp_path, text)
    assert told in refused.value.message and str(tmp_path / file) in refused.value.message
    [problem] = check_kit(tmp_path / "mine.toml")
    assert problem.startswith(f"{tmp_path / 'mine.toml'}:3: {refused.value.message}")


def test_a_video_has_no_seconds(tmp_path: Path) -> None:
    video(tmp_path / "intro.mp4")
    with pytest.raises(ConfigError, match="is a video, which is shown to its end"):
        brand(tmp_path, '[intro]\nfile = "intro.mp4"\nseconds = 1')


def test_a_picture_is_shown_for_three_seconds_where_nobody_says(tmp_path: Path) -> None:
    (tmp_path / "end.png").write_bytes(png(32, 32))
    kit = brand(tmp_path, '[brand]\noutro = "end.png"')
    assert kit.outro is not None and kit.outro.length_s == 3


def test_an_intro_that_ends_before_its_time_fails_the_clip(tmp_path: Path) -> None:
    video(tmp_path / "intro.mp4", 1)
    kit = brand(tmp_path)
    assert kit.intro is not None
    longer = replace(kit, intro=replace(kit.intro, length_s=8.0))
    with pytest.raises(RenderError, match=r"intro.mp4 ends at .* not at 8.0 s"):
        made(talk(tmp_path), longer)
