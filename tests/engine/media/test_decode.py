from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.media.decode import FrameReader, Picture, Shrinker, planes, scaled
from tests.fakes import presented
from tests.media_factory import (
    UNTAGGED_SD,
    Colours,
    Film,
    Rgb,
    Solid,
    count_of,
    counted,
    cut_short,
    hdr_film,
    quarters,
    ramp,
    sound_of,
    tone,
    write_media,
)

BLACK_AND_WHITE_LUMA = (16, 235)
BT601_TAGGED = Colours(Colorspace.ITU601, 6, ColorPrimaries.SMPTE170M, ColorTrc.SMPTE170M)


def pictures(path: Path, start_s: float, end_s: float) -> list[Picture]:
    with FrameReader(path, presented(path)) as reader:
        return list(reader.frames(TimeRange.from_seconds(start_s, end_s)))


def first_picture(path: Path) -> Picture:
    return pictures(path, 0, 0.1)[0]


def rgb_of(picture: Picture) -> Rgb:
    """What a player shows for an upright picture."""
    shown = picture.frame.reformat(
        format="rgb24",
        src_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
    )
    return shown.to_ndarray().astype(np.uint8)


def corners(picture: Picture) -> list[tuple[int, ...]]:
    """Colours well inside the four corners, in reading order, rounded to full or none."""
    image = rgb_of(picture)
    y, x = image.shape[0] // 6, image.shape[1] // 6
    return [tuple(int(c > 127) for c in image[v, u]) for v in (y, -y) for u in (x, -x)]


def numbers(path: Path, start_s: float, end_s: float) -> list[int]:
    return [count_of(planes(p.frame)[0]) for p in pictures(path, start_s, end_s)]


R, G, B, W = (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1)


@pytest.mark.parametrize(
    ("turn", "seen"),
    [(0, [R, G, B, W]), (90, [B, R, W, G]), (180, [W, B, G, R]), (270, [G, W, R, B])],
)
def test_rotated_pictures_stand_upright(
    tmp_path: Path, turn: int, seen: list[tuple[int, ...]]
) -> None:
    path = write_media(tmp_path / "a.mp4", Film(3, quarters, clockwise_deg=turn))
    picture = first_picture(path)
    assert corners(picture) == seen
    assert (picture.frame.width > picture.frame.height) == (turn % 180 == 0)


def test_a_range_gives_exactly_its_frames(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mp4", Film(100, counted))
    assert numbers(path, 1.0, 2.0) == list(range(25, 50))


def test_a_range_between_frames_begins_with_the_one_on_screen(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mp4", Film(100, counted))
    assert numbers(path, 1.03, 1.13) == [25, 26, 27, 28]


def test_times_are_those_of_the_source(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mp4", Film(60, counted, rate=Fraction(30000, 1001)))
    found = pictures(path, 1.0, 1.2)
    assert [p.at.exact for p in found[1:]] == [Fraction(n * 1001, 30000) for n in range(30, 36)]


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [("mp4", "libx264"), ("mkv", "libx264"), ("mov", "mpeg4"), ("ts", "libx264"), ("avi", "mpeg4"),
     ("mpg", "mpeg2video"), ("webm", "libvpx")],
)  # fmt: skip
def test_seeking_lands_on_the_right_frame_in_every_container(
    tmp_path: Path, suffix: str, codec: str
) -> None:
    film = Film(120, counted, (160, 90), codec=codec, options={}, keyframe_every=50)
    path = write_media(tmp_path / f"a.{suffix}", film)
    assert numbers(path, 3.0, 3.16) == [75, 76, 77, 78]
    assert numbers(path, 0.0, 0.16) == [0, 1, 2, 3]


def test_ranges_may_be_read_in_any_order(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mp4", Film(100, counted))
    with FrameReader(path, presented(path)) as reader:
        for start in (3.0, 0.0, 1.0):
            first = next(reader.frames(TimeRange.from_seconds(start, start + 0.1)))
            assert count_of(planes(first.frame)[0]) == start * 25


def test_irregular_frames_keep_their_times(tmp_path: Path) -> None:
    times = tuple(Fraction(n * 40 + n % 3 * 11, 1000) for n in range(40))
    path = write_media(tmp_path / "a.mkv", Film(times=times, paint=counted))
    found = pictures(path, 0, 2)
    assert [round(p.at.exact * 1000) for p in found] == [round(t * 1000) for t in times]
    assert [count_of(planes(p.frame)[0]) for p in found] == list(range(40))


def test_a_picture_that_begins_late_is_not_moved_to_zero(tmp_path: Path) -> None:
    film = Film(25, counted, start_s=Fraction(1, 2))
    found = pictures(write_media(tmp_path / "a.mp4", film, sound_of(tone(2))), 0, 2)
    assert (found[0].at.seconds, len(found)) == (0.5, 25)


def test_a_container_that_starts_late_is_moved_to_zero(tmp_path: Path) -> None:
    film = Film(25, counted, start_s=Fraction(7))
    found = pictures(write_media(tmp_path / "a.ts", film), 0.2, 0.4)
    assert [count_of(planes(p.frame)[0]) for p in found] == [5, 6, 7, 8, 9]
    assert found[0].at.seconds == pytest.approx(0.2)


def test_nothing_comes_from_behind_the_end(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mp4", Film(25, counted))
    assert numbers(path, 5, 6) in ([], [24])


def test_what_is_left_of_a_truncated_file_is_read(tmp_path: Path) -> None:
    whole = write_media(tmp_path / "b.mp4", Film(100, ramp), index_first=True)
    found = pictures(cut_short(whole, tmp_path / "a.mp4", 0.7), 0, 4)
    assert 10 < len(found) < 100


@pytest.mark.parametrize(
    ("moment_s", "frame"),
    [(0.0, 0), (1.0, 25), (1.019, 25), (1.021, 26), (3.99, 100), (3.97, 99), (4.3, 100)],
)
def test_moments_snap_to_the_nearest_frame_boundary(
    tmp_path: Path, moment_s: float, frame: int
) -> None:
    path = write_media(tmp_path / "a.mp4", Film(100))
    with FrameReader(path, presented(path)) as reader:
        assert reader.snap(Timestamp.from_seconds(moment_s)).exact == Fraction(frame, 25)


def test_moments_snap_to_irregular_frames(tmp_path: Path) -> None:
    times = (0, 100, 130, 400, 420, 900, 1000)
    film = Film(times=tuple(Fraction(t, 1000) for t in times))
    path = write_media(tmp_path / "a.mkv", film)
    with FrameReader(path, presented(path)) as reader:
        snapped = [reader.snap(Timestamp.from_seconds(s)).seconds for s in (0.12, 0.3, 0.415, 0.7)]
    assert snapped == [0.13, 0.4, 0.42, 0.9]


def test_anamorphic_pictures_are_widened(tmp_path: Path) -> None:
    film = Film(3, quarters, size=(180, 180), pixel_aspect=Fraction(16, 9))
    picture = first_picture(write_media(tmp_path / "a.mp4", film))
    assert (picture.frame.width, picture.frame.height) == (320, 180)
    assert corners(picture) == [R, G, B, W]


@pytest.mark.parametrize("turn", [0, 90])
def test_odd_sizes_are_decoded(tmp_path: Path, turn: int) -> None:
    film = Film(3, quarters, size=(321, 181), pixels="yuv444p", clockwise_deg=turn)
    picture = first_picture(write_media(tmp_path / "a.mp4", film))
    assert {picture.frame.width, picture.frame.height} <= {320, 321, 180, 181, 182}
    assert corners(picture) == ([R, G, B, W] if turn == 0 else [B, R, W, G])


@pytest.mark.parametrize(
    ("colours", "size"),
    [
        (Colours(), (320, 180)),
        (Colours(full_range=True), (320, 180)),
        (UNTAGGED_SD, (320, 240)),
        (BT601_TAGGED, (1280, 720)),
    ],
)
@pytest.mark.parametrize("colour", [(200, 40, 40), (40, 160, 60), (60, 60, 200), (128, 128, 128)])
def test_colours_survive_whatever_matrix_and_range_they_were_stored_in(
    tmp_path: Path, colours: Colours, size: tuple[int, int], colour: tuple[int, int, int]
) -> None:
    path = write_media(tmp_path / "a.mp4", Film(2, Solid(colour), size, colours=colours))
    image = rgb_of(first_picture(path))
    assert np.abs(image.mean(axis=(0, 1)) - colour).max() < 6


@pytest.mark.slow
def test_hdr_becomes_a_picture_for_ordinary_screens(tmp_path: Path) -> None:
    frame = first_picture(write_media(tmp_path / "a.mkv", hdr_film())).frame
    luma = planes(frame)[0].astype(int).mean(axis=0)
    reference_white = luma[round(320 * 0.58)]  # 203 nits, where graphics and faces in light sit
    assert frame.format.name == "yuv420p"
    assert luma[2] <= 20 and luma[-3] >= 220
    assert reference_white > 130
    assert (np.diff(luma[::8]) >= -1).all()


def test_only_keyframes_are_decoded_when_that_is_enough(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mp4", Film(100, counted, keyframe_every=25))
    with FrameReader(path, presented(path)) as reader:
        whole = TimeRange.from_seconds(0, 4)
        found = [count_of(planes(p.frame)[0]) for p in reader.frames(whole, keyframes_only=True)]
    assert found == [0, 25, 50, 75]


def test_shrinking_keeps_what_is_where_and_gives_the_pixels_asked_for(tmp_path: Path) -> None:
    picture = first_picture(write_media(tmp_path / "a.mp4", Film(3, quarters)))
    shrink = Shrinker("rgb24")
    for size in ((64, 36), (32, 18)):
        small = shrink(picture.frame, size)
        assert (small.width, small.height, small.format.name) == (*size, "rgb24")
        assert corners(Picture(picture.at, small)) == corners(picture)


@pytest.mark.parametrize(("width_px", "size"), [(100, (100, 56)), (640, (640, 360))])
def test_scaling_keeps_the_proportions_and_an_even_height(
    tmp_path: Path, width_px: int, size: tuple[int, int]
) -> None:
    frame = first_picture(write_media(tmp_path / "a.mp4", Film(3))).frame
    copy = scaled(frame, width_px)
    assert (copy.width, copy.height, copy.format.name) == (*size, "yuv420p")
