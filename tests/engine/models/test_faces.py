"""What every face detector must do, and what ours finds in real pictures."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import Interpolation

from reelremix.engine.models.faces import (
    BACK_CAMERA,
    FULL_RANGE,
    BlazeFace,
    Face,
    FaceDetector,
    RgbImage,
)
from reelremix.errors import ModelError
from tests.conftest import Models
from tests.fakes import WhiteFaces


@pytest.fixture(params=["back camera", "full range", "white spots"])
def detector(request: pytest.FixtureRequest, installed_models: Models) -> FaceDetector:
    """Every implementation."""
    if request.param == "white spots":
        return WhiteFaces()
    variant = BACK_CAMERA if request.param == "back camera" else FULL_RANGE
    return BlazeFace(installed_models("blazeface") / "blazeface", variant)


def blank(detector: FaceDetector, height: int, width: int) -> RgbImage:
    """A grey picture whose longer side is `input_size_px`."""
    longest = detector.input_size_px
    scale = longest / max(height, width)
    return np.full((round(height * scale), round(width * scale), 3), 90, np.uint8)


@pytest.mark.parametrize("shape", [(9, 16), (16, 9), (1, 1), (3, 4)])
def test_an_empty_picture_of_any_shape_has_no_faces(
    detector: FaceDetector, shape: tuple[int, int]
) -> None:
    assert detector.detect(blank(detector, *shape)) == []


def test_the_same_picture_gives_the_same_faces(detector: FaceDetector) -> None:
    picture = blank(detector, 9, 16)
    picture[20:60, 40:80] = 255
    assert detector.detect(picture) == detector.detect(picture)


def first_picture(path: Path, size: int, at_s: float = 0.0) -> tuple[RgbImage, float]:
    """A frame with its longer side `size` pixels long, and what it was scaled by."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None
        for frame in container.decode(stream):
            assert frame.pts is not None
            if float(frame.pts * stream.time_base) >= at_s:
                break
        scale = size / max(frame.width, frame.height)
        small = frame.reformat(
            width=round(frame.width * scale), height=round(frame.height * scale),
            format="rgb24", interpolation=Interpolation.AREA,
        )  # fmt: skip
        return small.to_ndarray().astype(np.uint8), scale


@pytest.fixture
def blazeface(installed_models: Models) -> BlazeFace:
    """The one that is used."""
    return BlazeFace(installed_models("blazeface") / "blazeface")


def faces_in(detector: BlazeFace, path: Path, at_s: float = 0.0) -> tuple[list[Face], RgbImage]:
    picture, _ = first_picture(path, detector.input_size_px, at_s)
    return detector.detect(picture), picture


def test_two_people_on_a_podium_are_two_faces(blazeface: BlazeFace, shared: Path) -> None:
    faces, picture = faces_in(blazeface, shared / "media" / "obama_iran_statement_2people.mp4")
    assert len(faces) == 2
    left, right = sorted(face.box.center[0] / picture.shape[1] for face in faces)
    assert left < 0.45 < right


def test_a_mouth_lies_in_the_lower_half_of_its_face(blazeface: BlazeFace, shared: Path) -> None:
    for name in ("bbaf2n", "brbk7n", "sbia1a"):
        [face], _ = faces_in(blazeface, shared / "media" / "grid" / f"{name}.mpg", 1.0)
        x, y = face.mouth
        assert face.box.x < x < face.box.x + face.box.width
        assert face.box.center[1] < y < face.box.y + face.box.height


def test_probabilities_fall_and_no_face_is_told_twice(blazeface: BlazeFace, shared: Path) -> None:
    faces, _ = faces_in(blazeface, shared / "media" / "obama_iran_statement_2people.mp4")
    told = [face.probability for face in faces]
    assert told == sorted(told, reverse=True) and all(0.5 <= p <= 1 for p in told)
    assert all(a.box.iou(b.box) < 0.3 for n, a in enumerate(faces) for b in faces[:n])


def test_a_picture_that_is_too_large_is_refused(blazeface: BlazeFace) -> None:
    with pytest.raises(ValueError, match="at most 256 a side"):
        blazeface.detect(np.zeros((300, 300, 3), np.uint8))


def test_damaged_weights_are_an_error_that_says_what_to_type(tmp_path: Path) -> None:
    (tmp_path / BACK_CAMERA.file).write_bytes(b"not a network")
    with pytest.raises(ModelError, match="cannot be loaded") as caught:
        BlazeFace(tmp_path)
    assert "reelremix models install blazeface" in (caught.value.hint or "")


def test_missing_weights_are_an_error_too(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be loaded"):
        BlazeFace(tmp_path)
