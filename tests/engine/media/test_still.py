"""Pictures of every kind become the one kind of frame that everything else takes."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from reelremix.engine.media.decode import Frame, planes
from reelremix.engine.media.still import is_still, read_still, still_size
from reelremix.errors import UnreadableMedia
from tests.engine.captions.kit import png
from tests.media_factory import Solid, quarters

KINDS = {"png": ("png", "rgb24"), "jpg": ("mjpeg", "yuvj420p"), "webp": ("libwebp", "yuv420p")}
RED, GREEN, BLUE = (63, 102, 240), (173, 42, 26), (32, 240, 118)
"""bt709, limited range."""


def picture(path: Path) -> Path:
    """Quarters of 64x32, in the kind that the suffix names."""
    codec, pixels = KINDS[path.suffix[1:]]
    context = av.CodecContext.create(codec, "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt = 64, 32, pixels
    context.time_base = Fraction(1)
    frame = av.VideoFrame.from_ndarray(quarters(0, (64, 32)), "rgb24").reformat(format=pixels)
    frame.pts = 0
    path.write_bytes(b"".join(map(bytes, [*context.encode(frame), *context.encode(None)])))
    return path


def turned(path: Path, orientation: int) -> Path:
    """A JPEG with EXIF's word for how it is to be turned."""
    tag = struct.pack("<HHIHH", 0x112, 3, 1, orientation, 0)
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 1) + tag + bytes(4)
    content = path.read_bytes()
    head = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    path.write_bytes(content[:2] + head + content[2:])
    return path


def colour(frame: Frame, x: float, y: float) -> tuple[int, ...]:
    """The colour at a share of width and height."""
    return tuple(int(p[int(y * p.shape[0]), int(x * p.shape[1])]) for p in planes(frame))


@pytest.mark.parametrize("kind", KINDS)
def test_colours_are_those_of_films(tmp_path: Path, kind: str) -> None:
    path = picture(tmp_path / f"a.{kind}")
    assert is_still(path) and still_size(path) == (64, 32)
    frame = read_still(path)
    assert (frame.width, frame.height, frame.format.name) == (64, 32, "yuv420p")
    for at, expected in (((0.2, 0.2), RED), ((0.8, 0.2), GREEN), ((0.2, 0.8), BLUE)):
        assert colour(frame, *at) == pytest.approx(expected, abs=4)


def test_a_photo_is_turned_as_its_camera_says(tmp_path: Path) -> None:
    frame = read_still(turned(picture(tmp_path / "a.jpg"), 6))
    assert (frame.width, frame.height) == (32, 64)
    assert colour(frame, 0.2, 0.2) == pytest.approx(BLUE, abs=4)
    assert colour(frame, 0.8, 0.2) == pytest.approx(RED, abs=4)


def test_what_is_transparent_is_black(tmp_path: Path) -> None:
    content = np.dstack([Solid(GREEN)(0, (32, 32)), np.zeros((32, 32, 1), np.uint8)])
    path = tmp_path / "a.png"
    context = av.CodecContext.create("png", "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width = context.height = 32
    context.pix_fmt, context.time_base = "rgba", Fraction(1)
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(content), "rgba")
    path.write_bytes(b"".join(map(bytes, [*context.encode(frame), *context.encode(None)])))
    assert colour(read_still(path), 0.5, 0.5) == pytest.approx((16, 128, 128), abs=1)


def test_a_picture_cut_short_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png(64, 64)[:40])
    with pytest.raises(UnreadableMedia, match=r"a\.png"):
        read_still(path)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"RIFF1234WAVE", b"text"])
def test_other_files_are_no_pictures(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)
    assert not is_still(path)
