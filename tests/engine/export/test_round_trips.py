"""Ten clips at every rate are read back by other libraries with every cut on its frame."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from reelremix.engine.domain.subject import Subject
from reelremix.engine.domain.timecode import frame_of, may_drop
from tests.engine.export.handover import RATES, Range, exported, recording, ten_clips
from tests.engine.export.programs import FcpXmlFile, PremiereFile, read

otio = pytest.importorskip("opentimelineio")
KEPT = list[list[Range]]
Export = tuple[Subject, KEPT, list[Any], Path]


@pytest.fixture(scope="module", params=RATES, ids=lambda rate: f"{float(rate):.2f}")
def material(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Export:
    folder = tmp_path_factory.mktemp("talk")
    rate: Fraction = request.param
    frames, clips = ten_clips(rate)
    return recording(folder / "My talk.mp4", rate), frames, clips, folder


def cuts(parts: Iterator[tuple[int, int, int]]) -> list[Range]:
    """Kept ranges of a storyline, which must have no gap; cuts of the arrangement do not count."""
    found: list[Range] = []
    reached = 0
    for at, first, length in parts:
        assert at == reached
        reached += length
        if found and found[-1][1] == first:
            first = found.pop()[0]
            length = at + length - sum(b - a for a, b in found)
        found.append((first, first + length))
    return found


def test_every_cut_of_fcpxml_is_on_its_frame(material: Export) -> None:
    subject, frames, clips, folder = material
    for flavour in ("fcpxml", "resolve"):
        result = exported(flavour, clips, subject, folder)
        file = FcpXmlFile(read(result.files[0]))
        assert file.rate == subject.presentation.picture.frame_rate
        assert [cuts(file.storyline(project)) for project in file.projects] == frames


def test_every_cut_of_a_premiere_file_is_on_its_frame(material: Export) -> None:
    subject, frames, clips, folder = material
    result = exported("premiere", clips, subject, folder)
    file = PremiereFile(read(result.files[0]))
    assert [cuts(file.storyline(sequence)) for sequence in file.sequences] == frames


def test_opentimelineio_reads_the_premiere_file(material: Export) -> None:
    subject, frames, clips, folder = material
    result = exported("premiere", clips, subject, folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the adapter's own
        whole = otio.adapters.read_from_file(str(result.files[0]), "fcp_xml")
    rate = subject.presentation.picture.frame_rate
    for timeline, kept in zip(whole, frames, strict=True):
        assert cuts(storyline(timeline.video_tracks()[0], rate)) == kept
        assert cuts(storyline(timeline.audio_tracks()[0], rate)) == kept


def test_every_cut_of_otio_is_on_its_frame(material: Export) -> None:
    subject, frames, clips, folder = material
    result = exported("otio", clips, subject, folder)
    rate = subject.presentation.picture.frame_rate
    written = [path for path in result.files if path.suffix == ".otio"]
    for path, kept in zip(written, frames, strict=True):
        timeline = otio.adapters.read_from_file(str(path))
        for track in (timeline.video_tracks()[0], timeline.audio_tracks()[0]):
            assert cuts(storyline(track, rate)) == kept


def test_every_cut_of_an_edl_is_on_its_frame(material: Export) -> None:
    subject, frames, clips, folder = material
    result = exported("edl", clips, subject, folder)
    rate = subject.presentation.picture.frame_rate
    written = [path for path in result.files if path.suffix == ".edl"]
    for path, kept in zip(written, frames, strict=True):
        timeline = otio.adapters.read_from_file(str(path), "cmx_3600", rate=float(rate))
        for track in timeline.tracks:
            assert cuts(storyline(track, rate)) == kept


def test_the_record_side_of_an_edl_begins_at_one_hour_and_has_no_gap(material: Export) -> None:
    subject, frames, clips, folder = material
    rate = subject.presentation.picture.frame_rate
    result = exported("edl", clips[:1], subject, folder, out=str(folder / "one.edl"))
    lines = result.files[0].read_text().splitlines()
    counting = "DROP FRAME" if may_drop(rate) else "NON-DROP FRAME"
    assert lines[1] == f"FCM: {counting}"
    events = [line.split() for line in lines if line[:3].isdigit()]
    assert events[0][6] == ("01:00:00;00" if may_drop(rate) else "01:00:00:00")
    reached = frame_of(events[0][6], rate)
    for event, (first, end) in zip(events, frames[0], strict=True):
        assert frame_of(event[6], rate) == reached
        reached = frame_of(event[7], rate)
        assert (frame_of(event[4], rate), frame_of(event[5], rate)) == (first, end)


def storyline(track: Any, rate: Fraction) -> Iterator[tuple[int, int, int]]:
    """Items of a track; each time is a whole frame at the rate."""
    reached = 0
    for item in track:
        assert isinstance(item, otio.schema.Clip)
        span = item.source_range
        assert span.start_time.rate == span.duration.rate == pytest.approx(float(rate))
        first, length = (whole(t.value) for t in (span.start_time, span.duration))
        yield reached, first, length
        reached += length


def whole(value: float) -> int:
    """A number of frames, which has to be whole."""
    assert abs(value - round(value)) < 1e-6
    return round(value)
