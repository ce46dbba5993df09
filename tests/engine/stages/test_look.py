from __future__ import annotations

import itertools
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.track import Box
from reelremix.engine.models.faces import Face, RgbImage
from reelremix.engine.stages.look import Eyes, Look, look, look_key
from reelremix.engine.stages.mouths import MouthMotion
from reelremix.errors import Cancelled
from tests.fakes import WhiteFaces, presented, run_context
from tests.media_factory import (
    BLUE,
    CYAN,
    GREEN,
    RED,
    YELLOW,
    Film,
    Paint,
    Rgb,
    Solid,
    colours_in_turn,
    sound_of,
    tone,
    write_media,
)


def seen(path: Path, start_s: float, end_s: float, detector: WhiteFaces | None = None) -> Look:
    span = TimeRange.from_seconds(start_s, end_s)
    return look(path, presented(path), span, Eyes(detector, MouthMotion()), run_context())


def textured(paint: Paint) -> Paint:
    """The same, with fixed grain as a camera has."""
    grain = np.random.default_rng(3).integers(-6, 7, (180, 320, 3))
    return lambda n, size: (paint(n, size) + grain).clip(0, 255).astype(np.uint8)


def white_spot(*places: tuple[int, int], side: int = 60, move: int = 0) -> Paint:
    """White squares at x, y that move to the right by some pixels a frame."""

    def paint(number: int, size: tuple[int, int]) -> Rgb:
        picture = Solid((40, 40, 40))(number, size)
        for x, y in places:
            left = x + move * number
            picture[y : y + side, left : left + side] = 255
        return picture

    return paint


def test_hard_cuts_are_found_to_the_frame(tmp_path: Path) -> None:
    paint = textured(colours_in_turn(17, RED, GREEN, BLUE, YELLOW, CYAN))
    path = write_media(tmp_path / "a.mp4", Film(85, paint))
    starts = [shot.range.start.exact for shot in seen(path, 0, 3.4).shots]
    assert starts == [Fraction(n * 17, 25) for n in range(5)]


def test_cuts_are_found_at_irregular_times(tmp_path: Path) -> None:
    times = tuple(Fraction(n * 40 + n % 3 * 11, 1000) for n in range(40))
    film = Film(times=times, paint=textured(colours_in_turn(20, RED, BLUE)))
    shots = seen(write_media(tmp_path / "a.mkv", film), 0, 1.6).shots
    assert [shot.range.start.seconds for shot in shots] == [0.0, float(times[20])]


def test_a_fade_is_not_a_cut(tmp_path: Path) -> None:
    def fade(number: int, size: tuple[int, int]) -> Rgb:
        return Solid((min(255, number * 5), 40, 40))(number, size)

    path = write_media(tmp_path / "a.mp4", Film(50, textured(fade)))
    assert len(seen(path, 0, 2).shots) == 1


def test_movement_is_not_a_cut(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mp4", Film(50, textured(white_spot((10, 60), move=4))))
    assert len(seen(path, 0, 2).shots) == 1


def test_shots_cover_the_range_without_gaps(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mp4", Film(100, textured(colours_in_turn(30, RED, BLUE))))
    found = seen(path, 0.5, 3.3)
    assert (found.shots[0].range.start, found.shots[-1].range.end) == (
        found.range.start,
        found.range.end,
    )
    assert all(a.range.end == b.range.start for a, b in itertools.pairwise(found.shots))


def test_a_face_is_followed_through_its_shot(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mp4", Film(50, white_spot((20, 60), move=2)))
    [track] = seen(path, 0, 2, WhiteFaces()).tracks
    centers = [s.box.center[0] for s in track.sightings]
    assert centers == sorted(centers)
    assert centers[0] == pytest.approx(50, abs=4) and centers[-1] > 120
    assert track.sightings[0].box.height == pytest.approx(60, abs=5)


def test_faces_are_told_in_pixels_of_the_upright_picture(tmp_path: Path) -> None:
    film = Film(10, white_spot((20, 100)), clockwise_deg=90)
    [track] = seen(write_media(tmp_path / "a.mp4", film), 0, 0.4, WhiteFaces()).tracks
    x, y = track.sightings[0].box.center
    assert x == pytest.approx(50, abs=5) and y == pytest.approx(50, abs=5)


def test_a_track_ends_at_the_cut(tmp_path: Path) -> None:
    def paint(number: int, size: tuple[int, int]) -> Rgb:
        picture = white_spot((100, 60))(number, size)
        picture[picture == 40] = 40 if number < 25 else 140
        return picture

    found = seen(write_media(tmp_path / "a.mp4", Film(50, paint)), 0, 2, WhiteFaces())
    assert [track.shot for track in found.tracks] == [0, 1]
    for track in found.tracks:
        shot = found.shots[track.shot].range
        assert all(shot.contains(sighting.at) for sighting in track.sightings)


def test_faces_are_searched_a_few_times_a_second(tmp_path: Path) -> None:
    detector = WhiteFaces()
    seen(write_media(tmp_path / "a.mp4", Film(100)), 0, 4, detector)
    assert 4 * 5 <= detector.calls <= 4 * 7 + 1


def test_faces_are_searched_by_the_clock_where_the_rate_varies(tmp_path: Path) -> None:
    """Thirty pictures a second, then two: each of the slow ones is searched."""
    times = tuple(Fraction(n, 30) for n in range(60)) + tuple(2 + Fraction(n, 2) for n in range(8))
    film = Film(times=times, paint=white_spot((20, 60)))
    [track] = seen(write_media(tmp_path / "a.mkv", film), 0, 6, WhiteFaces()).tracks
    late = [s for s in track.sightings if s.at.seconds >= 2.5]
    assert len(late) == 7


def test_how_often_was_searched_is_known_of_each_shot(tmp_path: Path) -> None:
    paint = textured(colours_in_turn(50, RED, GREEN))
    shots = seen(write_media(tmp_path / "a.mp4", Film(100, paint)), 0, 4, WhiteFaces()).shots
    assert [shot.searches for shot in shots] == [13, 13]


def test_without_a_detector_only_shots_are_found(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mp4", Film(50, white_spot((20, 60))))
    assert seen(path, 0, 2).tracks == ()


@dataclass
class TwoFaces:
    """`FaceDetector` that sees the same two faces all the time."""

    boxes: tuple[Box, Box]
    input_size_px: int = 320

    def detect(self, image: RgbImage) -> list[Face]:
        """Both."""
        return [Face(box, 0.9, box.center) for box in self.boxes]


def test_the_face_whose_mouth_moves_while_it_is_loud_is_likelier_heard(tmp_path: Path) -> None:
    def paint(number: int, size: tuple[int, int]) -> Rgb:
        picture = Solid((90, 90, 90))(number, size)
        if number // 2 % 2:
            picture[95:100, 55:85] = 230
        return picture

    path = write_media(tmp_path / "a.mp4", Film(100, paint), sound_of(tone(4.0)))
    faces = TwoFaces((Box(40, 50, 60, 60), Box(200, 50, 60, 60)))
    span = TimeRange.from_seconds(0, 4)
    found = look(path, presented(path), span, Eyes(faces, MouthMotion()), run_context())
    talks, quiet = (track.talk[0].log_odds for track in found.tracks)
    assert len(talks) == 100
    assert sum(talks) > sum(quiet) + 200


def test_a_single_face_is_not_asked_whether_it_speaks(tmp_path: Path) -> None:
    film, sound = Film(50, white_spot((100, 60))), sound_of(tone(2.0))
    [track] = seen(write_media(tmp_path / "a.mp4", film, sound), 0, 2, WhiteFaces()).tracks
    assert track.talk == ()


def test_a_dissolve_parts_two_shots_in_its_middle(tmp_path: Path) -> None:
    def paint(number: int, size: tuple[int, int]) -> Rgb:
        share = min(1.0, max(0.0, (number - 50) / 14))
        mixed = (1 - share) * Solid((200, 40, 40))(number, size) + share * Solid((20, 60, 200))(
            number, size
        )
        picture: Rgb = mixed.astype(np.uint8)
        return picture

    path = write_media(tmp_path / "a.mp4", Film(120, textured(paint)))
    [_, second] = seen(path, 0, 4.8).shots
    assert second.range.start_s == pytest.approx(57 / 25, abs=0.1)


def test_looking_can_be_cancelled(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mp4", Film(25))
    ctx = run_context()
    ctx.cancel.set()
    with pytest.raises(Cancelled):
        look(path, presented(path), TimeRange.from_seconds(0, 1), Eyes(None), ctx)


def test_the_key_depends_on_range_and_models(tmp_path: Path) -> None:
    ctx, presentation = run_context(), presented(write_media(tmp_path / "a.mp4", Film(5)))
    spans = [TimeRange.from_seconds(0, end) for end in (1, 2)]
    models = [(detector, judge) for detector in ("a", "b") for judge in ("c", "d")]
    keys = {look_key(ctx, presentation, span, *names) for span in spans for names in models}
    assert len(keys) == 8
