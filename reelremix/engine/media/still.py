"""Pictures of the user's own as frames: PNG, JPEG and WebP, upright, on black where transparent."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from reelremix.engine.domain.source import VideoFormat
from reelremix.engine.media.decode import Frame, Upright
from reelremix.engine.media.faults import reading
from reelremix.engine.media.probe import open_input
from reelremix.errors import UnreadableMedia

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"


def is_still(path: Path) -> bool:
    """Whether a file begins like a picture. Raises UnreadableMedia for one that does not open."""
    with reading(path), path.open("rb") as file:
        head = file.read(12)
    return head.startswith((PNG, JPEG)) or (head[:4] == b"RIFF" and head[8:] == b"WEBP")


def still_size(path: Path) -> tuple[int, int]:
    """Width and height as the file's head has them.

    Raises:
        UnreadableMedia: it cannot be opened.
    """
    with open_input(path) as container, reading(path):
        context = container.streams.video[0].codec_context
        size = context.width, context.height
    if not all(size):
        raise _damaged(path)
    return size


def read_still(path: Path) -> Frame:
    """The picture as everything after `media` sees pictures: see `decode`.

    Raises:
        UnreadableMedia: it is damaged.
    """
    with open_input(path) as container, reading(path):
        frame = next(container.decode(video=0), None)
    if frame is None:
        raise _damaged(path)
    return Upright(format_of(frame, round(-frame.rotation) % 360))(_on_black(frame))


def _damaged(path: Path) -> UnreadableMedia:
    return UnreadableMedia(f"{path.name} is damaged: it holds no complete picture")


def format_of(frame: Frame, clockwise_deg: int = 0) -> VideoFormat:
    """What a frame looks like once it is turned upright."""
    width, height = frame.width, frame.height
    if clockwise_deg % 180:
        width, height = height, width
    return VideoFormat(
        width, height, Fraction(1), False, clockwise_deg, False, frame.format.name,
        frame.width, frame.height,
    )  # fmt: skip


def _on_black(frame: Frame) -> Frame:
    if not any(part.is_alpha for part in frame.format.components) and frame.format.name != "pal8":
        return frame
    pixels = frame.to_ndarray(format="rgba")
    shown = pixels[..., :3] * (pixels[..., 3:] / np.float32(255))
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(shown.round().astype(np.uint8)), "rgb24")
