"""How each shot fills the output: one person, several stacked, or the whole picture.

One layout a shot, so the picture is cut only where the source is. When it is unclear who matters,
everyone is shown. The camera holds still inside a dead zone and moves smoothly when it must.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
import numpy.typing as npt

from reelremix.engine.domain.clip import OutputFormat
from reelremix.engine.domain.layout import (
    Keyframe,
    Layout,
    LayoutKind,
    LayoutPiece,
    Region,
    Speaking,
)
from reelremix.engine.domain.shot import Shot
from reelremix.engine.domain.source import VideoFormat
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Box, Track
from reelremix.engine.stages.look import Look

MIN_PRESENCE = 0.35
"""Share of a shot's face searches a person must be found in."""
MIN_FACE = 0.05
"""Faces smaller than this share of the picture's height are passers-by."""
RELEVANT_SIZE = 0.45
"""Beside the largest face, smaller ones matter from this share of its height on."""
CLEAR_SPEAKER = 4.0
"""How many times more a mouth must move than any other to be shown alone."""
FACE_IN_SINGLE = 0.26
"""Wanted height of a face in the output when one person fills it."""
FACE_IN_CELL = 0.46
"""Wanted height of a face in its cell when several people share the output."""
MAX_UPSCALE = 4.0
"""Source pixels are never enlarged more."""
EYE_LINE = 0.42
"""Where the middle of the face sits in its rectangle, from the top: eyes on the upper third."""
DEAD_ZONE = 0.12
"""The camera stays while the face is within this share of the crop's width of its middle."""
SMOOTHING_S = 0.6
"""Standard deviation of the Gaussian that smooths a moving camera."""
CAMERA_RATE_HZ = 5


@dataclass(frozen=True, slots=True)
class Person:
    """A track that matters in its shot."""

    track: Track
    box: Box
    """Median face."""
    mouth_motion: float

    @property
    def head(self) -> Box:
        """Face with hair and chin."""
        b = self.box
        return Box(b.x - 0.1 * b.width, b.y - 0.28 * b.height, 1.2 * b.width, 1.4 * b.height)


def frame_range(look: Look, picture: VideoFormat, output: OutputFormat) -> Layout:
    """Lay out everything seen in one range."""
    pieces: list[LayoutPiece] = []
    speaking: list[Speaking] = []
    for index, shot in enumerate(look.shots):
        people = people_of(look, index, picture)
        piece = compose_shot(shot, people, picture, output)
        pieces.append(_held_over(pieces[-1], piece) if pieces else piece)
        speaking.append(_speaking(shot.range, people, picture))
    return Layout(tuple(pieces), tuple(speaking))


def center_layout(span: TimeRange, picture: VideoFormat, output: OutputFormat) -> Layout:
    """The middle of the picture throughout, for runs without faces."""
    box = _fitted(picture.width_px / 2, picture.height_px / 2, picture.height_px, picture, output)
    region = Region((0, 0, output.width_px, output.height_px), (Keyframe(span.start, box),))
    return Layout((LayoutPiece(span, LayoutKind.SINGLE, (region,)),))


def people_of(look: Look, shot: int, picture: VideoFormat) -> list[Person]:
    """The people who matter in a shot, from left to right, top to bottom."""
    tracks = [t for t in look.tracks if t.shot == shot]
    searches = len({s.at for t in tracks for s in t.sightings})
    found = [_person(t) for t in tracks if len(t.sightings) >= max(1.0, MIN_PRESENCE * searches)]
    large = [p for p in found if p.box.height >= MIN_FACE * picture.height_px]
    largest = max((p.box.height for p in large), default=0.0)
    matter = [p for p in large if p.box.height >= RELEVANT_SIZE * largest]
    return sorted(matter, key=lambda p: (round(2 * p.box.center[1] / picture.height_px), p.box.x))


def compose_shot(
    shot: Shot, people: list[Person], picture: VideoFormat, output: OutputFormat
) -> LayoutPiece:
    """Choose a layout for one shot."""
    alone = _only_one_to_show(people, picture)
    if alone is not None:
        return _single(shot, alone, picture, output)
    if 2 <= len(people) <= 4:
        shared = _shared(shot, people, picture, output)
        if shared is not None:
            return shared
    return _fit(shot, picture, output)


def plausibility(person: Person, picture: VideoFormat) -> float:
    """How likely this is who viewers should see: large, central, talking."""
    off_center = abs(person.box.center[0] / picture.width_px - 0.5) * 2
    size = person.box.height / picture.height_px
    return size * (1.2 - 0.4 * off_center) * (1 + person.mouth_motion)


def _only_one_to_show(people: list[Person], picture: VideoFormat) -> Person | None:
    if len(people) == 1:
        return people[0]
    if len(people) < 2:
        return None
    best, second = sorted(people, key=lambda p: -p.mouth_motion)[:2]
    if best.mouth_motion > 1.0 and best.mouth_motion > CLEAR_SPEAKER * second.mouth_motion:
        return best
    if len(people) > 4:
        return max(people, key=lambda p: plausibility(p, picture))
    return None


def _single(shot: Shot, person: Person, picture: VideoFormat, output: OutputFormat) -> LayoutPiece:
    height = _crop_height(person.box.height, FACE_IN_SINGLE, output.height_px, picture)
    centers = _camera_path(person.track, shot.range, _fitted_width(height, picture, output))
    path = tuple(Keyframe(at, _around(x, y, height, picture, output)) for at, x, y in centers)
    region = Region((0, 0, output.width_px, output.height_px), path, person.track.id)
    return LayoutPiece(shot.range, LayoutKind.SINGLE, (region,))


def _shared(
    shot: Shot, people: list[Person], picture: VideoFormat, output: OutputFormat
) -> LayoutPiece | None:
    """Give everyone a cell: the arrangement that crops heads least."""
    kind = LayoutKind.SPLIT if len(people) == 2 else LayoutKind.GRID
    best: tuple[float, tuple[Region, ...]] | None = None
    for cells in _arrangements(len(people), output):
        regions, shown = [], []
        for person, cell in zip(people, cells, strict=True):
            box = _cell_crop(person, people, cell, picture)
            shown.append(box.overlap(person.head) / person.head.area)
            regions.append(Region(cell, (Keyframe(shot.range.start, box),), person.track.id))
        if best is None or min(shown) > best[0] + 0.02:
            best = (min(shown), tuple(regions))
    if best is None or best[0] < 0.5:
        return None
    return LayoutPiece(shot.range, kind, best[1])


def _arrangements(count: int, output: OutputFormat) -> list[list[tuple[int, int, int, int]]]:
    """Ways to cut the output into `count` cells, in order of preference."""
    width, height = output.width_px, output.height_px
    rows = [
        (
            0,
            _even(height * i / count),
            width,
            _even(height * (i + 1) / count) - _even(height * i / count),
        )
        for i in range(count)
    ]
    columns = [
        (
            _even(width * i / count),
            0,
            _even(width * (i + 1) / count) - _even(width * i / count),
            height,
        )
        for i in range(count)
    ]
    stacked = [rows, columns] if height >= width else [columns, rows]
    half_width, half_height = _even(width / 2), _even(height / 2)
    quarters = [(x, y, half_width, half_height) for y in (0, half_height) for x in (0, half_width)]
    return [quarters, *stacked] if count == 4 else stacked


def _cell_crop(
    person: Person, people: list[Person], cell: tuple[int, int, int, int], picture: VideoFormat
) -> Box:
    """A rectangle of the cell's shape around a person that stays off the others' territory."""
    territory = _territory(person, people, picture)
    aspect = cell[2] / cell[3]
    smallest = cell[3] / MAX_UPSCALE
    height = max(person.box.height / FACE_IN_CELL, smallest)
    height = min(height, territory.height, territory.width / aspect)
    width = height * aspect
    x, y = person.box.center
    left = min(max(x - width / 2, territory.x), territory.x + territory.width - width)
    top = min(max(y - height * EYE_LINE, territory.y), territory.y + territory.height - height)
    return _even_box(Box(left, top, width, height), picture)


def _territory(person: Person, people: list[Person], picture: VideoFormat) -> Box:
    """The part of the picture nearer to this head than to any other."""
    x0, y0, x1, y1 = 0.0, 0.0, float(picture.width_px), float(picture.height_px)
    own = person.head
    for other in people:
        if other is person:
            continue
        theirs = other.head
        gap_x = max(theirs.x - own.x - own.width, own.x - theirs.x - theirs.width)
        gap_y = max(theirs.y - own.y - own.height, own.y - theirs.y - theirs.height)
        if gap_x >= gap_y:
            if own.center[0] < theirs.center[0]:
                x1 = min(x1, (own.x + own.width + theirs.x) / 2)
            else:
                x0 = max(x0, (theirs.x + theirs.width + own.x) / 2)
        elif own.center[1] < theirs.center[1]:
            y1 = min(y1, (own.y + own.height + theirs.y) / 2)
        else:
            y0 = max(y0, (theirs.y + theirs.height + own.y) / 2)
    return Box(x0, y0, x1 - x0, y1 - y0)


def _fit(shot: Shot, picture: VideoFormat, output: OutputFormat) -> LayoutPiece:
    """The whole picture on a blurred background."""
    scale = min(output.width_px / picture.width_px, output.height_px / picture.height_px)
    width, height = _even(picture.width_px * scale), _even(picture.height_px * scale)
    cell = (_even((output.width_px - width) / 2), _even((output.height_px - height) / 2))
    whole = Box(0, 0, _even_floor(picture.width_px), _even_floor(picture.height_px))
    region = Region((*cell, width, height), (Keyframe(shot.range.start, whole),))
    return LayoutPiece(shot.range, LayoutKind.FIT, (region,))


def _camera_path(
    track: Track, span: TimeRange, crop_width: float
) -> list[tuple[Timestamp, float, float]]:
    """Where the middle of the face should be taken to be: still, or a smooth line."""
    times = np.array([s.at.seconds for s in track.sightings])
    x = np.array([s.box.center[0] for s in track.sightings])
    y = median(s.box.center[1] for s in track.sightings)
    middle = float(np.median(x))
    if np.abs(x - middle).max() <= DEAD_ZONE * crop_width or len(times) < 3:
        return [(span.start, middle, y)]
    grid = np.arange(span.start_s, span.end_s, 1 / CAMERA_RATE_HZ)
    followed = _with_backlash(np.interp(grid, times, _despiked(x)), DEAD_ZONE * crop_width)
    smooth = _smoothed(followed, SMOOTHING_S * CAMERA_RATE_HZ)
    kept = _corners(grid, smooth, tolerance=1.0)
    return [(Timestamp.from_seconds(float(grid[i])), float(smooth[i]), y) for i in kept]


def _despiked(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    padded = np.pad(values, 1, mode="edge")
    return np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0)


def _with_backlash(values: npt.NDArray[np.float64], slack: float) -> npt.NDArray[np.float64]:
    """Follow only what leaves a slack around the last position."""
    position = float(np.median(values[: 2 * CAMERA_RATE_HZ]))
    followed = np.empty_like(values)
    for index, value in enumerate(values):
        position = min(max(position, float(value) - slack), float(value) + slack)
        followed[index] = position
    return followed


def _smoothed(values: npt.NDArray[np.float64], deviation: float) -> npt.NDArray[np.float64]:
    reach = round(3 * deviation)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    padded = np.pad(values, reach, mode="edge")
    return np.convolve(padded, weights / weights.sum(), "valid")


def _corners(
    times: npt.NDArray[np.float64], values: npt.NDArray[np.float64], tolerance: float
) -> list[int]:
    """Indexes that keep a line within `tolerance` (Douglas and Peucker, 1973)."""
    keep = {0, len(values) - 1}
    open_spans = [(0, len(values) - 1)]
    while open_spans:
        first, last = open_spans.pop()
        if last - first < 2:
            continue
        line = np.interp(times[first : last + 1], times[[first, last]], values[[first, last]])
        distance = np.abs(values[first : last + 1] - line)
        worst = int(distance.argmax())
        if distance[worst] > tolerance:
            keep.add(first + worst)
            open_spans += [(first, first + worst), (first + worst, last)]
    return sorted(keep)


def _held_over(before: LayoutPiece, piece: LayoutPiece) -> LayoutPiece:
    """Keep the camera where it was if the new shot wants almost the same: no needless jumps."""
    if before.kind is not piece.kind or len(before.regions) != len(piece.regions):
        return piece
    regions = []
    for old, new in zip(before.regions, piece.regions, strict=True):
        here, there = old.path[-1].box, new.path[0].box
        near = (
            len(new.path) == 1
            and old.output == new.output
            and abs(here.center[0] - there.center[0]) < DEAD_ZONE * here.width
            and abs(here.center[1] - there.center[1]) < DEAD_ZONE * here.height
            and 0.85 < here.height / there.height < 1.18
        )
        path = (Keyframe(piece.range.start, here),) if near else new.path
        regions.append(Region(new.output, path, new.track))
    return LayoutPiece(piece.range, piece.kind, tuple(regions), piece.inset)


def _speaking(span: TimeRange, people: list[Person], picture: VideoFormat) -> Speaking:
    if not people:
        return Speaking(span, None, None, 0.0)
    weights = [plausibility(p, picture) for p in people]
    best = max(range(len(people)), key=lambda i: weights[i])
    return Speaking(span, people[best].track.id, None, round(weights[best] / sum(weights), 3))


def _person(track: Track) -> Person:
    boxes = [s.box for s in track.sightings]
    typical = Box(
        median(b.x for b in boxes),
        median(b.y for b in boxes),
        median(b.width for b in boxes),
        median(b.height for b in boxes),
    )
    motions = [s.mouth_motion for s in track.sightings if s.mouth_motion is not None]
    return Person(track, typical, median(motions) if motions else 0.0)


def _crop_height(face_px: float, share: float, output_px: int, picture: VideoFormat) -> float:
    """Height of a crop in which a face has its wanted share, within the picture and the upscale."""
    return min(picture.height_px, max(face_px / share, output_px / MAX_UPSCALE))


def _fitted_width(height: float, picture: VideoFormat, output: OutputFormat) -> float:
    return min(picture.width_px, height * output.width_px / output.height_px)


def _around(x: float, y: float, height: float, picture: VideoFormat, output: OutputFormat) -> Box:
    """A crop of the output's shape with the face on the eye line."""
    return _fitted(x, y + height * (0.5 - EYE_LINE), height, picture, output)


def _fitted(x: float, y: float, height: float, picture: VideoFormat, output: OutputFormat) -> Box:
    """A crop of the output's shape centred at x, y as far as the picture allows."""
    aspect = output.width_px / output.height_px
    height = min(height, picture.width_px / aspect, picture.height_px)
    width = height * aspect
    left = min(max(x - width / 2, 0.0), picture.width_px - width)
    top = min(max(y - height / 2, 0.0), picture.height_px - height)
    return _even_box(Box(left, top, width, height), picture)


def _even_box(box: Box, picture: VideoFormat) -> Box:
    """Nearest rectangle on even pixels inside the picture: still crops then need no resampling."""
    width, height = _even_floor(box.width), _even_floor(box.height)
    left = min(_even(box.x), _even_floor(picture.width_px - width))
    top = min(_even(box.y), _even_floor(picture.height_px - height))
    return Box(max(0, left), max(0, top), width, height)


def _even(value: float) -> int:
    return round(value / 2) * 2


def _even_floor(value: float) -> int:
    return int(value // 2) * 2


def merge_layouts(layouts: Sequence[Layout]) -> Layout:
    """The layouts of a clip's ranges, one after another."""
    return Layout(
        tuple(piece for layout in layouts for piece in layout.pieces),
        tuple(entry for layout in layouts for entry in layout.speaking),
    )
