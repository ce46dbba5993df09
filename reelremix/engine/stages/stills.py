"""Which picture of a clip makes its thumbnail: a face that is large, sharp, and has its eyes open.

An open eye is the place of highest contrast in a face; a closed one is a line. What is compared are
pictures of one person in one light, so that no absolute limit is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.kept import first_of
from reelremix.engine.domain.layout import PiecesByTime
from reelremix.engine.domain.time import Timestamp
from reelremix.engine.domain.track import Box, Track
from reelremix.engine.media.compose import box_at
from reelremix.engine.models.faces import Point
from reelremix.engine.stages.place import on_screen

SIDE_PX = 96
"""A face is looked at in about so many rows."""
EYE_WIDTH, EYE_HEIGHT = 0.24, 0.14
"""Of the part around an eye, in face boxes."""
SHOWN = 0.95
"""Share of a face that must be in the picture."""
EARLY = 0.8
"""The last fifth of a clip gives the ending away."""

Grey = npt.NDArray[np.uint8]


def still_quality(luma: Grey, face: Box, eyes: tuple[Point, Point]) -> float:
    """How sharp a face is and how open its eyes are; comparable within one person's pictures."""
    whole = _part(luma, face)
    if whole.size < 4:
        return 0.0
    contrast = float(whole.std()) + 1.0
    sharpness = float(np.abs(np.diff(whole, axis=0)).mean() + np.abs(np.diff(whole)).mean())
    width, height = EYE_WIDTH * face.width, EYE_HEIGHT * face.height
    opened = [_part(luma, Box(x - width / 2, y - height / 2, width, height)) for x, y in eyes]
    openness = min(float(eye.std()) if eye.size else 0.0 for eye in opened) / contrast
    return round(sharpness * openness, 4)


def _part(luma: Grey, box: Box) -> npt.NDArray[np.float32]:
    """A rectangle of the picture, with at most `SIDE_PX` rows."""
    top, left = max(0, round(box.y)), max(0, round(box.x))
    step = max(1, round(box.height / SIDE_PX))
    bottom, right = max(0, round(box.y + box.height)), max(0, round(box.x + box.width))
    return luma[top:bottom:step, left:right:step].astype(np.float32)


def best_still(clip: Clip, tracks: Sequence[Track]) -> Timestamp | None:
    """When the clip looks its best; None where no face is in it.

    Args:
        clip: with its layout.
        tracks: faces, by the numbers its layout has for them.
    """
    speakers = {entry.track for entry in clip.layout.speaking}
    *_, early = first_of(clip.ranges, Timestamp.from_seconds(EARLY * clip.duration_s))
    own = [t for t in tracks if t.id in speakers] or list(tracks)
    pieces = PiecesByTime(clip.layout.pieces)
    found = [(value, at) for t in own for value, at in _stills(pieces, t) if at <= early.end]
    return max(found, key=lambda still: still[0])[1] if found else None


def _stills(pieces: PiecesByTime, track: Track) -> Iterator[tuple[float, Timestamp]]:
    """What each sighting of a face is worth: its quality times its size on screen."""
    usual = [s.still for s in track.sightings if s.still is not None]
    if not usual:
        return
    mean = sum(usual) / len(usual) or 1.0
    for sighting in track.sightings:
        piece = pieces.at(sighting.at)
        if sighting.still is None or piece is None:
            continue
        for region in piece.regions:
            crop = box_at(region.path, sighting.at)
            shown = on_screen(sighting.box, region, sighting.at)
            if shown is not None and sighting.box.overlap(crop) >= SHOWN * sighting.box.area:
                yield sighting.still / mean * shown.height**0.5, sighting.at
