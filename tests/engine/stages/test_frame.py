from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelremix.engine.domain.clip import OutputFormat
from reelremix.engine.domain.layout import Layout, LayoutKind, LayoutPiece
from reelremix.engine.domain.shot import Shot
from reelremix.engine.domain.source import VideoFormat
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Box, Sighting, Track
from reelremix.engine.media.compose import box_at
from reelremix.engine.stages.frame import center_layout, frame_range, merge_layouts
from reelremix.engine.stages.look import FACE_RATE_HZ, Look
from tests.fakes import LANDSCAPE_720, PORTRAIT

SPAN = TimeRange.from_seconds(10, 20)
SIZES = [(1280, 720), (1920, 1080), (640, 480), (720, 1280), (3840, 2160), (321, 181), (1080, 1080)]
OUTPUTS = [(1080, 1920), (1080, 1080), (1080, 1350), (1920, 1080)]


def picture_of(width: int, height: int) -> VideoFormat:
    return replace(LANDSCAPE_720, width_px=width, height_px=height)


def output_of(width: int, height: int) -> OutputFormat:
    return OutputFormat(width, height, Fraction(25))


def face(xs: list[float], y: float = 250, height: float = 160, *, shot: int = 0, number: int = 0,
         start_s: float = 10, motion: float = 0.5) -> Track:  # fmt: skip
    """A face whose left edge is at these places, one search after another."""
    sightings = tuple(
        Sighting(
            Timestamp.from_seconds(start_s + n / FACE_RATE_HZ),
            Box(x, y, height * 0.8, height),
            0.9,
            motion,
        )
        for n, x in enumerate(xs)
    )
    return Track(number, shot, sightings)


def one_shot(*tracks: Track) -> Look:
    return Look(SPAN, (Shot(SPAN),), tuple(replace(t, id=n) for n, t in enumerate(tracks)))


def framed(*tracks: Track) -> LayoutPiece:
    """The only piece of a ten-second shot with these faces, in portrait from 720p."""
    [piece] = frame_range(one_shot(*tracks), LANDSCAPE_720, PORTRAIT).pieces
    return piece


def boxes(piece: LayoutPiece, region: int = 0, rate_hz: int = 25) -> list[Box]:
    """Where the camera is, frame by frame."""
    count = round(piece.range.duration_s * rate_hz)
    moments = (piece.range.start + Timestamp(n, Fraction(1, rate_hz)) for n in range(count))
    return [box_at(piece.regions[region].path, moment) for moment in moments]


def test_nobody_in_the_picture_shows_all_of_it() -> None:
    piece = framed()
    assert piece.kind is LayoutKind.FIT
    assert piece.regions[0].path[0].box == Box(0, 0, 1280, 720)
    x, y, width, height = piece.regions[0].output
    assert (x, width, height) == (0, 1080, 608) and y == 656


def test_one_still_face_gets_a_still_camera() -> None:
    random = np.random.default_rng(1)
    piece = framed(face([600 + float(random.normal(0, 4)) for _ in range(60)]))
    assert piece.kind is LayoutKind.SINGLE and len(piece.regions[0].path) == 1
    box = piece.regions[0].path[0].box
    assert box.x + box.width / 2 == pytest.approx(664, abs=20)


def test_a_face_that_flickers_between_two_sizes_does_not_move_the_camera() -> None:
    piece = framed(face([600 + 12 * (n % 2) for n in range(60)]))
    assert len({box.x for box in boxes(piece)}) == 1


def test_a_wandering_face_is_kept_in_view_by_a_smooth_camera_with_few_reversals() -> None:
    random = np.random.default_rng(2)
    xs = [200 + 12 * n + float(random.normal(0, 6)) for n in range(60)]
    piece = framed(face(xs))
    lefts = np.array([box.x for box in boxes(piece)])
    speeds = np.diff(lefts)
    moving = speeds[np.abs(speeds) > 0.05]
    assert np.count_nonzero(np.diff(np.sign(moving))) <= 2
    assert np.abs(speeds).max() < 12 and np.abs(np.diff(speeds)).max() < 4
    for n, x in enumerate(xs):
        box = box_at(piece.regions[0].path, Timestamp.from_seconds(10 + n / FACE_RATE_HZ))
        assert box.x <= x and x + 128 <= box.x + box.width


def test_one_wrong_detection_does_not_throw_the_camera() -> None:
    xs = [200.0 + 8 * n for n in range(60)]
    steady = [box.x for box in boxes(framed(face(xs)))]
    xs[30] = 1100
    thrown = [box.x for box in boxes(framed(face(xs)))]
    assert max(abs(a - b) for a, b in zip(steady, thrown, strict=True)) < 40


def test_two_faces_share_the_picture_each_in_its_own_region() -> None:
    piece = framed(face([200.0] * 60), face([950.0] * 60))
    assert piece.kind is LayoutKind.SPLIT
    left, right = piece.regions
    assert left.output == (0, 0, 1080, 960) and right.output == (0, 960, 1080, 960)
    assert [r.track for r in piece.regions] == [0, 1]
    for region, x in ((left, 264), (right, 1014)):
        box = region.path[0].box
        assert box.x <= x <= box.x + box.width
    assert left.path[0].box.overlap(right.path[0].box) == 0


@pytest.mark.parametrize("people", [3, 4])
def test_a_few_faces_make_a_grid(people: int) -> None:
    places = [(100, 100), (900, 100), (100, 450), (900, 450)][:people]
    piece = framed(*(face([float(x)] * 60, y, 120) for x, y in places))
    assert piece.kind is LayoutKind.GRID and len(piece.regions) == people
    assert sum(r.output[2] * r.output[3] for r in piece.regions) == 1080 * 1920


def test_whoever_clearly_speaks_is_shown_alone() -> None:
    quiet, talks = face([200.0] * 60, motion=0.2), face([950.0] * 60, motion=5.0)
    piece = framed(quiet, talks)
    assert piece.kind is LayoutKind.SINGLE
    assert piece.regions[0].track == 1


def test_passers_by_do_not_count() -> None:
    brief = face([1000.0] * 5, number=1)
    tiny = face([900.0] * 60, height=20)
    piece = framed(face([300.0] * 60), brief, tiny)
    assert piece.kind is LayoutKind.SINGLE and piece.regions[0].track == 0


def test_a_crowd_shows_the_most_plausible_face() -> None:
    crowd = [face([100.0 + 240 * n] * 60, 300, 90) for n in range(4)]
    piece = framed(*crowd, face([560.0] * 60, 100, 190))
    assert piece.kind is LayoutKind.SINGLE and piece.regions[0].track == 4


def test_the_face_sits_on_the_upper_third() -> None:
    box = framed(face([600.0] * 60, y=280, height=100)).regions[0].path[0].box
    assert 0.3 < (330 - box.y) / box.height < 0.5


def test_layouts_break_exactly_at_cuts() -> None:
    cuts = [10, 12.5, 13.0, 20]
    shots = tuple(Shot(TimeRange.from_seconds(a, b)) for a, b in itertools.pairwise(cuts))
    tracks = (face([100.0] * 15), face([900.0] * 3, shot=1, start_s=12.5, number=1))
    layout = frame_range(Look(SPAN, shots, tracks), LANDSCAPE_720, PORTRAIT)
    assert [p.range for p in layout.pieces] == [shot.range for shot in shots]
    assert [s.range for s in layout.speaking] == [shot.range for shot in shots]
    assert [s.track for s in layout.speaking] == [0, 1, None]


def test_the_camera_stays_when_the_next_shot_wants_almost_the_same() -> None:
    shots = (Shot(TimeRange.from_seconds(10, 15)), Shot(TimeRange.from_seconds(15, 20)))
    tracks = (face([600.0] * 30), face([612.0] * 30, shot=1, start_s=15, number=1))
    first, second = frame_range(Look(SPAN, shots, tracks), LANDSCAPE_720, PORTRAIT).pieces
    assert first.regions[0].path[0].box == second.regions[0].path[0].box
    assert second.regions[0].path[0].at == second.range.start


def test_without_faces_the_middle_is_shown() -> None:
    [piece] = center_layout(SPAN, LANDSCAPE_720, PORTRAIT).pieces
    assert (piece.range, piece.kind) == (SPAN, LayoutKind.SINGLE)
    assert piece.regions[0].path[0].box == Box(438, 0, 404, 720)


def test_layouts_of_several_ranges_follow_each_other() -> None:
    later = TimeRange.from_seconds(30, 35)
    layouts = [center_layout(span, LANDSCAPE_720, PORTRAIT) for span in (SPAN, later)]
    assert [p.range for p in merge_layouts(layouts).pieces] == [SPAN, later]


@st.composite
def looks(draw: st.DrawFn) -> tuple[Look, VideoFormat, OutputFormat]:
    """Any shots with any faces in a picture of any size, for any output."""
    picture = picture_of(*draw(st.sampled_from(SIZES)))
    output = output_of(*draw(st.sampled_from(OUTPUTS)))
    cuts = sorted({10.0, 20.0, *draw(st.lists(st.integers(11, 19).map(float), max_size=3))})
    shots = tuple(Shot(TimeRange.from_seconds(a, b)) for a, b in itertools.pairwise(cuts))
    tracks: list[Track] = []
    for index, shot in enumerate(shots):
        for _ in range(draw(st.integers(0, 6))):
            height = draw(st.floats(0.03, 0.9)) * picture.height_px
            y = draw(st.floats(-0.1, 0.9)) * picture.height_px
            begin = draw(st.floats(-0.1, 1.0)) * picture.width_px
            drift = draw(st.floats(-0.02, 0.02)) * picture.width_px
            count = draw(st.integers(1, max(1, int(shot.range.duration_s * FACE_RATE_HZ))))
            xs = [begin + drift * n for n in range(count)]
            motion = draw(st.floats(0, 8))
            tracks.append(face(xs, y, height, shot=index, number=len(tracks),
                               start_s=shot.range.start_s, motion=motion))  # fmt: skip
    return Look(SPAN, shots, tuple(tracks)), picture, output


def assert_covers(layout: Layout, span: TimeRange, cuts: list[Timestamp]) -> None:
    pieces = layout.pieces
    assert (pieces[0].range.start, pieces[-1].range.end) == (span.start, span.end)
    assert all(a.range.end == b.range.start for a, b in itertools.pairwise(pieces))
    assert {cut for cut in cuts} <= {p.range.start for p in pieces}


@given(looks())
def test_pieces_cover_the_range_and_break_at_every_cut(
    seen: tuple[Look, VideoFormat, OutputFormat],
) -> None:
    look, picture, output = seen
    layout = frame_range(look, picture, output)
    assert_covers(layout, look.range, [shot.range.start for shot in look.shots])


@given(looks())
def test_every_crop_is_inside_the_picture_and_shaped_like_its_region(
    seen: tuple[Look, VideoFormat, OutputFormat],
) -> None:
    look, picture, output = seen
    for piece in frame_range(look, picture, output).pieces:
        for region in piece.regions:
            for keyframe in region.path:
                box = keyframe.box
                assert box.x >= 0 and box.x + box.width <= picture.width_px
                assert box.y >= 0 and box.y + box.height <= picture.height_px
                shape = region.output[2] / region.output[3]
                # A crop on even pixels may miss its shape by a pixel or two of a small picture.
                assert abs(box.width / box.height / shape - 1) < 0.02 + 3 / min(
                    box.width, box.height
                )


@given(looks())
def test_regions_lie_inside_the_output_on_even_pixels_and_do_not_overlap(
    seen: tuple[Look, VideoFormat, OutputFormat],
) -> None:
    look, picture, output = seen
    for piece in frame_range(look, picture, output).pieces:
        outputs = [Box(*region.output) for region in piece.regions]
        assert not piece.inset
        assert all(v % 2 == 0 for region in piece.regions for v in region.output)
        assert all(b.x + b.width <= output.width_px for b in outputs)
        assert all(b.y + b.height <= output.height_px for b in outputs)
        assert all(a.overlap(b) == 0 for a, b in itertools.combinations(outputs, 2))


@given(looks())
def test_keyframes_are_in_order_and_begin_with_their_piece(
    seen: tuple[Look, VideoFormat, OutputFormat],
) -> None:
    look, picture, output = seen
    for piece in frame_range(look, picture, output).pieces:
        for region in piece.regions:
            moments = [keyframe.at for keyframe in region.path]
            assert moments[0] == piece.range.start
            assert all(a < b for a, b in itertools.pairwise(moments))
            assert moments[-1] <= piece.range.end


@given(looks())
def test_regions_follow_only_tracks_of_their_own_shot(
    seen: tuple[Look, VideoFormat, OutputFormat],
) -> None:
    look, picture, output = seen
    shots = {track.id: look.shots[track.shot].range for track in look.tracks}
    layout = frame_range(look, picture, output)
    for piece in layout.pieces:
        followed = [r.track for r in piece.regions if r.track is not None]
        assert all(shots[track] == piece.range for track in followed)
    for entry in layout.speaking:
        assert entry.track is None or shots[entry.track] == entry.range
        assert 0 <= entry.confidence <= 1
