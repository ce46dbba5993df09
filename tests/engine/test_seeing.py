from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from reelremix.engine import seeing
from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.events import StageFinished, Warned
from reelremix.engine.domain.request import FrameOptions
from reelremix.engine.domain.subject import Subject
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.track import Box
from reelremix.engine.models.faces import Face, RgbImage
from reelremix.engine.seeing import see
from reelremix.engine.stages.look import Look
from tests.fakes import FacesOnly, Recorder, presented, run_context
from tests.media_factory import Film, sound_of, tone, write_media

SPAN = TimeRange.from_seconds(0, 2)


class TwoFaces:
    """`FaceDetector` that sees the same two faces all the time."""

    input_size_px = 320

    def __init__(self, _: Path) -> None:
        pass

    def detect(self, image: RgbImage) -> list[Face]:
        """Both."""
        return [Face(Box(x, 50, 60, 60), 0.9, (x + 30.0, 95.0)) for x in (40, 200)]


@pytest.fixture
def subject(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Subject:
    monkeypatch.setattr(seeing, "BlazeFace", TwoFaces)
    path = write_media(tmp_path / "a.mp4", Film(50), sound_of(tone(2.0)))
    return Subject(path, presented(path))


def looked(subject: Subject, ctx: RunContext, **options: Any) -> Look:
    [seen] = see([SPAN], FrameOptions(**options), subject, ctx)
    assert seen is not None
    return seen


def warnings(recorder: Recorder) -> list[str]:
    return [e.message for e in recorder.events if isinstance(e, Warned)]


def test_without_the_network_mouths_are_watched_and_that_is_told(subject: Subject) -> None:
    recorder = Recorder()
    seen = looked(subject, run_context(models=FacesOnly(), reporter=recorder))
    assert all(track.talk for track in seen.tracks)
    [told] = warnings(recorder)
    assert "by how mouths move" in told and "light-asd" in told


def test_without_pytorch_mouths_are_watched_and_that_is_told(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "torch" else find(name)
    )
    recorder = Recorder()
    looked(subject, run_context(models=FacesOnly(), reporter=recorder))
    [told] = warnings(recorder)
    assert "PyTorch is not installed" in told


def test_whoever_asks_for_no_network_is_not_told(subject: Subject) -> None:
    recorder = Recorder()
    looked(subject, run_context(models=FacesOnly(), reporter=recorder), speaker_network=False)
    assert warnings(recorder) == []


def test_nothing_is_looked_at_twice(subject: Subject) -> None:
    recorder = Recorder()
    ctx = run_context(models=FacesOnly(), reporter=recorder)
    assert looked(subject, ctx) == looked(subject, ctx)
    finished = [e.cached for e in recorder.events if isinstance(e, StageFinished)]
    assert finished == [False, True]


def test_without_faces_nothing_is_looked_at(subject: Subject) -> None:
    assert see([SPAN], FrameOptions(faces=False), subject, run_context()) == [None]


class EverythingThere(FacesOnly):
    """`ModelProvider` of a machine whose weights cannot be read."""

    def folder(self, name: str) -> Path:
        """They lie in a folder that is not there."""
        return Path("/nowhere") / name


def test_a_network_that_cannot_be_loaded_is_done_without_and_told(subject: Subject) -> None:
    pytest.importorskip("torch", reason="needs PyTorch")
    recorder = Recorder()
    seen = looked(subject, run_context(models=EverythingThere(), reporter=recorder))
    assert all(track.talk for track in seen.tracks)
    [told] = warnings(recorder)
    assert "cannot be loaded" in told and "by how mouths move" in told
