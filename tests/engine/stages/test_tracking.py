from __future__ import annotations

import itertools

import numpy as np
import pytest

from reelremix.engine.domain.time import Timestamp
from reelremix.engine.domain.track import Box, Sighting
from reelremix.engine.stages.tracking import Tracker, Trail


def sighting(at_s: float, x: float, y: float = 100, side: float = 100) -> Sighting:
    return Sighting(Timestamp.from_seconds(at_s), Box(x, y, side, side), 0.9)


def followed(*searches: list[Sighting]) -> list[Trail]:
    tracker = Tracker()
    for found in searches:
        tracker.take(found[0].at, found)
    return tracker.trails


def test_two_faces_side_by_side_are_two_trails() -> None:
    trails = followed(*([sighting(t / 6, x) for x in (100, 400)] for t in range(6)))
    assert [len(t.sightings) for t in trails] == [6, 6]


def test_a_face_that_walks_is_expected_where_it_is_heading() -> None:
    trails = followed(*([sighting(t / 6, 100 + 70 * t)] for t in range(8)))
    assert len(trails) == 1


def test_a_short_absence_does_not_end_a_trail_but_a_long_one_does() -> None:
    assert len(followed([sighting(0, 100)], [sighting(1.8, 120)])) == 1
    assert len(followed([sighting(0, 100)], [sighting(2.2, 120)])) == 2


def test_a_jump_across_the_picture_is_another_face() -> None:
    assert len(followed([sighting(0, 100)], [sighting(0.2, 600)])) == 2


def test_a_face_of_another_size_close_by_is_another_face() -> None:
    assert len(followed([sighting(0, 100)], [sighting(0.2, 190, side=30)])) == 2


def test_one_moment_holds_a_face_only_once() -> None:
    assert len(followed([sighting(0, 100), sighting(0, 110)])) == 2


def test_the_nearer_of_two_faces_goes_on() -> None:
    first, second = followed([sighting(0, 100), sighting(0, 150)], [sighting(0.2, 152)])
    assert (len(first.sightings), len(second.sightings)) == (1, 2)


def test_every_sighting_belongs_to_exactly_one_trail_in_order_of_time() -> None:
    random = np.random.default_rng(5)
    searches = [
        [sighting(n / 6, float(random.uniform(0, 1000))) for _ in range(3)] for n in range(20)
    ]
    trails = [t.sightings for t in followed(*searches)]
    assert sorted(map(id, itertools.chain(*trails))) == sorted(map(id, itertools.chain(*searches)))
    assert all(a.at < b.at for trail in trails for a, b in itertools.pairwise(trail))


def test_between_two_searches_a_face_is_between_its_places() -> None:
    [trail] = followed([sighting(0, 100)], [sighting(0.2, 120)])
    box = trail.box_at(Timestamp.from_seconds(0.05), is_cut_next=False)
    assert box is not None and box.x == pytest.approx(105)


def test_before_a_cut_a_face_stays_where_it_was() -> None:
    [trail] = followed([sighting(0, 100)], [sighting(0.2, 120)])
    box = trail.box_at(Timestamp.from_seconds(0.1), is_cut_next=True)
    assert box is not None and box.x == 100


def test_a_face_is_nowhere_before_it_is_seen_and_long_after() -> None:
    [trail] = followed([sighting(5, 100)])
    for at_s in (4.9, 6.5):
        assert trail.box_at(Timestamp.from_seconds(at_s), is_cut_next=False) is None


def test_trails_are_recent_until_they_are_asked_for() -> None:
    tracker = Tracker()
    tracker.take(Timestamp(0), [sighting(0, 100), sighting(0, 600)])
    assert [t.number for t in tracker.recent()] == [0, 1]
    tracker.take(Timestamp.from_seconds(0.2), [sighting(0.2, 610)])
    assert [t.number for t in tracker.recent()] == [1]


def test_where_a_face_usually_is_is_known_of_each_stretch() -> None:
    [trail] = followed(*([sighting(t / 6, 100 + 10 * t)] for t in range(12)))
    start, end = Timestamp(0), Timestamp.from_seconds(1)
    usual = trail.usual(start, end)
    assert usual is not None and usual.x == pytest.approx(125)
    assert trail.usual(Timestamp.from_seconds(50), Timestamp.from_seconds(60)) is None
