"""How the picture fills the output, moment by moment: who is shown, and in which arrangement.

The picture is cut where the source is, and where somebody else begins to speak for long enough to
be looked at; it never pans from one to another. When it is unclear who matters, everyone is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from reelremix.engine.domain.choice import LayoutChoice
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
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.track import Box, Track
from reelremix.engine.stages.camera import DEAD_ZONE, camera_path
from reelremix.engine.stages.crops import (
    MAX_UPSCALE,
    Cell,
    around,
    cell_crop,
    even,
    even_below,
    even_box,
    fitted,
    fitted_width,
    single_height,
)
from reelremix.engine.stages.people import Person, people_of

SURE = 0.75
"""Whoever speaks less surely than this is not shown alone."""
SHORTEST_TURN_S = 1.6
"""Whoever speaks for less long is not cut to."""
SHORTEST_HOLD_S = 1.2
"""No arrangement stays for less long, unless its shot does."""
MOST_CELLS = 4
SHARED_HEAD = 0.5
"""Share of every head that a shared picture must show."""
SMALL_FACE = 0.2
"""A face larger than this share of the picture's height is not beside a screen but before it."""


LEAST_BESIDE = 0.5
"""What is left below a screen is worth a face from this share of the screen's height on."""
INSET = 0.25
"""A pane smaller than this share of the picture is set into it."""


@dataclass(frozen=True, slots=True)
class Room:
    """What is framed: from which picture into which output."""

    picture: VideoFormat
    output: OutputFormat

    @property
    def whole(self) -> Cell:
        """The output as one cell."""
        return 0, 0, self.output.width_px, self.output.height_px


@dataclass(frozen=True, slots=True)
class _Moment:
    """Who is to be shown for a while; None shows everyone."""

    range: TimeRange
    alone: Person | None


def frame_range(
    shots: Sequence[Shot],
    tracks: Sequence[Track],
    speaking: Sequence[Speaking],
    room: Room,
    choice: LayoutChoice = LayoutChoice.AUTO,
    *,
    pinned: Sequence[Speaking] = (),
) -> Layout:
    """Lay out everything seen in one range; whoever is `pinned` is shown alone, whoever speaks."""
    pieces: list[LayoutPiece] = []
    for index, shot in enumerate(shots):
        people = people_of([t for t in tracks if t.shot == index], shot, room.picture)
        seen = {person.track.id for person in people}
        for span, pin in _parts(shot.range, [p for p in pinned if p.track in seen]):
            part = shot if span == shot.range else replace(shot, range=span)
            asked = choice if pin is None else LayoutChoice.SINGLE
            for piece in compose_shot(part, people, (pin,) if pin else speaking, room, asked):
                pieces.append(_held_over(pieces[-1], piece) if pieces else piece)
    occupied = tuple(taken for shot in shots for taken in shot.occupied)
    return Layout(tuple(pieces), tuple(speaking), occupied)


def _parts(
    span: TimeRange, pinned: Sequence[Speaking]
) -> Iterator[tuple[TimeRange, Speaking | None]]:
    """A shot cut where somebody begins and ceases to be pinned in it."""
    reached = span.start
    for pin in sorted(pinned, key=lambda pin: pin.range.start):
        if pin.range.end <= reached or pin.range.start >= span.end:
            continue
        if reached < pin.range.start:
            yield TimeRange(reached, pin.range.start), None
        yield TimeRange(max(reached, pin.range.start), min(pin.range.end, span.end)), pin
        reached = min(pin.range.end, span.end)
    if reached < span.end:
        yield TimeRange(reached, span.end), None


def center_layout(span: TimeRange, picture: VideoFormat, output: OutputFormat) -> Layout:
    """The middle of the picture throughout, for runs without faces."""
    return Layout((_center(span, Room(picture, output)),))


def fit_layout(span: TimeRange, picture: VideoFormat, output: OutputFormat) -> Layout:
    """The whole picture throughout, on a blurred background."""
    return Layout((_fit(span, Room(picture, output)),))


def compose_shot(
    shot: Shot,
    people: Sequence[Person],
    speaking: Sequence[Speaking],
    room: Room,
    choice: LayoutChoice,
) -> Iterator[LayoutPiece]:
    """Arrangements for one shot, in order, covering it."""
    if choice is LayoutChoice.CENTER:
        yield _center(shot.range, room)
    elif choice is LayoutChoice.FIT or not people:
        yield _fit(shot.range, room, shot.content)
    else:
        yield from _of_people(shot, people, speaking, room, choice)


def _of_people(
    shot: Shot,
    people: Sequence[Person],
    speaking: Sequence[Speaking],
    room: Room,
    choice: LayoutChoice,
) -> Iterator[LayoutPiece]:
    screen = _screen(shot, people, speaking, room)
    if screen is not None and choice in (LayoutChoice.AUTO, LayoutChoice.SCREEN):
        yield screen
        return
    everyone = _shared(shot.range, people, room) if len(people) > 1 else None
    if choice is LayoutChoice.SPLIT and everyone is not None:
        yield everyone
        return
    is_forced = choice is LayoutChoice.SINGLE or len(people) == 1
    for moment in _moments(shot, people, speaking, room, is_forced=is_forced):
        if moment.alone is not None:
            yield _single(moment.range, moment.alone, room)
        elif everyone is not None:
            yield _during(everyone, moment.range)
        else:
            yield _fit(moment.range, room, shot.content)


def _moments(
    shot: Shot,
    people: Sequence[Person],
    speaking: Sequence[Speaking],
    room: Room,
    *,
    is_forced: bool,
) -> list[_Moment]:
    """Who is shown when: whoever surely speaks for long enough and can be shown alone."""
    if len(people) == 1:
        return [_Moment(shot.range, people[0])]
    by_track = {person.track.id: person for person in people}
    wanted: list[_Moment] = []
    for turn in _within(speaking, shot.range):
        person = by_track.get(turn.track) if turn.track is not None else None
        can_be = person is not None and (is_forced or _can_be_alone(person, room))
        is_sure = turn.confidence >= SURE and turn.range.duration_s >= SHORTEST_TURN_S
        wanted.append(_Moment(turn.range, person if can_be and (is_sure or is_forced) else None))
    if is_forced:
        wanted = _without_nobody(wanted, people)
    return _calm(wanted, shot.range)


def _within(speaking: Sequence[Speaking], span: TimeRange) -> Iterator[Speaking]:
    for turn in speaking:
        start, end = max(turn.range.start, span.start), min(turn.range.end, span.end)
        if start < end:
            yield replace(turn, range=TimeRange(start, end))


def _without_nobody(wanted: Sequence[_Moment], people: Sequence[Person]) -> list[_Moment]:
    """Whoever was shown stays while nobody is known to speak; first comes the largest face."""
    shown = max(people, key=lambda person: person.box.height)
    filled = []
    for moment in wanted:
        shown = moment.alone or shown
        filled.append(_Moment(moment.range, shown))
    return filled


def _calm(wanted: Sequence[_Moment], span: TimeRange) -> list[_Moment]:
    """The moments joined where nothing changes, none of them too short to be looked at."""
    joined = _joined(wanted) or [_Moment(span, None)]
    while len(joined) > 1:
        shortest = min(range(len(joined)), key=lambda i: joined[i].range.duration_s)
        if joined[shortest].range.duration_s >= SHORTEST_HOLD_S:
            break
        heir = shortest - 1 if shortest else 1
        joined[shortest] = replace(joined[shortest], alone=joined[heir].alone)
        joined = _joined(joined)
    joined[0] = replace(joined[0], range=TimeRange(span.start, joined[0].range.end))
    joined[-1] = replace(joined[-1], range=TimeRange(joined[-1].range.start, span.end))
    return joined


def _joined(moments: Sequence[_Moment]) -> list[_Moment]:
    joined = []
    for _, group in groupby(moments, key=lambda m: m.alone.track.id if m.alone else None):
        same = list(group)
        joined.append(_Moment(TimeRange(same[0].range.start, same[-1].range.end), same[0].alone))
    return joined


def _can_be_alone(person: Person, room: Room) -> bool:
    """Whether a crop around somebody can leave out the others and their panes."""
    height = single_height(person.box.height, room.picture, room.output)
    least = max(room.output.height_px / MAX_UPSCALE, min(height, 1.6 * person.box.height))
    width = fitted_width(least, room.picture, room.output)
    return person.territory.height >= least - 2 and person.territory.width >= width - 2


def _single(span: TimeRange, person: Person, room: Room) -> LayoutPiece:
    picture, output = room.picture, room.output
    height = single_height(person.box.height, picture, output)
    if _can_be_alone(person, room):
        aspect = output.width_px / output.height_px
        height = min(height, person.territory.height, person.territory.width / aspect)
    width = fitted_width(height, picture, output)
    centers = camera_path(person.track, span, (width, height))
    path = tuple(
        Keyframe(at, _kept_inside(around(x, y, height, picture, output), person, picture))
        for at, x, y in centers
    )
    return LayoutPiece(span, LayoutKind.SINGLE, (Region(room.whole, path, person.track.id),))


def _kept_inside(box: Box, person: Person, picture: VideoFormat) -> Box:
    """The box moved into the person's territory, where it fits."""
    territory = person.territory
    if box.width > territory.width + 2 or box.height > territory.height + 2:
        return box
    x = min(max(box.x, territory.x), max(territory.x, territory.x + territory.width - box.width))
    y = min(max(box.y, territory.y), max(territory.y, territory.y + territory.height - box.height))
    return even_box(Box(x, y, box.width, box.height), picture)


def _shared(span: TimeRange, people: Sequence[Person], room: Room) -> LayoutPiece | None:
    """A cell for everyone, in the arrangement that crops heads least; None where none will do."""
    if len(people) > MOST_CELLS:
        return None
    kind = LayoutKind.SPLIT if len(people) == 2 else LayoutKind.GRID
    best: tuple[float, tuple[Region, ...]] | None = None
    for cells in _arrangements(len(people), room.output):
        regions, shown = [], []
        for person, cell in zip(people, cells, strict=True):
            box = cell_crop(person, cell, room.picture)
            shown.append(box.overlap(person.head) / person.head.area)
            regions.append(Region(cell, (Keyframe(span.start, box),), person.track.id))
        if best is None or min(shown) > best[0] + 0.02:
            best = (min(shown), tuple(regions))
    if best is None or best[0] < SHARED_HEAD:
        return None
    return LayoutPiece(span, kind, best[1])


def _arrangements(count: int, output: OutputFormat) -> list[list[Cell]]:
    """Ways to cut the output into `count` cells, in order of preference."""
    width, height = output.width_px, output.height_px
    across, down = _steps(width, count), _steps(height, count)
    rows = [(0, a, width, b - a) for a, b in pairwise(down)]
    columns = [(a, 0, b - a, height) for a, b in pairwise(across)]
    stacked = [rows, columns] if height >= width else [columns, rows]
    half_width, half_height = even(width / 2), even(height / 2)
    quarters = [(x, y, half_width, half_height) for y in (0, half_height) for x in (0, half_width)]
    return [quarters, *stacked] if count == 4 else stacked


def _steps(length: int, count: int) -> list[int]:
    return [even(length * i / count) for i in range(count + 1)]


def _screen(
    shot: Shot, people: Sequence[Person], speaking: Sequence[Speaking], room: Room
) -> LayoutPiece | None:
    """A screen above whoever speaks over it; None where there is none, or no room for both."""
    tall = room.output.height_px > room.output.width_px
    small = [p for p in people if p.box.height <= SMALL_FACE * room.picture.height_px]
    screen = shot.screen or _around_inset(people, room)
    if screen is None or not tall or not small:
        return None
    turns = list(_within(speaking, shot.range))
    talked = {
        p.track.id: sum(t.range.duration_s for t in turns if t.track == p.track.id) for p in small
    }
    person = max(small, key=lambda p: (talked[p.track.id], p.box.height))
    width = room.output.width_px
    source = even_box(screen, room.picture)
    height = even_below(width * source.height / source.width)
    below = room.output.height_px - height
    if below < LEAST_BESIDE * height:
        return None
    face = (0, height, width, below)
    regions = (
        Region((0, 0, width, height), (Keyframe(shot.range.start, source),)),
        Region(
            face,
            (Keyframe(shot.range.start, cell_crop(person, face, room.picture)),),
            person.track.id,
        ),
    )
    return LayoutPiece(shot.range, LayoutKind.SCREEN, regions)


def _around_inset(people: Sequence[Person], room: Room) -> Box | None:
    """The whole picture, where the only person is in a small pane of it: what is around that pane
    is what it is about, whether it stands still or not."""
    picture = room.picture
    whole = Box(0, 0, picture.width_px, picture.height_px)
    is_inset = len(people) == 1 and people[0].territory.area < INSET * whole.area
    return whole if is_inset and not _can_be_alone(people[0], room) else None


def _center(span: TimeRange, room: Room) -> LayoutPiece:
    picture = room.picture
    middle = picture.width_px / 2, picture.height_px / 2
    box = fitted(*middle, picture.height_px, picture, room.output)
    return LayoutPiece(span, LayoutKind.SINGLE, (Region(room.whole, (Keyframe(span.start, box),)),))


def _fit(span: TimeRange, room: Room, content: Box | None = None) -> LayoutPiece:
    """The whole picture, or what of it is not a black bar, on a blurred background."""
    picture, output = room.picture, room.output
    shown = content or Box(0, 0, picture.width_px, picture.height_px)
    scale = min(output.width_px / shown.width, output.height_px / shown.height)
    width, height = even(shown.width * scale), even(shown.height * scale)
    corner = (even((output.width_px - width) / 2), even((output.height_px - height) / 2))
    whole = even_box(shown, picture)
    region = Region((*corner, width, height), (Keyframe(span.start, whole),))
    return LayoutPiece(span, LayoutKind.FIT, (region,))


def _during(piece: LayoutPiece, span: TimeRange) -> LayoutPiece:
    """A still arrangement at another time."""
    regions = tuple(replace(r, path=(Keyframe(span.start, r.path[0].box),)) for r in piece.regions)
    return replace(piece, range=span, regions=regions)


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
