"""A copy of a stretch at a constant rate, which every editor cuts at the same frame.

The picture is made upright and eight-bit bt709, like everything that ReelRemix shows, and is
compressed so little that nobody sees it; the sound is not compressed at all. Picture and sound both
begin at zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from reelremix.engine.domain.context import CancelToken
from reelremix.engine.domain.source import Presentation
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.media.audio import PROGRAMME, Samples, audio_frame, read_pcm
from reelremix.engine.media.decode import Frame, FrameReader, on_screen
from reelremix.engine.media.faults import encoding
from reelremix.errors import RenderError

SUFFIX = ".mov"
CRF = "10"
"""Of x264, where 0 loses nothing and 18 is called visually lossless."""
PRESET = "veryfast"
KEYFRAMES_A_SECOND = 2
"""Editors jump about; long groups of pictures make that slow."""


def write_constant(
    path: Path,
    presentation: Presentation,
    wanted: TimeRange,
    rate: Fraction,
    target: Path,
    cancel: CancelToken,
    progress: Callable[[int, int], None],
) -> int:
    """Write `wanted` to `target` (of any name, as QuickTime); returns how many frames it has.

    Args:
        path: the recording.
        presentation: its chosen streams and clock; must have video.
        wanted: the stretch on the shared clock.
        rate: frames a second of the copy.
        target: the file to write.
        cancel: checked once a frame.
        progress: told frames done and frames in all.

    Raises:
        UnreadableMedia: the recording cannot be read.
        RenderError: it has no picture there, or cannot be encoded.
        OSError: the file cannot be written.
        Cancelled: the user asked to stop; what was written is incomplete.
    """
    total = max(1, round((wanted.end - wanted.start).exact * rate))
    with encoding(target.name), _Copy(target, presentation, rate) as copy:
        sound = _sound(path, presentation, wanted)
        for number, frame in enumerate(_pictures(path, presentation, wanted, rate, total), start=1):
            cancel.raise_if_set()
            copy.add_picture(frame)
            copy.add_sound_until(number / rate, sound)
            progress(number, total)
        copy.add_sound_until(None, sound)
    return total


def _pictures(
    path: Path, presentation: Presentation, wanted: TimeRange, rate: Fraction, total: int
) -> Iterator[Frame]:
    moments = (wanted.start.exact + n / rate for n in range(total))
    with FrameReader(path, presentation) as reader:
        for current in on_screen(reader.frames(wanted), moments, rate):
            if current is None:
                raise RenderError(
                    f"{presentation.source.name} has no picture at {wanted.start.seconds:.2f} s"
                )
            yield current.frame


def _sound(path: Path, presentation: Presentation, wanted: TimeRange) -> Iterator[Samples]:
    if presentation.audio is None:
        return iter(())
    return read_pcm(path, presentation, wanted, PROGRAMME)


class _Copy:
    """The file being written."""

    def __init__(self, target: Path, presentation: Presentation, rate: Fraction) -> None:
        self._container = av.open(f"file:{target}", "w", format="mov")
        try:
            self._video = self._add_video(presentation, rate)
            self._audio: Any = None
            if presentation.audio is not None:
                self._audio = self._container.add_stream("pcm_s16le", rate=PROGRAMME.rate_hz)
                self._audio.codec_context.layout = PROGRAMME.layout
        except BaseException:
            self._container.close()
            raise
        self._rate = rate
        self._frames = self._samples = 0

    def __enter__(self) -> _Copy:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._container.mux(self._video.encode(None))
            if self._audio is not None:
                self._container.mux(self._audio.encode(None))
        self._container.close()

    def add_picture(self, frame: Frame) -> None:
        """Append an upright picture; one that is shown for longer comes more than once."""
        frame.pts, frame.time_base = self._frames, 1 / self._rate
        frame.pict_type = 0
        self._frames += 1
        self._container.mux(self._video.encode(frame))

    def add_sound_until(self, moment_s: Fraction | None, sound: Iterator[Samples]) -> None:
        """Append sound up to a moment of the copy, or all that is left."""
        while moment_s is None or self._samples < moment_s * PROGRAMME.rate_hz:
            samples = next(sound, None)
            if samples is None:
                return
            packed = audio_frame(samples, self._samples)
            self._samples += samples.shape[1]
            self._container.mux(self._audio.encode(packed))

    def _add_video(self, presentation: Presentation, rate: Fraction) -> Any:
        picture = presentation.picture
        options = {"preset": PRESET, "crf": CRF}
        stream: Any = self._container.add_stream("libx264", rate=rate, options=options)
        context = stream.codec_context
        context.width, context.height = picture.width_px // 2 * 2, picture.height_px // 2 * 2
        context.pix_fmt, context.time_base = "yuv420p", 1 / rate
        context.gop_size = max(1, round(rate / KEYFRAMES_A_SECOND))
        context.max_b_frames = 0  # the first picture is then shown at zero without an edit list
        context.color_range, context.colorspace = ColorRange.MPEG, Colorspace.ITU709
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        return stream


def with_handles(kept: TimeRange, presentation: Presentation, handle_s: int) -> TimeRange:
    """A stretch with some room on both sides, as far as there is picture."""
    room = Timestamp.from_seconds(handle_s)
    start = max(kept.start - room, min(presentation.picture_start, kept.start))
    return TimeRange(start, min(kept.end + room, max(presentation.picture_end, kept.end)))
