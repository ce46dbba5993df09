"""The daemon's jobs in the review session."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, Static

from reelremix.cli.tui.app import ReviewApp
from reelremix.cli.tui.board import Board
from reelremix.cli.tui.following import Following, JobsChanged
from reelremix.cli.tui.screens.jobs import JobsScreen
from reelremix.daemon.protocol import JobView
from reelremix.engine.domain.events import (
    Event,
    JobCancelled,
    JobFailed,
    JobFinished,
    JobPaused,
    JobStarted,
    LoggedEvent,
    StageFinished,
    StageProgress,
    StageStarted,
    Waiting,
)
from reelremix.engine.domain.job import Failure, JobRecord, JobState
from tests.cli.tui.sessions import played, pressed, talk_in

WHY = "the recording is empty, so nobody hears it"


def view(
    id: str,
    state: JobState = JobState.QUEUED,
    failure: str | None = None,
    waits_for: str | None = None,
) -> JobView:
    told = Failure("JobError", failure) if failure else None
    record = JobRecord(id, "clip", f"{id}.mp4", {}, 1.0, state, failure=told, folder="/clips")
    return JobView.of(record, waits_for)


def happened(id: str, event: Event) -> LoggedEvent:
    return LoggedEvent(id, 1, 0.0, event)


@pytest.fixture
def board() -> Board:
    """Two jobs that wait."""
    made = Board()
    made.load([view("b"), view("a")])
    return made


@pytest.mark.parametrize(("event", "state", "doing"), [
    (JobStarted("a.mp4"), "running", ""),
    (StageStarted("transcribe"), "queued", "Transcribing"),
    (StageProgress("render", 30, 120, "frames"), "queued", "Rendering 25 %"),
    (StageFinished("render", 1.0, False), "queued", ""),
    (Waiting("the GPU is busy"), "queued", "waits: the GPU is busy"),
    (JobPaused(), "paused", ""),
    (JobCancelled(), "cancelled", ""),
    (JobFailed("it is empty"), "failed", "it is empty"),
])  # fmt: skip
def test_what_happens_is_shown(board: Board, event: Event, state: str, doing: str) -> None:
    board.take(happened("a", event))
    assert [(line.id, line.state, line.doing) for line in board.lines] == [
        ("b", "queued", ""), ("a", state, doing),
    ]  # fmt: skip


def test_jobs_that_are_new_or_done_are_asked_for_anew(board: Board) -> None:
    assert board.take(happened("c", JobStarted("c.mp4")))
    assert board.take(happened("a", JobFinished({})))
    assert not board.take(happened("b", JobStarted("b.mp4")))


def test_what_is_known_of_a_job_stays_when_they_are_read_anew(board: Board) -> None:
    board.take(happened("a", Waiting("the GPU is busy")))
    board.load([view("c"), view("b"), view("a")])
    assert [line.doing for line in board.lines] == ["", "", "waits: the GPU is busy"]


def test_why_a_job_waits_is_known_to_who_comes_later(board: Board) -> None:
    board.load([view("a", JobState.RUNNING, waits_for="the GPU is busy")])
    assert [line.doing for line in board.lines] == ["waits: the GPU is busy"]
    board.take(happened("a", StageStarted("transcribe")))
    board.load([view("a", JobState.RUNNING, waits_for="the GPU is busy")])
    assert [line.doing for line in board.lines] == ["Transcribing"]


def test_one_line_says_what_goes_on(board: Board) -> None:
    assert board.summary == "2 queued"
    board.take(happened("a", JobStarted("a.mp4")))
    board.take(happened("a", StageProgress("render", 1, 2, "frames")))
    assert board.summary == "a.mp4: Rendering 50 % · 1 queued"
    board.load([])
    assert board.summary == ""


def test_jobs_are_shown_as_they_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Following, "start", lambda self: None)  # no daemon runs here
    settings, _ = talk_in(tmp_path)
    app = ReviewApp(settings)

    async def story(pilot: Pilot[BaseException | None]) -> None:
        shelf: Any = app.screen
        board = shelf._following.board
        board.load([view("a"), view("b", JobState.FAILED, "it is empty")])
        board.take(happened("a", JobStarted("a.mp4")))
        shelf.post_message(JobsChanged())
        await pilot.pause()
        assert "a.mp4: at work" in str(app.screen.query_one("#shelf-jobs", Static).content)
        await pressed(pilot, "g")
        assert isinstance(app.screen, JobsScreen)
        table = app.screen.query_one("#jobs", DataTable)
        assert [str(cell) for cell in table.get_row("b")] == ["b", "failed", "b.mp4", "it is empty"]
        board.take(happened("a", StageProgress("render", 1, 4, "frames")))
        app.screen.post_message(JobsChanged())
        await pilot.pause()
        assert str(table.get_row("a")[3]) == "Rendering 25 %"
        board.take(happened("a", JobFailed(WHY)))
        app.screen.post_message(JobsChanged())
        await pilot.pause()
        drawn = [table.render_line(y).text for y in range(table.size.height)]
        assert any(WHY in line for line in drawn), "it is cut off"
        await pressed(pilot, "escape")
        assert app.screen is shelf

    played(app, story, (100, 30))
