"""A clip as an editor's sequence: whole frames of a file, pictures in layers, titles, markers.

Free of any file format, so that every format says the same. Frames are counted on two clocks: of
the sequence, which begins at 0, and of the media file, whose first picture is 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from math import ceil
from pathlib import Path

from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.kept import on_film
from reelremix.engine.domain.layout import LayoutPiece, Region, box_at
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Box
from reelremix.engine.export.placement import (
    Placement,
    Rectangle,
    Size,
    between,
    placement,
    strays_px,
)
from reelremix.engine.export.said import subtitles_of
from reelremix.engine.export.xmltext import plain_line

BACKDROP_OPACITY = 0.55
"""What no region covers is the middle of the picture, as dim as the render shows it."""
MOST_STRAY_PX = 0.5
"""Between keyframes an editor may be off by this much, before another keyframe is set."""
SLACK_S = Fraction(1, 1_000_000)
"""Manifests give times to the microsecond."""


@dataclass(frozen=True, slots=True)
class Media:
    """A media file as an editor sees it."""

    name: str
    path: Path | None
    """None where the file is not at hand: formats that refer to it cannot be written."""
    rate: Fraction
    """Of the sequences made from it; whole, or a whole one slowed by 1000/1001."""
    frames: int
    """How many it has at this rate."""
    size: Size
    """Upright."""
    first_s: Fraction = Fraction(0)
    """When its first picture is shown, on the clock of the manifest."""
    start: int = 0
    """What its own timecode counts its first picture as."""
    drop: bool = False
    """Whether timecode drops numbers, here and in its sequences."""
    channels: int = 0
    """Of the sound that clips use; 0 for none."""
    first_channel: int = 1
    """Where these begin among all channels of the file."""
    sound_rate_hz: int = 48_000

    def nearest(self, moment: Fraction) -> int:
        """The frame that begins nearest to a moment of the manifest's clock."""
        return max(0, round((moment - self.first_s) * self.rate))

    def begun(self, moment: Fraction) -> int:
        """The first frame that begins no earlier than a moment."""
        return max(0, ceil((moment - SLACK_S - self.first_s) * self.rate))

    def moment(self, frame: int) -> Fraction:
        """When a frame begins, on the manifest's clock."""
        return self.first_s + frame / self.rate


@dataclass(frozen=True, slots=True)
class Pose:
    """How a layer lies from a frame on; in between, numbers change in straight lines."""

    frame: int
    """Counted from the segment's first."""
    box: Box
    """What is shown, in upright source pixels."""
    placement: Placement


@dataclass(frozen=True, slots=True)
class Layer:
    """The source's picture, cut and placed; later layers lie on top."""

    output: Rectangle
    poses: tuple[Pose, ...]
    """At least one; a camera that stands still has one."""
    track: int | None = None
    is_backdrop: bool = False

    @property
    def first(self) -> Pose:
        """Where it is at the beginning."""
        return self.poses[0]

    @property
    def moves(self) -> bool:
        """Whether it changes."""
        return len(self.poses) > 1


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of one arrangement; cut hard at both ends."""

    at: int
    """Its first frame in the sequence."""
    source: int
    """That frame in the media file."""
    frames: int
    layers: tuple[Layer, ...]

    @property
    def end(self) -> int:
        """The frame after its last, in the sequence."""
        return self.at + self.frames


@dataclass(frozen=True, slots=True)
class Title:
    """One caption on screen."""

    at: int
    frames: int
    lines: tuple[str, ...]
    box: Rectangle | None
    """Where it may paint; None without captions."""
    speaker: str | None = None

    @property
    def text(self) -> str:
        """Its lines, one below the other."""
        return "\n".join(self.lines)


@dataclass(frozen=True, slots=True)
class Marker:
    """A note at a frame of the sequence."""

    at: int
    name: str
    note: str
    is_chapter: bool = False


@dataclass(frozen=True, slots=True)
class ClipSequence:
    """A clip as an editor's timeline."""

    clip: Clip
    stem: str
    """What its own files are called, without suffix."""
    name: str
    """Unique among the sequences of an export."""
    size: Size
    media: Media
    segments: tuple[Segment, ...]
    titles: tuple[Title, ...]
    markers: tuple[Marker, ...]

    @property
    def rate(self) -> Fraction:
        """Frames a second."""
        return self.media.rate

    @property
    def frames(self) -> int:
        """Its length."""
        return self.segments[-1].end

    @property
    def kept(self) -> tuple[tuple[int, int, int], ...]:
        """The kept ranges: first frame in the sequence, first and end in the media file."""
        return tuple(_joined(self.segments))


def sequence_of(clip: Clip, media: Media, name: str) -> ClipSequence:
    """The clip on the frames of a media file. Intro, outro and title card are not part of it."""
    size = (clip.output.width_px, clip.output.height_px)
    segments = tuple(_segments(clip, media, size))
    length = segments[-1].end
    return ClipSequence(
        clip,
        f"{clip.rank:02d}-{clip.slug}",
        name,
        size,
        media,
        segments,
        tuple(_titles(clip, media.rate, length)),
        tuple(_markers(clip, media.rate, length)),
    )


def _joined(segments: Sequence[Segment]) -> Iterator[tuple[int, int, int]]:
    """Segments without the cuts of the arrangement alone."""
    at, source, ends = segments[0].at, segments[0].source, segments[0].source
    for segment in segments:
        if segment.source != ends:
            yield at, source, ends
            at, source = segment.at, segment.source
        ends = segment.source + segment.frames
    yield at, source, ends


def _segments(clip: Clip, media: Media, size: Size) -> Iterator[Segment]:
    pieces = sorted(clip.layout.pieces, key=lambda piece: piece.range.start)
    at = 0
    for kept in clip.ranges:
        first = media.nearest(kept.start.exact)
        # An editor refuses what lies behind the file's end; a render would hold the last picture.
        last = max(min(media.nearest(kept.end.exact), media.frames), first + 1)
        for piece, begins, ends in _pieces_within(pieces, first, last, media):
            layers = tuple(_layers(piece, begins, ends, media, size))
            yield Segment(at, begins, ends - begins, layers)
            at += ends - begins


def _pieces_within(
    pieces: Sequence[LayoutPiece], first: int, last: int, media: Media
) -> Iterator[tuple[LayoutPiece, int, int]]:
    """What a render shows of frames `first` to before `last`: the last piece that has begun."""
    starts = [media.begun(piece.range.start.exact) for piece in pieces]
    starts[0] = min(starts[0], first)
    for piece, begins, ends in zip(pieces, starts, [*starts[1:], last], strict=True):
        begins, ends = max(begins, first), min(max(ends, begins), last)
        if begins < ends:
            yield piece, begins, ends


def _layers(piece: LayoutPiece, first: int, last: int, media: Media, size: Size) -> Iterator[Layer]:
    covered = sum(region.output[2] * region.output[3] for region in piece.regions)
    if covered < size[0] * size[1]:
        box, whole = _filling(media.size, size), (0, 0, *size)
        pose = Pose(0, box, placement(box, whole, media.size, size))
        yield Layer(whole, (pose,), is_backdrop=True)
    for region in piece.regions:
        yield Layer(region.output, _poses(region, first, last, media, size), region.track)


def _filling(picture: Size, size: Size) -> Box:
    """The middle of the picture, in the shape of the sequence."""
    width = min(picture[0], picture[1] * size[0] / size[1])
    height = width * size[1] / size[0]
    return Box((picture[0] - width) / 2, (picture[1] - height) / 2, width, height)


def _poses(region: Region, first: int, last: int, media: Media, size: Size) -> tuple[Pose, ...]:
    """Keyframes on frames, as many as it takes for straight lines to show what the camera does."""

    def pose(frame: int) -> Pose:
        box = box_at(region.path, Timestamp.from_seconds(media.moment(frame)))
        return Pose(frame - first, box, placement(box, region.output, media.size, size))

    inner = {media.nearest(keyframe.at.exact) for keyframe in region.path}
    stops = sorted({first, last - 1} | {frame for frame in inner if first < frame < last - 1})
    poses = [pose(first)]
    for before, after in pairwise(stops):
        poses += [pose(frame) for frame in _refined(before, after, pose, media.size)]
    return _without_repeats(poses)


def _refined(before: int, after: int, pose: Callable[[int], Pose], picture: Size) -> list[int]:
    """Frames after `before` up to `after` that keyframes are needed at."""
    middle = (before + after) // 2
    if middle in (before, after):
        return [after]
    share = (middle - before) / (after - before)
    straight = between(pose(before).placement, pose(after).placement, share)
    if strays_px(straight, pose(middle).placement, picture) <= MOST_STRAY_PX:
        return [after]
    return [*_refined(before, middle, pose, picture), *_refined(middle, after, pose, picture)]


def _without_repeats(poses: Sequence[Pose]) -> tuple[Pose, ...]:
    """Poses that a straight line needs; one where nothing changes."""
    needed = [poses[0]]
    for number, pose in enumerate(poses[1:], start=1):
        following = poses[number + 1 : number + 2]
        same = {p.placement for p in (needed[-1], pose, *following)}
        if len(same) > 1:
            needed.append(pose)
    return tuple(needed)


def _titles(clip: Clip, rate: Fraction, length: int) -> Iterator[Title]:
    """What is said, each from when it is shown to when the next is, at least for a frame."""
    ends = 0
    for said in subtitles_of(replace(clip, brand=None)):
        at = max(ends, round(Fraction(said.start_ms, 1000) * rate))
        ends = min(max(at + 1, round(Fraction(said.end_ms, 1000) * rate)), length)
        lines = tuple(filter(None, map(plain_line, said.texts)))
        if at < ends and lines:
            box = said.cue.box if said.cue is not None else None
            yield Title(at, ends - at, lines, box, said.speaker)
        ends = max(at, ends)


def _markers(clip: Clip, rate: Fraction, length: int) -> Iterator[Marker]:
    """The title with the score at the beginning, then every reason where it is quoted from."""
    yield Marker(0, plain_line(clip.title) or clip.id, score_told(clip), is_chapter=True)
    for reason in clip.score.reasons if clip.score is not None else ():
        pieces = on_film(_of_some_length(reason.range), clip.ranges)
        if pieces:
            at = min(round(pieces[0][0] * rate), length - 1)
            name = f"{reason.axis}: {reason.text}"
            yield Marker(at, plain_line(name), plain_line(f"“{reason.quote}”"))


def _of_some_length(span: TimeRange) -> TimeRange:
    return span if span.start < span.end else TimeRange(span.start, span.start + Timestamp(1))


def score_told(clip: Clip) -> str:
    """The score with its axes in a line; empty where nobody judged."""
    score = clip.score
    if score is None or (score.total is None and not any(score.axes.values())):
        return ""
    total = "unknown" if score.total is None else f"{score.total:.0f}"
    axes = (f"{axis} {value:.0f}" for axis, value in score.axes.items() if value is not None)
    return ", ".join([f"score {total}", *axes])
