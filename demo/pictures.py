"""Makes the pictures in the documentation from clips of the sample, which shows nobody real.

    python demo/pictures.py .demo/conversation.mp4

Writes docs/framing.jpg (the same moments in several layouts) and docs/clips.jpg (captions).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import skia

from reelremix import engine

DOCS = Path(__file__).parent.parent / "docs"
HEIGHT_PX, GAP_PX, LABEL_PX = 320, 14, 34
BACKGROUND, INK = skia.ColorSetRGB(250, 250, 248), skia.ColorSetRGB(40, 40, 44)
QUALITY = 86
SAMPLING = skia.SamplingOptions(skia.FilterMode.kLinear, skia.MipmapMode.kLinear)


@dataclass(frozen=True)
class Shown:
    """A moment of the sample as clips show it."""

    at_s: float
    layouts: tuple[str, ...]
    captions: str | None = None


FRAMING = (
    Shown(4.0, ("auto", "single", "split", "fit")),
    Shown(46.0, ("auto", "single", "split", "fit")),
    Shown(38.0, ("auto", "single", "screen", "fit")),
)
"""Two people at a table, two in a call, one on a slide."""
CLIPS = tuple(
    Shown(at_s, ("auto",), captions)
    for at_s, captions in ((21.0, "bold"), (64.0, "pop"), (40.0, "karaoke"), (102.0, "pill"),
                           (46.0, "bubble"), (128.0, "neon"))
)  # fmt: skip


def main() -> None:
    """Make both pictures."""
    parser = argparse.ArgumentParser(description="Makes the pictures in the documentation.")
    parser.add_argument("sample", type=Path, help="what demo/make_sample.py has made")
    sample = parser.parse_args().sample
    library = engine.Library.open()
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            [("source", frame_at(sample, shown.at_s)), *_outputs(library, sample, shown, folder)]
            for shown in FRAMING
        ]
        clips = [
            (str(shown.captions), picture)
            for shown in CLIPS
            for _, picture in _outputs(library, sample, shown, folder)
        ]
    _save(DOCS / "framing.jpg", rows)
    _save(DOCS / "clips.jpg", [clips])


def _outputs(
    library: engine.Library, sample: Path, shown: Shown, folder: str
) -> list[tuple[str, skia.Image]]:
    pictures = []
    for layout in shown.layouts:
        request = engine.ClipRequest(
            str(sample),
            str(Path(folder, f"{shown.at_s}-{layout}-{shown.captions}")),
            captions=shown.captions,
            select=engine.SelectOptions(
                ranges=(engine.TimeRange.from_seconds(shown.at_s - 1.5, shown.at_s + 1.5),)
            ),
            frame=engine.FrameOptions(layout=engine.LayoutChoice(layout)),
            encode=engine.EncodeOptions(fps="10"),
        )
        result = library.clip(request)
        [clip] = result.manifest["clips"]
        pictures.append((layout, frame_at(result.folder / clip["files"]["video"], 1.5)))
    return pictures


def frame_at(video: Path, at_s: float) -> skia.Image:
    """The first picture not before a time, as high as the others."""
    with av.open(str(video)) as container:
        for frame in container.decode(video=0):
            if frame.time is not None and frame.time >= at_s:
                pixels = np.ascontiguousarray(frame.to_ndarray(format="rgba"))
                whole = skia.Image.fromarray(pixels, skia.kRGBA_8888_ColorType)
                width = round(frame.width * HEIGHT_PX / frame.height)
                return whole.resize(width, HEIGHT_PX, SAMPLING)
    raise ValueError(f"{video} ends before {at_s} s")


def _save(path: Path, rows: Sequence[Sequence[tuple[str, skia.Image]]]) -> None:
    row_px = HEIGHT_PX + LABEL_PX + GAP_PX
    width = max(sum(p.width() + GAP_PX for _, p in row) for row in rows) + GAP_PX
    surface = skia.Surface(width, GAP_PX + row_px * len(rows))
    surface.getCanvas().clear(BACKGROUND)
    font, paint = skia.Font(skia.Typeface(""), 18), skia.Paint(Color=INK)
    with surface as canvas:
        for number, row in enumerate(rows):
            left, top = float(GAP_PX), float(GAP_PX + number * row_px)
            for label, picture in row:
                canvas.drawImage(picture, left, top)
                canvas.drawString(label, left, top + HEIGHT_PX + 24, font, paint)
                left += picture.width() + GAP_PX
    surface.makeImageSnapshot().save(str(path), skia.kJPEG, QUALITY)
    sys.stderr.write(f"{path} written\n")


if __name__ == "__main__":
    main()
