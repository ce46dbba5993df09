"""Who matters in a shot, and how much of the picture is theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reelremix.engine.domain.shot import Shot
from reelremix.engine.domain.source import VideoFormat
from reelremix.engine.domain.track import Box, Track, usual_box

MIN_PRESENCE = 0.35
"""Of a shot's face searches that found anybody, share a person must be found in, ..."""
LEAST_PRESENCE = 0.15
"""... and of all of them: a face that is seen once is a pattern on a wall."""
MIN_FACE = 0.05
"""Faces smaller than this share of the picture's height are passers-by."""
RELEVANT_SIZE = 0.45
"""Beside the largest face, smaller ones matter from this share of its height on."""


@dataclass(frozen=True, slots=True)
class Person:
    """A track that matters in its shot."""

    track: Track
    box: Box
    """Median face."""
    territory: Box
    """The part of the picture that may be shown with this person and nobody else: inside their
    pane, and nearer to this head than to any other."""

    @property
    def head(self) -> Box:
        """Face with hair and chin."""
        return head_of(self.box)


def people_of(tracks: Sequence[Track], shot: Shot, picture: VideoFormat) -> list[Person]:
    """The people who matter in a shot, from left to right, top to bottom.

    Args:
        tracks: the shot's.
        shot: it.
        picture: the source's.
    """
    found = len({s.at for t in tracks for s in t.sightings})
    least = max(1.0, MIN_PRESENCE * found, LEAST_PRESENCE * (shot.searches or 0))
    present = [t for t in tracks if len(t.sightings) >= least]
    boxes = {t.id: usual_box([s.box for s in t.sightings]) for t in present}
    large = [t for t in present if boxes[t.id].height >= MIN_FACE * picture.height_px]
    largest = max((boxes[t.id].height for t in large), default=0.0)
    matter = [t for t in large if boxes[t.id].height >= RELEVANT_SIZE * largest]
    matter.sort(key=lambda t: _reading_order(boxes[t.id], picture))
    return [
        Person(t, boxes[t.id], _territory(t.id, {m.id: boxes[m.id] for m in matter}, shot, picture))
        for t in matter
    ]


def head_of(face: Box) -> Box:
    """A face with hair and chin."""
    return Box(
        face.x - 0.1 * face.width, face.y - 0.28 * face.height, 1.2 * face.width, 1.4 * face.height
    )


def _reading_order(box: Box, picture: VideoFormat) -> tuple[int, float]:
    return round(2 * box.center[1] / picture.height_px), box.x


def _territory(own: int, faces: dict[int, Box], shot: Shot, picture: VideoFormat) -> Box:
    middle = faces[own].center
    whole = Box(0.0, 0.0, float(picture.width_px), float(picture.height_px))
    pane = next((p for p in shot.panes if p.holds(middle)), whole)
    x0, y0, x1, y1 = pane.x, pane.y, pane.x + pane.width, pane.y + pane.height
    mine = head_of(faces[own])
    for number, face in faces.items():
        if number == own or not pane.holds(face.center):
            continue
        theirs = head_of(face)
        gap_x = max(theirs.x - mine.x - mine.width, mine.x - theirs.x - theirs.width)
        gap_y = max(theirs.y - mine.y - mine.height, mine.y - theirs.y - theirs.height)
        if gap_x >= gap_y:
            if mine.center[0] < theirs.center[0]:
                x1 = min(x1, (mine.x + mine.width + theirs.x) / 2)
            else:
                x0 = max(x0, (theirs.x + theirs.width + mine.x) / 2)
        elif mine.center[1] < theirs.center[1]:
            y1 = min(y1, (mine.y + mine.height + theirs.y) / 2)
        else:
            y0 = max(y0, (theirs.y + theirs.height + mine.y) / 2)
    return Box(x0, y0, x1 - x0, y1 - y0)
