"""What stands before and after a clip in its film: looking at the files, and playing them.

Planning only looks at them (`measured`, from their packets); they are decoded where films are
written. Their pictures are fitted into the output, their sound is made as loud as the clip's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from reelremix.engine.captions.bookends import BOOKENDS, LONGEST_S, PICTURE_S
from reelremix.engine.captions.preset import check_preset
from reelremix.engine.domain.bookends import Bookend, FilmFrames, Fit
from reelremix.engine.domain.brand import Brand
from reelremix.engine.domain.clip import Clip, OutputFormat
from reelremix.engine.domain.layout import LayoutPiece
from reelremix.engine.domain.source import Presentation, VideoFormat
from reelremix.engine.domain.time import ZERO, TimeRange, Timestamp
from reelremix.engine.media.audio import PROGRAMME, Samples, loudness_of, read_pcm
from reelremix.engine.media.compose import Composer
from reelremix.engine.media.decode import Frame, FrameReader, on_screen
from reelremix.engine.media.probe import choose_streams, last_packet_ends, probe
from reelremix.engine.media.sound_chain import faded, shaped
from reelremix.engine.media.still import format_of, is_still, read_still, still_size
from reelremix.engine.stages.frame import center_layout, fit_layout
from reelremix.errors import ConfigError, RenderError, UnreadableMedia

RATE = PROGRAMME.rate_hz
SLACK_S = 0.1
"""A video of 15 seconds may be some frames longer."""
LEAST_PX = 16
EDGE = RATE * 4 // 1000
"""Samples in which its sound comes and goes, so that nothing clicks where it is cut."""
MISSING_S = 0.5
"""A file that ends this much earlier than it says was cut off."""
MOST_GAIN_DB = 24.0


def measured(brand: Brand) -> Brand:
    """The kit with the lengths of its intro and outro.

    Raises ConfigError for a file that cannot be shown.
    """
    intro, outro = (_measured(name, getattr(brand, name), brand) for name in BOOKENDS)
    return replace(brand, intro=intro, outro=outro)


def _measured(name: str, end: Bookend | None, brand: Brand) -> Bookend | None:
    if end is None:
        return None
    length_s = measure(name, Path(brand.path_of(end.file)), end.length_s or None)
    return replace(end, length_s=length_s)


def check_kit(path: Path) -> list[str]:
    """Everything wrong with a preset's file, with what its intro and outro hold.

    Raises ConfigError when it cannot be read at all.
    """
    return check_preset(path, measure)


def measure(name: str, place: Path, seconds: float | None) -> float:
    """How long the `name`, intro or outro, is shown: in seconds, to the microsecond.

    Raises:
        ConfigError: it is neither a video nor a picture, too long, too small, or cut off.
    """
    try:
        if is_still(place):
            return _picture_s(name, place, seconds)
        return _video_s(name, place, seconds, choose_streams(probe(place, place.name)))
    except UnreadableMedia as exc:
        raise ConfigError(
            f"the {name} {place} cannot be shown: {exc.message}",
            hint="name an MP4, MOV, MKV or WebM, or a PNG, JPEG or WebP",
        ) from exc


def _picture_s(name: str, place: Path, seconds: float | None) -> float:
    width, height = still_size(place)
    if min(width, height) < LEAST_PX:
        raise ConfigError(
            f"the {name} {place} is {width}x{height}; at least {LEAST_PX} pixels a side"
        )
    return PICTURE_S if seconds is None else seconds


def _video_s(name: str, place: Path, seconds: float | None, presentation: Presentation) -> float:
    if presentation.video is None or presentation.video.video is None:
        raise ConfigError(f"the {name} {place} holds no picture")
    if seconds is not None:
        raise ConfigError(
            f"the {name} {place} is a video, which is shown to its end; `seconds` is for pictures",
            hint=f"take `seconds` out of [{name}]",
        )
    length_s = presentation.picture_end.seconds
    if length_s > LONGEST_S + SLACK_S:
        raise ConfigError(f"the {name} {place} lasts {length_s:.1f} s; at most {LONGEST_S:g}")
    reached = last_packet_ends(place, presentation)
    if reached.seconds < length_s - MISSING_S:
        raise ConfigError(
            f"the {name} {place} is cut off: it ends at {reached.seconds:.1f} of {length_s:.1f} s",
            hint="copy or export it again",
        )
    return length_s


@dataclass(frozen=True, slots=True)
class Opened:
    """An intro or outro whose file has been looked into."""

    path: Path
    fit: Fit
    presentation: Presentation | None
    """None for a picture."""

    @property
    def has_sound(self) -> bool:
        """Whether anything may be heard."""
        return self.presentation is not None and self.presentation.audio is not None

    def frames(self, count: int, output: OutputFormat, threads: int) -> Iterator[Frame]:
        """So many frames in the output's shape and at its rate; the last picture is held.

        Raises:
            UnreadableMedia: the file is damaged.
            RenderError: its picture ends too early.
        """
        composer = Composer(output)
        if self.presentation is None:
            still = read_still(self.path)
            shown = composer.draw(_piece(self.fit, format_of(still), output), still, ZERO)
            yield from (shown for _ in range(count))
            return
        piece = _piece(self.fit, self.presentation.picture, output)
        for picture in self._pictures(self.presentation, count, output.frame_rate, threads):
            yield composer.draw(piece, picture, ZERO)

    def _pictures(
        self, presentation: Presentation, count: int, rate: Fraction, threads: int
    ) -> Iterator[Frame]:
        moments = [number / rate for number in range(count)]
        whole = TimeRange(ZERO, Timestamp.from_seconds(count / rate))
        with FrameReader(self.path, presentation, threads=threads) as reader:
            for at, picture in zip(
                moments, on_screen(reader.frames(whole), moments, rate), strict=True
            ):
                ended = reader.ended.exact + 2 * Fraction(MISSING_S) if reader.ended else at
                if picture is None or at > ended:
                    raise RenderError(
                        f"the picture of {self.path.name} ends at {float(at):.1f} s,"
                        f" not at {float(count / rate):.1f} s",
                        hint="copy or export it again, or take it out of the preset",
                    )
                yield picture.frame

    def sound(self, samples: int) -> Iterator[Samples]:
        """So many samples of its sound, or of silence where it has none."""
        if self.presentation is None or self.presentation.audio is None:
            yield np.zeros((PROGRAMME.channels, samples), PROGRAMME.dtype)
            return
        whole = TimeRange(ZERO, Timestamp(samples, Fraction(1, RATE)))
        heard = read_pcm(self.path, self.presentation, whole, PROGRAMME)
        yield from faded(heard, samples, EDGE, EDGE)


def _piece(fit: Fit, picture: VideoFormat, output: OutputFormat) -> LayoutPiece:
    arranged = center_layout if fit is Fit.FILL else fit_layout
    return arranged(TimeRange(ZERO, ZERO), picture, output).pieces[0]


@dataclass(frozen=True, slots=True)
class Bookends:
    """What stands before and after one clip."""

    intro: Opened | None = None
    outro: Opened | None = None

    @property
    def have_sound(self) -> bool:
        """Whether either may be heard."""
        return any(end is not None and end.has_sound for end in (self.intro, self.outro))


def bookends_of(clip: Clip) -> Bookends:
    """A clip's, their files looked into. Raises UnreadableMedia."""
    brand = clip.brand
    if brand is None:
        return Bookends()
    return Bookends(*(_opened(end, brand) for end in (brand.intro, brand.outro)))


def _opened(end: Bookend | None, brand: Brand) -> Opened | None:
    if end is None:
        return None
    path = Path(brand.path_of(end.file))
    presentation = None if is_still(path) else choose_streams(probe(path, path.name))
    return Opened(path, end.fit, presentation)


@dataclass(frozen=True, slots=True)
class FilmSound:
    """A clip's sound between those of its bookends, which are made as loud as it is.

    May be read several times.
    """

    clip: Iterable[Samples]
    bookends: Bookends
    film: FilmFrames

    def __iter__(self) -> Iterator[Samples]:
        wanted = loudness_of(self.clip) if self.bookends.have_sound else None
        begins, ends, total = (
            round(at * RATE) for at in (self.film.clip_begins, self.film.clip_ends, self.film.ends)
        )
        if self.bookends.intro is not None:
            yield from _as_loud(self.bookends.intro, begins, wanted)
        yield from self.clip
        if self.bookends.outro is not None:
            yield from _as_loud(self.bookends.outro, total - ends, wanted)


def _as_loud(end: Opened, samples: int, wanted: float | None) -> Iterator[Samples]:
    own = loudness_of(end.sound(samples)) if wanted is not None else None
    if wanted is None or own is None:
        return end.sound(samples)
    gain = 10 ** (min(wanted - own, MOST_GAIN_DB) / 20)
    return shaped(end.sound(samples), [(0, gain), (samples, gain)])
