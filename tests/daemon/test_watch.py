from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reelremix.daemon import taking, watched_folder
from reelremix.engine.domain.watch import WatchState, WhenDone
from reelremix.engine.store.catalogue import SqliteCatalogue
from reelremix.engine.store.database import Database
from reelremix.engine.store.files import file_sha256
from reelremix.engine.store.sources import identify_file
from reelremix.engine.store.watch_table import SqliteWatchStore
from reelremix.errors import JobError
from tests.daemon.folders import QUICK, Studio, eventually

HEAVY = ("av", "torch", "ctranslate2", "onnxruntime", "numpy", "dbos")


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    """A folder that nobody watches yet."""
    studio = Studio(tmp_path / "drop")
    yield studio
    studio.watcher.stop()


def test_the_watcher_loads_nothing_that_reads_media() -> None:
    program = (
        "import sys, reelremix.daemon.watch, reelremix.daemon.notify;"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (ran.stdout.strip(), ran.stderr) == ("[]", "")


def test_a_recording_becomes_a_job(studio: Studio) -> None:
    watch = studio.watch(options={"captions": "none"})
    path = studio.drop("talk.mp4")
    studio.eventually_took("talk.mp4")
    content = file_sha256(path)
    [job], [taken_for] = studio.queue.jobs, studio.queue.watches
    assert taken_for == watch and job.source_id == content
    eventually(lambda: studio.store.seen("w1", content))
    eventually(lambda: studio.status.waiting == 0)
    assert (studio.status.state, studio.status.taken) == (WatchState.WATCHING, 1)
    assert studio.status.last_error is None


def test_whoever_ingests_it_need_not_read_it_again(studio: Studio) -> None:
    studio.watch()
    path = studio.drop("talk.mp4")
    studio.eventually_took("talk.mp4")
    assert studio.catalogue.recall_file(identify_file(path)) == file_sha256(path)


def test_what_was_there_before_is_taken_in_the_order_it_came(studio: Studio) -> None:
    for name, mtime in (("b.mp4", 50), ("c.mp4", 10), ("a.mp4", 50), ("d.mov", 2**33)):
        os.utime(studio.drop(name), (mtime, mtime))
    studio.watch()
    eventually(lambda: len(studio.queue.names) == 4)
    assert studio.queue.names == ["c.mp4", "a.mp4", "b.mp4", "d.mov"]


def test_a_slow_copy_is_taken_once_and_when_it_has_ended(studio: Studio) -> None:
    studio.timings = replace(QUICK, settle_s=0.4)
    studio.again()
    studio.watch()
    path = studio.folder / "talk.mp4"
    with path.open("wb", buffering=0) as file:
        for number in range(50):
            file.write(bytes([number]) * 999)
            time.sleep(0.01)  # the copy is slow; nothing is waited for
            assert studio.queue.names == []
    studio.eventually_took("talk.mp4")
    assert studio.queue.jobs[0].source_id == file_sha256(path)
    studio.takes_nothing_more()


def test_a_file_that_is_renamed_while_it_waits_is_taken_once(studio: Studio) -> None:
    studio.watch()
    path = studio.drop("talk.mp4.part", b"x")
    studio.drop("other.mp4")
    studio.eventually_took("other.mp4")
    path = path.rename(studio.folder / "first.mp4")
    eventually(lambda: studio.status.waiting)
    path.rename(studio.folder / "second.mp4")
    studio.eventually_took("other.mp4", "second.mp4")
    studio.takes_nothing_more()


def test_neither_another_name_nor_a_copy_makes_another_job(studio: Studio) -> None:
    studio.watch(recursive=True)
    path = studio.drop("talk.mp4")
    studio.eventually_took("talk.mp4")
    renamed = path.rename(studio.folder / "renamed.mp4")
    shutil.copy(renamed, studio.folder / "copy.mp4")
    (studio.folder / "inside").mkdir()
    shutil.copy2(renamed, studio.folder / "inside" / "copy.mov")
    os.utime(renamed)
    studio.takes_nothing_more()
    known = studio.store.seen("w1", file_sha256(renamed))
    assert known is not None and not known.path.endswith("talk.mp4")


def test_other_content_under_the_same_name_is_another_recording(studio: Studio) -> None:
    studio.watch()
    studio.drop("talk.mp4", b"one")
    studio.eventually_took("talk.mp4")
    studio.drop("talk.mp4", b"another")
    studio.eventually_took("talk.mp4", "talk.mp4")


def test_a_storm_of_events_is_no_reason_for_another_job(studio: Studio) -> None:
    studio.watch()
    path = studio.drop("talk.mp4")
    studio.eventually_took("talk.mp4")
    for number in range(1000):
        os.utime(path, (number, number))
        (studio.folder / "x").touch()
        (studio.folder / "x").unlink()
    studio.takes_nothing_more()


def test_what_vanishes_while_it_waits_is_forgotten(studio: Studio) -> None:
    studio.timings = replace(QUICK, settle_s=60)
    studio.again()
    studio.watch()
    path = studio.drop("talk.mp4")
    eventually(lambda: studio.status.waiting == 1)
    path.unlink()
    eventually(lambda: studio.status.waiting == 0)
    assert studio.status.last_error is None and studio.queue.names == []


def test_an_empty_file_waits_until_there_is_something_in_it(studio: Studio) -> None:
    studio.watch()
    path = studio.drop("talk.mp4", b"")
    studio.drop("notes.txt", b"not a recording")
    studio.takes_nothing_more()
    path.write_bytes(b"now there is")
    eventually(lambda: studio.queue.names[1:] == ["talk.mp4"])


def test_a_recording_without_a_telling_name_is_taken(studio: Studio) -> None:
    studio.watch()
    studio.drop("nameless", b"\x1aE\xdf\xa3 and more")
    studio.eventually_took("nameless")


def test_a_network_drive_is_looked_at_from_time_to_time(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched_folder, "is_on_network", lambda _: True)
    studio.watch(recursive=True)
    studio.drop("inside/talk.mp4")
    studio.eventually_took("talk.mp4")
    shutil.rmtree(studio.folder)
    eventually(lambda: studio.status.state is WatchState.MISSING)
    studio.drop("inside/again.mp4")
    studio.eventually_took("talk.mp4", "again.mp4")


def test_a_burst_is_taken_in_order_without_a_thread_for_each(studio: Studio) -> None:
    names = [f"{number:03}.mp4" for number in range(500)]
    for age, name in enumerate(reversed(names)):
        os.utime(studio.drop(name), ns=(age, age))
    before = threading.active_count()
    studio.watch()
    most = 0
    while len(studio.queue.names) < 500:
        most = max(most, threading.active_count() - before)
        time.sleep(0.01)
    assert studio.queue.names == names[::-1] and most <= 4


def test_a_restart_takes_nothing_again_and_reads_nothing_again(tmp_path: Path) -> None:
    database = Database(tmp_path / "library.sqlite3")
    stores = SqliteWatchStore(database), SqliteCatalogue(database)
    studio = Studio(tmp_path / "drop", *stores, release=database.close_thread)
    studio.watch()
    path = studio.drop("talk.mp4")
    studio.eventually_took("talk.mp4")
    eventually(lambda: studio.status.taken == 1)
    studio.watcher.stop()
    path.rename(studio.folder / "renamed.mp4")
    shutil.copy(studio.folder / "renamed.mp4", path)
    studio.again()
    studio.watcher.start()
    studio.takes_nothing_more()
    studio.watcher.stop()
    database.close()


def test_what_is_queued_but_not_noted_is_asked_for_again(studio: Studio) -> None:
    studio.watch()
    studio.drop("talk.mp4")
    studio.eventually_took("talk.mp4")
    eventually(lambda: studio.status.taken == 1)
    studio.watcher.stop()
    studio.store.forget("w1", studio.queue.jobs[0].source_id or "")
    studio.again()
    studio.watcher.start()
    studio.eventually_took("talk.mp4", "talk.mp4")


def test_what_is_forgotten_is_taken_again_after_a_reload(studio: Studio) -> None:
    studio.watch()
    studio.drop("talk.mp4")
    studio.eventually_took("talk.mp4")
    eventually(lambda: studio.status.taken == 1 and studio.status.waiting == 0)
    studio.store.forget("w1", studio.queue.jobs[0].source_id or "")
    studio.watcher.reload()
    studio.eventually_took("talk.mp4", "talk.mp4")


def test_a_folder_that_is_missing_is_watched_when_it_appears(studio: Studio) -> None:
    studio.folder.rmdir()
    studio.watch()
    for name in ("first.mp4", "second.mp4"):
        eventually(lambda: studio.status.state is WatchState.MISSING)
        studio.folder.mkdir()
        studio.drop(name)
        studio.eventually_takes(name)
        assert studio.status.state is WatchState.WATCHING
        shutil.rmtree(studio.folder)
    assert studio.queue.names == ["first.mp4", "second.mp4"]


def test_a_folder_that_another_took_the_place_of_is_watched(studio: Studio) -> None:
    studio.watch()
    studio.drop("first.mp4")
    studio.eventually_took("first.mp4")
    studio.folder.rename(studio.folder.with_name("away"))
    studio.folder.mkdir()
    studio.drop("second.mp4")
    studio.eventually_took("first.mp4", "second.mp4")


def test_a_file_in_the_place_of_the_folder_is_told(studio: Studio) -> None:
    studio.folder.rmdir()
    studio.folder.write_bytes(b"x")
    studio.watch()
    eventually(lambda: studio.status.state is WatchState.UNREADABLE)
    assert studio.status.reason == "not a directory"


def test_a_folder_of_clips_is_not_watched_and_says_why(studio: Studio) -> None:
    studio.drop("clips.json")
    studio.drop("01-a.mp4")
    studio.watch()
    eventually(lambda: studio.status.state is WatchState.UNREADABLE)
    assert "holds clips" in (studio.status.reason or "") and studio.queue.names == []
    (studio.folder / "clips.json").unlink()
    studio.eventually_took("01-a.mp4")


def test_clips_that_are_written_into_the_folder_are_not_taken(studio: Studio) -> None:
    studio.watch(recursive=True)
    studio.drop("talk.mp4")
    studio.eventually_took("talk.mp4")
    note = studio.drop("clips/talk/.reelremix-run.json")
    studio.drop("clips/talk/01-a.mp4")
    studio.takes_nothing_more()
    studio.drop("clips/talk/clips.json")
    note.unlink()
    studio.takes_nothing_more()


def test_a_paused_watch_takes_nothing_until_it_goes_on(studio: Studio) -> None:
    watch = studio.watch(paused=True)
    studio.drop("talk.mp4")
    eventually(lambda: studio.status.state is WatchState.PAUSED)
    studio.store.save(replace(watch, paused=False))
    studio.watcher.reload()
    studio.eventually_took("talk.mp4")


def test_watches_come_and_go(studio: Studio, tmp_path: Path) -> None:
    watch = studio.watch()
    (tmp_path / "other").mkdir()
    studio.store.add(replace(watch, id="w2", folder=str(tmp_path / "other")))
    studio.watcher.reload()
    (tmp_path / "other" / "b.mp4").write_bytes(b"b")
    studio.eventually_took("b.mp4")
    assert [own.id for own in studio.queue.watches] == ["w2"]
    studio.store.remove("w2")
    studio.watcher.reload()
    assert [status.watch_id for status in studio.watcher.status()] == ["w1"]
    studio.drop("a.mp4")
    studio.eventually_took("a.mp4", "b.mp4")


def test_a_watch_can_move_to_another_folder(studio: Studio, tmp_path: Path) -> None:
    watch = studio.watch()
    eventually(lambda: studio.status.state is WatchState.WATCHING)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "b.mp4").write_bytes(b"b")
    studio.store.save(replace(watch, folder=str(tmp_path / "other")))
    studio.watcher.reload()
    studio.eventually_took("b.mp4")


def test_settings_that_are_broken_hold_everything_until_they_are_mended(studio: Studio) -> None:
    settings = studio.drop(".reelremix.toml", b"captoins = 'none'")
    studio.drop("talk.mp4")
    studio.watch()
    notice = studio.folder / "reelremix.toml.failed.txt"
    eventually(notice.is_file)
    assert "did you mean 'captions'" in notice.read_text()
    assert "captoins" in (studio.status.last_error or "")
    settings.write_text("judge = 'https://elsewhere.example'")
    eventually(lambda: "not taken from a folder's file" in notice.read_text())
    assert studio.queue.names == [] and studio.status.waiting == 1
    settings.write_text("captions = 'none'")
    studio.eventually_took("talk.mp4")
    eventually(lambda: not notice.exists())
    assert studio.status.last_error is None


def test_a_job_that_cannot_be_queued_is_tried_again(studio: Studio) -> None:
    studio.queue.fails = JobError("there are too many jobs")
    studio.watch()
    studio.drop("talk.mp4")
    eventually(lambda: studio.status.last_error)
    assert "too many jobs" in (studio.status.last_error or "") and studio.status.waiting == 1
    studio.queue.fails = None
    studio.eventually_took("talk.mp4")
    eventually(lambda: studio.status.last_error is None)


def test_what_cannot_be_read_is_told_once_and_tried_again(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries = []

    def refuse(path: Path) -> bool:
        tries.append(path)
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched, caplog.at_level(logging.WARNING):
        patched.setattr(taking, "may_be_recording", refuse)
        studio.watch()
        path = studio.drop("talk.mp4")
        eventually(lambda: len(tries) >= 2)
        assert studio.status.last_error == f"{path} cannot be read: permission denied"
        assert len([r for r in caplog.records if "permission denied" in r.message]) == 1
    studio.eventually_took("talk.mp4")
    eventually(lambda: studio.status.last_error is None)


def test_a_name_that_is_no_text_is_told(studio: Studio) -> None:
    studio.watch()
    (studio.folder / os.fsdecode(b"\xff.mp4")).write_bytes(b"x")
    eventually(lambda: "not unicode text" in (studio.status.last_error or ""))
    studio.takes_nothing_more()
    (studio.folder / os.fsdecode(b"\xff.mp4")).rename(studio.folder / "a.mp4")
    eventually(lambda: studio.queue.names[-1] == "a.mp4" and studio.status.last_error is None)


def test_a_file_that_is_written_to_while_it_is_read_is_taken_as_it_is_then(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    grown: list[int] = []

    def grow(path: Path) -> bool:
        if not grown:
            grown.append(path.write_bytes(b"more than before"))
        return True

    monkeypatch.setattr(taking, "may_be_recording", grow)
    studio.watch()
    path = studio.drop("talk.mp4", b"before")
    studio.eventually_took("talk.mp4")
    assert studio.queue.jobs[0].source_id == file_sha256(path)


def test_a_huge_file_that_is_being_read_stops_nobody(studio: Studio) -> None:
    path = studio.drop("huge.mp4", b"")
    os.truncate(path, 1 << 40)
    studio.watch()
    _eventually_reads(20 << 20)
    began = time.monotonic()
    studio.watcher.stop()
    assert time.monotonic() - began < 1 and not _threads() and studio.queue.names == []


def test_a_reload_does_not_break_off_what_is_being_read(studio: Studio) -> None:
    path = studio.drop("huge.mp4", b"")
    os.truncate(path, 1 << 30)
    studio.watch()
    for _ in range(3):
        _eventually_reads(2 << 20)
        studio.watcher.reload()
    studio.eventually_took("huge.mp4")


def _eventually_reads(more_bytes: int) -> None:
    """Wait until this process has read so much more."""
    before = _read_bytes()
    eventually(lambda: _read_bytes() > before + more_bytes)


def _read_bytes() -> int:
    """How much this process has read."""
    [line] = [own for own in Path("/proc/self/io").read_text().splitlines() if "rchar" in own]
    return int(line.split()[1])


def _threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("watch ")]


def test_an_error_that_nobody_foresaw_ends_no_watch(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    logger = logging.getLogger("reelremix.daemon")
    with monkeypatch.context() as patched:
        patched.setattr(logger, "exception", logger.warning)  # an error fails the test
        patched.setattr(studio.store, "seen", lambda *_: 1 / 0)
        studio.watch()
        studio.drop("talk.mp4")
        eventually(lambda: "ZeroDivisionError" in (studio.status.last_error or ""))
    studio.eventually_took("talk.mp4")
    eventually(lambda: studio.status.last_error is None)


def test_a_watch_that_moves_does_not_take_what_it_moved(studio: Studio) -> None:
    studio.watch(when_done=WhenDone.MOVE, recursive=True)
    studio.drop("done/a.mp4")
    studio.drop("failed/b.mp4")
    studio.takes_nothing_more()


def test_a_watcher_that_does_not_run_does_nothing(studio: Studio) -> None:
    studio.watcher.reload()
    studio.watcher.stop()
    assert list(studio.watcher.status()) == []
