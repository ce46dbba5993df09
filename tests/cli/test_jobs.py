"""`reelremix jobs`, `stats` and `daemon status`, over a daemon with jobs that ended long ago."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reelremix.engine.domain.events import Event, JobFailed, JobFinished, JobQueued
from reelremix.engine.domain.job import Failure, JobState
from reelremix.engine.joblog import JobLog, Silence
from tests.cli.commandline import Command
from tests.cli.serving import Serving
from tests.contract.schemas import faults

HOSTILE = "talk\nsucceeded\t\x1b[2J\x9b31m\u2028.mp4\u202e"
GONE = Failure("UnreadableMedia", "gone.mp4: no such file", "looked in /films")
MISSING = Failure("RenderError", "2 of 3 clips could not be rendered", "`reelremix jobs retry`")


def ended(served: Serving, state: JobState, failure: Failure | None = None, **more: Any) -> str:
    """The id of a job that ended so, with the events that tell it."""
    happened: list[Event] = [JobQueued()]
    if failure is not None:
        happened.append(JobFailed(failure.message, failure.hint))
    elif state is JobState.SUCCEEDED:
        happened.append(JobFinished({}))
    job = served.keep("ab12cd34", state=state, failure=failure, **more)
    log = JobLog(job.id, served.daemon.stores.catalogue, Silence())
    for event in happened:
        log.emit(event)
    return job.id


@pytest.mark.parametrize("action", ["show", "watch", "cancel", "pause", "resume", "retry", "purge"])
@pytest.mark.parametrize("named", ["zzz", "no/such", "\n"])
def test_a_job_that_nobody_knows_is_a_mistake_in_what_was_typed(
    served: Serving, reelremix: Command, action: str, named: str
) -> None:
    failed = reelremix("jobs", action, named)
    assert failed.failed_politely(2, f"there is no job {named!r}".replace("\\n", "\\n"))
    assert "hint: `reelremix jobs list` shows them" in failed.err


def test_a_priority_is_of_a_job_that_is_known(served: Serving, reelremix: Command) -> None:
    assert reelremix("jobs", "priority", "zzz", 3).failed_politely(2, "there is no job 'zzz'")


@pytest.mark.parametrize(("action", "said"), [
    ("cancel", "is failed: there is nothing to stop"),
    ("pause", "is failed: there is nothing to stop"),
    ("resume", "is failed, not paused"),
])  # fmt: skip
def test_what_does_not_suit_a_job_is_a_mistake_in_what_was_typed(
    served: Serving, reelremix: Command, action: str, said: str
) -> None:
    id = ended(served, JobState.FAILED, GONE)
    assert reelremix("jobs", action, id).failed_politely(2, said)


@pytest.mark.parametrize("state", [JobState.RUNNING, JobState.QUEUED, JobState.PAUSED])
def test_a_job_that_goes_on_is_not_forgotten_and_it_is_said_why(
    served: Serving, reelremix: Command, state: JobState
) -> None:
    served.keep("ab12cd34", state=state)
    served.keep("ff00", state=JobState.FAILED)
    failed = reelremix("jobs", "purge", "ff00", "ab12")
    assert failed.failed_politely(2, f"the job ab12cd34 is {state}, so nothing was forgotten")
    assert "hint: `reelremix jobs cancel ab12cd34` stops it for good" in failed.err
    assert len(served.queued) == 2
    assert reelremix("jobs", "purge", "ff00").out == "forgot 1 job\n"
    served.daemon.stores.jobs.change("ab12cd34", state, state=JobState.CANCELLED)


def test_names_are_shown_harmless_and_on_one_line(served: Serving, reelremix: Command) -> None:
    failure = Failure("UnreadableMedia", f"{HOSTILE} is empty", f"look at {HOSTILE}")
    folder = "/clips/a\nb"
    ended(served, JobState.FAILED, failure, name=HOSTILE, origin="a\x1bb", folder=folder)
    shown = [
        reelremix(*command)
        for command in (("jobs", "list"), ("jobs", "show", "ab12"), ("jobs", "watch", "ab12"),
                        ("stats", "--days", 3650))
    ]  # fmt: skip
    for told in shown:
        assert not set(told.out + told.err) & set("\x1b\x9b\t\u2028\u202e"), told
        assert not any(line.strip().startswith("succeeded") for line in told.out.splitlines())
    assert "talk\\nsucceeded\\t\\x1b[2J" in shown[0].out
    assert shown[2].out == "failed /clips/a\\nb\n", shown[2].err


def test_a_long_name_is_shown_in_part_and_whole_where_it_is_asked_for(
    served: Serving, reelremix: Command
) -> None:
    name = "a" * 200 + ".mp4"
    ended(served, JobState.SUCCEEDED, name=name, request={"source": f"/films/{name}"})
    listed = reelremix("jobs", "list").out
    assert "a…a" in listed and name[-30:] in listed and "a" * 31 not in listed
    assert name in reelremix("jobs", "show", "ab12").out.replace("\n", "").replace(" ", "")


def test_files_of_a_job_are_a_line_each(
    served: Serving, reelremix: Command, tmp_path: Path
) -> None:
    folder = tmp_path / "a\nb"
    folder.mkdir()
    (folder / "clips.json").write_text(json.dumps({"version": 1, "clips": []}))
    ended(served, JobState.SUCCEEDED, folder=str(folder))
    assert f"{tmp_path}/a\\nb/clips.json" in reelremix("jobs", "show", "ab12").out.splitlines()


@pytest.mark.parametrize(("state", "failure", "code"), [
    (JobState.SUCCEEDED, None, 0),
    (JobState.CANCELLED, None, 130),
    (JobState.FAILED, GONE, 4),
    (JobState.FAILED, Failure("ModelNotInstalled", "model 'base' is not installed"), 5),
    (JobState.FAILED, Failure("NothingToClip", "nobody speaks"), 3),
    (JobState.FAILED, Failure("ConfigError", "no preset named 'x'"), 2),
    (JobState.DEAD, Failure("WorkerDied", "it crashed (signal 11)"), 1),
    (JobState.DEAD, Failure("Unexpected", "unexpected KeyError: 'x'"), 1),
])  # fmt: skip
@pytest.mark.parametrize("progress", ["plain", "json"])
def test_watching_a_job_ends_as_the_command_in_its_place_would(
    served: Serving, reelremix: Command, state: JobState, failure: Failure | None, code: int,
    progress: str,
) -> None:  # fmt: skip
    ended(served, state, failure)
    seen = reelremix("jobs", "watch", "ab12", "--progress", progress)
    assert (seen.code, seen.out) == (code, f"{state}\n")
    if failure is not None:
        assert seen.err.count(json.dumps(failure.message)[1:-1]) == 1
    if progress == "json":
        assert all(json.loads(line) for line in seen.err.splitlines())


@pytest.mark.parametrize("is_listed", [True, False])
def test_a_job_that_lacks_some_clips_ends_as_finished_in_part(
    served: Serving, reelremix: Command, tmp_path: Path, is_listed: bool
) -> None:
    if is_listed:
        (tmp_path / "clips.json").write_text(json.dumps({"version": 1, "clips": []}))
    ended(served, JobState.FAILED, MISSING, folder=str(tmp_path))
    assert reelremix("jobs", "watch", "ab12").code == (3 if is_listed else 2)


def test_what_commands_print_fits_the_schemas(served: Serving, reelremix: Command) -> None:
    ended(served, JobState.FAILED, GONE, usage={"source_s": 2.5}, source_id="ab" * 32)
    served.keep("ff00", state=JobState.SUCCEEDED, started_at=1.0, ended_at=3.0, folder="/clips/x")
    listed = reelremix("jobs", "list", "--json").json
    assert len(listed["jobs"]) == 2 and faults("jobs", listed) == []
    for command in ("show", "watch"):
        shown = reelremix("jobs", command, "ab12", "--json").json
        assert shown["state"] == "failed" and faults("jobs", shown) == []
    stats = reelremix("stats", "--days", 3650, "--json").json
    assert faults("stats", stats) == []
    status = reelremix("daemon", "status", "--json").json
    assert status["version"] == 1 and faults("daemon", status) == []


def test_a_daemon_with_too_many_listeners_says_so_and_not_that_it_went(
    served: Serving, reelremix: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended(served, JobState.SUCCEEDED)
    monkeypatch.setattr("reelremix.daemon.streams.MOST_LISTENERS", 0)
    monkeypatch.setattr("reelremix.daemon.client.GIVEN_UP_S", 0.3)
    monkeypatch.setattr("reelremix.daemon.client.AGAIN_S", 0.1)
    failed = reelremix("jobs", "watch", "ab12")
    assert failed.failed_politely(7, "0 listeners are connected already")
