"""What is seen inside chosen ranges: shots, and faces followed through each shot.

One decode per range serves both. Nothing outside the ranges is looked at.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from reelremix.engine.domain.context import ArtifactKey, RunContext
from reelremix.engine.domain.shot import Shot
from reelremix.engine.domain.source import Presentation
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Box, Sighting, Track
from reelremix.engine.media.decode import Frame, FrameReader, Picture, Shrinker, planes
from reelremix.engine.models.faces import Face, FaceDetector
from reelremix.engine.models.shots import THUMBNAIL_SIZE, CutFinder, Thumbnail
from reelremix.engine.stages.artifact import key_for

STAGE = "look"
VERSION = 2
FACE_RATE_HZ = 6
"""Pictures a second searched for faces."""
SAME_FACE_IOU = 0.25
"""Boxes of consecutive searches that overlap at least so much are one face."""
LOST_AFTER_S = Fraction(1)
"""A face unseen for longer ends its track."""
MOUTH_DELAY_FRAMES = 2
"""Mouths are compared this many frames apart: the time of a short syllable's opening."""
PATCH_PX = 16
"""Mouth and eyes are compared at this size."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen in one range."""

    range: TimeRange
    shots: tuple[Shot, ...]
    """Cover the range without gaps."""
    tracks: tuple[Track, ...]
    """Ids count up from 0 within the look."""


def look_key(
    ctx: RunContext, presentation: Presentation, span: TimeRange, model: str
) -> ArtifactKey:
    """Key of what was seen in one range; `model` names the face detector, or none."""
    assert presentation.video is not None
    return key_for(
        ctx,
        STAGE,
        VERSION,
        source=presentation.source.id,
        video=presentation.video.index,
        origin=presentation.origin,
        range=span,
        model=model,
    )


def look(
    path: Path,
    presentation: Presentation,
    span: TimeRange,
    detector: FaceDetector | None,
    ctx: RunContext,
) -> Look:
    """Find the shots of a range and the faces in them.

    Args:
        path: the source.
        presentation: its chosen streams.
        span: where to look.
        detector: None looks for shots only.
        ctx: who may cancel.

    Raises:
        UnreadableMedia: the file cannot be read.
        Cancelled: the user asked to stop.
    """
    observer = _Observer(presentation, detector)
    with FrameReader(path, presentation) as reader:
        for picture in reader.frames(span):
            ctx.cancel.raise_if_set()
            observer.see(picture)
    return observer.result(span)


@dataclass(slots=True)
class _Pending:
    """A face whose mouth is to be compared with a later frame."""

    sighting: int
    frame_number: int
    before: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]
    mouth: Box
    eyes: Box


@dataclass(slots=True)
class _Observer:
    """Collects evidence frame by frame."""

    presentation: Presentation
    detector: FaceDetector | None
    times: list[Timestamp] = field(default_factory=list)
    sightings: list[Sighting] = field(default_factory=list)
    frames_of: list[int] = field(default_factory=list)
    """Frame number of each sighting."""
    _cuts: CutFinder = field(default_factory=CutFinder)
    _pending: list[_Pending] = field(default_factory=list)
    _shrink: Shrinker = field(default_factory=lambda: Shrinker("yuv444p"))
    _shrink_for_faces: Shrinker = field(default_factory=lambda: Shrinker("rgb24"))

    def see(self, picture: Picture) -> None:
        """Take the next frame of the range."""
        number = len(self.times)
        self.times.append(picture.at)
        self._cuts.add(self._thumbnail(picture.frame))
        self._compare_mouths(picture.frame, number)
        if self.detector is not None and (number % self._step() == 0 or self._cuts.may_be_cut()):
            for face in self._faces(picture.frame):
                self._remember(face, picture, number)

    def result(self, span: TimeRange) -> Look:
        """Shots and tracks of everything seen."""
        starts = [0, *self._cuts.cuts()]
        bounds = [span.start, *(self.times[i] for i in starts[1:]), span.end]
        shots = tuple(Shot(TimeRange(a, b)) for a, b in itertools.pairwise(bounds))
        tracks: list[Track] = []
        for index, (first, last) in enumerate(
            zip(starts, [*starts[1:], len(self.times)], strict=True)
        ):
            seen = [
                s
                for s, number in zip(self.sightings, self.frames_of, strict=True)
                if first <= number < last
            ]
            for sightings in follow(seen):
                tracks.append(Track(len(tracks), index, sightings))
        return Look(span, shots, tuple(tracks))

    def _step(self) -> int:
        return max(1, round(self.presentation.picture.frame_rate / FACE_RATE_HZ))

    def _thumbnail(self, frame: Frame) -> Thumbnail:
        return np.stack(planes(self._shrink(frame, THUMBNAIL_SIZE)), axis=2)

    def _faces(self, frame: Frame) -> Iterator[Face]:
        assert self.detector is not None
        scale = self.detector.input_size_px / max(frame.width, frame.height)
        size = (max(2, round(frame.width * scale)), max(2, round(frame.height * scale)))
        small = self._shrink_for_faces(frame, size)
        for face in self.detector.detect(small.to_ndarray().astype(np.uint8, copy=False)):
            box = face.box
            yield Face(
                Box(box.x / scale, box.y / scale, box.width / scale, box.height / scale),
                face.probability,
                (face.mouth[0] / scale, face.mouth[1] / scale),
            )

    def _remember(self, face: Face, picture: Picture, number: int) -> None:
        box = face.box
        width, height = box.width * 0.5, box.height * 0.3
        mouth = Box(face.mouth[0] - width / 2, face.mouth[1] - height / 2, width, height)
        eyes = Box(mouth.x, box.y + box.height * 0.1, width, height)
        before = (_patch(picture.frame, mouth), _patch(picture.frame, eyes))
        self._pending.append(_Pending(len(self.sightings), number, before, mouth, eyes))
        self.sightings.append(Sighting(picture.at, box, round(face.probability, 3)))
        self.frames_of.append(number)

    def _compare_mouths(self, frame: Frame, number: int) -> None:
        due = [p for p in self._pending if number - p.frame_number >= MOUTH_DELAY_FRAMES]
        for pending in due:
            mouth = _difference(pending.before[0], _patch(frame, pending.mouth))
            eyes = _difference(pending.before[1], _patch(frame, pending.eyes))
            self.sightings[pending.sighting] = replace(
                self.sightings[pending.sighting], mouth_motion=round(max(0.0, mouth - eyes), 3)
            )
            self._pending.remove(pending)


def follow(sightings: list[Sighting]) -> list[tuple[Sighting, ...]]:
    """Group sightings of one shot, in order of time, into faces."""
    open_tracks: list[list[Sighting]] = []
    for sighting in sightings:
        best = max(
            (t for t in open_tracks if _continues(t, sighting)),
            key=lambda t: t[-1].box.iou(sighting.box),
            default=None,
        )
        if best is None:
            open_tracks.append([sighting])
        else:
            best.append(sighting)
    return [tuple(track) for track in open_tracks]


def _continues(track: list[Sighting], sighting: Sighting) -> bool:
    gap = (sighting.at - track[-1].at).exact
    return 0 < gap <= LOST_AFTER_S and track[-1].box.iou(sighting.box) >= SAME_FACE_IOU


def _patch(frame: Frame, box: Box) -> npt.NDArray[np.float32]:
    """Grey values of a rectangle, sampled down to a few points a side."""
    luma = planes(frame)[0]
    rows = np.linspace(box.y, box.y + box.height, PATCH_PX).round().astype(int)
    columns = np.linspace(box.x, box.x + box.width, PATCH_PX).round().astype(int)
    rows, columns = rows.clip(0, frame.height - 1), columns.clip(0, frame.width - 1)
    patch: npt.NDArray[np.float32] = luma[np.ix_(rows, columns)].astype(np.float32)
    return patch


def _difference(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> float:
    """Mean change, with a change of brightness common to all points left out."""
    change = b - a
    return float(np.abs(change - change.mean()).mean())
