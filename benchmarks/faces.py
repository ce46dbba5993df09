"""Which face detector: what each finds of the faces that are known, and what a picture costs.

    python benchmarks/faces.py

Pictures are taken twice a shot, from shots whose faces are all known; the detectors take turns on
each picture. To see where faces become too small, the pictures are also shown from further away:
shrunk, in the middle of an empty frame.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from measuring import PANEL, keep, model_folder, needs, show

from reelremix.engine.domain.track import Box
from reelremix.engine.models.faces import BACK_CAMERA, FULL_RANGE, BlazeFace

FOUND_IOU = 0.3
"""Boxes of different detectors frame a face differently: with or without forehead and chin."""
MOMENTS = (0.3, 0.7)
"""Where in a shot pictures are taken."""
DISTANCES = (1, 2, 3, 4)


def main() -> None:
    truth = json.loads(needs(PANEL.with_suffix(".gt.json")).read_text(encoding="utf-8"))
    folder = Path(model_folder("blazeface"))
    detectors = {
        "full range, sparse": BlazeFace(folder, FULL_RANGE),
        "back camera": BlazeFace(folder, BACK_CAMERA),
    }
    tallies = {(name, distance): _Tally() for name in detectors for distance in DISTANCES}
    for picture, faces in _pictures(truth):
        for distance in DISTANCES:
            for name, detector in detectors.items():
                tallies[name, distance].look(detector, picture, faces, distance)
    rows = [
        {"detector": name, "distance": distance, **tally.result()}
        for (name, distance), tally in tallies.items()
    ]
    show("Face detectors", [*rows[0]], [[*row.values()] for row in rows])
    keep("faces", {"detectors": rows})


class _Tally:
    def __init__(self) -> None:
        self.faces = self.found = self.extra = self.pictures = 0
        self.heights: list[float] = []
        self.times_ms: list[float] = []

    def look(
        self, detector: BlazeFace, picture: av.VideoFrame, faces: list[Box], distance: int
    ) -> None:
        scale = detector.input_size_px / max(picture.width, picture.height) / distance
        image = _from_afar(picture, scale, distance)
        left = (image.shape[1] - round(picture.width * scale)) // 2
        top = (image.shape[0] - round(picture.height * scale)) // 2
        wanted = [
            Box(f.x * scale + left, f.y * scale + top, f.width * scale, f.height * scale)
            for f in faces
        ]
        began = time.perf_counter()
        boxes = [face.box for face in detector.detect(image)]
        self.times_ms.append((time.perf_counter() - began) * 1000)
        hits = sum(any(box.iou(face) >= FOUND_IOU for box in boxes) for face in wanted)
        self.pictures += 1
        self.faces += len(faces)
        self.found += hits
        self.extra += max(0, len(boxes) - hits)
        self.heights += [f.height / picture.height / distance for f in faces]

    def result(self) -> dict[str, Any]:
        return {
            "faces": self.faces,
            "height of the frame": f"{100 * statistics.median(self.heights):.0f} %",
            "found": round(self.found / self.faces, 4),
            "false, a hundred pictures": round(100 * self.extra / self.pictures, 1),
            "ms a picture": round(statistics.median(self.times_ms), 2),
        }


def _from_afar(picture: av.VideoFrame, scale: float, distance: int) -> npt.NDArray[np.uint8]:
    small = picture.reformat(
        width=round(picture.width * scale),
        height=round(picture.height * scale),
        format="rgb24",
        interpolation="AREA",
    ).to_ndarray()
    height, width = round(small.shape[0] * distance), round(small.shape[1] * distance)
    frame = np.full((height, width, 3), 60, np.uint8)
    top, left = (height - small.shape[0]) // 2, (width - small.shape[1]) // 2
    frame[top : top + small.shape[0], left : left + small.shape[1]] = small
    return frame


def _pictures(truth: dict[str, Any]) -> Iterator[tuple[av.VideoFrame, list[Box]]]:
    with av.open(str(needs(PANEL))) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for shot in truth["shots"]:
            if shot["source"] or not shot["panes"]:
                continue
            faces = [Box(*pane["face"]) for pane in shot["panes"]]
            for share in MOMENTS:
                at = shot["start"] + share * (shot["end"] - shot["start"])
                yield _picture(container, stream, at), faces


def _picture(container: Any, stream: Any, at: float) -> av.VideoFrame:
    container.seek(int(at / stream.time_base), stream=stream)
    for frame in container.decode(stream):
        if float(frame.pts * stream.time_base) >= at - 0.02:
            return frame
    raise SystemExit(f"no picture at {at:.2f} s")


if __name__ == "__main__":
    main()
