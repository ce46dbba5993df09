"""Listeners for one job on a terminal, as JSON lines, or nowhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from reelremix.cli import diagnostics
from reelremix.cli.output import on_one_line
from reelremix.engine.domain.events import (
    ClipFailed,
    ClipRendered,
    Event,
    JobCancelled,
    JobDead,
    JobFailed,
    LoggedEvent,
    StageFinished,
    StageProgress,
    StageStarted,
    Waiting,
    Warned,
)

if TYPE_CHECKING:
    pass

DOING = {
    "ingest": "Reading",
    "transcribe": "Transcribing",
    "listen": "Listening for laughter",
    "diarize": "Telling voices apart",
    "propose": "Finding moments",
    "understand": "Comparing what is said",
    "score": "Scoring",
    "narrow": "Keeping what was asked for",
    "index": "Indexing what was said",
    "select": "Choosing",
    "judge": "Judging",
    "tighten": "Tightening",
    "look": "Looking for faces",
    "verify": "Hearing how clips begin and end",
    "frame": "Framing",
    "render": "Rendering",
    "conform": "Copying at a constant rate",
    "install": "Installing",
    "import": "Reading results",
    "learn": "Learning",
}
SPEEDS = {"s": "x realtime", "frames": " fps", "B": " MB/s", "clips": " clips/s"}
QUICK_S = 0.5
"""Stages that took less leave no line behind."""


class JsonLines:
    """One JSON object a line on stderr; stdout stays the result."""

    def __init__(self) -> None:
        self.has_told_failure = False
        """Whether an event said why the job failed: nobody else has to."""

    def receive(self, logged: LoggedEvent) -> None:
        """Write the event."""
        from reelremix.engine.codec import event_to_plain

        self.has_told_failure |= isinstance(logged.event, JobFailed | JobDead)
        diagnostics.say(json.dumps(event_to_plain(logged), ensure_ascii=False))


class Quiet:
    """Warnings and failures only."""

    def receive(self, logged: LoggedEvent) -> None:
        """Say what must not be missed."""
        event = logged.event
        if isinstance(event, Warned):
            diagnostics.say_warning(event.message, event.hint)
        elif isinstance(event, ClipFailed):
            diagnostics.say_warning(f"clip {event.clip_id} failed: {event.message}", event.hint)


class PlainLines(Quiet):
    """A line a stage: for logs, pipes and terminals that cannot redraw."""

    def receive(self, logged: LoggedEvent) -> None:
        """Say what happened."""
        super().receive(logged)
        line = told(logged)
        if line:
            diagnostics.say(line)


class TerminalProgress(Quiet):
    """A live line with stage, bar, speed and time left."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description:<20}", markup=False),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[speed]:<18}", markup=False),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}", markup=False),
            console=Console(stderr=True),
            transient=True,
        )
        self._task: Any = None

    def __enter__(self) -> TerminalProgress:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def receive(self, logged: LoggedEvent) -> None:
        """Redraw."""
        event = logged.event
        if isinstance(event, StageStarted):
            self._begin(event)
        elif isinstance(event, StageProgress) and self._task is not None:
            self._advance(event)
        elif isinstance(event, StageFinished | JobFailed | JobCancelled):
            self._end()
        if isinstance(event, Warned | ClipFailed):
            super().receive(logged)
        line = told(logged)
        if line:
            self._progress.console.print(line, markup=False, highlight=False)

    def _begin(self, event: StageStarted) -> None:
        self._end()  # a stage that failed never said so
        self._task = self._progress.add_task(
            DOING.get(event.stage, event.stage), total=None, speed="", left=""
        )

    def _end(self) -> None:
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None

    def _advance(self, event: StageProgress) -> None:
        task = self._progress.tasks[self._progress.task_ids.index(self._task)]
        elapsed = task.elapsed or 0.0
        rate = event.done / elapsed if elapsed > 0 else 0.0
        left = ""
        if event.total and rate > 0 and elapsed > 1:
            left = f"{_duration((event.total - event.done) / rate)} left"
        shown = rate / 1e6 if event.unit == "B" else rate
        speed = f"{shown:.1f}{SPEEDS.get(event.unit, f' {event.unit}/s')}" if rate else ""
        self._progress.update(
            self._task, completed=event.done, total=event.total, speed=speed, left=left
        )


def told(logged: LoggedEvent) -> str | None:
    """A line that stays on the screen, for events worth one."""
    line = _told(logged.event)
    return None if line is None else on_one_line(line)


def _told(event: Event) -> str | None:
    if isinstance(event, StageFinished) and event.cached and event.stage in ("transcribe", "look"):
        return f"{DOING[event.stage]}: ready from an earlier run"
    if isinstance(event, StageFinished) and event.wall_s >= QUICK_S:
        return f"{DOING.get(event.stage, event.stage)}: {_duration(event.wall_s)}"
    if isinstance(event, StageStarted) and event.detail:
        return f"{DOING.get(event.stage, event.stage)}: {event.detail}"
    if isinstance(event, Waiting):
        return f"Waiting: {event.reason}"
    if isinstance(event, ClipRendered):
        return f"{'Kept' if event.cached else 'Wrote'} {event.path}"
    return None


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"
