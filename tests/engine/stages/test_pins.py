from __future__ import annotations

from reelremix.engine.domain.layout import LayoutKind, Pin
from reelremix.engine.domain.shot import Shot
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Box, Sighting, Track
from reelremix.engine.stages.frame import Room, frame_range
from reelremix.engine.stages.pins import pinned
from tests.fakes import LANDSCAPE_720, PORTRAIT

SHOTS = (Shot(TimeRange.from_seconds(0, 10)), Shot(TimeRange.from_seconds(10, 20)))
ROOM = Room(LANDSCAPE_720, PORTRAIT)


def face(id: int, shot: int, x: float, person: int) -> Track:
    """Somebody who sits still through a shot."""
    begin = 10 * shot
    seen = tuple(
        Sighting(Timestamp.from_seconds(begin + n * 0.2), Box(x, 200, 120, 160), 1.0)
        for n in range(50)
    )
    return Track(id, shot, seen, None, person)


TRACKS = (face(0, 0, 200, 1), face(1, 0, 900, 2), face(2, 1, 300, 2), face(3, 1, 800, 1))


def pin(start_s: float, end_s: float, at_s: float, x: float) -> Pin:
    """Whoever is at a point is wanted."""
    return Pin(TimeRange.from_seconds(start_s, end_s), Timestamp.from_seconds(at_s), x, 280)


def test_whoever_is_nearest_is_meant_and_found_in_other_shots() -> None:
    found = pinned(SHOTS, TRACKS, [pin(4, 14, 5, 950)])
    assert [(s.range.start_s, s.range.end_s, s.track) for s in found] == [(4, 10, 1), (10, 14, 2)]


def test_a_face_that_is_not_there_counts_for_nothing() -> None:
    assert pinned(SHOTS, TRACKS[:2], [pin(4, 14, 15, 950)]) == ()


def test_whoever_is_pinned_is_shown_alone_for_so_long_and_no_longer() -> None:
    asked = pinned(SHOTS, TRACKS, [pin(4, 7, 5, 950)])
    layout = frame_range(SHOTS, TRACKS, (), ROOM, pinned=asked)
    shown = [(p.range.start_s, p.range.end_s, p.kind) for p in layout.pieces]
    assert (4.0, 7.0, LayoutKind.SINGLE) in shown
    [alone] = [p for p in layout.pieces if p.kind is LayoutKind.SINGLE]
    assert alone.regions[0].track == 1
    assert layout.pieces[0].range.start_s == 0 and layout.pieces[-1].range.end_s == 20
    assert all(a.range.end == b.range.start
               for a, b in zip(layout.pieces, layout.pieces[1:], strict=False))  # fmt: skip
