"""A clip becomes whole frames of a file, with pictures, titles and markers where they belong."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelremix.engine.domain.bookends import Bookend
from reelremix.engine.domain.brand import Brand
from reelremix.engine.domain.layout import Keyframe, Layout, LayoutKind, LayoutPiece, Region
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Box
from reelremix.engine.export.placement import between, placement, strays_px
from reelremix.engine.export.sequence import Media, sequence_of
from tests.engine.export import handover
from tests.engine.export.handover import NTSC, OUTPUT, PAL, RATES, SIZE, clip_on, span_of, ten_clips


def media(rate: Fraction = PAL, **more: object) -> Media:
    return replace(Media("talk.mp4", None, rate, round(40 * rate), SIZE), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("first", [Fraction(0), Fraction(1, 3), Fraction(1234567, 1000000)])
def test_ranges_of_a_manifest_find_their_frames_again(rate: Fraction, first: Fraction) -> None:
    frames, clips = ten_clips(rate, first)
    for kept, clip in zip(frames, clips, strict=True):
        sequence = sequence_of(clip, media(rate, first_s=first), "a name")
        assert [(a, b) for _, a, b in sequence.kept] == kept
        assert sequence.frames == sum(b - a for a, b in kept)


def test_segments_follow_each_other_without_a_gap() -> None:
    for clip in ten_clips(NTSC)[1]:
        reached = 0
        for segment in sequence_of(clip, media(NTSC), "").segments:
            assert (segment.at, segment.frames > 0) == (reached, True)
            reached = segment.end


def test_an_arrangement_changes_at_the_frame_where_a_render_changes_it() -> None:
    span = span_of(10, 60, NTSC)
    change = Timestamp.from_seconds((35 / NTSC).limit_denominator(10**6))
    early = handover.moving(TimeRange(span.start, Timestamp(change.ticks - 1)))
    pieces = (early, replace(handover.grid(span), range=TimeRange(early.range.end, span.end)))
    clip = clip_on([(10, 60)], NTSC, layout=Layout(pieces))
    first, second = sequence_of(clip, media(NTSC), "").segments
    assert (first.frames, len(first.layers)) == (25, 1)
    assert (second.at, second.source, len(second.layers)) == (25, 35, 4)


def test_a_still_camera_has_one_pose_and_a_moving_one_ends_where_it_should() -> None:
    still = sequence_of(clip_on([(0, 50)], PAL, rank=2), media(), "")
    assert all(not layer.moves for segment in still.segments for layer in segment.layers)
    layout = Layout((handover.moving(span_of(0, 50, PAL)),))
    (segment,) = sequence_of(clip_on([(0, 50)], PAL, layout=layout), media(), "").segments
    poses = segment.layers[0].poses
    assert [poses[0].frame, poses[-1].frame] == [0, 49]
    assert 25 in {pose.frame for pose in poses}


BOXES = st.builds(
    lambda x, y, w: Box(x, y, w, w * 16 / 9),
    st.floats(0, 150), st.floats(0, 60), st.floats(20, 60),
)  # fmt: skip


@given(BOXES, BOXES, st.integers(2, 300))
def test_straight_lines_between_poses_show_what_the_camera_shows(
    before: Box, after: Box, length: int
) -> None:
    span = span_of(0, length, PAL)
    path = (Keyframe(span.start, before), Keyframe(span.end, after))
    piece = LayoutPiece(span, LayoutKind.SINGLE, (Region((0, 0, 180, 200), path),))
    clip = clip_on([(0, length)], PAL, layout=Layout((piece,)))
    (segment,) = sequence_of(clip, media(), "").segments
    poses = segment.layers[-1].poses
    assert [pose.frame for pose in poses] == sorted({pose.frame for pose in poses})
    for first, last in pairwise(poses):
        for frame in range(first.frame, last.frame + 1):
            share = (frame - first.frame) / (last.frame - first.frame)
            shown = between(first.placement, last.placement, share)
            box = before.towards(after, Fraction(frame, length))
            wanted = placement(box, (0, 0, 180, 200), SIZE, OUTPUT)
            assert strays_px(shown, wanted, SIZE) < 1.5


@given(BOXES, st.tuples(st.integers(0, 45), st.integers(0, 80)))
def test_a_placement_puts_the_box_into_its_rectangle(box: Box, corner: tuple[int, int]) -> None:
    output = (2 * corner[0], 2 * corner[1], 90, 160)
    placed = placement(box, output, SIZE, OUTPUT)
    middle = (
        OUTPUT[0] / 2 + placed.right + (box.center[0] - SIZE[0] / 2) * placed.scale,
        OUTPUT[1] / 2 + placed.down + (box.center[1] - SIZE[1] / 2) * placed.scale,
    )
    assert middle == pytest.approx((output[0] + 45, output[1] + 80))
    left, top, right, bottom = placed.crop
    assert (SIZE[0] - left - right) * placed.scale <= 90.001 or min(left, right) == 0
    assert (SIZE[1] - top - bottom) * placed.scale <= 160.001 or min(top, bottom) == 0


def test_titles_are_apart_and_inside() -> None:
    for clip in ten_clips(NTSC)[1]:
        sequence = sequence_of(clip, media(NTSC), "")
        reached = 0
        for title in sequence.titles:
            assert reached <= title.at < title.at + title.frames <= sequence.frames
            reached = title.at + title.frames


def test_an_intro_does_not_move_titles() -> None:
    clip = clip_on([(0, 50), (100, 150)], PAL)
    branded = replace(clip, brand=Brand("kit", intro=Bookend("in.mp4", 2.0)))
    plain = sequence_of(clip, media(), "")
    assert sequence_of(branded, media(), "").titles == plain.titles
    assert [title.text for title in plain.titles] == ["word0", "word1"]


def test_markers_tell_the_title_with_the_score_and_each_reason_where_it_is_quoted() -> None:
    sequence = sequence_of(clip_on([(0, 50), (100, 150)], PAL), media(), "")
    chapter, reason = sequence.markers
    assert (chapter.at, chapter.is_chapter, chapter.name) == (0, True, "Clip number 1")
    assert chapter.note.startswith("score 83, hook 70")
    assert (reason.at, reason.name) == (50, "hook: opens with a number")


def test_a_reason_that_was_cut_out_has_no_marker() -> None:
    clip = clip_on([(0, 50), (100, 150)], PAL)
    assert clip.score is not None
    (reason,) = clip.score.reasons
    gone = replace(reason, range=span_of(60, 70, PAL))
    edited = replace(clip, score=replace(clip.score, reasons=(gone,)))
    assert len(sequence_of(edited, media(), "").markers) == 1


def test_a_clip_that_nobody_judged_has_a_title_and_no_note() -> None:
    sequence = sequence_of(clip_on([(0, 50)], PAL, score=None), media(), "")
    assert [(m.name, m.note) for m in sequence.markers] == [("Clip number 1", "")]


def test_a_clip_ends_where_the_file_does() -> None:
    sequence = sequence_of(clip_on([(0, 10), (90, 102)], PAL), media(frames=100), "")
    assert sequence.kept == ((0, 0, 10), (10, 90, 100))
    assert all(title.at + title.frames <= 20 for title in sequence.titles)
