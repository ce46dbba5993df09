"""Frames of a source on the shared clock, upright, in eight-bit limited-range bt709 yuv420p.

Whatever the recording is (rotated, anamorphic, ten-bit, HDR, full range, SD colours), everything
after this module sees one kind of picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
import numpy.typing as npt
from av.stream import Discard
from av.video.reformatter import (
    ColorPrimaries,
    ColorRange,
    Colorspace,
    ColorTrc,
    Interpolation,
    VideoReformatter,
)
from av.video.stream import VideoStream

from reelremix.engine.domain.source import Presentation, VideoFormat
from reelremix.engine.domain.time import MICROSECONDS, TimeRange, Timestamp
from reelremix.engine.media.faults import reading
from reelremix.engine.media.probe import HDR_TRANSFERS, open_input

Frame = av.VideoFrame
"""What stages pass on without looking inside."""
Plane = npt.NDArray[np.uint8]
STEPS_BACK_S = (0, 2, 10, 60)
"""MPEG streams are entered anywhere: step back until a keyframe comes first."""
SD_HEIGHT_PX = 576
"""At most this high, untagged video is taken to be bt601, as players do."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One decoded frame and when it is shown."""

    at: Timestamp
    frame: av.VideoFrame
    length_s: Fraction = Fraction(0)
    """How long the container says it is shown; 0 where it does not say."""


class FrameReader:
    """Decodes ranges of the chosen video stream."""

    def __init__(self, path: Path, presentation: Presentation, *, threads: int = 0) -> None:
        """Open the source.

        Args:
            path: the file.
            presentation: its chosen streams and clock; must have video.
            threads: decoder threads, 0 for one a core.

        Raises:
            UnreadableMedia: the file cannot be opened.
        """
        assert presentation.video is not None
        self._path = path
        self._format = presentation.picture
        self._container = open_input(path)
        self._stream = cast(VideoStream, self._container.streams[presentation.video.index])
        self._origin = _in_base(presentation.origin, self._time_base)
        self._stream.thread_type = "AUTO"
        self._stream.codec_context.thread_count = threads
        self._upright = Upright(self._format)
        self.ended: Timestamp | None = None
        """Until when the last picture is shown, once the stream was read to its end."""

    def __enter__(self) -> FrameReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    @property
    def frame_s(self) -> Fraction:
        """Nominal length of a frame in seconds."""
        return 1 / self._format.frame_rate

    def frames(self, wanted: TimeRange, *, keyframes_only: bool = False) -> Iterator[Picture]:
        """Upright pictures from the one on screen at `wanted.start` to the last before its end.

        Raises:
            UnreadableMedia: the file cannot be read any more.
        """
        held: Picture | None = None
        self.ended = None
        for picture in self._decoded(wanted.start, keyframes_only=keyframes_only):
            if picture.at >= wanted.end:
                break
            if held is not None and picture.at > wanted.start:
                yield self._made_upright(held)
            held = picture
        else:
            self.ended = self._end_of(held)
        if held is not None:
            yield self._made_upright(held)

    def _end_of(self, last: Picture | None) -> Timestamp:
        if last is None:
            return Timestamp(0)
        return Timestamp.from_seconds(last.at.exact + max(last.length_s, self.frame_s))

    def snap(self, moment: Timestamp) -> Timestamp:
        """The frame boundary nearest to `moment`. Reads packets around it, decodes nothing."""
        target = moment.exact
        margin = Fraction(1, 2) + 2 * self.frame_s
        best = last = None
        with reading(self._path):
            self._seek(moment)
            for packet in self._container.demux(self._stream):
                if packet.pts is None:
                    continue
                at = self._on_clock(packet.pts)
                last = at if last is None else max(last, at)
                if best is None or abs(at.exact - target) < abs(best.exact - target):
                    best = at
                if packet.dts is not None and self._on_clock(packet.dts).exact > target + margin:
                    break
        if best is None or abs(best.exact - target) > 1:
            return moment
        if best != last:
            return best
        past_the_end = Timestamp.from_seconds(best.exact + self.frame_s, self._time_base)
        return min((best, past_the_end), key=lambda at: abs(at.exact - target))

    def _decoded(self, start: Timestamp, *, keyframes_only: bool) -> Iterator[Picture]:
        self._stream.discard = Discard.nonkey if keyframes_only else Discard.default
        with reading(self._path):
            self._seek(start)
            last: Timestamp | None = None
            for frame in self._tolerant_decode():
                at = self._time_of(frame, last)
                if last is None or at > last:
                    yield Picture(at, frame, (frame.duration or 0) * self._time_base)
                    last = at

    def _tolerant_decode(self) -> Iterator[av.VideoFrame]:
        """Frames until the end, passing over damaged packets."""
        for packet in self._container.demux(self._stream):
            try:
                yield from packet.decode()
            except av.error.InvalidDataError:
                continue

    @property
    def _time_base(self) -> Fraction:
        return self._stream.time_base or MICROSECONDS

    def _seek(self, moment: Timestamp) -> None:
        """Go to a keyframe at or before `moment`, or to the very first."""
        wanted = (moment + self._origin).exact
        for back_s in STEPS_BACK_S:
            self._go_to(wanted - back_s)
            entry = next((p for p in self._container.demux(self._stream) if p.is_keyframe), None)
            if (
                entry is not None
                and entry.pts is not None
                and entry.pts * self._time_base <= wanted
            ):
                self._go_to(wanted - back_s)
                return
        self._container.seek(0)

    def _go_to(self, at: Fraction) -> None:
        try:
            self._container.seek(int(at / self._time_base), stream=self._stream)
        except av.error.PermissionError:  # what FFmpeg says of a seek before the first frame
            self._container.seek(0)

    def _time_of(self, frame: av.VideoFrame, last: Timestamp | None) -> Timestamp:
        ticks = frame.pts if frame.pts is not None else frame.dts
        if ticks is not None:
            return self._on_clock(ticks)
        step = Timestamp.from_seconds(self.frame_s, self._time_base)
        return last + step if last is not None else Timestamp(0, self._time_base)

    def _on_clock(self, ticks: int) -> Timestamp:
        return Timestamp(ticks, self._time_base) - self._origin

    def _made_upright(self, picture: Picture) -> Picture:
        return Picture(picture.at, self._upright(picture.frame), picture.length_s)


def on_screen(
    pictures: Iterator[Picture], moments: Iterable[Fraction], rate: Fraction
) -> Iterator[Picture | None]:
    """For each of rising moments, in seconds, the picture that is shown then; None without any.

    A picture that is late by an eighth of a frame at `rate` still counts as shown: container
    clocks round to their ticks.
    """
    current = next(pictures, None)
    following = next(pictures, None)
    slack = 1 / (8 * rate)
    for at in moments:
        while following is not None and following.at.exact <= at + slack:
            current, following = following, next(pictures, None)
        yield current


def _in_base(moment: Timestamp, time_base: Fraction) -> Timestamp:
    """The moment in another time base where that is exact, so that sums need no common base."""
    ticks = moment.exact / time_base
    return Timestamp(int(ticks), time_base) if ticks.denominator == 1 else moment


class Upright:
    """Turns decoded frames into upright bt709 yuv420p; gives back frames that already are."""

    def __init__(self, picture: VideoFormat) -> None:
        self._rotation = picture.rotation_deg
        turned = picture.rotation_deg % 180 == 90
        size = (picture.width_px, picture.height_px)
        self._size = (size[1], size[0]) if turned else size
        self._reformatter = VideoReformatter()

    def __call__(self, frame: av.VideoFrame) -> av.VideoFrame:
        """The same picture, upright."""
        if self._needs_conversion(frame):
            frame = self._converted(frame)
        return rotate(frame, self._rotation) if self._rotation else frame

    def _needs_conversion(self, frame: av.VideoFrame) -> bool:
        return (
            frame.format.name != "yuv420p"
            or (frame.width, frame.height) != self._size
            or frame.color_range == ColorRange.JPEG
            or frame.color_trc in HDR_TRANSFERS
            or colours_of(frame) != Colorspace.ITU709
        )

    def _converted(self, frame: av.VideoFrame) -> av.VideoFrame:
        hdr = frame.color_trc in HDR_TRANSFERS
        full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
        return self._reformatter.reformat(
            frame,
            width=self._size[0],
            height=self._size[1],
            format="yuv420p",
            src_colorspace=None if hdr else colours_of(frame),
            dst_colorspace=Colorspace.ITU709,
            src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
            dst_color_range=ColorRange.MPEG,
            dst_color_trc=ColorTrc.BT709 if hdr else None,
            dst_color_primaries=ColorPrimaries.BT709 if hdr else None,
        )


def colours_of(frame: av.VideoFrame) -> Colorspace:
    """The frame's matrix, guessed by size where it is not stated."""
    stated = {
        1: Colorspace.ITU709,
        5: Colorspace.ITU601,
        6: Colorspace.SMPTE170M,
        9: Colorspace.BT2020,
        10: Colorspace.BT2020,
    }.get(int(frame.colorspace))
    if stated is not None:
        return stated
    return Colorspace.ITU601 if frame.height <= SD_HEIGHT_PX else Colorspace.ITU709


class Shrinker:
    """Scales frames down by averaging; to be kept, as setting up costs more than scaling."""

    def __init__(self, pixels: str) -> None:
        """`pixels` is FFmpeg's name of the format to give, such as `yuv444p`."""
        self._pixels = pixels
        self._reformatter = VideoReformatter()

    def __call__(self, frame: av.VideoFrame, size: tuple[int, int]) -> av.VideoFrame:
        """The frame at this width and height."""
        return self._reformatter.reformat(
            frame,
            width=size[0],
            height=size[1],
            format=self._pixels,
            interpolation=Interpolation.AREA,
            threads=1,
        )


def scaled(frame: av.VideoFrame, width_px: int) -> av.VideoFrame:
    """A copy this wide and in proportion, its height even."""
    height_px = round(frame.height * width_px / frame.width / 2) * 2
    return frame.reformat(width=width_px, height=height_px)


def copied(frame: av.VideoFrame) -> av.VideoFrame:
    """A yuv420p frame of its own with the same picture."""
    out = av.VideoFrame(frame.width, frame.height, "yuv420p")
    for source, target in zip(planes(frame), planes(out), strict=True):
        target[:] = source
    return out


def planes(frame: av.VideoFrame) -> tuple[Plane, Plane, Plane]:
    """Writable views of a yuv420p frame's planes, without their padding."""
    views = []
    for plane in frame.planes:
        rows: Plane = np.frombuffer(memoryview(plane), np.uint8).reshape(
            plane.height, plane.line_size
        )
        views.append(rows[:, : plane.width])
    y, u, v = views
    return y, u, v


def rotate(frame: av.VideoFrame, clockwise_deg: int) -> av.VideoFrame:
    """Turn a yuv420p frame by a multiple of 90 degrees."""
    turned = clockwise_deg % 180 == 90
    size = (frame.height, frame.width) if turned else (frame.width, frame.height)
    out = av.VideoFrame(*size, "yuv420p")
    for source, target in zip(planes(frame), planes(out), strict=True):
        target[:] = np.rot90(source, k=-clockwise_deg // 90)
    out.pts, out.time_base = frame.pts, frame.time_base
    return out
