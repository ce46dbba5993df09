from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Box, Sighting
from reelremix.engine.stages.look import Look, follow, look, look_key
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
    colours_in_turn,
    solid,
    write_media,
)


def seen(path: Path, start_s: float, end_s: float, detector: WhiteFaces | None = None) -> Look:
    span = TimeRange.from_seconds(start_s, end_s)
    return look(path, presented(path), span, detector, run_context())


def textured(paint: Paint) -> Paint:
    """The same, with fixed grain as a camera has."""
    grain = np.random.default_rng(3).integers(-6, 7, (180, 320, 3))
    return lambda n, size: (paint(n, size) + grain).clip(0, 255).astype(np.uint8)


def white_spot(*places: tuple[int, int], side: int = 60, move: int = 0) -> Paint:
    """White squares at x, y that move to the right by some pixels a frame."""

    def paint(number: int, size: tuple[int, int]) -> Rgb:
        picture = solid((40, 40, 40))(number, size)
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
        return solid((min(255, number * 5), 40, 40))(number, size)

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


def test_without_a_detector_only_shots_are_found(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mp4", Film(50, white_spot((20, 60))))
    assert seen(path, 0, 2).tracks == ()


def test_a_mouth_that_moves_is_noticed(tmp_path: Path) -> None:
    def talking(number: int, size: tuple[int, int]) -> Rgb:
        picture = white_spot((100, 40), side=100)(number, size)
        if number // 2 % 2:
            picture[112:126, 130:170] = 205
        return picture

    [talks] = seen(write_media(tmp_path / "a.mp4", Film(50, talking)), 0, 2, WhiteFaces()).tracks
    still = white_spot((100, 40), side=100)
    [quiet] = seen(write_media(tmp_path / "b.mp4", Film(50, still)), 0, 2, WhiteFaces()).tracks
    assert motion(talks.sightings) > motion(quiet.sightings) + 1.0


def motion(sightings: tuple[Sighting, ...]) -> float:
    found = [s.mouth_motion for s in sightings if s.mouth_motion is not None]
    assert found
    return sum(found) / len(found)


def test_looking_can_be_cancelled(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mp4", Film(25))
    ctx = run_context()
    ctx.cancel.set()
    with pytest.raises(Cancelled):
        look(path, presented(path), TimeRange.from_seconds(0, 1), None, ctx)


def test_the_key_depends_on_range_and_detector(tmp_path: Path) -> None:
    ctx, presentation = run_context(), presented(write_media(tmp_path / "a.mp4", Film(5)))
    spans = [TimeRange.from_seconds(0, end) for end in (1, 2)]
    keys = {look_key(ctx, presentation, span, model) for span in spans for model in ("a", "b")}
    assert len(keys) == 4


def sighting(at_s: float, x: float, y: float = 100) -> Sighting:
    return Sighting(Timestamp.from_seconds(at_s), Box(x, y, 100, 100), 0.9)


def test_two_faces_side_by_side_are_two_tracks() -> None:
    sightings = [sighting(t / 6, x) for t in range(6) for x in (100, 400)]
    assert [len(track) for track in follow(sightings)] == [6, 6]


def test_a_short_absence_does_not_end_a_track_but_a_long_one_does() -> None:
    assert len(follow([sighting(0, 100), sighting(0.9, 110)])) == 1
    assert len(follow([sighting(0, 100), sighting(1.2, 110)])) == 2


def test_a_jump_across_the_picture_is_another_face() -> None:
    assert len(follow([sighting(0, 100), sighting(0.2, 600)])) == 2


def test_one_moment_holds_a_face_only_once() -> None:
    assert len(follow([sighting(0, 100), sighting(0, 110)])) == 2


def test_every_sighting_belongs_to_exactly_one_track_in_order_of_time() -> None:
    random = np.random.default_rng(5)
    sightings = [sighting(n // 3 / 6, float(random.uniform(0, 1000))) for n in range(60)]
    tracks = follow(sightings)
    assert sorted(map(id, itertools.chain(*tracks))) == sorted(map(id, sightings))
    assert all(a.at < b.at for track in tracks for a, b in itertools.pairwise(track))
