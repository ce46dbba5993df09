"""Where captions stand in each piece of a layout: off faces as far as there is room.

One height a piece, so that captions do not jump while the picture stands still. The style's own
height is kept unless faces are there; between cells of a shared picture the seam is free.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reelremix.engine.captions.safe_area import safe_area
from reelremix.engine.domain.caption import Captions, Cue
from reelremix.engine.domain.clip import OutputFormat
from reelremix.engine.domain.layout import Layout, LayoutPiece, Region
from reelremix.engine.domain.track import Box, Sighting, Track
from reelremix.engine.media.compose import box_at

MOVING_COST = 0.25
"""Going a whole output height away from the style's place is worth this share of covered face."""
SETTLED = 0.02
"""Places that are better by less are not worth a change from one piece to the next."""


def place_captions(
    captions: Captions, layout: Layout, tracks: Sequence[Track], output: OutputFormat
) -> Captions:
    """The captions with their boxes moved up or down, inside the safe area."""
    cues = list(captions.cues)
    for piece in layout.pieces:
        shown = [i for i, cue in enumerate(cues) if _mostly_in(cue, piece)]
        if not shown:
            continue
        faces = _faces_on_screen(piece, tracks)
        middle = _best_middle([cues[i] for i in shown], piece, faces, output)
        for i in shown:
            cues[i] = _moved(cues[i], middle, output)
    return replace(captions, cues=tuple(cues))


def _mostly_in(cue: Cue, piece: LayoutPiece) -> bool:
    return cue.range.overlap_s(piece.range) > cue.range.duration_s / 2


def _faces_on_screen(piece: LayoutPiece, tracks: Sequence[Track]) -> list[Box]:
    """Every face of the piece where the viewer sees it, in output pixels."""
    return [
        box
        for track in tracks
        for sighting in track.sightings
        if piece.range.contains(sighting.at)
        for region in piece.regions
        if (box := _on_screen(sighting, region)) is not None
    ]


def _on_screen(sighting: Sighting, region: Region) -> Box | None:
    crop = box_at(region.path, sighting.at)
    if sighting.box.overlap(crop) <= 0:
        return None
    x, y, width, height = region.output
    scale_x, scale_y = width / crop.width, height / crop.height
    face = sighting.box
    return Box(
        x + (face.x - crop.x) * scale_x,
        y + (face.y - crop.y) * scale_y,
        face.width * scale_x,
        face.height * scale_y,
    )


def _best_middle(
    cues: Sequence[Cue], piece: LayoutPiece, faces: Sequence[Box], output: OutputFormat
) -> float:
    """The height whose tallest cue covers least of the faces, near the style's place if equal."""
    tallest = max(cues, key=lambda cue: cue.box[3])
    wanted = tallest.box[1] + tallest.box[3] / 2
    _, top, _, height = safe_area(output)
    half = tallest.box[3] / 2
    places = [wanted, top + height - half, top + half]
    places += [r.output[1] for r in piece.regions if top + half < r.output[1] < top + height - half]

    def cost(middle: float) -> float:
        x, _, width, _ = tallest.box
        text = Box(x, middle - half, width, 2 * half)
        covered = max((text.overlap(face) / text.area for face in faces), default=0.0)
        return covered + MOVING_COST * abs(middle - wanted) / output.height_px

    best = min(places, key=cost)
    return wanted if cost(wanted) - cost(best) < SETTLED else best


def _moved(cue: Cue, middle: float, output: OutputFormat) -> Cue:
    x, _, width, height = cue.box
    _, top, _, free = safe_area(output)
    y = min(max(middle - height / 2, top), top + free - height)
    return replace(cue, box=(x, round(y / 2) * 2, width, height))
