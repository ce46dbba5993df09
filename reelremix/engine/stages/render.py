"""Turning a decided clip into a file. Nothing is chosen here.

One decode a clip: each frame is cut out, scaled, captioned inside the caption's box and encoded.
The sound is set as `level` decides. What a brand kit shows before and after the clip comes from
`bookends`. The file is opened again and checked before it counts.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from reelremix.engine.captions.drawing import Drawing
from reelremix.engine.captions.patch import Patch, blend
from reelremix.engine.domain.clip import Clip, Verdict
from reelremix.engine.domain.context import CancelToken
from reelremix.engine.domain.kept import film_moment
from reelremix.engine.domain.layout import LayoutPiece
from reelremix.engine.domain.source import Presentation
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.media.audio import PROGRAMME, Samples
from reelremix.engine.media.compose import Composer
from reelremix.engine.media.decode import (
    Frame,
    FrameReader,
    Picture,
    copied,
    on_screen,
    planes,
    scaled,
)
from reelremix.engine.media.encode import (
    ClipWriter,
    EncoderSettings,
    EncoderUnavailable,
    replace_sound,
    write_jpeg,
)
from reelremix.engine.media.faults import encoding
from reelremix.engine.media.hardware import SOFTWARE
from reelremix.engine.stages.bookends import bookends_of
from reelremix.engine.stages.level import Level, Programme, find_level, lowered
from reelremix.engine.stages.verify import verify
from reelremix.engine.stages.watched import Watched
from reelremix.engine.store.files import cannot_write
from reelremix.errors import RenderError

SOUND_TRIES = 2
"""How often the sound is set again when AAC raised its peaks too high."""
LONGEST_STILL_S = 1
"""The last picture is held at most this much longer than the recording shows it."""
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
    decoder_threads: int = 1
    music: str | None = None
    """Path of the clip's music, if it has any."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a task."""

    level: Level
    verdict: Verdict
    notice: str | None = None
    """Why another encoder wrote the film than the one asked for."""


@dataclass(slots=True)
class _Thumbnail:
    """Keeps the sharpest of a few pictures."""

    wanted: set[int]
    """Numbers of frames."""
    title: Patch | None = None
    """What is laid over it."""
    sharpness: float = -1.0
    picture: Frame | None = field(default=None)

    def offer(self, number: int, picture: Frame) -> None:
        """Look at output frame `number` before anything is drawn on it."""
        is_wanted = number in self.wanted
        if not is_wanted and self.picture is not None:
            return
        small = scaled(picture, THUMBNAIL_WIDTH_PX)
        luma = planes(small)[0].astype(np.float32)
        sharpness = float(np.abs(np.diff(luma, axis=0)).mean() + np.abs(np.diff(luma)).mean())
        if not is_wanted:
            sharpness = 0.0  # kept in case the film ends before any that is
        if self.picture is None or sharpness > self.sharpness:
            self.sharpness, self.picture = (
                sharpness,
                scaled(self._titled(picture), THUMBNAIL_WIDTH_PX),
            )

    def _titled(self, picture: Frame) -> Frame:
        if self.title is None:
            return picture
        titled = copied(picture)
        blend(*planes(titled), self.title)
        return titled


def _thumbnail_of(clip: Clip, drawing: Drawing) -> _Thumbnail:
    """Of the moment that was chosen, else the sharpest of a few."""
    total = clip.film.clip
    wanted = {total * (2 * n + 1) // (3 * THUMBNAIL_CANDIDATES) for n in range(6)}
    if clip.still is not None:
        at = round(film_moment(clip.still, clip.ranges) * clip.output.frame_rate)
        wanted = {min(at, total - 1)}
    return _Thumbnail(wanted, drawing.still_title)


def render_clip(
    task: RenderTask, cancel: CancelToken, progress: Callable[[int, int], None]
) -> Written:
    """Write the film and its thumbnail, open it again and check it.

    A hardware encoder that is busy or gone is replaced by software, with a notice.

    Args:
        task: what to write and where.
        cancel: checked once a frame.
        progress: told frames done and frames in all.

    Raises:
        RenderError: the encoder refused, or the source ended early.
        ConfigError: the folder cannot be written to or the disk is full.
        UnreadableMedia: the source cannot be read.
        Cancelled: the user asked to stop; what was written is incomplete.
    """
    programme = _programme(task, cancel)
    level = find_level(programme) if programme is not None else Level(0.0, None)
    watched = Watched(task.clip.output.frame_rate)
    with _writing(task):
        notice = _write(task, watched, programme, level, cancel, progress)
    verdict = _verified(task, programme, watched.faults)
    for _ in range(SOUND_TRIES):
        better = lowered(programme, level, verdict) if programme is not None else None
        if better is None or programme is None:
            break
        level = better
        with _writing(task):
            replace_sound(Path(task.video), programme.at(level))
        verdict = _verified(task, programme, watched.faults)
    return Written(level, verdict, notice)


def _programme(task: RenderTask, cancel: CancelToken) -> Programme | None:
    """What is heard in the film; None where nothing can be."""
    bookends = bookends_of(task.clip)
    if task.presentation.audio is None and not bookends.have_sound:
        return None
    music = Path(task.music) if task.music is not None else None
    return Programme(Path(task.source), task.presentation, task.clip, cancel, music, bookends)


def remove_unfinished(task: RenderTask) -> None:
    """Delete what a stopped render was writing."""
    for target in (Path(task.video), Path(task.thumbnail)):
        for unfinished in target.parent.glob(f"{target.stem}*.part"):
            unfinished.unlink(missing_ok=True)


def _verified(task: RenderTask, programme: Programme | None, seen: Sequence[str]) -> Verdict:
    return verify(
        Path(task.video),
        task.clip,
        expects_audio=programme is not None,
        seen=seen,
    )


def frames_of(clip: Clip) -> Iterator[tuple[TimeRange, range, Fraction]]:
    """Each kept range, the numbers of its output frames, and its output time in seconds.

    Numbers and time are the clip's own: an intro is not counted.

    Ranges need not be whole frames long: frames are counted on the output's clock, so that the
    picture of many short ranges does not drift from their sound.
    """
    rate = clip.output.frame_rate
    begins, first = Fraction(0), 0
    for index, span in enumerate(clip.ranges, start=1):
        ends = begins + (span.end - span.start).exact
        last = round(ends * rate)
        if index == len(clip.ranges):
            last = max(last, 1)  # even the shortest clip has a picture
        yield span, range(first, last), begins
        begins, first = ends, last


def _write(
    task: RenderTask,
    watched: Watched,
    programme: Programme | None,
    level: Level,
    cancel: CancelToken,
    progress: Callable[[int, int], None],
) -> str | None:
    """Write the film; returns why another encoder did it than the one asked for, if so."""
    try:
        _write_as_asked(task, watched, programme, level, cancel, progress)
    except EncoderUnavailable as exc:
        software = replace(task.settings, encoder=SOFTWARE, threads=1)
        watched.restart()
        _write_as_asked(
            replace(task, settings=software), watched, programme, level, cancel, progress
        )
        return f"{exc.message}; using {SOFTWARE}"
    return None


def _write_as_asked(
    task: RenderTask,
    watched: Watched,
    programme: Programme | None,
    level: Level,
    cancel: CancelToken,
    progress: Callable[[int, int], None],
) -> None:
    writer = ClipWriter(
        Path(task.video), task.clip.output, task.settings, has_audio=programme is not None
    )
    try:
        sound = _Sound(programme.at(level) if programme is not None else iter(()), writer)
        _write_pictures(task, watched, writer, sound, cancel, progress)
        sound.finish()
        writer.close()
    except BaseException:
        writer.abandon()
        raise


@contextmanager
def _writing(task: RenderTask) -> Iterator[None]:
    """Map what goes wrong: a full disk is the end of the run, anything else of this clip."""
    try:
        with encoding(f"clip {task.clip.id}"):
            yield
    except OSError as exc:
        raise cannot_write(Path(task.video).parent, exc) from exc


def _write_pictures(
    task: RenderTask,
    watched: Watched,
    writer: ClipWriter,
    sound: _Sound,
    cancel: CancelToken,
    progress: Callable[[int, int], None],
) -> None:
    film = task.clip.film
    for number, frame in enumerate(_film_frames(task, watched), start=1):
        cancel.raise_if_set()
        writer.write_picture(frame)
        sound.catch_up(number / film.rate)
        progress(number, film.total)


def _film_frames(task: RenderTask, watched: Watched) -> Iterator[Frame]:
    """Everything that is shown, in order."""
    film, output, threads = task.clip.film, task.clip.output, task.decoder_threads
    bookends = bookends_of(task.clip)
    if bookends.intro is not None:
        yield from bookends.intro.frames(film.intro, output, threads)
    yield from _clip_frames(task, watched)
    if bookends.outro is not None:
        yield from bookends.outro.frames(film.outro, output, threads)


def _clip_frames(task: RenderTask, watched: Watched) -> Iterator[Frame]:
    """The clip's frames, everything drawn on them; its thumbnail is written after the last."""
    clip, rate, intro = task.clip, task.clip.output.frame_rate, task.clip.film.intro
    composer, pieces = Composer(clip.output), Pieces(clip.layout.pieces)
    drawing = Drawing(clip)
    thumbnail = _thumbnail_of(clip, drawing)
    for number, (picture, moment) in enumerate(shown_pictures(task)):
        piece = pieces.at(picture.at)
        frame = composer.draw(piece, picture.frame, picture.at)
        thumbnail.offer(number, frame)
        watched.see(intro + number, picture.frame, piece, frame)
        for patch in drawing.patches_at(moment, number / rate):
            blend(*planes(frame), patch)
        yield frame
    assert thumbnail.picture is not None
    write_jpeg(Path(task.thumbnail), thumbnail.picture)


def shown_pictures(task: RenderTask) -> Iterator[tuple[Picture, Timestamp]]:
    """For each output frame, the source picture on screen then, and the source time."""
    rate = task.clip.output.frame_rate
    with FrameReader(Path(task.source), task.presentation, threads=task.decoder_threads) as reader:
        for span, numbers, begins in frames_of(task.clip):
            if not numbers:
                continue  # shorter than half a frame
            moments = [span.start.exact + max(Fraction(0), n / rate - begins) for n in numbers]
            pictures = on_screen(reader.frames(span), moments, rate)
            for at, current in zip(moments, pictures, strict=True):
                if current is None:
                    raise RenderError(
                        f"{task.presentation.source.name} has no picture at {span.start_s:.2f} s",
                        hint="the recording may be cut off; choose an earlier range",
                    )
                if reader.ended is not None and at > reader.ended.exact + LONGEST_STILL_S:
                    raise RenderError(
                        f"the picture of {task.presentation.source.name} ends at"
                        f" {reader.ended.seconds:.2f} s, before the clip does",
                        hint="the recording may be damaged there; choose an earlier range",
                    )
                yield current, Timestamp.from_seconds(at)


class Pieces:
    """The layout piece on show."""

    def __init__(self, pieces: Sequence[LayoutPiece]) -> None:
        self._pieces = sorted(pieces, key=lambda piece: piece.range.start)
        self._starts = [piece.range.start_s for piece in self._pieces]

    def at(self, moment: Timestamp) -> LayoutPiece:
        """The last piece that has begun; to the microsecond, as manifests give times."""
        return self._pieces[max(0, bisect_right(self._starts, moment.seconds) - 1)]


class _Sound:
    """Feeds the clip's sound to the writer in step with the picture."""

    def __init__(self, samples: Iterator[Samples], writer: ClipWriter) -> None:
        self._samples = samples
        self._writer = writer
        self._written = 0

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
