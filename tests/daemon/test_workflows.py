"""What becomes of a job, whatever its steps do; the queue underneath is a real one."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy

from reelremix.daemon.durable import _system
from reelremix.daemon.pool import Role
from reelremix.engine.domain.events import ClipFailed, JobFailed, JobFinished, Waiting, Warned
from reelremix.engine.domain.job import JobState
from reelremix.engine.output_folder import OutputFolder
from reelremix.errors import (
    ConfigError,
    DiskFull,
    JobError,
    JobNotFound,
    NothingToClip,
    OutOfMemory,
    RenderError,
    UnreadableMedia,
    WorkerDied,
)
from tests.daemon.desks import (
    BEGUN,
    FAILED_COST,
    FOLDER,
    OUTLINED,
    QUICK,
    Desk,
    Hands,
    Shared,
    answered,
    failing_at,
    held_at,
)
from tests.daemon.rig import eventually

ALL = ["begin", "hear", "decide", "film:clip1", "film:clip2", "finish"]
SUCCEEDED, FAILED, DEAD = JobState.SUCCEEDED, JobState.FAILED, JobState.DEAD
PAUSED, CANCELLED, RUNNING = JobState.PAUSED, JobState.CANCELLED, JobState.RUNNING


def claimed(folder: Path) -> Path:
    """A folder as a run takes it."""
    OutputFolder(folder, BEGUN["source_id"], None).claim({})
    return folder


def in_folder(folder: Path, answer: Any) -> Any:
    """Answers of a job whose clips go into a folder."""

    def answer_there(order: Any, stop: Any, tell: Any) -> Any:
        found = answer(order, stop, tell)
        if order.step == "hear":
            return str(folder)
        return {**found, "folder": str(folder)} if order.step == "decide" else found

    return answer_there


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """A queue for all tests here that need none of their own."""
    queue = Shared(tmp_path_factory.mktemp("queue") / "jobs.sqlite3")
    yield queue
    queue.durable.close()


@pytest.fixture
def desks(tmp_path: Path, shared: Shared) -> Iterator[Any]:
    """Opens a desk over the queue that is shared."""
    opened: list[Desk] = []

    def open_desk(hands: Hands | None = None, **more: Any) -> Desk:
        opened.append(Desk(tmp_path / "data", hands, shared, **more))
        return opened[-1]

    yield open_desk
    opened[-1].close()


@pytest.mark.parametrize(("more", "films"), [({}, [("film", 2)]), ({"plan_only": True}, [])])
def test_processes_of_the_steps_to_come_are_begun_ahead(desks: Any, more: Any, films: Any) -> None:
    desk = desks()
    desk.until(desk.submit(request=more).id, SUCCEEDED)
    assert desk.hands.warmed == [("hear auto", 1), *films]


def test_a_job_goes_through_its_steps_and_tells_its_story(desks: Any) -> None:
    desk = desks()
    job = desk.submit()
    ended = desk.until(job.id, SUCCEEDED)
    assert sorted(desk.hands.steps) == sorted(ALL)
    assert desk.types(job.id) == [
        "job_queued", "job_started", "stage_finished", "stage_started", "stage_finished",
        "job_finished",
    ]  # fmt: skip
    assert ended.usage == {"source_s": 20.0, "rendered_s": 8.0} and ended.folder == FOLDER
    eventually(lambda: [own.id for own in desk.ended] == [job.id], 5)


def test_clips_are_rendered_as_steps_of_their_own_side_by_side(desks: Any) -> None:
    together = threading.Barrier(2, timeout=5)

    def answer(order: Any, stop: Any, tell: Any) -> Any:
        if order.step == "film":
            together.wait()
        return answered(order, stop, tell)

    desk = desks(Hands(answer))
    assert desk.until(desk.submit().id, SUCCEEDED, FAILED).state is SUCCEEDED


@pytest.mark.parametrize("step", ["begin", "hear", "decide", "finish"])
def test_what_cannot_be_done_fails_at_once_with_the_reason(desks: Any, step: str) -> None:
    broken = UnreadableMedia("talk.mp4 is empty", hint="copy it again")
    desk = desks(Hands(failing_at(step, broken)))
    job = desk.until(desk.submit().id, FAILED)
    assert job.failure is not None
    assert (job.failure.kind, job.failure.message) == ("UnreadableMedia", "talk.mp4 is empty")
    assert desk.hands.steps.count(step) == 1
    last = desk.stores.catalogue.events(job.id)[-1].event
    assert last == JobFailed("talk.mp4 is empty", "copy it again")


def test_what_may_pass_is_tried_again_and_told(desks: Any) -> None:
    busy = OutOfMemory("the GPU is full")
    desk = desks(Hands(failing_at("hear", busy, busy)))
    job = desk.until(desk.submit().id, SUCCEEDED)
    assert desk.hands.steps.count("hear") == 3
    waits = [e.event for e in desk.stores.catalogue.events(job.id) if isinstance(e.event, Waiting)]
    assert [wait.reason for wait in waits] == ["the GPU is full; trying again in 0 s"] * 2


def test_what_does_not_pass_fails_after_the_last_try(desks: Any) -> None:
    desk = desks(Hands(failing_at("hear", *[OutOfMemory("the GPU is full")] * 9)))
    job = desk.until(desk.submit().id, FAILED)
    assert job.failure is not None and job.failure.kind == "OutOfMemory"
    assert desk.hands.steps.count("hear") == 3


def test_a_step_that_crashes_its_process_again_and_again_ends_in_a_dead_job(desks: Any) -> None:
    desk = desks(Hands(failing_at("hear", *[WorkerDied("it crashed (signal 11)")] * 9)))
    job = desk.until(desk.submit().id, DEAD)
    assert job.failure is not None and job.failure.message == "it crashed (signal 11)"
    assert desk.types(job.id)[-1] == "job_dead"


def test_clips_that_fail_are_told_and_tried_again_alone(desks: Any) -> None:
    def without_the_second(order: Any, stop: Any, tell: Any) -> Any:
        if order.step == "film" and order.given["clip"] == "clip2":
            return None
        return answered(order, stop, tell)

    desk = desks(Hands(without_the_second))
    job = desk.until(desk.submit().id, FAILED)
    assert job.failure is not None
    assert job.failure.message == "1 of 2 clips could not be rendered"
    desk.hands.answer = answered
    before = len(desk.hands.steps)
    desk.queue.retry(job.id)
    assert desk.until(job.id, SUCCEEDED).attempt == 2
    assert desk.hands.steps[before:] == ["film:clip2", "finish"]


def test_a_film_that_crashes_its_process_costs_that_film_alone(desks: Any) -> None:
    def crashing(order: Any, stop: Any, tell: Any) -> Any:
        if order.step == "film" and order.given["clip"] == "clip2":
            raise WorkerDied("it crashed (signal 11)")
        return answered(order, stop, tell)

    desk = desks(Hands(crashing))
    job = desk.until(desk.submit().id, FAILED)
    assert job.failure is not None
    assert job.failure.message == "1 of 2 clips could not be rendered"
    told = [logged.event for logged in desk.stores.catalogue.events(job.id)]
    assert [e.clip_id for e in told if isinstance(e, ClipFailed)] == ["clip2"]
    assert desk.hands.steps.count("film:clip2") == QUICK.attempts
    desk.hands.answer = answered
    desk.queue.retry(job.id)
    desk.until(job.id, SUCCEEDED)
    assert desk.hands.steps.count("film:clip1") == 1


def test_a_try_that_failed_is_counted_in_what_the_run_cost(desks: Any) -> None:
    desk = desks(Hands(failing_at("begin", OutOfMemory("the GPU is full"))))
    desk.until(desk.submit().id, SUCCEEDED)
    finish = next(order for order in desk.hands.orders if order.step == "finish")
    assert finish.given["costs"][0] == FAILED_COST


@pytest.mark.parametrize(
    ("gpu_full", "changed"), [("cpu", {"device": "cpu"}), ("smaller", {"model": "medium"})]
)
def test_what_is_listened_with_where_the_gpu_is_full_is_told_and_kept(
    desks: Any, gpu_full: str, changed: dict[str, str]
) -> None:
    desk = desks()
    desk.hands.gpu_is_full = True
    heard = {"model": "large-v3-turbo", "device": "auto", "language": None, "gpu_full": gpu_full}
    job = desk.until(desk.submit(request={"transcribe": heard}).id, SUCCEEDED)
    asked = {order.step: order.request["transcribe"] for order in desk.hands.orders}
    assert asked["begin"] == heard
    assert all(asked[step] == heard | changed for step in ("hear", "decide", "film", "finish"))
    told = [logged.event for logged in desk.stores.catalogue.events(job.id)]
    warned = [event.message for event in told if isinstance(event, Warned)]
    how = "on the CPU" if gpu_full == "cpu" else "with medium"
    assert warned == [f"no GPU has room for model large-v3-turbo: listening {how}"]
    assert job.request["transcribe"] == heard


def test_a_full_gpu_is_waited_for_unless_something_else_is_asked_for(desks: Any) -> None:
    desk = desks()
    heard = {"model": "large-v3-turbo", "device": "auto"}
    desk.until(desk.submit(request={"transcribe": heard}).id, SUCCEEDED)
    ask = next(ask for ask in desk.hands.asks if ask.what.startswith("hear"))
    assert ask.gpu_model == "large-v3-turbo" and ask.instead == ()


def test_a_job_that_began_meanwhile_is_stopped_all_the_same(
    desks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desks()
    answer, there = held_at("hear")
    desk.hands.answer = answer
    job = desk.submit()
    assert there.wait(5)
    found = replace(desk.job(job.id), state=JobState.QUEUED)
    known = desk.queue._known
    stale = [found]
    monkeypatch.setattr(desk.queue, "_known", lambda id: stale.pop() if stale else known(id))
    assert desk.queue.cancel(job.id).state is CANCELLED


def test_a_job_that_nobody_works_on_is_stopped_or_begun_again(desks: Any) -> None:
    desk = desks()
    done = desk.until(desk.submit().id, SUCCEEDED)
    eventually(lambda: not desk.durable.is_active(done.id), 5)
    lost = desk.stores.jobs.change(done.id, SUCCEEDED, state=RUNNING)
    assert desk.queue.cancel(lost.id).state is CANCELLED
    desk.stores.jobs.change(done.id, CANCELLED, state=RUNNING)
    desk.queue.settle()
    desk.until(lost.id, SUCCEEDED)


def test_a_job_whose_thread_could_not_write_is_begun_again_once_that_is_sure(desks: Any) -> None:
    desk = desks()
    done = desk.until(desk.submit().id, SUCCEEDED)
    eventually(lambda: not desk.durable.is_active(done.id), 5)
    desk.stores.jobs.change(done.id, SUCCEEDED, state=RUNNING)
    system = _system()
    with system.engine.begin() as connection:
        table = system.tables.workflow_status
        left = sqlalchemy.update(table).where(table.c.workflow_uuid == done.id)
        connection.execute(left.values(status="PENDING", executor_id="local"))
    desk.queue.settle()
    assert desk.job(done.id).state is RUNNING, "it may just be being begun"
    desk.queue.settle()
    desk.until(done.id, SUCCEEDED)


def test_clips_whose_folder_went_are_rendered_anew(desks: Any, tmp_path: Path) -> None:
    taken = claimed(tmp_path / "clips")
    desk = desks(Hands(in_folder(taken, failing_at("finish", RenderError("no space left")))))
    (taken / "01.mp4").write_text("a film")
    job = desk.until(desk.submit().id, FAILED)
    shutil.rmtree(taken)
    before = len(desk.hands.steps)
    desk.queue.retry(job.id)
    desk.until(job.id, SUCCEEDED)
    assert sorted(desk.hands.steps[before:]) == ["decide", "film:clip1", "film:clip2", "finish"]


def test_a_job_that_waits_for_a_process_goes_where_its_priority_says(desks: Any) -> None:
    answer, there = held_at("hear")
    desk = desks(Hands(answer))
    job = desk.submit()
    assert there.wait(5)
    desk.queue.prioritise(job.id, 9)
    assert [rank[0] for rank in desk.hands.ranks] == [-9.0]
    desk.queue.cancel(job.id)


@pytest.mark.parametrize(("kind", "request_"), [("poster", {}), ("clip", {"version": 2})])
def test_a_job_of_a_newer_version_fails_with_what_to_type(
    desks: Any, kind: str, request_: dict[str, Any]
) -> None:
    desk = desks()
    job = desk.until(desk.submit(kind=kind, request=request_).id, FAILED)
    assert job.failure is not None and job.failure.kind == "ConfigError"
    assert "newer ReelRemix" in job.failure.message and "pip install" in str(job.failure.hint)


def test_nothing_to_clip_keeps_the_folder_with_the_reason(desks: Any, tmp_path: Path) -> None:
    taken = claimed(tmp_path / "clips")
    desk = desks(Hands(in_folder(taken, failing_at("finish", NothingToClip("nobody speaks")))))
    assert desk.until(desk.submit().id, FAILED).folder == str(taken) and taken.is_dir()


def test_a_job_that_fails_gives_its_folder_back(desks: Any, tmp_path: Path) -> None:
    taken = claimed(tmp_path / "clips")
    desk = desks(Hands(in_folder(taken, failing_at("decide", UnreadableMedia("gone")))))
    desk.until(desk.submit().id, FAILED)
    assert not taken.exists()


@pytest.mark.parametrize("ends", ["cancel", "pause"])
def test_a_folder_is_given_back_by_a_job_that_is_cancelled_and_kept_by_one_that_is_paused(
    desks: Any, tmp_path: Path, ends: str
) -> None:
    taken = claimed(tmp_path / "clips")
    answer, there = held_at("decide")
    desk = desks(Hands(in_folder(taken, answer)))
    job = desk.submit()
    assert there.wait(5)
    getattr(desk.queue, ends)(job.id)
    eventually(lambda: taken.exists() == (ends == "pause"), 5)


def test_a_stage_behind_the_one_that_failed_does_not_pass_it_over(desks: Any) -> None:
    desk = desks(Hands(failing_at("decide", UnreadableMedia("gone"))))
    job = desk.until(desk.submit().id, FAILED)
    desk.queue.retry(job.id, "film")
    desk.until(job.id, SUCCEEDED)
    assert desk.hands.steps.count("decide") == 2 and desk.hands.steps.count("hear") == 1


def test_a_broken_off_job_that_waits_in_line_is_cancelled_at_once(desks: Any) -> None:
    answer, there = held_at("hear")
    desk = desks(Hands(answer))
    busy = [desk.submit(), desk.submit()]
    waits = desk.submit()
    assert there.wait(5)
    eventually(lambda: len(desk.runner.under_way()) == 2, 5)
    desk.stores.jobs.change(waits.id, JobState.QUEUED, state=RUNNING)
    began = time.monotonic()
    assert desk.queue.cancel(waits.id).state is CANCELLED
    assert time.monotonic() - began < 2
    for job in busy:
        desk.queue.cancel(job.id)


def test_artifacts_are_dropped_only_while_nothing_is_under_way(
    desks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, there = held_at("hear")
    desk, dropped = desks(Hands(answer), artifact_cap_bytes=1), list[int]()

    def collect(own: Any, cap: int) -> int:
        dropped.append(cap)
        return 0

    monkeypatch.setattr(type(desk.stores.artifacts), "collect", collect)
    first = desk.submit()
    assert there.wait(5)
    desk.hands.answer = failing_at("begin", UnreadableMedia("gone"))
    desk.until(desk.submit().id, FAILED)
    assert dropped == []
    desk.queue.cancel(first.id)
    eventually(lambda: dropped == [1], 5)


def test_films_that_wait_are_not_begun_once_one_has_failed_for_good(desks: Any) -> None:
    def answer(order: Any, stop: Any, tell: Any) -> Any:
        if order.step == "decide":
            clips = [{"id": f"clip{n}", "frames": 1, "length_s": 1.0} for n in range(8)]
            return {"folder": FOLDER, "clips": clips}
        if order.step == "film":
            raise DiskFull("no space left on device")
        return answered(order, stop, tell)

    desk = desks(Hands(answer))
    desk.until(desk.submit().id, FAILED)
    assert sum(step.startswith("film") for step in desk.hands.steps) <= 4 * QUICK.attempts


def test_films_are_heard_again_on_the_gpu_by_the_process_that_listens_there(desks: Any) -> None:
    def answer(order: Any, stop: Any, tell: Any) -> Any:
        if order.step == "decide":
            return {"folder": FOLDER, "clips": OUTLINED, "device": "cuda"}
        return answered(order, stop, tell)

    desk = desks(Hands(answer))
    desk.until(desk.submit(request={"transcribe": {"model": "small"}}).id, SUCCEEDED)
    finish = next(ask for ask in desk.hands.asks if ask.what.startswith("finish"))
    assert (finish.role, finish.gpu_model) == (Role.HEAR, "small")


@pytest.mark.parametrize("step", ["begin", "hear", "decide", "film", "finish"])
def test_cancelling_stops_a_job_in_every_step(desks: Any, step: str) -> None:
    answer, there = held_at(step)
    desk = desks(Hands(answer))
    job = desk.submit()
    assert there.wait(5)
    assert desk.queue.cancel(job.id).state is CANCELLED
    assert desk.types(job.id)[-1] == "job_cancelled"
    assert desk.queue.cancel(job.id).state is CANCELLED


@pytest.mark.parametrize("step", ["begin", "hear", "decide", "film", "finish"])
def test_a_paused_job_goes_on_behind_what_it_has_done(desks: Any, step: str) -> None:
    answer, there = held_at(step)
    desk = desks(Hands(answer))
    job = desk.submit()
    assert there.wait(5)
    assert desk.queue.pause(job.id).state is PAUSED
    desk.hands.answer, before = answered, len(desk.hands.steps)
    desk.queue.resume(job.id)
    desk.until(job.id, SUCCEEDED)
    assert desk.hands.steps[before].split(":")[0] == step
    assert [t for t in desk.types(job.id) if t.startswith("job_")] == [
        "job_queued", *(["job_started"] if step != "begin" else []), "job_paused", "job_queued",
        "job_resumed", *(["job_started"] if step == "begin" else []), "job_finished",
    ]  # fmt: skip


def test_a_job_that_waits_can_be_paused_and_cancelled(desks: Any) -> None:
    answer, there = held_at("hear")
    desk = desks(Hands(answer))
    busy = [desk.submit(), desk.submit()]
    assert there.wait(5)
    first, second = desk.submit(), desk.submit()
    assert desk.queue.pause(first.id).state is PAUSED
    assert desk.queue.cancel(second.id).state is CANCELLED
    for job in busy:
        desk.queue.cancel(job.id)
    desk.hands.answer = answered
    desk.queue.resume(first.id)
    desk.until(first.id, SUCCEEDED)
    assert "job_started" not in desk.types(second.id)


def test_a_job_that_is_broken_off_too_often_is_given_up(desks: Any) -> None:
    desk = desks(Hands(held_at("hear")[0]), crash_limit=2)
    record = desk.submit()
    desk.queue.pause(record.id)
    job = desk.stores.jobs.change(record.id, PAUSED, state=RUNNING, crashes=1)
    desk.durable.rewind(job.id, 1)
    ended = desk.until(job.id, DEAD)
    assert ended.failure is not None and "broken off 2 times" in ended.failure.message
    desk.hands.answer = answered
    desk.queue.retry(job.id)
    assert desk.until(job.id, SUCCEEDED).crashes == 0


def test_warnings_are_told_once_a_job(desks: Any) -> None:
    def warning(order: Any, stop: Any, tell: Any) -> Any:
        tell(Warned("no font has that letter"))
        return answered(order, stop, tell)

    desk = desks(Hands(warning))
    job = desk.until(desk.submit().id, SUCCEEDED)
    assert desk.types(job.id).count("warning") == 1


def test_the_same_key_is_the_same_job(desks: Any) -> None:
    desk = desks()
    first, second = desk.submit(key="a"), desk.submit(key="a")
    assert first.id == second.id and desk.submit(key="b").id != first.id


def test_higher_priorities_go_first(desks: Any) -> None:
    answer, there = held_at("hear")
    desk, begun = desks(Hands(answer)), list[str]()

    def in_pairs(order: Any, stop: Any, tell: Any) -> Any:
        if order.step == "begin":
            begun.append(order.job_id)
            eventually(lambda: len(begun) >= 2, 5)
        return answered(order, stop, tell)

    busy = [desk.submit(), desk.submit()]
    assert there.wait(5)
    low, high = desk.submit(priority=1), desk.submit(priority=9)
    late = desk.submit(priority=1)
    desk.queue.prioritise(late.id, 8)
    desk.hands.answer = in_pairs
    for job in busy:
        desk.queue.cancel(job.id)
    desk.until(low.id, SUCCEEDED)
    assert begun.index(low.id) == len(begun) - 1
    assert set(begun[-3:-1]) == {high.id, late.id}


def test_retrying_from_a_stage_does_that_again(desks: Any) -> None:
    desk = desks(Hands(failing_at("finish", RenderError("no"))))
    job = desk.until(desk.submit().id, FAILED)
    before = len(desk.hands.steps)
    desk.queue.retry(job.id, "decide")
    desk.until(job.id, SUCCEEDED)
    again = desk.hands.steps[before:]
    assert sorted(again) == ["decide", "film:clip1", "film:clip2", "finish"]


def test_a_cancelled_job_can_be_tried_again(desks: Any) -> None:
    answer, there = held_at("decide")
    desk = desks(Hands(answer))
    job = desk.submit()
    assert there.wait(5)
    desk.queue.cancel(job.id)
    desk.hands.answer = answered
    desk.queue.retry(job.id)
    desk.until(job.id, SUCCEEDED)
    assert desk.hands.steps.count("hear") == 1


def test_what_cannot_be_asked_is_refused_with_the_reason(desks: Any) -> None:
    desk = desks()
    job = desk.until(desk.submit().id, SUCCEEDED)
    with pytest.raises(JobError, match="nothing to try again"):
        desk.queue.retry(job.id)
    with pytest.raises(JobError, match="is succeeded: there is nothing to stop"):
        desk.queue.cancel(job.id)
    with pytest.raises(JobError, match="is succeeded, not paused"):
        desk.queue.resume(job.id)
    with pytest.raises(JobError, match="its priority means nothing now"):
        desk.queue.prioritise(job.id, 1)
    with pytest.raises(ConfigError, match="between 0 and 9"):
        desk.submit(priority=10)
    with pytest.raises(ConfigError, match="no stage 'upload'"):
        desk.queue.retry(job.id, "upload")
    with pytest.raises(JobNotFound):
        desk.queue.find("nothing")


def test_jobs_that_ended_can_be_forgotten_with_their_events(desks: Any) -> None:
    desk = desks()
    job = desk.until(desk.submit().id, SUCCEEDED)
    assert desk.queue.purge([job.id, "unknown"]) == 1
    assert desk.stores.jobs.job(job.id) is None and desk.types(job.id) == []
    assert not desk.durable.is_known(job.id)


def test_usage_is_told_once(desks: Any) -> None:
    desk = desks()
    job = desk.until(desk.submit().id, SUCCEEDED)
    told = [e.event for e in desk.stores.catalogue.events(job.id)]
    assert [e for e in told if isinstance(e, JobFinished)] == [
        JobFinished({"source_s": 20.0, "rendered_s": 8.0})
    ]


@pytest.mark.parametrize("step", ["hear", "decide", "film", "finish"])
def test_a_step_that_completes_while_its_job_is_stopped_ends_it_all_the_same(
    desks: Any, step: str
) -> None:
    there = threading.Event()

    def deaf(order: Any, stop: Any, tell: Any) -> Any:
        if order.step == step:
            there.set()
            assert stop.wait(5)
        return answered(order, stop, tell)

    desk = desks(Hands(deaf))
    job = desk.submit()
    assert there.wait(5)
    ended = desk.queue.cancel(job.id).state
    assert ended in (CANCELLED, SUCCEEDED) and (step == "finish" or ended is CANCELLED)
