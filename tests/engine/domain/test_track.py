from __future__ import annotations

from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Box, Sighting, SightingsByTime, Track, usual_box

BOX = Box(0, 0, 10, 10)


def track(number: int, *times_s: float) -> Track:
    sightings = (Sighting(Timestamp.from_seconds(at), BOX, 0.9) for at in times_s)
    return Track(number, 0, tuple(sightings))


def test_the_usual_box_does_not_mind_a_few_odd_ones() -> None:
    boxes = [Box(x, 20, 30, 40) for x in (10, 11, 12, 13, 900)]
    assert usual_box(boxes) == Box(12, 20, 30, 40)


def test_sightings_of_all_tracks_are_found_by_their_time() -> None:
    seen = SightingsByTime([track(0, 0, 2, 4), track(1, 1, 2, 3)])
    found = [s.at.seconds for s in seen.during(TimeRange.from_seconds(1, 3))]
    assert found == [1, 2, 2]


def test_a_stretch_in_which_nobody_is_seen_is_empty() -> None:
    assert not SightingsByTime([track(0, 0, 9)]).during(TimeRange.from_seconds(2, 8))
    assert not SightingsByTime([]).during(TimeRange.from_seconds(0, 9))
