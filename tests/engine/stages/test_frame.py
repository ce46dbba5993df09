from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelremix.engine.domain.choice import LayoutChoice
from reelremix.engine.domain.clip import OutputFormat
from reelremix.engine.domain.layout import Layout, LayoutKind, LayoutPiece
from reelremix.engine.domain.shot import Shot
from reelremix.engine.domain.source import VideoFormat
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import TALK_RATE_HZ, Box, Sighting, Talk, Track
from reelremix.engine.media.compose import box_at
from reelremix.engine.seeing import framed as framed_range
from reelremix.engine.stages.frame import center_layout
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
         start_s: float = 10, talk: float | None = None) -> Track:  # fmt: skip
    """A face whose left edge is at these places, one search after another; `talk` is how surely it
    speaks all the time, in log-odds."""
    sightings = tuple(
        Sighting(
            Timestamp.from_seconds(start_s + n / FACE_RATE_HZ),
            Box(x, y, height * 0.8, height),
            0.9,
        )
        for n, x in enumerate(xs)
    )
    count = len(xs) * TALK_RATE_HZ // FACE_RATE_HZ
    said = Talk(Timestamp.from_seconds(start_s), (talk,) * count) if talk is not None else None
    return Track(number, shot, sightings, talk=(said,) if said else ())


def one_shot(*tracks: Track) -> Look:
    return Look(SPAN, (Shot(SPAN),), tuple(replace(t, id=n) for n, t in enumerate(tracks)))


def frame_range(
    look: Look,
    picture: VideoFormat,
    output: OutputFormat,
    choice: LayoutChoice = LayoutChoice.AUTO,
) -> Layout:
    """The layout of a look in which no words are known."""
    return framed_range(look, look.range, (), picture, output, choice).layout


def framed(*tracks: Track, choice: LayoutChoice = LayoutChoice.AUTO) -> LayoutPiece:
    """The only piece of a ten-second shot with these faces, in portrait from 720p."""
    [piece] = frame_range(one_shot(*tracks), LANDSCAPE_720, PORTRAIT, choice).pieces
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


def test_all_of_the_picture_is_without_its_black_bars() -> None:
    bars = Look(SPAN, (Shot(SPAN, content=Box(160, 0, 960, 720)),), ())
    [piece] = frame_range(bars, LANDSCAPE_720, PORTRAIT).pieces
    assert piece.kind is LayoutKind.FIT
    assert piece.regions[0].path[0].box == Box(160, 0, 960, 720)
    assert piece.regions[0].output == (0, 556, 1080, 810)


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
    quiet, talks = face([200.0] * 60, talk=-3.0), face([950.0] * 60, talk=3.0)
    piece = framed(quiet, talks)
    assert piece.kind is LayoutKind.SINGLE
    assert piece.regions[0].track == 1


def test_passers_by_do_not_count() -> None:
    brief = face([1000.0] * 5, number=1)
    tiny = face([900.0] * 60, height=20)
    piece = framed(face([300.0] * 60), brief, tiny)
    assert piece.kind is LayoutKind.SINGLE and piece.regions[0].track == 0


def crowd(*, talking: bool) -> tuple[Track, ...]:
    """Five people; the fifth may be known to speak."""
    odds = -3.0 if talking else None
    faces = [face([60.0 + 260 * n] * 60, 300, 90, talk=odds) for n in range(4)]
    return (*faces, face([1100.0] * 60, 100, 120, talk=3.0 if talking else None))


def test_a_crowd_in_which_nobody_is_known_to_speak_is_shown_whole() -> None:
    assert framed(*crowd(talking=False)).kind is LayoutKind.FIT


def test_whoever_speaks_out_of_a_crowd_is_shown() -> None:
    piece = framed(*crowd(talking=True))
    assert piece.kind is LayoutKind.SINGLE and piece.regions[0].track == 4


def test_forty_faces_are_shown_whole() -> None:
    faces = [face([30.0 + 120 * (n % 10)] * 60, 60 + 160 * (n // 10), 60) for n in range(40)]
    assert framed(*faces).kind is LayoutKind.FIT


def test_a_face_larger_than_the_crop_is_shown_as_far_as_the_picture_goes() -> None:
    piece = framed(face([300.0] * 60, y=-100, height=900))
    assert piece.kind is LayoutKind.SINGLE
    assert piece.regions[0].path[0].box.height == 720


def test_a_change_of_speaker_cuts_and_never_pans() -> None:
    left, right = face([200.0] * 60, talk=3.0), face([950.0] * 60, talk=-3.0)
    swapped = (3.0,) * 125 + (-3.0,) * 125, (-3.0,) * 125 + (3.0,) * 125
    tracks = [
        replace(track, talk=(Talk(track.talk[0].start, odds),))
        for track, odds in zip((left, right), swapped, strict=True)
    ]
    first, second = frame_range(one_shot(*tracks), LANDSCAPE_720, PORTRAIT).pieces
    assert [p.regions[0].track for p in (first, second)] == [0, 1]
    assert second.range.start_s == pytest.approx(15, abs=0.2)
    assert all(len(p.regions[0].path) == 1 for p in (first, second))


def test_a_short_interjection_is_not_cut_to() -> None:
    odds = (3.0,) * 100 + (-3.0,) * 20 + (3.0,) * 130
    other = tuple(-value for value in odds)
    tracks = [
        replace(face([x] * 60), talk=(Talk(Timestamp.from_seconds(10), values),))
        for x, values in ((200.0, odds), (950.0, other))
    ]
    [piece] = frame_range(one_shot(*tracks), LANDSCAPE_720, PORTRAIT).pieces
    assert piece.kind is LayoutKind.SINGLE and piece.regions[0].track == 0


@pytest.mark.parametrize(
    ("choice", "kind"),
    [
        (LayoutChoice.SINGLE, LayoutKind.SINGLE),
        (LayoutChoice.SPLIT, LayoutKind.SPLIT),
        (LayoutChoice.FIT, LayoutKind.FIT),
        (LayoutChoice.CENTER, LayoutKind.SINGLE),
    ],
)
def test_a_layout_that_is_asked_for_is_made(choice: LayoutChoice, kind: LayoutKind) -> None:
    tracks = face([200.0] * 60, talk=3.0), face([950.0] * 60, talk=-3.0)
    assert framed(*tracks, choice=choice).kind is kind


def test_a_person_is_not_cropped_out_of_their_pane() -> None:
    panes = (Box(0, 0, 640, 720), Box(640, 0, 640, 720))
    look = one_shot(face([480.0] * 60, talk=3.0), face([700.0] * 60, talk=-3.0))
    look = replace(look, shots=(replace(look.shots[0], panes=panes),))
    [piece] = frame_range(look, LANDSCAPE_720, PORTRAIT).pieces
    box = piece.regions[0].path[0].box
    assert piece.kind is LayoutKind.SINGLE and box.x + box.width <= 640


def test_a_screen_is_shown_above_whoever_speaks_over_it() -> None:
    screen = Box(0, 0, 1280, 720)
    look = one_shot(face([1050.0] * 60, 540, 120))
    look = replace(look, shots=(replace(look.shots[0], screen=screen),))
    [piece] = frame_range(look, LANDSCAPE_720, PORTRAIT).pieces
    above, below = piece.regions
    assert piece.kind is LayoutKind.SCREEN
    assert above.output == (0, 0, 1080, 606) and below.output == (0, 606, 1080, 1314)
    assert (above.track, below.track) == (None, 0)


def test_the_face_sits_on_the_upper_third() -> None:
    box = framed(face([600.0] * 60, y=280, height=100)).regions[0].path[0].box
    assert 0.3 < (330 - box.y) / box.height < 0.5


def test_layouts_break_exactly_at_cuts() -> None:
    cuts = [10, 12.5, 13.0, 20]
    shots = tuple(Shot(TimeRange.from_seconds(a, b)) for a, b in itertools.pairwise(cuts))
    tracks = (face([100.0] * 15), face([900.0] * 3, shot=1, start_s=12.5, number=1))
    layout = frame_range(Look(SPAN, shots, tracks), LANDSCAPE_720, PORTRAIT)
    assert [p.range for p in layout.pieces] == [shot.range for shot in shots]
    assert [s.range for s in layout.speaking] == [shot.range for shot in shots[:2]]
    assert [s.track for s in layout.speaking] == [0, 1]


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
            talk = draw(st.none() | st.floats(-5, 5))
            tracks.append(face(xs, y, height, shot=index, number=len(tracks),
                               start_s=shot.range.start_s, talk=talk))  # fmt: skip
    return Look(SPAN, shots, tuple(tracks)), picture, output


def lies_in(inner: TimeRange, outer: TimeRange) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


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
        assert all(lies_in(piece.range, shots[t]) for t in followed)
    for entry in layout.speaking:
        assert entry.track is None or lies_in(entry.range, shots[entry.track])
        assert 0 <= entry.confidence <= 1


def test_a_face_that_stands_up_is_followed_upwards() -> None:
    seated, standing = [
        face([600.0] * 30, y=900, height=200),
        face([600.0] * 30, y=500, height=200),
    ]
    rises = replace(
        seated,
        sightings=tuple(
            replace(s, box=replace(s.box, y=900 - 400 * min(1.0, max(0.0, (n - 12) / 6))))
            for n, s in enumerate(seated.sightings)
        ),
    )
    look = one_shot(rises)
    [piece] = frame_range(look, picture_of(3840, 2160), PORTRAIT).pieces
    first, last = boxes(piece)[0], boxes(piece)[120]
    assert last.y < first.y - 200
    assert standing.sightings[0].box.overlap(last) == standing.sightings[0].box.area


def test_a_mirror_image_that_moves_its_lips_too_shows_both() -> None:
    """Nobody can be sure which of the two is the person."""
    twins = face([200.0] * 60, talk=2.0), face([950.0] * 60, talk=2.0)
    assert framed(*twins).kind is LayoutKind.SPLIT


def test_a_face_on_a_slide_never_speaks() -> None:
    photograph, speaker = face([200.0] * 60, talk=-4.0), face([950.0] * 60, talk=1.0)
    piece = framed(photograph, speaker)
    assert piece.kind is LayoutKind.SINGLE and piece.regions[0].track == 1


def test_a_face_that_turns_away_now_and_then_stays_in_the_picture() -> None:
    profile = face([600.0 + (n % 3) for n in range(60)])
    seen = tuple(s for n, s in enumerate(profile.sightings) if n % 6 < 3)
    piece = framed(replace(profile, sightings=seen))
    assert piece.kind is LayoutKind.SINGLE and len(piece.regions[0].path) == 1


def test_a_portrait_source_is_shown_as_it_is() -> None:
    look = one_shot(face([250.0] * 60, y=300, height=200))
    [piece] = frame_range(look, picture_of(1080, 1920), PORTRAIT).pieces
    box = piece.regions[0].path[0].box
    assert piece.kind is LayoutKind.SINGLE and box.height / 1920 > 0.25


def test_a_pillar_is_never_shown() -> None:
    look = one_shot(face([180.0] * 60))
    pane = Box(160, 0, 960, 720)
    look = replace(look, shots=(replace(look.shots[0], panes=(pane,)),))
    [piece] = frame_range(look, LANDSCAPE_720, PORTRAIT).pieces
    assert piece.regions[0].path[0].box.x >= 160


def test_a_five_second_shot_is_framed_like_any_other() -> None:
    span = TimeRange.from_seconds(10, 15)
    look = Look(span, (Shot(span),), (face([600.0] * 30),))
    [piece] = frame_range(look, LANDSCAPE_720, PORTRAIT).pieces
    assert piece.range == span and piece.kind is LayoutKind.SINGLE


def test_a_face_that_is_seen_once_is_a_pattern_on_a_wall() -> None:
    look = one_shot(face([600.0]))
    look = replace(look, shots=(replace(look.shots[0], searches=60),))
    [piece] = frame_range(look, LANDSCAPE_720, PORTRAIT).pieces
    assert piece.kind is LayoutKind.FIT


def test_a_small_pane_is_shown_with_what_it_is_set_into() -> None:
    """As over a game or a film that moves."""
    look = one_shot(face([1050.0] * 60, 520, 120))
    pane = Box(930, 440, 320, 256)
    look = replace(look, shots=(replace(look.shots[0], panes=(pane,)),))
    [piece] = frame_range(look, LANDSCAPE_720, PORTRAIT).pieces
    assert piece.kind is LayoutKind.SCREEN
    face_crop = piece.regions[1].path[0].box
    assert pane.overlap(face_crop) == pytest.approx(face_crop.area)
