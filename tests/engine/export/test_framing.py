"""What programs show of an export is what a render shows, pixel by pixel.

A source whose colours tell where each pixel comes from is rendered, and painted again from the
numbers in the exported files by what is known of each program (`programs`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.layout import Layout, LayoutPiece
from reelremix.engine.domain.subject import Subject
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.media.compose import Composer
from reelremix.engine.media.decode import Frame, FrameReader, planes
from tests.engine.export import handover
from tests.engine.export.handover import OUTPUT, PAL, clip_on, exported, recording, span_of
from tests.engine.export.programs import FcpXmlFile, Picture, PremiereFile, Shown, paint, read
from tests.media_factory import Rgb

FIRST, LAST = 30, 80
FRAMES = (0, 11, 25, 37, 49)
MEAN_TOLERANCE = 0.6
"""Of 255: scaling, chroma at half resolution, windows on even pixels."""

BLURRED_TOLERANCE = 3.0
"""Of what the render blurs and programs do not."""


def places(_: int, size: tuple[int, int]) -> Rgb:
    """Red tells how far right a pixel is, green how far down."""
    x = np.linspace(0, 255, size[0])[None, :].repeat(size[1], axis=0)
    y = np.linspace(0, 255, size[1])[:, None].repeat(size[0], axis=1)
    return np.stack([x, y, np.full_like(x, 128)], axis=2).round().astype(np.uint8)


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    """A recording of three seconds or so."""
    path = tmp_path_factory.mktemp("places") / "places.mp4"
    return recording(path, PAL, 4, places)


def clip_showing(make: Callable[[TimeRange], LayoutPiece]) -> Clip:
    """A clip of one piece."""
    piece = make(span_of(FIRST, LAST, PAL))
    return clip_on([(FIRST, LAST)], PAL, layout=Layout((piece,)))


def rendered(clip: Clip, subject: Subject, frame: int) -> tuple[Picture, Picture]:
    """What a render shows, and the picture of the source that it shows."""
    at = Timestamp.from_seconds((FIRST + frame) / PAL)
    span = TimeRange(at, at + Timestamp.from_seconds(1 / PAL))
    with FrameReader(subject.path, subject.presentation) as reader:
        picture = next(reader.frames(span)).frame
        drawn = Composer(clip.output).draw(clip.layout.pieces[0], picture, at)
        return colours(drawn), colours(picture)


def colours(frame: Frame) -> Picture:
    """Luma and both chromas of every pixel; black is zero, and nothing is converted."""
    y, u, v = (plane.astype(np.float64) for plane in planes(frame))
    wide = [np.repeat(np.repeat(p, 2, axis=0), 2, axis=1) - 128 for p in (u, v)]
    return np.stack([y - 16, *wide], axis=2)


def otio_shown(path: Path, frame: int) -> list[Shown]:
    """The layers that an OTIO file's metadata describes."""
    layers = []
    for track in json.loads(path.read_text())["tracks"]["children"]:
        about = track["children"][0]["metadata"].get("reelremix")
        if track["kind"] == "Video" and about is not None:
            layers.append(_otio_layer(about, frame))
    return layers


def _otio_layer(about: dict[str, Any], frame: int) -> Shown:
    times = [key["frame"] for key in about["keyframes"]]

    def value(name: str, part: int) -> float:
        values = [np.atleast_1d(key[name])[part] for key in about["keyframes"]]
        return float(np.interp(frame, times, values))

    middle = OUTPUT[0] / 2 + value("position", 0), OUTPUT[1] / 2 + value("position", 1)
    left, top, right, bottom = (value("crop", n) for n in range(4))
    opacity = 0.55 if about["background"] else 1.0
    return Shown(FIRST + frame, value("scale", 0), middle, (left, top, right, bottom), opacity)


def fcpxml_shown(path: Path, frame: int, *, is_resolve: bool) -> list[Shown]:
    file = FcpXmlFile(read(path), is_resolve)
    return file.shown(file.projects[0], frame)


def premiere_shown(path: Path, frame: int) -> list[Shown]:
    file = PremiereFile(read(path))
    return file.shown(file.sequences[0], frame)


READERS: dict[str, Callable[[Path, int], Sequence[Shown]]] = {
    "fcpxml": lambda path, frame: fcpxml_shown(path, frame, is_resolve=False),
    "resolve": lambda path, frame: fcpxml_shown(path, frame, is_resolve=True),
    "premiere": premiere_shown,
    "otio": otio_shown,
}
KINDS = ("moving", "split", "grid", "inset")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("to", READERS)
def test_a_program_shows_what_a_render_shows(
    to: str, kind: str, subject: Subject, tmp_path: Path
) -> None:
    clip = clip_showing(getattr(handover, kind))
    path = exported(to, [clip], subject, tmp_path).files[0]
    for frame in FRAMES:
        layers = READERS[to](path, frame)
        assert {layer.source for layer in layers} == {FIRST + frame}
        wanted, source = rendered(clip, subject, frame)
        assert np.abs(paint(layers, source, OUTPUT) - wanted).mean() < MEAN_TOLERANCE


@pytest.mark.parametrize("to", READERS)
def test_what_no_region_covers_is_the_dimmed_middle_of_the_picture(
    to: str, subject: Subject, tmp_path: Path
) -> None:
    clip = clip_showing(handover.fitted)
    path = exported(to, [clip], subject, tmp_path).files[0]
    wanted, source = rendered(clip, subject, 5)
    seen = paint(READERS[to](path, 5), source, OUTPUT)
    inside = slice(114, 206)  # away from the edges of the region
    assert np.abs(seen[inside] - wanted[inside]).mean() < MEAN_TOLERANCE
    assert np.abs(seen[:100, :, 0] - wanted[:100, :, 0]).mean() < BLURRED_TOLERANCE


def test_the_comparison_notices_three_pixels(subject: Subject, tmp_path: Path) -> None:
    clip = clip_showing(handover.split)
    path = exported("premiere", [clip], subject, tmp_path).files[0]
    layers = premiere_shown(path, 5)
    moved = [
        Shown(s.source, s.scale, (s.middle[0] + 3, s.middle[1]), s.crop, s.opacity) for s in layers
    ]
    wanted, source = rendered(clip, subject, 5)
    assert np.abs(paint(moved, source, OUTPUT) - wanted).mean() > MEAN_TOLERANCE
