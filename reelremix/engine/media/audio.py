"""Sound on the shared clock: decoded in bounded memory, gaps filled, loudness measured and set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.audio.resampler import AudioResampler
from av.filter import Graph

from reelremix.engine.domain.context import CancelToken
from reelremix.engine.domain.source import Presentation
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.media.faults import reading
from reelremix.engine.media.probe import open_input

Samples = npt.NDArray[Any]
"""Shape (channels, samples); int16 or float32."""

PREROLL_S = Fraction(1, 2)
"""Decoded before the wanted start, so that codecs which overlap frames have settled."""
GAP_S = 0.05
"""Timestamps that disagree by more with the samples so far are believed: silence or a cut."""


@dataclass(frozen=True, slots=True)
class PcmFormat:
    """How samples are wanted."""

    rate_hz: int
    layout: str
    """FFmpeg channel layout, such as `mono` or `stereo`."""
    sample: str
    """`s16p` or `fltp`."""

    @property
    def channels(self) -> int:
        """Number of channels."""
        return {"mono": 1, "stereo": 2}[self.layout]

    @property
    def dtype(self) -> type[np.int16] | type[np.float32]:
        """Element type of the arrays."""
        return np.int16 if self.sample == "s16p" else np.float32


SPEECH = PcmFormat(16_000, "mono", "s16p")
"""What speech models take."""
PROGRAMME = PcmFormat(48_000, "stereo", "fltp")
"""What outputs are made of."""


def read_pcm(
    path: Path, presentation: Presentation, wanted: TimeRange, pcm: PcmFormat
) -> Iterator[Samples]:
    """Sound of the chosen audio stream over exactly `wanted`, piece by piece.

    Silence stands wherever the stream has nothing: before a delayed start, in gaps, after its end.

    Raises:
        UnreadableMedia: the file cannot be read any more.
    """
    assert presentation.audio is not None
    total = round((wanted.end - wanted.start).exact * pcm.rate_hz)
    with open_input(path) as container, reading(path):
        stream = container.streams[presentation.audio.index]
        _seek(container, stream, wanted.start + presentation.origin)
        placed = _Placed(pcm, presentation.origin + wanted.start, total)
        for frame in _tolerant_decode(container, stream):
            yield from placed.take(frame)
            if placed.is_full:
                break
        yield from placed.finish()


def read_speech(
    path: Path, presentation: Presentation, wanted: TimeRange, cancel: CancelToken
) -> npt.NDArray[np.float32]:
    """The chosen sound as speech models take it: mono, 16 kHz, -1 to 1, in one piece.

    Raises:
        UnreadableMedia: the file cannot be read.
        Cancelled: the user asked to stop.
    """
    pieces = [np.zeros(0, np.int16)]
    for piece in read_pcm(path, presentation, wanted, SPEECH):
        cancel.raise_if_set()
        pieces.append(piece[0])
    return np.concatenate(pieces).astype(np.float32) / np.float32(32768)


def _seek(container: Any, stream: Any, at: Timestamp) -> None:
    ticks = int((at.exact - PREROLL_S) / stream.time_base)
    try:
        container.seek(ticks, stream=stream)
    except av.error.PermissionError:  # what FFmpeg says of a seek before the first packet
        container.seek(0)


def _tolerant_decode(container: Any, stream: Any) -> Iterator[av.AudioFrame]:
    """Frames until the end, passing over damaged packets."""
    for packet in container.demux(stream):
        try:
            yield from packet.decode()
        except av.error.InvalidDataError:
            continue


class _Placed:
    """Puts decoded frames where their timestamps say, as one gapless stream of `total` samples."""

    def __init__(self, pcm: PcmFormat, start: Timestamp, total: int) -> None:
        self._pcm = pcm
        self._start = float(start.exact)  # microseconds are enough to place sound
        self._total = total
        self._resampler = self._new_resampler()
        self._kind: tuple[str, int, str] | None = None
        """What the resampler was last fed: layout, rate and sample format."""
        self._at: int | None = None
        """Output position of the next resampled sample; negative before the wanted start."""
        self._fed = 0.0
        """Where the next decoded frame should begin, in seconds from the start."""
        self._given = 0

    @property
    def is_full(self) -> bool:
        """Whether nothing more is wanted."""
        return self._given >= self._total

    def take(self, frame: av.AudioFrame) -> Iterator[Samples]:
        """Samples that became ready with this frame."""
        begins = self._begin_of(frame)
        if self._at is None or abs(begins - self._fed) > GAP_S:
            yield from self._drain()
            self._at = round(begins * self._pcm.rate_hz)
            self._fed = begins
        elif self._kind != _kind_of(frame):  # broadcasts change between programmes
            yield from self._drain()
        self._kind = _kind_of(frame)
        self._fed += frame.samples / frame.sample_rate
        frame.pts = None
        yield from self._placed(self._resampler.resample(frame))

    def finish(self) -> Iterator[Samples]:
        """What was still inside the resampler, then silence up to the end."""
        yield from self._drain()
        yield from self._silence_until(self._total)

    def _begin_of(self, frame: av.AudioFrame) -> float:
        if frame.pts is None or frame.time_base is None:
            return self._fed
        ticks = frame.pts * frame.time_base.numerator
        return ticks / frame.time_base.denominator - self._start

    def _drain(self) -> Iterator[Samples]:
        if self._at is not None:
            yield from self._placed(self._resampler.resample(None))
            self._resampler = self._new_resampler()

    def _placed(self, frames: list[av.AudioFrame]) -> Iterator[Samples]:
        assert self._at is not None
        for frame in frames:
            samples = frame.to_ndarray()
            skip = max(0, self._given - self._at)  # before the start, or already given
            if self._at > self._given:
                yield from self._silence_until(min(self._at, self._total))
            piece = samples[:, skip : skip + self._total - self._given]
            self._at += samples.shape[1]
            if piece.shape[1]:
                self._given += piece.shape[1]
                yield piece

    def _silence_until(self, position: int) -> Iterator[Samples]:
        while self._given < position:
            length = min(position - self._given, self._pcm.rate_hz * 10)
            self._given += length
            yield np.zeros((self._pcm.channels, length), self._pcm.dtype)

    def _new_resampler(self) -> AudioResampler:
        return AudioResampler(self._pcm.sample, self._pcm.layout, self._pcm.rate_hz)


def _kind_of(frame: av.AudioFrame) -> tuple[str, int, str]:
    """What a resampler must not see change."""
    return frame.layout.name, frame.sample_rate, frame.format.name


@dataclass(frozen=True, slots=True)
class Loudness:
    """EBU R 128 measurement."""

    integrated_lufs: float | None
    """None for silence or less than 0.4 s of sound."""
    true_peak_dbtp: float | None


class LoudnessMeter:
    """Measures a stream of `PROGRAMME` samples (EBU R 128, FFmpeg's `ebur128`).

    True peaks take most of the time and are measured only when asked for.
    """

    def __init__(self, *, true_peak: bool = False) -> None:
        peak = "peak=true:" if true_peak else ""
        self._chain = FilterChain([("ebur128", f"{peak}framelog=quiet:metadata=1")])
        self._last: dict[str, str] = {}

    def add(self, samples: Samples) -> None:
        """Listen to more."""
        for frame in self._chain.push(samples):
            self._last = dict(frame.metadata) or self._last

    def result(self) -> Loudness:
        """The measurement over everything added."""
        for frame in self._chain.flush():
            self._last = dict(frame.metadata) or self._last
        integrated = self._value("lavfi.r128.I")
        peaks = [self._value(f"lavfi.r128.true_peaks_ch{n}") for n in range(2)]
        peak = max((p for p in peaks if p is not None and p > 0), default=None)
        return Loudness(
            integrated if integrated is not None and integrated > -69.0 else None,
            float(20 * np.log10(peak)) if peak else None,
        )

    def _value(self, name: str) -> float | None:
        text = self._last.get(name)
        return float(text) if text is not None else None


def loudness_of(blocks: Iterable[Samples]) -> float | None:
    """How loud `PROGRAMME` samples are, in LUFS; None for silence or less than 0.4 s of sound."""
    meter = LoudnessMeter()
    for block in blocks:
        meter.add(block)
    return meter.result().integrated_lufs


class Levelled:
    """Applies a gain and holds peaks under a ceiling, at twice the rate so that most peaks between
    samples are caught too: four times took twice as long and found 0.2 dB more."""

    def __init__(self, gain_db: float, ceiling_dbtp: float | None) -> None:
        steps = [("volume", f"{gain_db:.3f}dB:precision=float")]
        if ceiling_dbtp is not None:
            limit = 10 ** (ceiling_dbtp / 20)
            steps += [
                ("aresample", "96000"),
                ("alimiter", f"limit={limit:.5f}:attack=5:release=60:level=false:latency=true"),
                ("aresample", "48000"),
            ]
        self._chain = FilterChain(steps)

    def push(self, samples: Samples) -> Iterator[Samples]:
        """Samples that are ready."""
        return (frame.to_ndarray() for frame in self._chain.push(samples))

    def flush(self) -> Iterator[Samples]:
        """The rest."""
        return (frame.to_ndarray() for frame in self._chain.flush())


class FilterChain:
    """A linear filter graph over `PROGRAMME` samples."""

    def __init__(self, steps: list[tuple[str, str]]) -> None:
        graph = Graph()
        nodes = [graph.add_abuffer(sample_rate=48_000, format="fltp", layout="stereo")]
        nodes += [graph.add(name, arguments) for name, arguments in steps]
        nodes.append(graph.add("aformat", "sample_fmts=fltp:sample_rates=48000"))
        nodes.append(graph.add("abuffersink"))
        graph.link_nodes(*nodes).configure()
        self._graph = graph
        self._fed = 0

    def push(self, samples: Samples) -> Iterator[av.AudioFrame]:
        """Feed samples and give what comes out. FFmpeg refuses a frame without samples."""
        if not samples.shape[1]:
            return iter(())
        frame = audio_frame(samples, self._fed)
        self._fed += samples.shape[1]
        self._graph.push(frame)
        return self._pull()

    def flush(self) -> Iterator[av.AudioFrame]:
        """End the input and give the rest."""
        self._graph.push(None)
        return self._pull()

    def _pull(self) -> Iterator[av.AudioFrame]:
        while True:
            try:
                pulled = self._graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            assert isinstance(pulled, av.AudioFrame)
            yield pulled


def audio_frame(samples: Samples, position: int) -> av.AudioFrame:
    """A `PROGRAMME` frame that starts `position` samples into its stream."""
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(samples, np.float32), format="fltp", layout="stereo"
    )
    frame.sample_rate = PROGRAMME.rate_hz
    frame.pts = position
    frame.time_base = Fraction(1, PROGRAMME.rate_hz)
    return frame
