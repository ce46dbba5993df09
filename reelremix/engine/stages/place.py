"""Where captions stand in each piece of a layout: off faces and text as far as there is room.

One height a piece, so that captions do not jump while the picture stands still. The style's own
height is kept unless something is there; between cells of a shared picture the seam is free.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from reelremix.engine.captions.safe_area import safe_area
from reelremix.engine.domain.caption import Captions, Cue
from reelremix.engine.domain.clip import OutputFormat
from reelremix.engine.domain.layout import Layout, LayoutKind, LayoutPiece, PiecesByTime, Region
from reelremix.engine.domain.occupied import Occupied
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Box, Sighting, SightingsByTime, Track
from reelremix.engine.media.compose import box_at
from reelremix.engine.stages.people import head_of

FACE_COST = 2.5
"""Costs are shares of the text that lie on something. Nobody wants eyes or a mouth covered."""
HEAD_COST = 0.5
"""Hair, forehead and chin are not what one looks at, but nothing to write on if there is another
place."""
MOVING_COST = 0.45
"""Going a whole output height away from the style's place."""
CHIN = 0.15
"""Share of a face below its mouth."""
SCREEN_COST = 1.0
"""A slide is there to be read, but has a margin."""
TEXT_COST = 4.0
"""Text over text cannot be read: that is worse than a covered face."""
GLIMPSE_S = 0.12
"""A cue that is shown for less in a piece does not mind what is in it."""
SETTLED = 0.02
"""Places that are better by less are not worth a change from one piece to the next."""


@dataclass(frozen=True, slots=True)
class _Obstacles:
    """What is on screen in a piece, in output pixels."""

    faces: Sequence[Box]
    """Down to the mouth."""
    heads: Sequence[Box]
    """The same with hair, forehead and chin."""
    screens: Sequence[Box]
    """Slides and the like."""
    texts: Sequence[Sequence[Box]]
    """Each as it is seen through its time."""

    @classmethod
    def none(cls) -> _Obstacles:
        """An empty picture."""
        return cls((), (), (), ())

    def joined(self, other: _Obstacles) -> _Obstacles:
        """What is in either picture."""
        return _Obstacles(
            [*self.faces, *other.faces],
            [*self.heads, *other.heads],
            [*self.screens, *other.screens],
            [*self.texts, *other.texts],
        )


def place_captions(
    captions: Captions,
    layout: Layout,
    tracks: Sequence[Track],
    output: OutputFormat,
    occupied: Sequence[Occupied] = (),
    *,
    drawn: Sequence[Occupied] = (),
) -> Captions:
    """The captions with their boxes moved up or down, inside the safe area.

    They keep off the faces of `tracks` and off `occupied` parts of the source, where these are
    seen, and off what else is `drawn`, whose boxes are in output pixels.
    """
    safe = safe_area(output, str(captions.style.get("platform", "all")))
    cues, sightings = list(captions.cues), SightingsByTime(tracks)
    for numbers, shown in _together(cues, layout.pieces):
        seen = _Obstacles.none()
        for piece in (layout.pieces[n] for n in numbers):
            during = (
                piece.range if len(numbers) == 1 else _shared(piece.range, cues[shown[0]].range)
            )
            texts = [_taken_on_screen(piece, taken, during) for taken in occupied]
            texts += [[card.box] for card in drawn if card.range.overlap_s(during) > 0]
            found = sightings.during(during)
            faces = _seen_on_screen(piece, found, _down_to_the_mouth)
            heads = _seen_on_screen(piece, found, _up_to_the_hair)
            seen = seen.joined(_Obstacles(faces, heads, _screens(piece), texts))
        regions = [region for n in numbers for region in layout.pieces[n].regions]
        middle = _best_middle([cues[i] for i in shown], regions, seen, output, safe)
        for i in shown:
            cues[i] = _moved(cues[i], middle, safe)
    return replace(captions, cues=tuple(cues))


def _together(
    cues: Sequence[Cue], pieces: Sequence[LayoutPiece]
) -> list[tuple[tuple[int, ...], list[int]]]:
    """Cues that stand at one height, by the pieces they are shown in.

    Cues of one piece stand together; a cue that goes on after a cut stands where it is out of the
    way on both sides of it.
    """
    together: dict[tuple[int, ...], list[int]] = {}
    crossing: list[tuple[tuple[int, ...], list[int]]] = []
    by_time = PiecesByTime(pieces)
    for index, cue in enumerate(cues):
        shared_s = {n: cue.range.overlap_s(pieces[n].range) for n in by_time.during(cue.range)}
        numbers = [n for n, seconds in shared_s.items() if seconds >= GLIMPSE_S]
        numbers = numbers or [n for n, seconds in shared_s.items() if seconds > 0]
        if len(numbers) > 1:
            crossing.append((tuple(numbers), [index]))
        elif numbers:
            together.setdefault((numbers[0],), []).append(index)
    return [*together.items(), *crossing]


def _shared(a: TimeRange, b: TimeRange) -> TimeRange:
    return TimeRange(max(a.start, b.start), min(a.end, b.end))


def _seen_on_screen(
    piece: LayoutPiece, sightings: Sequence[Sighting], part: Callable[[Box], Box]
) -> list[Box]:
    """A part of every face where the viewer sees it in the piece, in output pixels."""
    return [
        box
        for sighting in sightings
        for region in piece.regions
        if (box := on_screen(part(sighting.box), region, sighting.at)) is not None
    ]


def _screens(piece: LayoutPiece) -> list[Box]:
    if piece.kind is not LayoutKind.SCREEN:
        return []
    return [Box(*map(float, region.output)) for region in piece.regions if region.track is None]


def _down_to_the_mouth(face: Box) -> Box:
    return Box(face.x, face.y, face.width, (1 - CHIN) * face.height)


def _up_to_the_hair(face: Box) -> Box:
    head = head_of(face)
    return Box(head.x, head.y, head.width, face.y + face.height - head.y)


def _taken_on_screen(piece: LayoutPiece, taken: Occupied, during: TimeRange) -> list[Box]:
    """An occupied part where the viewer sees it, at the begin, middle and end of its time."""
    begin, end = max(taken.range.start, during.start), min(taken.range.end, during.end)
    if begin >= end:
        return []
    middle = Timestamp.from_seconds((begin.exact + end.exact) / 2)
    return [
        box
        for region in piece.regions
        for moment in (begin, middle, end)
        if (box := on_screen(taken.box, region, moment)) is not None
    ]


def on_screen(box: Box, region: Region, moment: Timestamp) -> Box | None:
    """The part of a source box that a region shows, in output pixels; None for none of it."""
    crop = box_at(region.path, moment)
    if box.overlap(crop) <= 0:
        return None
    x, y, width, height = region.output
    scale_x, scale_y = width / crop.width, height / crop.height
    left, right = max(box.x, crop.x), min(box.x + box.width, crop.x + crop.width)
    top, bottom = max(box.y, crop.y), min(box.y + box.height, crop.y + crop.height)
    return Box(
        x + (left - crop.x) * scale_x,
        y + (top - crop.y) * scale_y,
        (right - left) * scale_x,
        (bottom - top) * scale_y,
    )


def _best_middle(
    cues: Sequence[Cue],
    regions: Sequence[Region],
    obstacles: _Obstacles,
    output: OutputFormat,
    safe: tuple[int, int, int, int],
) -> float:
    """The height whose tallest cue covers least, near the style's place if equal.

    The places just above and just below the faces, and each text, are tried too.
    """
    tallest = max(cues, key=lambda cue: cue.box[3])
    wanted = tallest.box[1] + tallest.box[3] / 2
    half = tallest.box[3] / 2
    highest, lowest = safe[1] + half, safe[1] + safe[3] - half
    places = [float(region.output[1]) for region in regions]
    for group in filter(None, [obstacles.faces, obstacles.heads, *obstacles.texts]):
        places.append(min(box.y for box in group) - half)
        places.append(max(box.y + box.height for box in group) + half)
    places = [wanted, lowest, highest, *(p for p in places if highest < p < lowest)]

    def cost(middle: float) -> float:
        x, _, width, _ = tallest.box
        text = Box(x, middle - half, width, 2 * half)

        def most(boxes: Iterable[Box]) -> float:
            return max(map(text.overlap, boxes), default=0.0)

        covered = most(obstacles.faces)
        cost = FACE_COST * covered + HEAD_COST * max(0.0, most(obstacles.heads) - covered)
        cost += SCREEN_COST * most(obstacles.screens)
        cost += TEXT_COST * most(chain.from_iterable(obstacles.texts))
        return cost / text.area + MOVING_COST * abs(middle - wanted) / output.height_px

    best = min(places, key=cost)
    return wanted if cost(wanted) - cost(best) < SETTLED else best


def _moved(cue: Cue, middle: float, safe: tuple[int, int, int, int]) -> Cue:
    x, _, width, height = cue.box
    _, top, _, free = safe
    y = min(max(middle - height / 2, top), top + free - height)
    return replace(cue, box=(x, round(y / 2) * 2, width, height))
