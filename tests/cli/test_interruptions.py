"""Runs that are stopped, killed or started twice."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any

import psutil
import pytest

from reelremix.config import load_settings
from reelremix.engine.domain.transcript import Transcript
from reelremix.engine.joblog import Unheard
from reelremix.engine.library import Library
from tests.cli.commandline import (
    QUICK,
    arguments,
    end_of,
    in_process,
    manifest_in,
    partial_files,
    wait_for,
    words_file,
)
from tests.cli.conftest import Start
from tests.conftest import Models
from tests.daemon.rig import eventually
from tests.engine.reviewed import reviewed
from tests.media_factory import Film, counted, sound_of, tone, write_media

pytestmark = pytest.mark.slow

DROPS = """
import time
from reelremix.cli import entry

def work():
    print(flush=True)
    try:
        time.sleep(20)
    except KeyboardInterrupt:
        time.sleep(20)

entry._meant = lambda _: work
entry.main()
"""
SILENT = Transcript("en", 0.9, ())
EVENTS = ("--progress", "json")
SOON_S = 2.0
"""The second that stopping may take, and one more for a busy machine."""


def job(tmp_path: Path, *ranges: str, seconds: int = 12) -> list[object]:
    """A `clip` command over a film made for it."""
    film, words = tmp_path / "talk.mp4", tmp_path / "words.json"
    if not film.exists():
        frames = Film(seconds * 25, counted, size=(160, 90), rate=Fraction(25))
        write_media(film, frames, sound_of(tone(seconds)))
        words_file(words, SILENT)
    asked = [part for text in ranges for part in ("--range", text)]
    return ["clip", film, "--transcript", words, "--jobs", "1", *asked, *QUICK, *EVENTS]


def decisions(folder: Path) -> list[dict[str, Any]]:
    """The clips of a manifest."""
    return list(manifest_in(folder)["clips"])


def digests(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.glob("*.mp4")}


def test_a_second_run_on_one_source_waits_and_says_so(start: Start, tmp_path: Path) -> None:
    command = job(tmp_path, "0-2")
    first = start(*command)
    wait_for(first, "stage_started", stage="render")
    first.send_signal(signal.SIGSTOP)  # however slowly the second starts, it meets the first
    second = start(*command)
    wait_for(second, "waiting")
    first.send_signal(signal.SIGCONT)
    assert [end_of(run).code for run in (first, second)] == [0, 0]
    assert len(list(Path("clips/talk").glob("*.mp4"))) == 1


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was_and_ends_with_the_same_clips(
    start: Start, tmp_path: Path
) -> None:
    command = job(tmp_path, "0-1", "2-3", "4-8")
    killed = start(*command)
    wait_for(killed, "clip_rendered")
    killed.send_signal(signal.SIGKILL)
    end_of(killed)
    assert not Path("clips/talk/clips.json").exists()
    resumed = in_process(*command)
    assert resumed.code == 0
    assert '"cached": true' in resumed.err
    undisturbed = in_process(*command, "--out", "elsewhere")
    assert undisturbed.code == 0
    assert decisions(Path("clips/talk")) == decisions(Path("elsewhere/talk"))
    assert digests(Path("clips/talk")) == digests(Path("elsewhere/talk"))
    assert not partial_files()


def test_workers_of_a_killed_run_end_and_clean_up(start: Start, tmp_path: Path) -> None:
    run = start(*job(tmp_path, "0-11"))
    wait_for(run, "stage_progress", stage="render")
    assert partial_files()
    run.send_signal(signal.SIGKILL)
    end_of(run)
    deadline = time.monotonic() + 5
    while partial_files() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not partial_files()


@pytest.mark.alone
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_ends_within_a_second_and_leaves_nothing_half_done(
    start: Start, tmp_path: Path, number: signal.Signals
) -> None:
    run = start(*job(tmp_path, "0-11"))
    wait_for(run, "stage_progress", stage="render")
    began = time.monotonic()
    run.send_signal(number)
    ended = end_of(run)
    assert time.monotonic() - began < SOON_S
    assert ended.code == 130
    last = [json.loads(line) for line in ended.err.splitlines()][-1]
    assert last["type"] == "job_cancelled"
    assert not partial_files() and not list(Path("clips/talk").glob("*.mp4"))


@pytest.mark.alone
def test_a_command_is_stopped_within_a_second_though_another_program_holds_the_library(
    start: Start, tmp_path: Path
) -> None:
    path = reviewed(tmp_path / "clips", Library.open().context(Unheard()))
    library = load_settings().settings.library_file
    with closing(sqlite3.connect(library, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        run = start("clip", "edit", path, "1", "--keep")
        opened = psutil.Process(run.pid).open_files
        eventually(lambda: str(library) in {file.path for file in opened()}, 10)
        time.sleep(1.0)
        assert run.poll() is None
        began = time.monotonic()
        run.send_signal(signal.SIGINT)
        assert run.wait(20) == 130
        assert time.monotonic() - began < SOON_S


@pytest.mark.alone
def test_ctrl_c_ends_a_command_though_something_dropped_the_interrupt() -> None:
    process = subprocess.Popen([sys.executable, "-c", DROPS], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        process.stdout.readline()
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(15) == 130
        assert time.monotonic() - began < SOON_S
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.alone
def test_listening_is_stopped_within_a_second(
    start: Start, shared: Path, installed_models: Models
) -> None:
    installed_models("tiny.en")
    film = shared / "media" / "panel_dev_720p.mp4"
    run = start("transcribe", film, "--model", "tiny.en", *EVENTS)
    wait_for(run, "stage_started", stage="transcribe")
    time.sleep(0.5)
    began = time.monotonic()
    run.send_signal(signal.SIGINT)
    ended = end_of(run)
    assert ended.code == 130
    assert time.monotonic() - began < SOON_S
    assert json.loads(ended.err.splitlines()[-1])["type"] == "job_cancelled"


def test_a_stopped_run_says_that_it_can_go_on(start: Start, tmp_path: Path) -> None:
    run = start(*job(tmp_path, "0-11")[:-2], "--progress", "plain")
    while not list(Path("clips").glob("talk/*")) and run.poll() is None:
        time.sleep(0.02)
    run.send_signal(signal.SIGINT)
    ended = end_of(run)
    assert ended.code == 130 and "cancelled; finished work is kept" in ended.err


def test_the_job_log_remembers_that_it_was_cancelled(start: Start, tmp_path: Path) -> None:
    run = start(*job(tmp_path, "0-11"))
    event = wait_for(run, "stage_started", stage="render")
    run.send_signal(signal.SIGINT)
    ended = end_of(run)
    assert f'"type": "job_cancelled", "version": 1, "job_id": "{event["job_id"]}"' in ended.err


def test_a_clip_run_needs_no_network_at_all(shared: Path, installed_models: Models) -> None:
    installed_models("tiny.en", "blazeface")
    alone = ("unshare", "-rn")
    if shutil.which("unshare") is None or in_process("--version", prefix=alone).code:
        pytest.skip("needs `unshare -rn`, which gives a process no network")
    film = shared / "media" / "his_girl_friday_6s.mp4"
    listening = ("--model", "tiny.en", "--range", "1-2", "--fps", "10", "--json")
    ended = in_process("clip", film, *listening, prefix=alone)
    assert ended.code == 0, ended.err
    [run] = ended.json["runs"]
    assert run["manifest"]["run"]["network"] == []
    assert run["manifest"]["transcript"]["words"] > 3
    assert run["manifest"]["clips"][0]["verdict"]["loudness_lufs"] is not None


def test_a_reader_that_goes_away_is_no_error(start: Start, tmp_path: Path) -> None:
    assert arguments("config", "show")[1:3] == ["-m", "reelremix"]
    run = start("config", "show", "--json")
    assert run.stdout is not None
    run.stdout.close()
    assert run.stderr is not None
    assert "Traceback" not in run.stderr.read()
    run.stderr.close()
    assert run.wait(10) in (0, 1)
