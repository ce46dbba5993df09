"""Small recordings with known truth, made on the spot with PyAV.

A recording is described by a `Film` and any number of `Sound`s and written by `write_media`; what
is in them (colours, cuts, beeps) is decided by the functions below, so tests know it exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
import numpy.typing as npt
from av.stream import Disposition
from av.video.reformatter import (
    ColorPrimaries,
    ColorRange,
    Colorspace,
    ColorTrc,
    VideoReformatter,
)

Rgb = npt.NDArray[np.uint8]
"""Shape (height, width, 3)."""
Wave = npt.NDArray[np.float32]
"""Shape (channels, samples), -1 to 1."""
Paint = Callable[[int, tuple[int, int]], Rgb]
"""The picture of a frame number, given width and height."""

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
BLACK, GREY, YELLOW, CYAN = (0, 0, 0), (128, 128, 128), (255, 255, 0), (0, 255, 255)
MILLISECOND = Fraction(1, 1000)


@dataclass(frozen=True, slots=True)
class Colours:
    """How RGB becomes the stored numbers, and how the stream is tagged."""

    matrix: Colorspace = Colorspace.ITU709
    tagged_matrix: int = 1
    primaries: int = ColorPrimaries.BT709
    transfer: int = ColorTrc.BT709
    full_range: bool = False


UNTAGGED_SD = Colours(Colorspace.ITU601, 2, ColorPrimaries.UNSPECIFIED, ColorTrc.UNSPECIFIED)
PQ = Colours(Colorspace.BT2020, 9, ColorPrimaries.BT2020, ColorTrc.SMPTE2084)


HEVC_OPTIONS = {"preset": "ultrafast", "crf": "12", "x265-params": "log-level=none"}
"""Write HEVC into Matroska: libx265's headers sometimes do not suit the MP4 muxer."""


def plain(number: int, size: tuple[int, int]) -> Rgb:
    """Grey throughout."""
    return Solid(GREY)(number, size)


@dataclass(frozen=True, slots=True)
class Film:
    """A video stream."""

    frames: int = 25
    paint: Paint = plain
    size: tuple[int, int] = (320, 180)
    rate: Fraction = Fraction(25)
    times: tuple[Fraction, ...] | None = None
    """When each frame is shown, for a variable rate; `frames` then does not count."""
    start_s: Fraction = Fraction(0)
    codec: str = "libx264"
    pixels: str = "yuv420p"
    options: dict[str, str] = field(default_factory=lambda: {"preset": "ultrafast", "crf": "12"})
    clockwise_deg: int = 0
    """The turn a player is told to apply."""
    pixel_aspect: Fraction = Fraction(1)
    colours: Colours = Colours()
    keyframe_every: int = 12


@dataclass(frozen=True, slots=True)
class Sound:
    """An audio stream, made of pieces that begin at given times with nothing between them."""

    pieces: tuple[tuple[Fraction, Wave], ...]
    rate_hz: int = 48_000
    layout: str = "stereo"
    codec: str = "aac"
    language: str | None = None
    title: str | None = None
    is_default: bool | None = None
    """None leaves the choice to the container."""


def write_media(
    path: Path,
    film: Film | None = None,
    *sounds: Sound,
    metadata: dict[str, str] | None = None,
    chapters: Sequence[tuple[int, int, str]] = (),
    index_first: bool = False,
) -> Path:
    """Write a recording; the suffix names the container. Chapters are (start_s, end_s, title).

    What was written before is written again without encoding it again.
    """
    made = _Recipe(path.suffix, repr(film), tuple(map(_digest, sounds)), repr(metadata),
                   repr(chapters), index_first)  # fmt: skip
    if made in WRITTEN:
        path.write_bytes(WRITTEN[made])
        return path
    _write(path, film, sounds, metadata or {}, chapters, index_first=index_first)
    if "<locals>" not in made.film:  # such a function may be another one at the same address
        WRITTEN[made] = path.read_bytes()
    return path


class _Recipe(NamedTuple):
    """All that a recording's bytes depend on."""

    suffix: str
    film: str
    sounds: tuple[str, ...]
    metadata: str
    chapters: str
    index_first: bool


WRITTEN: dict[_Recipe, bytes] = {}


def _digest(sound: Sound) -> str:
    waves = [(at, wave.shape, sha256(wave.tobytes()).hexdigest()) for at, wave in sound.pieces]
    return repr((waves, replace(sound, pieces=())))


def _write(
    path: Path,
    film: Film | None,
    sounds: Sequence[Sound],
    metadata: dict[str, str],
    chapters: Sequence[tuple[int, int, str]],
    *,
    index_first: bool,
) -> None:
    options = {"movflags": "+faststart+use_metadata_tags"} if index_first or metadata else {}
    with av.open(f"file:{path}", "w", options=options) as container:
        container.metadata.update(metadata)
        pictures: Any = _add_film(container, film) if film else None
        tracks: list[Any] = [_add_sound(container, sound) for sound in sounds]
        if chapters:
            container.set_chapters([
                {"id": n, "start": a, "end": b, "time_base": Fraction(1), "metadata": {"title": t}}
                for n, (a, b, t) in enumerate(chapters)
            ])  # fmt: skip
        if film:
            _write_film(container, pictures, film)
        for track, sound in zip(tracks, sounds, strict=True):
            _write_sound(container, track, sound)


def _add_film(container: Any, film: Film) -> Any:
    rate = 1 / MILLISECOND if film.times else film.rate
    stream = container.add_stream(film.codec, rate=rate, options=film.options)
    context = stream.codec_context
    context.width, context.height = film.size
    context.pix_fmt = film.pixels
    context.time_base = _time_base(film)
    context.gop_size = film.keyframe_every
    context.color_range = ColorRange.JPEG if film.colours.full_range else ColorRange.MPEG
    context.colorspace = film.colours.tagged_matrix
    context.color_primaries = film.colours.primaries
    context.color_trc = film.colours.transfer
    if film.pixel_aspect != 1:
        context.sample_aspect_ratio = film.pixel_aspect
    if film.clockwise_deg:
        stream.set_display_rotation(-film.clockwise_deg)
    return stream


def _time_base(film: Film) -> Fraction:
    return MILLISECOND if film.times or film.start_s else 1 / film.rate


def _write_film(container: Any, stream: Any, film: Film) -> None:
    base = _time_base(film)
    times = film.times or tuple(n / film.rate for n in range(film.frames))
    reformatter = VideoReformatter()
    for number, at in enumerate(times):
        frame = av.VideoFrame.from_ndarray(film.paint(number, film.size), format="rgb24")
        frame = reformatter.reformat(
            frame,
            format=film.pixels,
            dst_colorspace=film.colours.matrix,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.JPEG if film.colours.full_range else ColorRange.MPEG,
        )
        frame.colorspace = film.colours.tagged_matrix
        frame.color_primaries, frame.color_trc = film.colours.primaries, film.colours.transfer
        frame.pts, frame.time_base = round((at + film.start_s) / base), base
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _add_sound(container: Any, sound: Sound) -> Any:
    stream = container.add_stream(sound.codec, rate=sound.rate_hz)
    stream.codec_context.layout = sound.layout
    stream.codec_context.time_base = Fraction(1, sound.rate_hz)
    if sound.language:
        stream.metadata["language"] = sound.language
    if sound.title:
        stream.metadata["title"] = sound.title
    if sound.is_default is not None:
        stream.disposition = Disposition.default if sound.is_default else Disposition(0)
    return stream


def _write_sound(container: Any, stream: Any, sound: Sound) -> None:
    planar = sound.codec != "pcm_s16le"
    for start_s, wave in sound.pieces:
        begin = round(start_s * sound.rate_hz)
        for offset in range(0, wave.shape[1], 1024):
            piece = wave[:, offset : offset + 1024]
            frame = _planar_frame(piece, sound) if planar else _packed_frame(piece, sound)
            frame.sample_rate = sound.rate_hz
            frame.pts, frame.time_base = begin + offset, Fraction(1, sound.rate_hz)
            container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _planar_frame(piece: Wave, sound: Sound) -> av.AudioFrame:
    return av.AudioFrame.from_ndarray(np.ascontiguousarray(piece), "fltp", sound.layout)


def _packed_frame(piece: Wave, sound: Sound) -> av.AudioFrame:
    numbers = (piece * 32767).round().astype(np.int16)
    return av.AudioFrame.from_ndarray(numbers.T.reshape(1, -1).copy(), "s16", sound.layout)


@dataclass(frozen=True, slots=True)
class Solid:
    """A `Paint` of one colour for good."""

    colour: tuple[int, int, int]

    def __call__(self, _: int, size: tuple[int, int]) -> Rgb:
        return _filled(size, self.colour).copy()


@lru_cache(maxsize=8)
def _filled(size: tuple[int, int], colour: tuple[int, int, int]) -> Rgb:
    return np.full((size[1], size[0], 3), colour, np.uint8)


def hdr_film(frames: int = 2) -> Film:
    """Ten-bit PQ, from black to 10,000 nits."""
    return Film(frames, ramp, codec="libx265", pixels="yuv420p10le", options=HEVC_OPTIONS,
                colours=PQ)  # fmt: skip


def colours_in_turn(frames_each: int, *colours: tuple[int, int, int]) -> Paint:
    """A hard cut from one colour to the next after every `frames_each` frames."""
    return lambda n, size: Solid(colours[n // frames_each % len(colours)])(n, size)


def quarters(_: int, size: tuple[int, int]) -> Rgb:
    """Red top left, green top right, blue bottom left, white bottom right."""
    picture = np.empty((size[1], size[0], 3), np.uint8)
    x, y = size[0] // 2, size[1] // 2
    picture[:y, :x], picture[:y, x:], picture[y:, :x], picture[y:, x:] = RED, GREEN, BLUE, WHITE
    return picture


def ramp(_: int, size: tuple[int, int]) -> Rgb:
    """Grey from black at the left to white at the right."""
    row = np.linspace(0, 255, size[0]).round().astype(np.uint8)
    return np.repeat(np.tile(row, (size[1], 1))[:, :, None], 3, axis=2)


def counted(number: int, size: tuple[int, int]) -> Rgb:
    """The frame's number in eight black or white columns, the highest bit at the left."""
    picture = np.zeros((size[1], size[0], 3), np.uint8)
    for bit in range(8):
        if number >> (7 - bit) & 1:
            picture[:, bit * size[0] // 8 : (bit + 1) * size[0] // 8] = 255
    return picture


def flashing(*white_frames: int) -> Paint:
    """Black but for these frames, which are white."""
    return lambda n, size: Solid(WHITE if n in white_frames else BLACK)(n, size)


def count_of(luma: npt.NDArray[Any]) -> int:
    """The number that `counted` painted, read from grey values."""
    width = luma.shape[1] // 8
    bits = [luma[:, n * width + width // 4 : (n + 1) * width - width // 4].mean() for n in range(8)]
    return sum(1 << (7 - n) for n, bit in enumerate(bits) if bit > 126)


def tone(seconds: float, hz: float = 440.0, level: float = 0.3, channels: int = 2,
         rate_hz: int = 48_000) -> Wave:  # fmt: skip
    """A sine wave."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    wave = (level * np.sin(2 * np.pi * hz * t)).astype(np.float32)
    return np.tile(wave, (channels, 1))


def beeps(seconds: float, *at_s: float, rate_hz: int = 48_000) -> Wave:
    """Silence but for 40 ms of 1 kHz at each of these times."""
    wave = np.zeros((2, round(seconds * rate_hz)), np.float32)
    beep = tone(0.04, 1000, 0.5, 2, rate_hz)
    for at in at_s:
        begin = round(at * rate_hz)
        wave[:, begin : begin + beep.shape[1]] = beep
    return wave


def sound_of(wave: Wave, start_s: Fraction = Fraction(0), **more: Any) -> Sound:
    """A stream with one piece."""
    return Sound(((start_s, wave),), **more)


def onset_s(wave: npt.NDArray[Any], rate_hz: int, *, threshold: float = 0.1) -> float:
    """When a wave first gets loud."""
    loud = np.abs(wave).max(axis=0) > threshold * float(np.abs(wave).max())
    return float(loud.argmax()) / rate_hz


def click_and_flash(path: Path, seconds: int = 3, rate: int = 25, **film: Any) -> Path:
    """A white frame and a beep together once a second, half a second in."""
    flashes = [second * rate + rate // 2 for second in range(seconds)]
    picture = Film(seconds * rate, flashing(*flashes), rate=Fraction(rate), **film)
    return write_media(path, picture, sound_of(beeps(seconds, *(f / rate for f in flashes))))


def plain_film(path: Path, seconds: float = 2, **film: Any) -> Path:
    """Numbered frames and a tone."""
    made = Film(**{"paint": counted, **film})
    frames = Film(**{"frames": round(seconds * made.rate), "paint": counted, **film})
    return write_media(path, frames, sound_of(tone(seconds)))


def without_frames(path: Path) -> Path:
    """A container with an index and a video stream, but not one frame."""
    with av.open(f"file:{path}", "w") as container:
        _add_film(container, Film())
        container.start_encoding()
    return path


def cut_short(whole: Path, path: Path, share: float) -> Path:
    """The first part of a file."""
    content = whole.read_bytes()
    path.write_bytes(content[: round(len(content) * share)])
    return path
