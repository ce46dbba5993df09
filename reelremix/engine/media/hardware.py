"""Which encoders work on this machine, found by opening them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import av

from reelremix.errors import RenderError

SOFTWARE = "libx264"
HARDWARE = ("h264_nvenc", "h264_videotoolbox", "h264_qsv")
"""Tried in this order by `auto`."""


@dataclass(frozen=True, slots=True)
class ChosenEncoder:
    """An encoder that opens here, and what the user should know about the choice."""

    name: str
    notice: str | None = None


def ffmpeg_version() -> str:
    """Version of the FFmpeg libraries inside PyAV."""
    return str(av.ffmpeg_version_info)


@cache
def pixel_format(encoder: str) -> str:
    """What to feed an encoder: yuv420p where it takes that, else nv12."""
    formats = av.codec.Codec(encoder, "w").video_formats or ()
    names = {form.name for form in formats}
    return "nv12" if names and "yuv420p" not in names else "yuv420p"


@cache
def works(encoder: str) -> bool:
    """Whether `encoder` encodes a frame on this machine."""
    try:
        context = av.CodecContext.create(encoder, "w")
    except (av.error.FFmpegError, ValueError):
        return False
    if not isinstance(context, av.VideoCodecContext):
        return False
    context.width, context.height = 256, 256
    context.pix_fmt = pixel_format(encoder)
    context.time_base = Fraction(1, 25)
    context.framerate = Fraction(25)
    try:
        frame = av.VideoFrame(256, 256, pixel_format(encoder))
        frame.pts = 0
        context.encode(frame)
        context.encode(None)
    except (av.error.FFmpegError, OSError, ValueError):
        return False
    return True


def choose_encoder(wanted: str, opens: Callable[[str], bool] = works) -> ChosenEncoder:
    """The encoder to use for `wanted`, which may be `auto`.

    A hardware encoder that is asked for but does not open here falls back to software, with a
    notice.

    Raises:
        RenderError: FFmpeg has no such encoder, or not even software encoding works.
    """
    if wanted == "auto":
        return ChosenEncoder(next((name for name in HARDWARE if opens(name)), SOFTWARE))
    if opens(wanted):
        return ChosenEncoder(wanted)
    if wanted in HARDWARE:
        return ChosenEncoder(SOFTWARE, f"encoder '{wanted}' does not open here; using {SOFTWARE}")
    raise RenderError(
        f"encoder '{wanted}' is not available here",
        hint=f"`--encoder {SOFTWARE}` works everywhere; hardware: {', '.join(HARDWARE)}",
    )
