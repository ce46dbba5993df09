"""What is seen inside chosen ranges: shots, faces followed through each shot, and their mouths.

One decode per range serves all of it. Nothing outside the ranges is looked at.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from reelremix.engine.domain.context import ArtifactKey, RunContext
from reelremix.engine.domain.shot import Shot
from reelremix.engine.domain.source import Presentation
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Box, Sighting, Talk, Track
from reelremix.engine.media.audio import read_speech
from reelremix.engine.media.decode import Frame, FrameReader, Picture, Shrinker, planes
from reelremix.engine.models.active_speaker import ActiveSpeaker
from reelremix.engine.models.faces import Face, FaceDetector, RgbImage
from reelremix.engine.models.shots import THUMBNAIL_SIZE, CutFinder, Thumbnail
from reelremix.engine.stages.artifact import key_for
from reelremix.engine.stages.composition import Composition, StillFrames, shot_of
from reelremix.engine.stages.mouths import FaceReels, SoundOf, ticks_of
from reelremix.engine.stages.persons import Portraits
from reelremix.engine.stages.stills import still_quality
from reelremix.engine.stages.tracking import Tracker, Trail

STAGE = "look"
VERSION = 13
FACE_RATE_HZ = 6
"""Pictures a second searched for faces."""
SMALLEST_RIVAL = 0.05
"""Faces smaller than this share of the picture's height are not asked whether they speak, ..."""
RIVAL_SIZE = 0.4
"""... nor those smaller than this share of the largest face."""
SEARCHES_A_SAMPLE = 3
"""Searches for faces for each picture that is kept to see how it is put together."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen in one range."""

    range: TimeRange
    shots: tuple[Shot, ...]
    """Cover the range without gaps."""
    tracks: tuple[Track, ...]
    """Ids count up from 0 within the look."""


@dataclass(frozen=True, slots=True)
class Eyes:
    """What looks; not for use by two threads at once."""

    detector: FaceDetector | None
    """None looks for shots only."""
    judge: ActiveSpeaker | None = None
    """None does not ask who speaks."""


def look_key(
    ctx: RunContext, presentation: Presentation, span: TimeRange, model: str, judge: str
) -> ArtifactKey:
    """Key of what was seen in one range; `model` names the face detector, `judge` what tells
    which face speaks."""
    assert presentation.video is not None
    return key_for(
        ctx,
        STAGE,
        VERSION,
        source=presentation.source.id,
        video=presentation.video.index,
        audio=presentation.audio.index if presentation.audio else None,
        origin=presentation.origin,
        range=span,
        model=model,
        judge=judge,
    )


def look(
    path: Path, presentation: Presentation, span: TimeRange, eyes: Eyes, ctx: RunContext
) -> Look:
    """Find the shots of a range, the faces in them, and how well these go with the sound.

    Args:
        path: the source.
        presentation: its chosen streams.
        span: where to look.
        eyes: what looks.
        ctx: who may cancel.

    Raises:
        UnreadableMedia: the file cannot be read.
        Cancelled: the user asked to stop.
    """
    observer = _Observer(presentation, eyes)
    with FrameReader(path, presentation) as reader:
        for picture in reader.frames(span):
            ctx.cancel.raise_if_set()
            observer.see(picture)
    return observer.result(span, lambda wanted: read_speech(path, presentation, wanted, ctx.cancel))


@dataclass(slots=True)
class _Observer:
    """Collects evidence frame by frame."""

    presentation: Presentation
    eyes: Eyes
    times: list[Timestamp] = field(default_factory=list)
    _cuts: CutFinder = field(init=False)
    _tracker: Tracker = field(default_factory=Tracker)
    _portraits: Portraits = field(default_factory=Portraits)
    _reels: FaceReels | None = None
    _frames: StillFrames | None = None
    _compositions: list[Composition] = field(default_factory=list)
    """Of the stretches that may be shots, as far as they are over."""
    _searched: list[Timestamp] = field(default_factory=list)
    """When faces were looked for."""
    _unwatched: list[Picture] = field(default_factory=list)
    """The latest picture that was searched, and those since."""
    _shrink: Shrinker = field(default_factory=lambda: Shrinker("yuv444p"))
    _shrink_for_faces: Shrinker = field(default_factory=lambda: Shrinker("rgb24"))

    def __post_init__(self) -> None:
        self._cuts = CutFinder(float(self.presentation.picture.frame_rate))
        if self.eyes.judge is not None and self.presentation.audio is not None:
            self._reels = FaceReels(self.eyes.judge)

    def see(self, picture: Picture) -> None:
        """Take the next frame of the range."""
        self.times.append(picture.at)
        self._cuts.add(self._thumbnail(picture.frame))
        if self.eyes.detector is None:
            return
        is_cut = self._cuts.may_be_cut()
        if is_cut:
            self._compose(picture.at)
        if self._is_due(picture.at) or is_cut:
            if is_cut or len(self._searched) % SEARCHES_A_SAMPLE == 0:
                self._frames = self._frames or StillFrames(picture.at)
                self._frames.add(picture.at, planes(picture.frame)[0])
            self._searched.append(picture.at)
            self._search(self.eyes.detector, picture, is_cut=is_cut)
            self._watch_mouths(picture.at, is_cut=is_cut)
        self._unwatched.append(picture)

    def result(self, span: TimeRange, sound_of: SoundOf) -> Look:
        """Shots and tracks of everything seen."""
        self._watch_mouths(span.end, is_cut=True)
        self._compose(span.end)
        starts = [0, *self._cuts.cuts()]
        starts_at = [span.start, *(self.times[i] for i in starts[1:])]
        bounds = [*starts_at, span.end]
        shots = tuple(
            replace(shot_of(TimeRange(a, b), self._compositions), searches=self._searches(a, b))
            for a, b in itertools.pairwise(bounds)
        )
        found = sorted(
            (
                (index, trail, seen)
                for trail in self._tracker.trails
                for index, seen in _parted(trail, starts_at)
            ),
            key=lambda part: (part[0], part[1].number),
        )
        tracks = [
            Track(n, index, seen, talk=tuple(self._talks(trail, shots[index], sound_of)))
            for n, (index, trail, seen) in enumerate(found)
        ]
        persons = self._portraits.persons(tracks, [trail.number for _, trail, _ in found])
        told_apart = (replace(t, person=p) for t, p in zip(tracks, persons, strict=True))
        return Look(span, shots, tuple(told_apart))

    def _searches(self, start: Timestamp, end: Timestamp) -> int:
        return bisect_left(self._searched, end) - bisect_left(self._searched, start)

    def _compose(self, end: Timestamp) -> None:
        """Conclude how the picture was put together since what may have been a cut."""
        if self._frames is not None:
            start = self._frames.start
            faces = [b for t in self._tracker.recent() if (b := t.usual(start, end)) is not None]
            self._compositions.append(self._frames.composition(end, faces))
            self._frames = None

    def _talks(self, trail: Trail, shot: Shot, sound_of: SoundOf) -> Iterator[Talk]:
        if self._reels is not None:
            yield from self._reels.talks(trail.number, shot.range, sound_of)

    def _is_due(self, at: Timestamp) -> bool:
        """Whether it is time to look for faces, within half a frame."""
        if not self._searched:
            return True
        early = 1 / (2 * self.presentation.picture.frame_rate)
        return (at - self._searched[-1]).exact >= Fraction(1, FACE_RATE_HZ) - early

    def _thumbnail(self, frame: Frame) -> Thumbnail:
        return np.stack(planes(self._shrink(frame, THUMBNAIL_SIZE)), axis=2)

    def _search(self, detector: FaceDetector, picture: Picture, *, is_cut: bool) -> None:
        frame = picture.frame
        scale = detector.input_size_px / max(frame.width, frame.height)
        size = (max(2, round(frame.width * scale)), max(2, round(frame.height * scale)))
        small: RgbImage = (
            self._shrink_for_faces(frame, size).to_ndarray().astype(np.uint8, copy=False)
        )
        luma = planes(frame)[0]
        sightings = [_sighting(face, picture.at, scale, luma) for face in detector.detect(small)]
        taken = self._tracker.take(picture.at, sightings)
        for trail, sighting in taken:
            self._portraits.add(trail.number, picture.at, luma, sighting.box, is_new=is_cut)

    def _watch_mouths(self, until: Timestamp, *, is_cut: bool) -> None:
        """Cut rival faces out of the pictures since the search before the latest."""
        waiting, self._unwatched = self._unwatched, []
        if self._reels is None or not waiting:
            return
        rivals = self._rivals(waiting[0].at)
        if not rivals:
            return
        ends = [*(picture.at for picture in waiting[1:]), until]
        for picture, end in zip(waiting, ends, strict=True):
            luma = planes(picture.frame)[0]
            for tick in ticks_of(picture.at, end):
                for trail in rivals:
                    box = trail.box_at(picture.at, is_cut_next=is_cut)
                    if box is not None:
                        self._reels.add(trail.number, tick, luma, box)

    def _rivals(self, at: Timestamp) -> Sequence[Trail]:
        """The faces of which one may speak; none where there is only one."""
        seen = [
            (box.height, trail)
            for trail in self._tracker.open_at(at)
            if (box := trail.box_at(at, is_cut_next=True)) is not None
        ]
        tallest = max((height for height, _ in seen), default=0.0)
        least = max(SMALLEST_RIVAL * self.presentation.picture.height_px, RIVAL_SIZE * tallest)
        rivals = [trail for height, trail in seen if height >= least]
        return rivals if len(rivals) > 1 else ()


def _parted(
    trail: Trail, starts: Sequence[Timestamp]
) -> Iterator[tuple[int, tuple[Sighting, ...]]]:
    """What was seen of a face in each shot, with the shot's number."""
    numbered = ((bisect_right(starts, s.at) - 1, s) for s in trail.sightings)
    for number, seen in itertools.groupby(numbered, key=lambda pair: max(0, pair[0])):
        yield number, tuple(sighting for _, sighting in seen)


def _sighting(face: Face, at: Timestamp, scale: float, luma: npt.NDArray[np.uint8]) -> Sighting:
    """The face in pixels of the picture that was scaled down."""
    b = face.box
    box = Box(b.x / scale, b.y / scale, b.width / scale, b.height / scale)
    still = None
    if face.eyes is not None:
        right, left = ((x / scale, y / scale) for x, y in face.eyes)
        still = still_quality(luma, box, (right, left))
    return Sighting(at, box, round(face.probability, 3), still)
