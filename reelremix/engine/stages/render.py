"""Turning a decided clip into a file. Nothing is chosen here.

One decode a clip: each frame is cut out, scaled, captioned inside the caption's box and encoded.
The sound is measured, set to -14 LUFS and limited so that it stays under -1 dBTP after AAC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from reelremix.engine.captions.paint import CaptionPainter
from reelremix.engine.captions.patch import blend
from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.context import CancelToken
from reelremix.engine.domain.layout import LayoutPiece
from reelremix.engine.domain.source import Presentation
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.media.audio import PROGRAMME, Levelled, LoudnessMeter, Samples, read_pcm
from reelremix.engine.media.compose import Composer
from reelremix.engine.media.decode import FrameReader, Picture, planes
from reelremix.engine.media.encode import ClipWriter, EncoderSettings, aac_round_trip, write_jpeg
from reelremix.errors import RenderError

TARGET_LUFS = -14.0
MAX_PEAK_DBTP = -1.0
FIRST_CEILING_DBTP = -1.5
"""AAC raises peaks; the limiter starts this low and goes lower where that is not enough."""
SAFE_PEAK_DBTP = -3.0
"""AAC has not been seen to raise peaks from below here to MAX_PEAK_DBTP."""
MAX_GAIN_DB = 24.0
MAX_LOUDNESS_ERROR_DB = 0.3
LEVELLING_TRIES = 4
THUMBNAIL_CANDIDATES = 6
THUMBNAIL_WIDTH_PX = 540


@dataclass(frozen=True, slots=True)
class RenderTask:
    """Everything a worker needs to write one clip."""

    source: str
    """Path of the recording."""
    presentation: Presentation
    clip: Clip
    settings: EncoderSettings
    video: str
    """Path to write the film to: a `.part` beside its target."""
    thumbnail: str
    speaker_in_frame: float | None = None
    """Measured on the plan; passed through to the verdict."""
    decoder_threads: int = 1


@dataclass(frozen=True, slots=True)
class Level:
    """How the sound of a clip is set."""

    gain_db: float
    ceiling_dbtp: float | None
    """None where no peak comes near."""


@dataclass(slots=True)
class _Thumbnail:
    """Keeps the sharpest of a few pictures."""

    wanted: set[int]
    sharpness: float = -1.0
    picture: av.VideoFrame | None = field(default=None)

    def offer(self, number: int, picture: av.VideoFrame) -> None:
        """Look at output frame `number` before anything is drawn on it."""
        if number not in self.wanted and self.picture is not None:
            return
        height = round(picture.height * THUMBNAIL_WIDTH_PX / picture.width / 2) * 2
        small = picture.reformat(width=THUMBNAIL_WIDTH_PX, height=height)
        luma = planes(small)[0].astype(np.float32)
        sharpness = float(np.abs(np.diff(luma, axis=0)).mean() + np.abs(np.diff(luma)).mean())
        if sharpness > self.sharpness:
            self.sharpness, self.picture = sharpness, small


def render_clip(
    task: RenderTask, cancel: CancelToken, progress: Callable[[int, int], None]
) -> Level:
    """Write the film and its thumbnail; returns how the sound was set.

    Args:
        task: what to write and where.
        cancel: checked once a frame.
        progress: told frames done and frames in all.

    Raises:
        RenderError: the encoder refused, or the source ended early.
        UnreadableMedia: the source cannot be read.
        Cancelled: the user asked to stop; what was written is incomplete.
    """
    clip = task.clip
    has_audio = task.presentation.audio is not None
    level = _find_level(task, cancel) if has_audio else Level(0.0, None)
    writer = ClipWriter(Path(task.video), clip.output, task.settings, has_audio=has_audio)
    try:
        _write(task, writer, level, cancel, progress)
        writer.close()
    except av.error.FFmpegError as exc:
        writer.abandon()
        raise RenderError(f"could not write clip {clip.id}: {exc.strerror}") from exc
    except BaseException:
        writer.abandon()
        raise
    return level


def frame_count(clip: Clip) -> int:
    """Frames the clip has at its output rate."""
    return sum(_frames_in(span, clip.output.frame_rate) for span in clip.ranges)


def _frames_in(span: TimeRange, rate: Fraction) -> int:
    return max(1, round((span.end - span.start).exact * rate))


def _write(
    task: RenderTask,
    writer: ClipWriter,
    level: Level,
    cancel: CancelToken,
    progress: Callable[[int, int], None],
) -> None:
    clip, rate, total = task.clip, task.clip.output.frame_rate, frame_count(task.clip)
    thumbnail = _Thumbnail({total * (2 * n + 1) // (3 * THUMBNAIL_CANDIDATES) for n in range(6)})
    composer = Composer(clip.output)
    painter = CaptionPainter(clip.captions, clip.words, clip.output) if clip.captions else None
    sound = _Sound(task, level, writer)
    for number, (picture, moment) in enumerate(_shown(task)):
        cancel.raise_if_set()
        frame = composer.draw(_piece_at(clip.layout.pieces, picture.at), picture.frame, picture.at)
        thumbnail.offer(number, frame)
        if painter is not None and (patch := painter.patch_at(moment)) is not None:
            blend(*planes(frame), patch)
        writer.write_picture(frame)
        sound.catch_up((number + 1) / rate)
        progress(number + 1, total)
    sound.finish()
    assert thumbnail.picture is not None
    write_jpeg(Path(task.thumbnail), thumbnail.picture)


def _shown(task: RenderTask) -> Iterator[tuple[Picture, Timestamp]]:
    """For each output frame, the source picture on screen then, and the source time."""
    rate = task.clip.output.frame_rate
    with FrameReader(Path(task.source), task.presentation, threads=task.decoder_threads) as reader:
        for span in task.clip.ranges:
            wanted = _frames_in(span, rate)
            pictures = reader.frames(span)
            current = next(pictures, None)
            if current is None:
                raise RenderError(
                    f"{task.presentation.source.name} has no picture at {span.start_s:.2f} s",
                    hint="the recording may be cut off; choose an earlier range",
                )
            following = next(pictures, None)
            for number in range(wanted):
                at = span.start.exact + number / rate
                while following is not None and following.at.exact <= at + rate_slack(rate):
                    current, following = following, next(pictures, None)
                yield current, Timestamp.from_seconds(at)


def rate_slack(rate: Fraction) -> Fraction:
    """A picture this little late still counts as shown: container clocks round to their ticks."""
    return 1 / (8 * rate)


def _piece_at(pieces: tuple[LayoutPiece, ...], at: Timestamp) -> LayoutPiece:
    best = pieces[0]
    for piece in pieces:
        if piece.range.start <= at:
            best = piece
            if at < piece.range.end:
                break
    return best


class _Sound:
    """Feeds the clip's sound to the writer in step with the picture."""

    def __init__(self, task: RenderTask, level: Level, writer: ClipWriter) -> None:
        self._writer = writer
        self._written = 0
        self._samples: Iterator[Samples] = iter(())
        if task.presentation.audio is not None:
            self._samples = levelled(task, level)

    def catch_up(self, until_s: Fraction) -> None:
        """Write sound up to an output time."""
        while self._written < until_s * PROGRAMME.rate_hz:
            samples = next(self._samples, None)
            if samples is None:
                return
            self._written += samples.shape[1]
            self._writer.write_sound(samples)

    def finish(self) -> None:
        """Write what is left."""
        for samples in self._samples:
            self._writer.write_sound(samples)


def _programme(task: RenderTask) -> Iterator[Samples]:
    """The clip's sound, range after range."""
    for span in task.clip.ranges:
        yield from read_pcm(Path(task.source), task.presentation, span, PROGRAMME)


def levelled(task: RenderTask, level: Level) -> Iterator[Samples]:
    """The clip's sound at its final level."""
    chain = Levelled(level.gain_db, level.ceiling_dbtp)
    for samples in _programme(task):
        yield from chain.push(samples)
    yield from chain.flush()


def _find_level(task: RenderTask, cancel: CancelToken) -> Level:
    """Gain and ceiling that reach the target loudness and stay under the peak after AAC."""
    meter = LoudnessMeter()
    for samples in _programme(task):
        cancel.raise_if_set()
        meter.add(samples)
    loudness = meter.result()
    if loudness.integrated_lufs is None or loudness.true_peak_dbtp is None:
        return Level(0.0, None)
    gain = min(TARGET_LUFS - loudness.integrated_lufs, MAX_GAIN_DB)
    if loudness.true_peak_dbtp + gain <= SAFE_PEAK_DBTP:
        return Level(round(gain, 3), None)
    level = Level(round(gain, 3), FIRST_CEILING_DBTP)
    for _ in range(LEVELLING_TRIES):
        cancel.raise_if_set()
        better = _corrected(task, level)
        if better == level:
            break
        level = better
    return level


def _corrected(task: RenderTask, level: Level) -> Level:
    """The same level if it passes through AAC within limits, else a better one."""
    assert level.ceiling_dbtp is not None
    meter = LoudnessMeter()
    for samples in aac_round_trip(levelled(task, level)):
        meter.add(samples)
    heard = meter.result()
    if heard.integrated_lufs is None or heard.true_peak_dbtp is None:
        return level
    error = TARGET_LUFS - heard.integrated_lufs
    excess = heard.true_peak_dbtp - MAX_PEAK_DBTP
    gain = level.gain_db
    if abs(error) > MAX_LOUDNESS_ERROR_DB:
        gain = min(round(gain + error, 3), MAX_GAIN_DB)
    ceiling = level.ceiling_dbtp
    if excess > 0:
        ceiling = round(ceiling - excess - 0.1, 3)
    return Level(gain, ceiling)
