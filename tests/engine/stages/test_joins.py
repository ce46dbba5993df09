"""A layout without what a clip leaves out."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from reelremix.engine.domain.layout import (
    Keyframe,
    Layout,
    LayoutKind,
    LayoutPiece,
    Region,
    Speaking,
)
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Box
from reelremix.engine.media.compose import box_at
from reelremix.engine.stages.joins import kept_layout


def span(start: float, end: float) -> TimeRange:
    return TimeRange.from_seconds(start, end)


def moving(start: float, end: float) -> LayoutPiece:
    """A camera that goes 100 pixels a second to the right."""
    path = tuple(Keyframe(Timestamp.from_seconds(at), Box(100 * at, 0, 90, 160))
                 for at in (start, end))  # fmt: skip
    return LayoutPiece(span(start, end), LayoutKind.SINGLE, (Region((0, 0, 90, 160), path, 1),))


LAYOUT = Layout((moving(0, 4), moving(4, 10)), (Speaking(span(0, 10), 1, "S1", 0.9),))


def test_one_range_of_everything_changes_nothing() -> None:
    assert kept_layout(LAYOUT, (span(0, 10),)) == LAYOUT


def test_every_join_is_the_end_of_a_piece() -> None:
    kept = (span(1, 2), span(3, 5), span(6, 7))
    pieces = kept_layout(LAYOUT, kept).pieces
    assert [(p.range.start_s, p.range.end_s) for p in pieces] == [(1, 2), (3, 4), (4, 5), (6, 7)]


def test_the_camera_is_where_it_was_at_every_moment_that_is_kept() -> None:
    for piece in kept_layout(LAYOUT, (span(1, 2), span(3, 5))).pieces:
        (region,) = piece.regions
        for step in range(11):
            share = Fraction(step, 10)
            at = Timestamp.from_seconds(
                piece.range.start.exact * (1 - share) + piece.range.end.exact * share
            )
            assert abs(box_at(region.path, at).x - 100 * at.seconds) < 1e-6
        assert region.path[0].at == piece.range.start and region.path[-1].at <= piece.range.end


def test_a_still_camera_has_one_keyframe_at_the_start_of_each_piece() -> None:
    still = Keyframe(Timestamp(0), Box(5, 0, 90, 160))
    whole = LayoutPiece(span(0, 10), LayoutKind.FIT, (Region((0, 0, 90, 160), (still,)),))
    pieces = kept_layout(Layout((whole,)), (span(1, 2), span(3, 5))).pieces
    assert [p.regions[0].path for p in pieces] == [
        (Keyframe(Timestamp.from_seconds(at), still.box),) for at in (1, 3)
    ]


def test_who_speaks_is_said_of_kept_time_alone() -> None:
    speaking = kept_layout(LAYOUT, (span(1, 2), span(3, 5))).speaking
    assert [(s.range.start_s, s.range.end_s, s.track) for s in speaking] == [(1, 2, 1), (3, 5, 1)]


@given(st.lists(st.floats(0, 10), min_size=2, max_size=12))
def test_pieces_cover_the_ranges_without_gaps(cuts: list[float]) -> None:
    ends = sorted(set(round(cut, 3) for cut in cuts))
    kept = tuple(span(a, b) for a, b in zip(ends[::2], ends[1::2], strict=False) if a < b)
    covered = sum(p.range.duration_s for p in kept_layout(LAYOUT, kept).pieces)
    assert abs(covered - sum(r.duration_s for r in kept)) < 1e-4
