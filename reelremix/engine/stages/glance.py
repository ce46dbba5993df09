"""A stretch of a recording at a glance: a few small pictures, and how loud it is when."""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from reelremix.engine.domain.context import ArtifactKey, RunContext
from reelremix.engine.domain.source import Presentation
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.media.audio import read_speech
from reelremix.engine.media.decode import FrameReader, Shrinker
from reelremix.engine.stages.artifact import key_for, load, save

VERSION = 1
HEIGHT_PX = 54
"""Of the small pictures."""
PEAKS_PER_S = 20
QUIETEST_DB = -50.0
"""What is quieter than this against the loudest moment is shown as silence."""
STAGE = "glance"


@dataclass(frozen=True, slots=True)
class Thumb:
    """A small picture."""

    at_s: float
    width_px: int
    height_px: int
    packed: str
    """Rows of RGB, packed."""

    @classmethod
    def of(cls, at_s: float, width_px: int, height_px: int, rgb: bytes) -> Thumb:
        """Keep a picture of three bytes a pixel, row by row."""
        packed = base64.b64encode(zlib.compress(rgb, 1)).decode()
        return cls(at_s, width_px, height_px, packed)

    @property
    def rgb(self) -> bytes:
        """Three bytes a pixel, row by row."""
        return zlib.decompress(base64.b64decode(self.packed))


@dataclass(frozen=True, slots=True)
class Glance:
    """What a stretch looks and sounds like."""

    start_s: float
    end_s: float
    thumbs: tuple[Thumb, ...]
    """In order; pictures that can be had quickly, so not exactly evenly spread."""
    levels: tuple[float, ...]
    """`PEAKS_PER_S` a second, 0 silent to 1 as loud as it gets there; empty without sound."""


def glance(
    path: Path, presentation: Presentation, span: TimeRange, count: int, ctx: RunContext
) -> Glance:
    """Look at a stretch, with so many pictures. Raises UnreadableMedia and Cancelled."""
    key = _key(ctx, presentation, span, count)
    known = load(ctx, key, Glance)
    if known is not None:
        return known
    thumbs = _thumbs(path, presentation, span, count, ctx)
    levels = _levels(path, presentation, span, ctx) if presentation.audio is not None else ()
    seen = Glance(span.start_s, span.end_s, thumbs, levels)
    save(ctx, key, seen)
    return seen


def _key(ctx: RunContext, presentation: Presentation, span: TimeRange, count: int) -> ArtifactKey:
    audio = presentation.audio.index if presentation.audio is not None else None
    source = presentation.source.id
    return key_for(ctx, STAGE, VERSION, source=source, audio=audio, span=span, count=count)


def _thumbs(
    path: Path, presentation: Presentation, span: TimeRange, count: int, ctx: RunContext
) -> tuple[Thumb, ...]:
    picture = presentation.picture
    size = max(2, round(HEIGHT_PX * picture.width_px / picture.height_px)), HEIGHT_PX
    shrink, found = Shrinker("rgb24"), []
    step = (span.end - span.start).exact / count
    with FrameReader(path, presentation, threads=1) as reader:
        for number in range(count):
            ctx.cancel.raise_if_set()
            at = Timestamp.from_seconds(span.start.exact + step * (2 * number + 1) / 2)
            wanted = TimeRange(at, at + Timestamp.from_seconds(1))
            for seen in reader.frames(wanted, keyframes_only=True):
                rows = shrink(seen.frame, size).to_ndarray()
                found.append(Thumb.of(at.seconds, *size, rows.tobytes()))
                break
    return tuple(found)


def _levels(
    path: Path, presentation: Presentation, span: TimeRange, ctx: RunContext
) -> tuple[float, ...]:
    sound = read_speech(path, presentation, span, ctx.cancel)
    per = 16_000 // PEAKS_PER_S
    blocks = sound[: len(sound) // per * per].reshape(-1, per)
    loudness: npt.NDArray[np.float64] = np.sqrt((blocks.astype(np.float64) ** 2).mean(axis=1))
    loudest = max(float(loudness.max(initial=0.0)), 1e-6)
    level = 20 * np.log10(np.maximum(loudness / loudest, 1e-6))
    return tuple(round(float(v), 3) for v in np.clip(1 - level / QUIETEST_DB, 0, 1))
