from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reelremix.daemon.notices import (
    clips_notice,
    clips_text,
    failed_notice,
    failure_text,
    is_notice,
    remove_notice,
    tell_clips,
    tell_failure,
    write_notice,
)
from reelremix.engine.domain.job import Failure, JobRecord, JobState

JOB = JobRecord(id="0123456789abcdef", kind="clip", name="talk.mp4", request={}, created_at=1.0)


def job_with(folder: Path, *clips: dict[str, Any]) -> JobRecord:
    """A job whose folder holds such a manifest."""
    folder.mkdir()
    (folder / "clips.json").write_text(json.dumps({"version": 1, "clips": clips}))
    return JobRecord(**_fields(folder=str(folder), state=JobState.SUCCEEDED))


def _fields(**changes: Any) -> dict[str, Any]:
    return {"id": JOB.id, "kind": "clip", "name": "talk.mp4", "request": {}, "created_at": 1.0,
            **changes}  # fmt: skip


def test_it_is_said_which_clips_there_are_and_which_not(tmp_path: Path) -> None:
    job = job_with(
        tmp_path / "clips",
        {"title": "Why we quit", "files": {"video": "01-why-we-quit.mp4"}},
        {"title": "A second one", "files": {"video": "02-a-second-one.mp4"}},
        {"title": "Never made", "files": {"video": None}},
    )
    assert clips_text(job, "talk.mp4").splitlines() == [
        "2 clips of talk.mp4 are in",
        "",
        f"    {tmp_path / 'clips'}",
        "",
        "    01-why-we-quit.mp4    Why we quit",
        "    02-a-second-one.mp4    A second one",
        "",
        "1 could not be made:",
        "",
        "    Never made",
        "",
        f"To try again:  reelremix render {tmp_path}/clips/clips.json",
    ]


@pytest.mark.parametrize("manifest", ["", "[]", "{}", '{"clips": 3}', '{"clips": [1, null]}',
                                      '{"clips": [{"files": 1, "title": {}}]}',
                                      "[" * 9999])  # fmt: skip
def test_a_manifest_that_says_nothing_is_no_trouble(tmp_path: Path, manifest: str) -> None:
    job = job_with(tmp_path / "clips")
    (tmp_path / "clips" / "clips.json").write_text(manifest)
    assert str(tmp_path / "clips") in clips_text(job, "talk.mp4")


def test_fewer_clips_than_wished_are_told_with_the_reason(tmp_path: Path) -> None:
    job = job_with(tmp_path / "clips")
    manifest = {"clips": [], "notice": "nothing was good enough"}
    (tmp_path / "clips" / "clips.json").write_text(json.dumps(manifest))
    text = clips_text(job, "talk.mp4")
    assert text.startswith("0 clips of talk.mp4 are in\n") and "nothing was good enough" in text


def test_one_clip_is_one_clip(tmp_path: Path) -> None:
    job = job_with(tmp_path / "clips", {"files": {"video": "01-a.mp4"}})
    assert clips_text(job, "talk.mp4").startswith("1 clip of talk.mp4 is in\n")


def test_a_failure_says_why_what_helps_and_what_to_type() -> None:
    failure = Failure("NoAudioStream", "talk.mp4 has no audio stream", "add one")
    text = failure_text(JobRecord(**_fields(failure=failure)), "talk.mp4")
    assert text.splitlines() == [
        "no clips were made of talk.mp4", "", "talk.mp4 has no audio stream", "",
        "What helps:    add one", "", "To try again:  reelremix jobs retry 01234567",
    ]  # fmt: skip


def test_a_failure_nobody_knows_the_cause_of_is_told_too() -> None:
    assert "nobody knows why" in failure_text(JOB, "talk.mp4")


def test_names_cannot_break_the_text() -> None:
    text = failure_text(JOB, "a\nTo try again: rm -rf ~\x1b[2J\udcff.mp4")
    assert text.splitlines()[0].startswith("no clips were made of a\N{REPLACEMENT CHARACTER}To")
    assert "\x1b" not in text and text.encode()


def test_a_success_takes_the_failure_away(tmp_path: Path) -> None:
    source = tmp_path / "talk.mp4"
    tell_failure(JOB, source)
    assert failed_notice(source).read_text().startswith("ReelRemix: no clips were made")
    tell_clips(JOB, source)
    assert [path.name for path in tmp_path.iterdir()] == ["talk.mp4.clips.txt"]


def test_files_of_somebody_else_are_left_as_they_are(tmp_path: Path) -> None:
    source = tmp_path / "talk.mp4"
    clips_notice(source).write_text("my own notes")
    failed_notice(source).mkdir()
    tell_clips(JOB, source)
    tell_failure(JOB, source)
    assert clips_notice(source).read_text() == "my own notes" and failed_notice(source).is_dir()


def test_what_is_said_already_is_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "a.failed.txt"
    write_notice(path, "one")
    before = path.stat()
    write_notice(path, "one")
    assert path.stat().st_ino == before.st_ino
    write_notice(path, "two")
    assert path.read_text() == "ReelRemix: two"
    remove_notice(path)
    remove_notice(path)
    assert not path.exists()


@pytest.mark.parametrize("name", ["x" * 251 + ".mp4", "é" * 125 + ".mp4", "界" * 83 + ".mov"])
def test_the_longest_name_has_a_notice_of_its_own(tmp_path: Path, name: str) -> None:
    for source in (tmp_path / name, tmp_path / ("y" + name[1:])):
        source.write_bytes(b"x")
        tell_failure(JOB, source)
        assert failed_notice(source).is_file() and is_notice(failed_notice(source))
    assert len(list(tmp_path.iterdir())) == 4
