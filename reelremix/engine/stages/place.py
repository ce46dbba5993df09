"""Where captions stand in each piece of a layout: off faces and text as far as there is room.

One height a piece, so that captions do not jump while the picture stands still. The style's own
height is kept unless something is there; between cells of a shared picture the seam is free.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from reelremix.engine.captions.safe_area import safe_area
from reelremix.engine.domain.caption import Captions, Cue
from reelremix.engine.domain.clip import OutputFormat
from reelremix.engine.domain.layout import Layout, LayoutPiece, Region
from reelremix.engine.domain.occupied import Occupied
from reelremix.engine.domain.time import Timestamp
from reelremix.engine.domain.track import Box, Track
from reelremix.engine.media.compose import box_at
from reelremix.engine.stages.people import head_of

MOVING_COST = 0.2
"""Going a whole output height away from the style's place is worth this share of covered face."""
HEAD_COST = 0.5
"""Hair, forehead and chin are not the face, but nothing to write on if there is another place."""
TEXT_COST = 4.0
"""Text over text cannot be read: that is worse than a covered face."""
SETTLED = 0.02
"""Places that are better by less are not worth a change from one piece to the next."""


@dataclass(frozen=True, slots=True)
class _Obstacles:
    """What is on screen in a piece, in output pixels."""

    faces: Sequence[Box]
    heads: Sequence[Box]
    """The same with hair and chin."""
    texts: Sequence[Sequence[Box]]
    """Each as it is seen through its time."""


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
    cues = list(captions.cues)
    homes = [_home(cue, layout.pieces) for cue in cues]
    for number, piece in enumerate(layout.pieces):
        shown = [i for i, home in enumerate(homes) if home == number]
        if not shown:
            continue
        texts = [_taken_on_screen(piece, taken) for taken in occupied]
        texts += [[card.box] for card in drawn if card.range.overlap_s(piece.range) > 0]
        faces, heads = _faces_on_screen(piece, tracks), _faces_on_screen(piece, tracks, head_of)
        obstacles = _Obstacles(faces, heads, texts)
        middle = _best_middle([cues[i] for i in shown], piece, obstacles, output, safe)
        for i in shown:
            cues[i] = _moved(cues[i], middle, safe)
    return replace(captions, cues=tuple(cues))


def _home(cue: Cue, pieces: Sequence[LayoutPiece]) -> int | None:
    """The piece during which most of a cue is shown; None where none is."""
    shown = [cue.range.overlap_s(piece.range) for piece in pieces]
    return shown.index(max(shown)) if shown and max(shown) > 0 else None


def _faces_on_screen(
    piece: LayoutPiece, tracks: Sequence[Track], part: Callable[[Box], Box] = lambda face: face
) -> list[Box]:
    """Every face of the piece, or a part around it, where the viewer sees it, in output pixels."""
    return [
        box
        for track in tracks
        for sighting in track.sightings
        if piece.range.contains(sighting.at)
        for region in piece.regions
        if (box := on_screen(part(sighting.box), region, sighting.at)) is not None
    ]


def _taken_on_screen(piece: LayoutPiece, taken: Occupied) -> list[Box]:
    """An occupied part where the viewer sees it, at the begin, middle and end of its time."""
    begin = max(taken.range.start, piece.range.start)
    end = min(taken.range.end, piece.range.end)
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
    piece: LayoutPiece,
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
    places = [float(region.output[1]) for region in piece.regions]
    for group in filter(None, [obstacles.faces, obstacles.heads, *obstacles.texts]):
        places.append(min(box.y for box in group) - half)
        places.append(max(box.y + box.height for box in group) + half)
    places = [wanted, lowest, highest, *(p for p in places if highest < p < lowest)]

    def cost(middle: float) -> float:
        x, _, width, _ = tallest.box
        text = Box(x, middle - half, width, 2 * half)
        covered = max((text.overlap(box) for box in obstacles.faces), default=0.0)
        around = max((text.overlap(box) for box in obstacles.heads), default=0.0) - covered
        hidden = max((text.overlap(box) for group in obstacles.texts for box in group), default=0.0)
        covered = (covered + HEAD_COST * max(0.0, around) + TEXT_COST * hidden) / text.area
        return covered + MOVING_COST * abs(middle - wanted) / output.height_px

    best = min(places, key=cost)
    return wanted if cost(wanted) - cost(best) < SETTLED else best


def _moved(cue: Cue, middle: float, safe: tuple[int, int, int, int]) -> Cue:
    x, _, width, height = cue.box
    _, top, _, free = safe
    y = min(max(middle - height / 2, top), top + free - height)
    return replace(cue, box=(x, round(y / 2) * 2, width, height))
