from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reelremix.engine.domain.caption import Captions, Cue
from reelremix.engine.domain.clip import Clip, Shown
from reelremix.engine.domain.layout import (
    Keyframe,
    Layout,
    LayoutKind,
    LayoutPiece,
    Region,
    Speaking,
)
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Box, Sighting, Track
from reelremix.engine.stages.selfcheck import faults, measure
from tests.fakes import clip_of, presented
from tests.media_factory import Film, write_media

SPAN = TimeRange.from_seconds(0, 10)
WHOLE = (0, 0, 1080, 1920)


@pytest.fixture
def clip(tmp_path: Path) -> Clip:
    presentation = presented(write_media(tmp_path / "a.mp4", Film(5)))
    return replace(clip_of(presentation, 0, 0.2), ranges=(SPAN,))


def camera(*lefts: float) -> Region:
    path = tuple(
        Keyframe(Timestamp.from_seconds(n), Box(x, 0, 405, 720)) for n, x in enumerate(lefts)
    )
    return Region(WHOLE, path, 0)


def shown_by(*regions: Region) -> Layout:
    piece = LayoutPiece(SPAN, LayoutKind.SINGLE, regions)
    return Layout((piece,), (Speaking(SPAN, 0, "S1", 0.9),))


def face(x: float, y: float = 200) -> Track:
    sightings = tuple(
        Sighting(Timestamp.from_seconds(n), Box(x, y, 100, 100), 0.9) for n in range(10)
    )
    return Track(0, 0, sightings)


def test_a_speaker_outside_the_crop_is_a_fault(clip: Clip) -> None:
    found = measure(replace(clip, layout=shown_by(camera(0))), [face(900)])
    assert found.speaker_in_frame == 0.0
    assert faults(found) == ("shows its speaker only 0% of the time",)


def test_a_camera_that_turns_back_and_forth_is_a_fault(clip: Clip) -> None:
    found = measure(replace(clip, layout=shown_by(camera(0, 50, 10, 60, 20))), [])
    assert found.reversals_per_min == 6
    assert faults(found) == ("turns its camera back 6 times a minute",)


def test_a_camera_that_goes_up_and_down_is_a_fault(clip: Clip) -> None:
    path = tuple(
        Keyframe(Timestamp.from_seconds(n), Box(0, y, 405, 720))
        for n, y in enumerate((0, 40, 5, 50))
    )
    found = measure(replace(clip, layout=shown_by(Region(WHOLE, path, 0))), [])
    assert found.reversals_per_min == 4
    assert faults(found) == ("turns its camera back 4 times a minute",)


def test_a_camera_that_turns_back_aslant_turns_once(clip: Clip) -> None:
    path = tuple(
        Keyframe(Timestamp.from_seconds(n), Box(at, at, 405, 720))
        for n, at in enumerate((0, 50, 10))
    )
    assert measure(replace(clip, layout=shown_by(Region(WHOLE, path, 0))), []) == Shown(None, 2.0)


@pytest.mark.parametrize(("turns", "length_s", "is_fault"), [
    (1, 10, False), (2, 10, True), (2, 60, False), (3, 60, True),
])  # fmt: skip
def test_more_than_two_turns_a_minute_are_a_fault(
    clip: Clip, turns: int, length_s: float, is_fault: bool
) -> None:
    swaying = shown_by(camera(*([0, 50] * 5)[: turns + 2]))
    long = replace(clip, ranges=(TimeRange.from_seconds(0, length_s),), layout=swaying)
    assert bool(faults(measure(long, []))) is is_fault


def test_a_camera_that_goes_one_way_is_none(clip: Clip) -> None:
    found = measure(replace(clip, layout=shown_by(camera(0, 50, 50.5, 50, 90))), [])
    assert found.reversals_per_min == 0 and not faults(found)


@pytest.mark.parametrize(("box", "share"), [((0, 500, 1080, 400), 1.0), ((0, 1500, 1080, 200), 0)])
def test_captions_over_a_face_are_measured(
    clip: Clip, box: tuple[int, int, int, int], share: float
) -> None:
    captions = Captions("bold", {}, (Cue(SPAN, (), box),))
    covered = replace(clip, layout=shown_by(camera(0)), captions=captions)
    assert measure(covered, [face(100)]).captions_over_faces == share


def test_faces_that_are_not_on_screen_are_not_covered(clip: Clip) -> None:
    captions = Captions("bold", {}, (Cue(SPAN, (), WHOLE),))
    covered = replace(clip, layout=shown_by(camera(0)), captions=captions)
    assert measure(covered, [face(900)]).captions_over_faces == 0


@pytest.mark.parametrize(("box", "share"), [
    ((0, 0, 1080, 600), 0.0), ((0, 700, 1080, 1200), 1.0),
])  # fmt: skip
def test_a_face_that_is_shown_twice_is_looked_at_where_it_is_larger(
    clip: Clip, box: tuple[int, int, int, int], share: float
) -> None:
    whole = Keyframe(SPAN.start, Box(0, 0, 1280, 720))
    close = Keyframe(SPAN.start, Box(850, 100, 300, 366))
    slide = Region((0, 0, 1080, 606), (whole,), None)
    speaker = Region((0, 606, 1080, 1314), (close,), 0)
    captions = Captions("bold", {}, (Cue(SPAN, (), box),))
    twice = replace(clip, layout=shown_by(slide, speaker), captions=captions)
    assert measure(twice, [face(900)]).captions_over_faces == share


def test_what_is_not_known_is_no_fault(clip: Clip) -> None:
    found = measure(replace(clip, layout=shown_by(camera(0))), [])
    assert found.speaker_in_frame is None and found.captions_over_faces is None
    assert faults(found) == () == faults(Shown())
