"""Following faces from one search to the next.

A face is looked for where it was heading; one that is missed for a while, because it turned away or
something passed in front of it, is the same again where it comes back close by and as large.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import hypot

from reelremix.engine.domain.time import Timestamp
from reelremix.engine.domain.track import Box, Sighting, usual_box

SAME_FACE_IOU = 0.2
"""A face that overlaps so much with where it was expected is the same."""
NEAR = 0.8
"""Or one whose middle is within so many face sizes of it, ..."""
SIMILAR_SIZE = 1.5
"""... which is at most so many times larger or smaller."""
LOST_AFTER_S = Fraction(2)
"""A face unseen for longer ends its track."""
HELD_S = Fraction(1)
"""A face that is missed may be where it was for so long."""
LEAST_SIGHTINGS = 2
HEADING_S = 0.4
"""Movement is only carried on for so long: what is lost for longer may have stopped."""


@dataclass(slots=True, eq=False)
class Trail:
    """A face as far as it was followed."""

    number: int
    sightings: list[Sighting] = field(default_factory=list)

    def expected(self, at: Timestamp) -> Box:
        """Where the face should be, going on as between the last two sightings."""
        last = self.sightings[-1]
        if len(self.sightings) < 2:
            return last.box
        before = self.sightings[-2]
        step_s = float((last.at - before.at).exact)
        ahead = min(float((at - last.at).exact), HEADING_S) / step_s
        (x0, y0), (x1, y1) = before.box.center, last.box.center
        b = last.box
        return Box(b.x + (x1 - x0) * ahead, b.y + (y1 - y0) * ahead, b.width, b.height)

    def is_open(self, at: Timestamp) -> bool:
        """Whether it may still go on."""
        return 0 < (at - self.sightings[-1].at).exact <= LOST_AFTER_S

    def usual(self, start: Timestamp, end: Timestamp) -> Box | None:
        """Where the face is most of a stretch, by medians; None where it is hardly seen."""
        first = bisect_left(self.sightings, start, key=lambda s: s.at)
        last = bisect_left(self.sightings, end, first, key=lambda s: s.at)
        seen = [s.box for s in self.sightings[first:last]]
        if len(seen) < LEAST_SIGHTINGS:
            return None
        return usual_box(seen)

    def box_at(self, at: Timestamp, *, is_cut_next: bool) -> Box | None:
        """Where the face is at a moment before the latest search, or just after it.

        With a cut next, what was found behind it says nothing. None where the face is not seen.
        """
        before = next((s for s in reversed(self.sightings) if s.at <= at), None)
        if before is None:
            return None
        after = next((s for s in self.sightings[-2:] if s.at > at), None)
        if after is not None and not is_cut_next:
            return before.box.towards(
                after.box, (at - before.at).exact / (after.at - before.at).exact
            )
        return before.box if (at - before.at).exact <= HELD_S else None


class Tracker:
    """Takes the faces of one search after another; `trails` grow."""

    def __init__(self) -> None:
        self.trails: list[Trail] = []
        self._open: list[Trail] = []
        self._seen: dict[int, Trail] = {}

    def take(self, at: Timestamp, sightings: Sequence[Sighting]) -> list[tuple[Trail, Sighting]]:
        """Give every face to the trail it continues best, or to a new one; returns which."""
        open_trails = self._open = [trail for trail in self._open if trail.is_open(at)]
        expected = [trail.expected(at) for trail in open_trails]
        pairs = [
            (likeness, i, j)
            for i, box in enumerate(expected)
            for j, sighting in enumerate(sightings)
            if (likeness := _likeness(box, sighting.box)) > 0
        ]
        given: dict[int, Trail] = {}
        for _, i, j in sorted(pairs, reverse=True):
            if j not in given and open_trails[i] not in given.values():
                given[j] = open_trails[i]
        for j in range(len(sightings)):
            if j not in given:
                given[j] = Trail(len(self.trails))
                self.trails.append(given[j])
                self._open = [*self._open, given[j]]
            given[j].sightings.append(sightings[j])
            self._seen[given[j].number] = given[j]
        return [(given[j], sighting) for j, sighting in enumerate(sightings)]

    def recent(self) -> list[Trail]:
        """Trails that were seen since this was asked the last time."""
        recent = list(self._seen.values())
        self._seen.clear()
        return recent

    def open_at(self, at: Timestamp) -> list[Trail]:
        """Trails that were seen up to `at`, the search before the latest."""
        return [trail for trail in self._open if trail.sightings[0].at <= at]


def _likeness(expected: Box, found: Box) -> float:
    """Above zero where the two may be one face; overlap counts for more than nearness."""
    overlap = expected.iou(found)
    if overlap >= SAME_FACE_IOU:
        return 1 + overlap
    ratio = max(expected.height, found.height) / max(min(expected.height, found.height), 1e-6)
    (x0, y0), (x1, y1) = expected.center, found.center
    away = hypot(x1 - x0, y1 - y0) / max(expected.height, found.height, 1e-6)
    return 1 - away if ratio <= SIMILAR_SIZE and away < NEAR else 0.0
