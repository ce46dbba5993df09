from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reelremix.engine.domain.job import Failure, JobRecord, JobState
from reelremix.engine.domain.watch import WhenDone
from reelremix.engine.store.sources import LocalSourceAccess
from tests.daemon.folders import Studio, eventually

FAILURE = Failure("NoAudioStream", "talk.mp4 has no audio stream", "add one")


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    """A folder that nobody watches yet."""
    studio = Studio(tmp_path / "drop")
    yield studio
    studio.watcher.stop()


def taken(studio: Studio, name: str = "talk.mp4") -> JobRecord:
    """The job of a recording that was dropped."""
    studio.drop(name)
    eventually(lambda: name in studio.queue.names)
    return studio.queue.jobs[studio.queue.names.index(name)]


def eventually_moved(path: Path) -> None:
    """Wait until a recording is there, not the empty file that takes its name first."""
    eventually(lambda: path.is_file() and path.stat().st_size)


def clips_in(folder: Path) -> str:
    """A folder with one clip."""
    folder.mkdir()
    clips = [{"title": "Why we quit", "files": {"video": "01-why.mp4"}}]
    (folder / "clips.json").write_text(json.dumps({"clips": clips}))
    return str(folder)


def test_a_recording_whose_clips_are_made_says_where_they_are(
    studio: Studio, tmp_path: Path
) -> None:
    studio.watch()
    folder = clips_in(tmp_path / "clips")
    studio.end(taken(studio), JobState.SUCCEEDED, folder=folder)
    eventually(lambda: studio.names() == ["talk.mp4", "talk.mp4.clips.txt"])
    text = (studio.folder / "talk.mp4.clips.txt").read_text()
    assert folder in text and "Why we quit" in text


def test_a_recording_that_failed_says_why(studio: Studio) -> None:
    studio.watch()
    job = taken(studio)
    studio.end(job, JobState.FAILED, failure=FAILURE)
    eventually(lambda: studio.names() == ["talk.mp4", "talk.mp4.failed.txt"])
    text = (studio.folder / "talk.mp4.failed.txt").read_text()
    assert FAILURE.message in text and f"reelremix jobs retry {job.id[:8]}" in text
    studio.takes_nothing_more()


def test_a_later_success_takes_the_failure_away(studio: Studio, tmp_path: Path) -> None:
    studio.watch(when_done=WhenDone.MOVE)
    job = taken(studio)
    studio.end(job, JobState.DEAD)
    eventually_moved(studio.folder / "failed" / "talk.mp4")
    folder = clips_in(tmp_path / "clips")
    studio.end(job, JobState.SUCCEEDED, folder=folder, attempt=2)
    eventually_moved(studio.folder / "done" / "talk.mp4")
    assert studio.names() == ["done", "failed", "talk.mp4.clips.txt"]
    assert list((studio.folder / "failed").iterdir()) == []


def test_what_was_moved_is_found_by_its_content(studio: Studio) -> None:
    studio.watch(when_done=WhenDone.MOVE)
    job = taken(studio)
    studio.end(job, JobState.FAILED, failure=FAILURE)
    moved = studio.folder / "failed" / "talk.mp4"
    eventually_moved(moved)
    eventually(lambda: str(moved) in studio.catalogue.locations(job.source_id or ""))
    with LocalSourceAccess(studio.catalogue).open(job.source_id or "") as path:
        assert path == moved
    studio.takes_nothing_more()


def test_nothing_is_overwritten_where_it_is_moved_to(studio: Studio) -> None:
    (studio.folder / "done").mkdir()
    (studio.folder / "done" / "talk.mp4").write_bytes(b"somebody else's")
    studio.watch(when_done=WhenDone.MOVE)
    studio.end(taken(studio), JobState.SUCCEEDED)
    eventually((studio.folder / "done" / "talk (2).mp4").is_file)
    assert (studio.folder / "done" / "talk.mp4").read_bytes() == b"somebody else's"


def test_a_recording_that_was_renamed_meanwhile_is_moved_under_its_new_name(
    studio: Studio,
) -> None:
    watch = studio.watch(when_done=WhenDone.MOVE)
    job = taken(studio)
    (studio.folder / "talk.mp4").rename(studio.folder / "new.mp4")
    eventually(lambda: _path(studio, watch.id, job).endswith("new.mp4"))
    studio.end(job, JobState.SUCCEEDED)
    eventually_moved(studio.folder / "done" / "new.mp4")
    assert studio.names() == ["done", "new.mp4.clips.txt"]


def _path(studio: Studio, watch_id: str, job: JobRecord) -> str:
    known = studio.store.of_job(watch_id, job.id)
    return known.path if known is not None else ""


def test_another_file_under_the_same_name_is_not_moved(studio: Studio) -> None:
    studio.watch(when_done=WhenDone.MOVE)
    job = taken(studio)
    studio.drop("talk.mp4", b"something else altogether")
    studio.end(job, JobState.SUCCEEDED)
    eventually((studio.folder / "talk.mp4.clips.txt").is_file)
    studio.eventually_took("talk.mp4", "talk.mp4")
    assert (studio.folder / "talk.mp4").is_file()


def test_a_job_may_be_told_of_again(studio: Studio, tmp_path: Path) -> None:
    studio.watch(when_done=WhenDone.MOVE)
    job = replace(taken(studio), state=JobState.SUCCEEDED, folder=clips_in(tmp_path / "clips"))
    for _ in range(3):
        studio.watcher.job_ended(job)
        eventually_moved(studio.folder / "done" / "talk.mp4")
        studio.takes_nothing_more()
    assert studio.names() == ["done", "talk.mp4.clips.txt"]


def test_a_job_that_was_cancelled_leaves_everything_as_it_is(studio: Studio) -> None:
    studio.watch(when_done=WhenDone.MOVE)
    studio.end(taken(studio), JobState.CANCELLED)
    studio.end(taken(studio, "other.mp4"), JobState.SUCCEEDED)
    eventually_moved(studio.folder / "done" / "other.mp4")
    assert studio.names() == ["done", "other.mp4.clips.txt", "talk.mp4"]


def test_jobs_of_others_are_passed_over(studio: Studio) -> None:
    watch = studio.watch()
    job = taken(studio)
    for origin in ("cli", watch.id, "watch somebody"):
        studio.end(job, JobState.SUCCEEDED, origin=origin)
    studio.end(replace(job, id="unknown", source_id="ef" * 32), JobState.SUCCEEDED)
    studio.takes_nothing_more()
    assert studio.names() == ["talk.mp4"]


def test_a_notice_that_cannot_be_written_is_tried_again(studio: Studio) -> None:
    studio.watch(when_done=WhenDone.MOVE)
    job = taken(studio)
    (studio.folder / "done").write_bytes(b"in the way")
    studio.end(job, JobState.SUCCEEDED)
    eventually(lambda: "tried again" in (studio.status.last_error or ""))
    (studio.folder / "done").unlink()
    eventually_moved(studio.folder / "done" / "talk.mp4")
    eventually(lambda: studio.status.last_error is None)


def test_what_ends_while_the_folder_is_away_is_said_when_it_is_back(studio: Studio) -> None:
    studio.watch()
    job = taken(studio)
    away = studio.folder.rename(studio.folder.with_name("away"))
    studio.end(job, JobState.SUCCEEDED)
    eventually(lambda: studio.status.state == "missing")
    assert not studio.folder.exists()
    away.rename(studio.folder)
    eventually((studio.folder / "talk.mp4.clips.txt").is_file)


def test_a_recording_whose_folder_is_gone_is_told_of_in_the_watched_one(studio: Studio) -> None:
    studio.watch(recursive=True)
    studio.drop("inside/talk.mp4")
    studio.eventually_took("talk.mp4")
    shutil.rmtree(studio.folder / "inside")
    studio.end(studio.queue.jobs[0], JobState.FAILED, failure=FAILURE)
    eventually((studio.folder / "talk.mp4.failed.txt").is_file)
    assert not (studio.folder / "inside").exists()


def test_a_paused_watch_still_says_what_became_of_its_jobs(studio: Studio) -> None:
    watch = studio.watch()
    job = taken(studio)
    studio.store.save(replace(watch, paused=True))
    studio.watcher.reload()
    studio.end(job, JobState.SUCCEEDED)
    eventually((studio.folder / "talk.mp4.clips.txt").is_file)
