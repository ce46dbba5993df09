"""Rendering in processes of their own: what is kept, what fails alone, what is cleaned up."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import psutil
import pytest

from reelremix.engine.domain.clip import Clip, OutputFormat, Shown
from reelremix.engine.domain.context import CancelToken, RunContext
from reelremix.engine.domain.events import ClipFailed, ClipRendered, Event, StageProgress, Warned
from reelremix.engine.domain.subject import Subject
from reelremix.engine.media.encode import EncoderSettings
from reelremix.engine.rendering import Batch, file_names, parallel_jobs, render
from reelremix.engine.stages.render import RenderTask
from reelremix.engine.workers import Outcome, render_all
from reelremix.errors import Cancelled, ConfigError, RenderError
from tests.fakes import Recorder, clip_of, presented, run_context
from tests.media_factory import Film, plain_film, sound_of, tone, write_media

OUTPUT = OutputFormat(180, 320, Fraction(25), encoder_preset="ultrafast")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds."""
    return plain_film(tmp_path_factory.mktemp("media") / "a.mp4", 10, size=(160, 90))


def shown(clips: Iterable[Clip]) -> dict[str, Shown]:
    return {clip.id: Shown() for clip in clips}


def clips(film: Path, *spans: tuple[float, float], output: OutputFormat = OUTPUT) -> list[Clip]:
    presentation = presented(film)
    return [
        replace(clip_of(presentation, start, end, output), id=f"clip{n}", rank=n)
        for n, (start, end) in enumerate(spans, start=1)
    ]


def task(film: Path, folder: Path, clip: Clip) -> RenderTask:
    film_part, still_part = (
        str(folder / f".reelremix-{clip.id}-{kind}.part") for kind in ("film", "still")
    )
    settings = EncoderSettings(preset="ultrafast")
    return RenderTask(str(film), presented(film), clip, settings, film_part, still_part)


def outcomes(tasks: list[RenderTask], jobs: int = 2, **more: Any) -> list[Outcome]:
    progress: Callable[..., None] = more.get("progress", lambda *_: None)
    return list(render_all(tasks, jobs, more.get("cancel", CancelToken()), progress))


@pytest.mark.processes
def test_every_task_has_an_outcome(film: Path, tmp_path: Path) -> None:
    tasks = [task(film, tmp_path, clip) for clip in clips(film, (1, 2), (2, 3), (3, 4))]
    found = outcomes(tasks)
    assert {o.task.clip.id for o in found} == {"clip1", "clip2", "clip3"}
    assert all(o.error is None and o.verdict is not None and o.verdict.ok for o in found)
    assert all(Path(t.video).stat().st_size for t in tasks)


@pytest.mark.processes
def test_one_task_that_fails_does_not_stop_the_others(film: Path, tmp_path: Path) -> None:
    good, bad = (task(film, tmp_path, clip) for clip in clips(film, (0, 1), (1, 2)))
    broken = replace(bad, settings=EncoderSettings(preset="warp"))
    failed, done = sorted(outcomes([broken, good], 1), key=lambda o: o.error is None)
    assert "refuses preset 'warp'" in (failed.error or "") and failed.hint
    assert done.task.clip.id == "clip1" and done.error is None


@pytest.mark.processes
def test_a_process_that_dies_costs_only_its_task(film: Path, tmp_path: Path) -> None:
    first, second = (task(film, tmp_path, clip) for clip in clips(film, (0, 9), (1, 2)))
    killed: list[int] = []

    def kill(rendering: RenderTask, _done: int, _total: int) -> None:
        if rendering.clip.id == "clip1" and not killed:
            [child] = psutil.Process().children()
            killed.append(child.pid)
            child.kill()

    found = {o.task.clip.id: o for o in outcomes([first, second], 1, progress=kill)}
    assert killed and "ended unexpectedly" in (found["clip1"].error or "")
    assert found["clip2"].error is None
    assert not Path(first.video).exists()


@pytest.mark.processes
def test_cancelling_ends_all_processes_and_removes_what_they_wrote(
    film: Path, tmp_path: Path
) -> None:
    cancel = CancelToken()
    tasks = [task(film, tmp_path, clip) for clip in clips(film, (0, 9), (0, 8))]
    began: list[float] = []

    def stop(*_: object) -> None:
        began.append(time.monotonic())
        cancel.set()

    with pytest.raises(Cancelled):
        outcomes(tasks, cancel=cancel, progress=stop)
    assert time.monotonic() - began[0] < 2.0
    assert list(tmp_path.iterdir()) == [] and not psutil.Process().children()


@pytest.mark.processes
def test_a_folder_that_cannot_be_written_ends_the_whole_run(film: Path, tmp_path: Path) -> None:
    tasks = [task(film, tmp_path / "gone", clip) for clip in clips(film, (0, 1), (1, 2))]
    with pytest.raises(ConfigError, match="cannot write"):
        outcomes(tasks)
    assert not psutil.Process().children()


class Run:
    """One folder that clips are rendered into, again and again."""

    def __init__(self, film: Path, folder: Path) -> None:
        self.film, self.folder = film, folder
        self.ctx = run_context()

    def __call__(self, *clips: Clip, jobs: int = 0) -> list[Any]:
        """Render; returns the facts about clips."""
        recorder = Recorder()
        ctx = replace(self.ctx, reporter=recorder)
        subject = Subject(self.film, presented(self.film))
        render(Batch(clips, shown(clips), self.folder, jobs), subject, ctx)
        return [e for e in recorder.events if isinstance(e, ClipRendered | ClipFailed)]


@pytest.fixture
def run(film: Path, tmp_path: Path) -> Run:
    """Renders into the test's folder."""
    return Run(film, tmp_path)


def test_what_is_there_is_kept_and_only_the_rest_is_rendered(run: Run, film: Path) -> None:
    first, second = clips(film, (0, 1), (1, 2))
    assert [e.cached for e in run(first)] == [False]
    assert {e.clip_id: e.cached for e in run(first, second)} == {"clip1": True, "clip2": False}


@pytest.mark.parametrize(
    ("changed", "kept"),
    [
        ({"title": "Another", "description": "x", "hashtags": ("#x",)}, True),
        ({"output": replace(OUTPUT, frame_rate=Fraction(10))}, False),
    ],
)
def test_only_what_is_seen_or_heard_makes_a_new_film(
    run: Run, film: Path, changed: dict[str, Any], kept: bool
) -> None:
    [clip] = clips(film, (0, 1))
    run(clip)
    assert [e.cached for e in run(replace(clip, **changed))] == [kept]


def test_another_quality_makes_a_new_film(run: Run, film: Path) -> None:
    [clip] = clips(film, (0, 1))
    [coarse] = clips(film, (0, 1), output=replace(OUTPUT, crf=40))
    run(clip)
    assert [e.cached for e in run(coarse)] == [False]
    assert [e.cached for e in run(coarse, jobs=2)] == [True]


@pytest.mark.parametrize("kind", ["video", "thumbnail"])
def test_a_file_that_is_gone_is_made_again(run: Run, film: Path, kind: str) -> None:
    [clip] = clips(film, (0, 1))
    run(clip)
    (run.folder / file_names(clip)[kind]).unlink()
    assert [e.cached for e in run(clip)] == [False]


def test_failed_clips_are_told_and_leave_no_file(run: Run, film: Path) -> None:
    [event] = run(*clips(film, (0, 1), output=replace(OUTPUT, encoder_preset="warp")))
    assert isinstance(event, ClipFailed) and "warp" in event.message
    assert list(run.folder.iterdir()) == []


def test_an_encoder_nobody_has_ends_the_run(run: Run, film: Path) -> None:
    with pytest.raises(RenderError, match="not available"):
        run(*clips(film, (0, 1), output=replace(OUTPUT, encoder="h265_magic")))


def test_progress_counts_the_frames_of_all_clips(run: Run, film: Path) -> None:
    subject, recorder = Subject(film, presented(film)), Recorder()
    both = clips(film, (0, 1), (1, 3))
    render(Batch(both, shown(both), run.folder), subject, replace(run.ctx, reporter=recorder))
    told = [e for e in recorder.events if isinstance(e, StageProgress)]
    assert {e.total for e in told} == {75} and max(e.done for e in told) == 75


@pytest.mark.parametrize("count", [1, 3])
def test_it_is_told_once_when_only_the_last_clip_is_left(run: Run, film: Path, count: int) -> None:
    subject, recorder = Subject(film, presented(film)), Recorder()
    ctx, short = replace(run.ctx, reporter=recorder), [(n / 2, n / 2 + 0.4) for n in range(count)]
    made, told = clips(film, *short), []

    def nearly_done() -> None:
        told.append(sum(isinstance(e, ClipRendered) for e in recorder.events))

    for _ in range(2):  # nothing is left to do the second time
        render(Batch(made, shown(made), run.folder, 1, nearly_done=nearly_done), subject, ctx)
    assert told == [max(0, count - 2)]  # the one before the last has ended, and is told next


def test_subtitles_are_written_only_where_there_are_words(film: Path) -> None:
    [clip] = clips(film, (0, 1))
    assert set(file_names(clip)) == {"video", "thumbnail"}
    assert file_names(replace(clip, rank=7))["video"] == "07-a-title.mp4"


@pytest.mark.parametrize(("wanted", "clips", "most"), [(0, 1, 1), (3, 10, 3), (8, 2, 2)])
def test_no_more_processes_than_clips_or_asked_for(wanted: int, clips: int, most: int) -> None:
    jobs, cores = parallel_jobs(wanted, clips)
    assert jobs == most and cores >= 1


def test_a_recording_that_changes_while_it_is_read_makes_no_clip(
    film: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(film.read_bytes())
    folder = tmp_path / "out"
    folder.mkdir()
    recorder = Touching(copy)
    subject = Subject(copy, presented(copy))
    short = clips(copy, (0, 1))
    made = render(Batch(short, shown(short), folder, 1), subject, run_context(reporter=recorder))
    [event] = [e for e in recorder.events if isinstance(e, ClipFailed)]
    assert "copy.mp4 changed while it was read" in event.message
    assert made == {} and list(folder.iterdir()) == []


class Touching(Recorder):
    """Changes a file as soon as frames are rendered from it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def emit(self, event: Event) -> None:
        """Remember, and touch."""
        super().emit(event)
        if isinstance(event, StageProgress):
            os.utime(self._path, ns=(1, 1))


def test_what_is_wrong_with_a_film_is_told(tmp_path: Path) -> None:
    silent = write_media(tmp_path / "a.mp4", Film(25), sound_of(tone(1, level=0.0)))
    recorder = Recorder()
    subject = Subject(silent, presented(silent))
    short = clips(silent, (0, 1))
    render(Batch(short, shown(short), tmp_path, 1), subject, run_context(reporter=recorder))
    [warning] = [e for e in recorder.events if isinstance(e, Warned)]
    assert warning.message == "01-a-title.mp4: is silent"


def told(film: Path, folder: Path, clip: Clip, seen: Shown, ctx: RunContext) -> tuple[Any, Any]:
    """The verdict on a clip, and what listeners were warned of."""
    recorder = Recorder()
    subject = Subject(film, presented(film))
    made = render(
        Batch([clip], {clip.id: seen}, folder, 1), subject, replace(ctx, reporter=recorder)
    )
    warnings = [e.message for e in recorder.events if isinstance(e, Warned)]
    return made[clip.id].verdict, warnings


def test_a_film_that_is_kept_is_judged_by_what_its_plan_shows_now(
    film: Path, tmp_path: Path
) -> None:
    [clip], ctx = clips(film, (0, 1)), run_context()
    first, warned = told(film, tmp_path, clip, Shown(0.5), ctx)
    note = "shows its speaker only 50% of the time"
    assert note in first.notes and warned == [f"01-a-title.mp4: {'; '.join(first.notes)}"]
    mended, _ = told(film, tmp_path, clip, Shown(1.0), ctx)
    assert note not in mended.notes and mended.shown == Shown(1.0)


def test_a_film_that_is_kept_is_warned_of_again(film: Path, tmp_path: Path) -> None:
    [clip], ctx = clips(film, (0, 1)), run_context()
    first = told(film, tmp_path, clip, Shown(0.5), ctx)
    assert first[1] and told(film, tmp_path, clip, Shown(0.5), ctx) == first
