"""Faces in a picture: MediaPipe's BlazeFace through LiteRT.

Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs", 2019.
Anchors and decoding follow MediaPipe's `ssd_anchors_calculator` and
`tflite_tensors_to_detections_calculator`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from reelremix.engine.domain.track import Box
from reelremix.errors import ModelError

RgbImage = npt.NDArray[np.uint8]
"""Shape (height, width, 3)."""
Floats = npt.NDArray[np.float32]
Point = tuple[float, float]
"""x and y in pixels."""
SCORE_LIMIT = 80.0
"""Raw scores beyond this overflow the logistic function in single precision."""
EYE_POINTS, MOUTH_POINT = (0, 1), 3


@dataclass(frozen=True, slots=True)
class Face:
    """One detected face, in pixels of the image it was found in."""

    box: Box
    probability: float
    mouth: Point
    eyes: tuple[Point, Point] | None = None
    """None where the detector does not tell."""


class FaceDetector(Protocol):
    """Finds faces in one picture."""

    input_size_px: int
    """Pictures are best given with their longer side this long."""

    def detect(self, image: RgbImage) -> list[Face]:
        """Faces, most certain first."""


@dataclass(frozen=True, slots=True)
class _Variant:
    """How one BlazeFace network lays out its anchors."""

    file: str
    input_px: int
    grids: tuple[tuple[int, int], ...]
    """(cells a side, anchors a cell)."""


BACK_CAMERA = _Variant("face_detection_back.tflite", 256, ((16, 2), (8, 6)))
FULL_RANGE = _Variant("face_detection_full_range_sparse.tflite", 192, ((48, 1),))


class BlazeFace:
    """`FaceDetector` over one network; not for use by two threads at once."""

    def __init__(
        self,
        folder: Path,
        variant: _Variant = BACK_CAMERA,
        *,
        threads: int = 1,
        min_probability: float = 0.5,
        overlap: float = 0.3,
    ) -> None:
        """Load the network.

        Args:
            folder: where the `.tflite` files are.
            variant: which network.
            threads: CPU threads for one picture.
            min_probability: detections below are dropped.
            overlap: detections with a higher IoU are one face.

        Raises:
            ModelError: the weights are missing or damaged.
        """
        from ai_edge_litert.interpreter import Interpreter

        path = folder / variant.file
        try:
            with _native_chatter_hidden():
                self._network = Interpreter(model_path=str(path), num_threads=threads)
                self._network.allocate_tensors()
        except (ValueError, RuntimeError, OSError) as exc:
            raise ModelError(
                f"the face detector {path} cannot be loaded: {exc}",
                hint="`reelremix models install blazeface` fetches it again",
            ) from exc
        outputs: list[Any] = self._network.get_output_details()
        self._input = self._network.get_input_details()[0]["index"]
        self._boxes = next(o["index"] for o in outputs if o["shape"][-1] == 16)
        self._scores = next(o["index"] for o in outputs if o["shape"][-1] == 1)
        self._anchors = _anchors(variant)
        self._min_probability = min_probability
        self._overlap = overlap
        self.input_size_px = variant.input_px

    def detect(self, image: RgbImage) -> list[Face]:
        """Faces, most certain first."""
        height, width = image.shape[:2]
        size = self.input_size_px
        if max(height, width) > size:
            raise ValueError(f"image is {width}x{height}, at most {size} a side is possible")
        square: Floats = np.zeros((1, size, size, 3), np.float32)
        top, left = (size - height) // 2, (size - width) // 2
        square[0, top : top + height, left : left + width] = image.astype(np.float32) / 127.5 - 1
        self._network.set_tensor(self._input, square)
        self._network.invoke()
        found = self._decode(
            self._network.get_tensor(self._boxes)[0], self._network.get_tensor(self._scores)[0]
        )
        return [_moved(face, -left, -top) for face in found]

    def _decode(self, raw: Floats, raw_scores: Floats) -> list[Face]:
        limited = np.clip(raw_scores[:, 0], -SCORE_LIMIT, SCORE_LIMIT)
        scores: Floats = (1 / (1 + np.exp(-limited))).astype(np.float32)
        keep = scores >= self._min_probability
        points = raw[keep].reshape(-1, 8, 2)
        anchors = self._anchors[keep][:, None, :] * self.input_size_px
        centers = points[:, 0] + anchors[:, 0]
        corners = np.concatenate([centers - points[:, 1] / 2, centers + points[:, 1] / 2], axis=1)
        marks = [points[:, 2 + point] + anchors[:, 0] for point in (MOUTH_POINT, *EYE_POINTS)]
        return _merge(np.hstack([corners, *marks]), scores[keep], self._overlap)


@contextmanager
def _native_chatter_hidden() -> Iterator[None]:
    """LiteRT announces its delegate on the process's standard error, and no setting stops it."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _anchors(variant: _Variant) -> Floats:
    rows = []
    for cells, repeats in variant.grids:
        axis = (np.arange(cells, dtype=np.float32) + 0.5) / cells
        x, y = np.meshgrid(axis, axis)
        rows.append(np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), repeats, axis=0))
    return np.concatenate(rows)


def _merge(values: Floats, scores: Floats, overlap: float) -> list[Face]:
    """Weighted non-maximum suppression: detections of one face are averaged by probability."""
    faces = []
    left = list(np.argsort(-scores, kind="stable"))
    while left:
        best = _box(values[left[0]])
        same = [i for i in left if best.iou(_box(values[i])) > overlap] or [left[0]]
        weights = scores[same][:, None]
        merged = (values[same] * weights).sum(axis=0) / weights.sum()
        mouth, *eyes = ((float(x), float(y)) for x, y in merged[4:10].reshape(3, 2))
        faces.append(Face(_box(merged), float(scores[left[0]]), mouth, (eyes[0], eyes[1])))
        left = [i for i in left if i not in same]
    return faces


def _box(row: Floats) -> Box:
    x0, y0, x1, y1 = (float(v) for v in row[:4])
    return Box(x0, y0, x1 - x0, y1 - y0)


def _moved(face: Face, dx: float, dy: float) -> Face:
    box = Box(face.box.x + dx, face.box.y + dy, face.box.width, face.box.height)
    mouth, *eyes = (
        (x + dx, y + dy) for x, y in (face.mouth, *(face.eyes if face.eyes is not None else ()))
    )
    return Face(box, face.probability, mouth, (eyes[0], eyes[1]) if eyes else None)
