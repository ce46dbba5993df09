"""`export` as users meet it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.commandline import Command, manifest_in, words_file
from tests.media_factory import plain_film


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a recording and the words said in it."""
    folder = tmp_path_factory.mktemp("talk")
    plain_film(folder / "talk.mp4", 16, size=(160, 90))
    words_file(folder / "words.json")
    return folder


@pytest.fixture
def clips(planned: Path, tmp_path: Path, reelremix: Command) -> Path:
    """The folder of a run with two clips."""
    done = reelremix(
        "clip", planned / "talk.mp4", "--transcript", planned / "words.json", "--plan",
        "--no-faces", "--range", "1-5", "--range", "6-9.5", "--out", tmp_path / "clips", "--quiet",
    )  # fmt: skip
    assert done.code == 0, done.err
    return tmp_path / "clips" / "talk"


def test_the_files_are_listed_a_line_each_and_what_is_left_out_is_said(
    clips: Path, reelremix: Command
) -> None:
    done = reelremix("export", clips, "--to", "edl")
    assert done.code == 0, done.err
    paths = [Path(line) for line in done.out.splitlines()]
    assert {p.suffix for p in paths} == {".edl", ".srt"} and all(p.is_file() for p in paths)
    assert {p.parent for p in paths} == {clips / "export"}
    assert "no framing" in done.err


def test_a_manifest_can_be_named_itself_and_clips_by_rank(clips: Path, reelremix: Command) -> None:
    done = reelremix("export", clips / "clips.json", "2", "--to", "fcpxml", "--json")
    assert done.json["format"] == "fcpxml"
    assert done.json["clips"] == [manifest_in(clips)["clips"][1]["id"]]
    assert Path(done.json["files"][0]).name == "talk.fcpxml"


def test_dropped_clips_are_left_out_unless_named(clips: Path, reelremix: Command) -> None:
    content = manifest_in(clips)
    content["clips"][0]["status"] = "dropped"
    (clips / "clips.json").write_text(json.dumps(content))
    assert len(reelremix("export", clips, "--to", "json", "--json").json["clips"]) == 1
    named = reelremix("export", clips, "1", "--to", "csv", "--json")
    assert named.json["clips"] == [content["clips"][0]["id"]]


def test_an_unknown_format_is_refused(clips: Path, reelremix: Command) -> None:
    done = reelremix("export", clips, "--to", "avid")
    assert done.failed_politely(2, "no format that is installed")
    assert "resolve" in done.err


def test_a_format_has_to_be_named(clips: Path, reelremix: Command) -> None:
    done = reelremix("export", clips)
    assert done.code == 2 and "--to" in done.err


def test_a_format_without_a_recording_has_nothing_to_conform(
    clips: Path, reelremix: Command
) -> None:
    done = reelremix("export", clips, "--to", "srt", "--conform", "auto")
    assert done.failed_politely(2, "`--conform` makes copies")


def test_an_unknown_clip_is_refused(clips: Path, reelremix: Command) -> None:
    assert reelremix("export", clips, "9", "--to", "edl").failed_politely(2, "has no clip '9'")


def test_what_is_no_manifest_is_refused(tmp_path: Path, reelremix: Command) -> None:
    assert reelremix("export", tmp_path, "--to", "edl").failed_politely(2, "cannot be read")


def test_a_recording_that_is_gone_is_asked_for(
    tmp_path: Path, planned: Path, reelremix: Command
) -> None:
    moved = tmp_path / "moved.mp4"
    shutil.copy(planned / "talk.mp4", moved)
    reelremix("clip", moved, "--transcript", planned / "words.json", "--plan", "--no-faces",
              "--range", "1-5", "--out", tmp_path / "out", "--quiet")  # fmt: skip
    folder = tmp_path / "out" / "moved"
    kept = moved.rename(tmp_path / "elsewhere.mp4")
    assert reelremix("export", folder, "--to", "srt").code == 0
    assert reelremix("export", folder, "--to", "csv").code == 0
    done = reelremix("export", folder, "--to", "otio")
    assert done.failed_politely(4, "moved.mp4") and "--source" in done.err
    assert reelremix("export", folder, "--to", "premiere", "--source", kept).code == 0


def test_another_recording_is_refused(clips: Path, tmp_path: Path, reelremix: Command) -> None:
    other = plain_film(tmp_path / "other.mp4", 1)
    done = reelremix("export", clips, "--to", "fcpxml", "--source", other)
    assert done.failed_politely(4, "is not the recording")
    assert reelremix("export", clips, "--to", "csv", "--source", other).code == 4


def test_files_are_replaced_only_on_demand(clips: Path, reelremix: Command) -> None:
    (clips / "export").mkdir()
    (clips / "export" / "talk.fcpxml").write_text("mine")
    done = reelremix("export", clips, "--to", "fcpxml")
    assert done.failed_politely(2, "exists") and "--overwrite" in done.err
    assert reelremix("export", clips, "--to", "fcpxml", "--overwrite").code == 0


def test_a_conformed_export_shows_progress_and_lists_the_copies(
    clips: Path, reelremix: Command
) -> None:
    done = reelremix(
        "export", clips, "2", "--to", "premiere", "--conform", "30", "--progress", "json"
    )
    assert done.code == 0, done.err
    assert done.out.splitlines()[-1].endswith(".mov")
    stages = [json.loads(line) for line in done.err.splitlines() if line.startswith("{")]
    assert "conform" in {event.get("stage") for event in stages}
