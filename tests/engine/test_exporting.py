"""Which clips are handed over, from which file, to which place, and what is said about it."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest

from reelremix.engine.domain.context import CancelToken
from reelremix.engine.domain.events import StageProgress, Warned
from reelremix.engine.domain.subject import Subject
from reelremix.engine.exporting import recording_media
from reelremix.errors import Cancelled, ConfigError, OutputExists
from tests.contract.schemas import faults
from tests.engine.export.handover import (
    NTSC,
    PAL,
    clip_on,
    exported,
    recording,
)
from tests.engine.export.programs import FcpXmlFile, read
from tests.engine.media.test_conform import counts
from tests.fakes import Recorder, presented, run_context
from tests.media_factory import Film, counted, plain, sound_of, tone, write_media

UNEVEN = tuple(Fraction(n * 40 + (n % 3) * 11, 1000) for n in range(300))


@pytest.fixture
def talk(tmp_path: Path) -> Subject:
    return recording(tmp_path / "My talk.mp4", PAL, 12)


@pytest.fixture
def uneven(tmp_path: Path) -> Subject:
    film = Film(paint=counted, times=UNEVEN, size=(320, 180))
    path = write_media(tmp_path / "uneven.mp4", film, sound_of(tone(12)))
    return Subject(path, presented(path))


CLIP = clip_on([(50, 90), (100, 150)], PAL)


def warnings_of(recorder: Recorder) -> list[str]:
    return [event.message for event in recorder.events if isinstance(event, Warned)]


def test_files_go_into_a_folder_beside_the_manifest(talk: Subject, tmp_path: Path) -> None:
    result = exported("fcpxml", [CLIP], talk, tmp_path)
    names = [path.relative_to(tmp_path).as_posix() for path in result.files]
    assert names == ["export/my-talk.fcpxml", "export/01-clip-1.srt"]
    assert all(path.is_file() for path in result.files)


def test_a_named_file_and_a_named_folder_are_both_taken(talk: Subject, tmp_path: Path) -> None:
    there = exported("fcpxml", [CLIP], talk, tmp_path, out=str(tmp_path / "deep" / "cut.fcpxml"))
    assert [p.name for p in there.files] == ["cut.fcpxml", "01-clip-1.srt"]
    assert {p.parent for p in there.files} == {tmp_path / "deep"}
    folder = exported("edl", [CLIP], talk, tmp_path, out=str(tmp_path / "lists"))
    assert {p.parent for p in folder.files} == {tmp_path / "lists"}


def test_what_is_there_is_replaced_only_on_demand(talk: Subject, tmp_path: Path) -> None:
    first = exported("edl", [CLIP], talk, tmp_path).files[0]
    exported("edl", [CLIP], talk, tmp_path)  # the same again is no loss
    first.write_text("mine")
    with pytest.raises(OutputExists, match="exists"):
        exported("edl", [CLIP], talk, tmp_path)
    assert first.read_text() == "mine"
    exported("edl", [CLIP], talk, tmp_path, overwrite=True)
    assert first.read_text().startswith("TITLE")


def test_a_folder_in_the_place_of_a_file_is_told(talk: Subject, tmp_path: Path) -> None:
    (tmp_path / "export" / "01-clip-1.edl").mkdir(parents=True)
    with pytest.raises(ConfigError, match="is a folder"):
        exported("edl", [CLIP], talk, tmp_path, overwrite=True)


def test_a_place_that_cannot_be_written_is_told(talk: Subject, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot write"):
        exported("edl", [CLIP], talk, tmp_path, out=str(tmp_path / "file" / "below"))


def test_without_clips_there_is_nothing_to_export(talk: Subject, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no clips"):
        exported("edl", [], talk, tmp_path)


def test_a_constant_rate_raises_no_doubts(talk: Subject, tmp_path: Path) -> None:
    recorder = Recorder()
    result = exported("fcpxml", [CLIP], talk, tmp_path, run_context(reporter=recorder))
    assert (result.warnings, warnings_of(recorder)) == ((), [])


def test_a_variable_rate_is_warned_about_with_what_to_type(uneven: Subject, tmp_path: Path) -> None:
    recorder = Recorder()
    exported("fcpxml", [CLIP], uneven, tmp_path, run_context(reporter=recorder))
    (warned,) = [event for event in recorder.events if isinstance(event, Warned)]
    assert "variable frame rate" in warned.message
    assert warned.hint is not None and "--conform auto" in warned.hint


def test_a_picture_that_begins_after_its_sound_is_counted_from_its_own_beginning(
    tmp_path: Path,
) -> None:
    path = write_media(
        tmp_path / "late.mkv",
        Film(250, plain, (320, 180), start_s=Fraction(1, 2)), sound_of(tone(10)),
    )  # fmt: skip
    late = Subject(path, presented(path))
    clip = clip_on([(50, 90)], PAL, first=Fraction(1, 2))
    recorder = Recorder()
    result = exported("fcpxml", [clip], late, tmp_path, run_context(reporter=recorder))
    file = FcpXmlFile(read(result.files[0]))
    assert next(iter(file.storyline(file.projects[0])))[1] == 50
    assert "0.500 s after its sound" in warnings_of(recorder)[0]


def test_a_cameras_timecode_counts_the_source(tmp_path: Path) -> None:
    path = tmp_path / "camera.mov"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=NTSC, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        stream.metadata["timecode"] = "01:00:00;00"
        for _ in range(200):
            container.mux(stream.encode(av.VideoFrame(320, 180, "yuv420p")))
        container.mux(stream.encode(None))
    camera = Subject(path, presented(path))
    assert (recording_media(camera).start, recording_media(camera).drop) == (107892, True)
    clip = clip_on([(30, 90)], NTSC)
    lines = exported("edl", [clip], camera, tmp_path).files[0].read_text().splitlines()
    assert "01:00:01;00 01:00:03;00 01:00:00;00 01:00:02;00" in lines[3]
    root = read(exported("fcpxml", [clip], camera, tmp_path).files[0])
    assert root.find(".//asset").get("start") == "107999892/30000s"
    assert next(iter(FcpXmlFile(root).storyline(root.find(".//project"))))[1] == 30


def test_a_conformed_export_refers_to_copies_with_handles(uneven: Subject, tmp_path: Path) -> None:
    recorder = Recorder()
    ctx = run_context(reporter=recorder)
    clips = [CLIP, clip_on([(200, 240)], PAL, 2)]
    result = exported("fcpxml", clips, uneven, tmp_path, ctx, conform="auto")
    assert result.warnings == () and len(result.media) == 2
    assert {path.parent for path in result.media} == {tmp_path / "export" / "media"}
    file = FcpXmlFile(read(result.files[0]))
    for project, path, kept in zip(file.projects, result.media, (40 + 50, 40), strict=True):
        parts = list(file.storyline(project))
        assert sum(length for _, _, length in parts) == kept
        assert abs(parts[0][1] - 50) <= 1  # two seconds of handle, at 25 a second
        with av.open(str(path)) as copy:
            assert copy.streams.video[0].frames > kept + 50
    progress = [e for e in recorder.events if isinstance(e, StageProgress)]
    assert progress[-1].done == progress[-1].total


def test_a_copy_shows_the_clip_where_the_export_says(uneven: Subject, tmp_path: Path) -> None:
    result = exported("fcpxml", [CLIP], uneven, tmp_path, conform="29.97")
    file = FcpXmlFile(read(result.files[0]))
    assert file.rate == NTSC
    _, first, _ = next(iter(file.storyline(file.projects[0])))
    shown = counts(result.media[0], [first / NTSC], NTSC)
    assert shown == counts(uneven.path, [CLIP.ranges[0].start.exact + Fraction(1, 100)], NTSC)


def test_a_copy_that_is_there_is_used_again(uneven: Subject, tmp_path: Path) -> None:
    first = exported("fcpxml", [CLIP], uneven, tmp_path, conform="25").media[0]
    before = first.stat().st_mtime_ns
    assert exported("otio", [CLIP], uneven, tmp_path, conform="25").media == (first,)
    assert first.stat().st_mtime_ns == before
    trimmed = replace(CLIP, ranges=CLIP.ranges[:1])
    assert exported("otio", [trimmed], uneven, tmp_path, conform="25", overwrite=True).media != (
        first,
    )


def test_a_cancelled_copy_leaves_nothing_behind(uneven: Subject, tmp_path: Path) -> None:
    cancel = CancelToken()

    class Stopper(Recorder):
        def emit(self, event: object) -> None:
            if isinstance(event, StageProgress) and event.done > 10:
                cancel.set()

    ctx = run_context(reporter=Stopper(), cancel=cancel)
    with pytest.raises(Cancelled):
        exported("fcpxml", [CLIP], uneven, tmp_path, ctx, conform="auto")
    assert not [path for path in (tmp_path / "export").rglob("*") if path.is_file()]


@pytest.mark.parametrize("rate", ["fast", "0", "28.3", "1/0", "-25"])
def test_a_rate_that_editors_do_not_have_is_refused(
    rate: str, talk: Subject, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="--conform"):
        exported("fcpxml", [CLIP], talk, tmp_path, conform=rate)


def test_the_result_is_told_to_programs(talk: Subject, tmp_path: Path) -> None:
    told = exported("otio", [CLIP], talk, tmp_path).to_dict()
    assert told["clips"] == [CLIP.id]
    assert faults("export", told) == []


def test_the_table_fits_its_schema(talk: Subject, tmp_path: Path) -> None:
    for subject in (talk, None):
        clips = [CLIP, clip_on([(0, 9)], PAL, 2, score=None)]
        result = exported("json", clips, subject, tmp_path, overwrite=True)
        assert faults("table", json.loads(result.files[0].read_text())) == []
