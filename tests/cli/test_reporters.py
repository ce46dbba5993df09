from __future__ import annotations

import pytest

from reelremix.cli.reporters import TerminalProgress
from reelremix.engine.domain.events import (
    Event,
    JobCancelled,
    JobFailed,
    LoggedEvent,
    StageFinished,
    StageStarted,
)


def bars(*events: Event) -> list[str]:
    """What the bars left on the screen stand for."""
    progress = TerminalProgress()
    for number, event in enumerate(events):
        progress.receive(LoggedEvent("job", number, 0.0, event))
    return [task.description for task in progress._progress.tasks]


def test_a_bar_stands_while_its_stage_lasts() -> None:
    begun = StageStarted("render")
    assert bars(begun) == ["Rendering"]
    assert bars(begun, StageFinished("render", 1.0, False)) == []


@pytest.mark.parametrize("end", [JobFailed("no such file"), JobCancelled()])
def test_a_stage_that_failed_takes_its_bar_away(end: Event) -> None:
    assert bars(StageStarted("transcribe"), end) == []


def test_the_next_recording_begins_with_a_clean_screen() -> None:
    assert bars(StageStarted("transcribe"), StageStarted("ingest")) == ["Reading"]
