"""The daemon as a whole: a real process with real workers, over short recordings."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

import reelremix
from reelremix.daemon.client import DaemonClient
from reelremix.engine.domain.events import JobStarted
from reelremix.engine.domain.request import (
    ClipRequest,
    EncodeOptions,
    FrameOptions,
    SelectOptions,
    TranscribeOptions,
)
from reelremix.engine.domain.time import TimeRange
from reelremix.errors import DaemonError
from tests.cli.commandline import TALK, words_file
from tests.conftest import cleaned
from tests.daemon.rig import Rig, eventually, submission, wait_for
from tests.fakes import spoken
from tests.media_factory import plain_film

pytestmark = [pytest.mark.slow, pytest.mark.alone]
GONE_WITHIN_S = 1.0
PARTS = ".reelremix-*.part"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """A data folder; whatever daemon is left over it is ended."""
    made = Rig(tmp_path / "data")
    yield made
    if made.child is not None and made.child.poll() is None:
        made.child.kill()
        made.child.wait()


@pytest.fixture(scope="module")
def house(homes: Iterator[Path]) -> Iterator[Rig]:
    """A daemon for all tests that leave it as it is."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        home = cleaned(next(homes), monkeypatch)
        made = Rig(home / "data")
        with made.running():
            yield made


@pytest.fixture
def client(house: Rig) -> Iterator[DaemonClient]:
    """A connection to it."""
    with house.client() as made:
        yield made


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short recording and a long one."""
    folder = tmp_path_factory.mktemp("films")
    plain_film(folder / "talk.mp4", 17, size=(320, 180))
    plain_film(folder / "long.mp4", 60, size=(320, 180))
    return folder


@pytest.fixture
def talk(films: Path, tmp_path: Path) -> ClipRequest:
    """A recording with words that are given, quick to render in two clips."""
    film = Path(shutil.copy(films / "talk.mp4", tmp_path / "talk.mp4"))
    words = words_file(tmp_path / "words.json", spoken(*TALK))
    return request(film, words, tmp_path / "clips")


@pytest.fixture
def endless(films: Path, talk: ClipRequest, tmp_path: Path) -> ClipRequest:
    """The same with a film that takes long to render."""
    film = tmp_path / "long.mp4"
    film.write_bytes((films / "long.mp4").read_bytes() + str(tmp_path).encode())  # nobody's copy
    spans = (TimeRange.from_seconds(1, 58),)
    slow = EncodeOptions(preset="placebo", crf=1)
    words = Path(str(talk.transcribe.transcript))
    return request(film, words, Path(talk.out), select=SelectOptions(ranges=spans), encode=slow)


def request(film: Path, words: Path, out: Path, **more: Any) -> ClipRequest:
    """Clips of given ranges, without faces and captions."""
    spans = (TimeRange.from_seconds(1, 3), TimeRange.from_seconds(5, 7))
    asked: dict[str, Any] = {
        "source": str(film),
        "out": str(out),
        "captions": None,
        "transcribe": TranscribeOptions(transcript=str(words), speakers="off"),
        "select": SelectOptions(ranges=spans),
        "frame": FrameOptions(faces=False),
        "encode": EncodeOptions(preset="ultrafast", fps="10"),
    }
    return ClipRequest(**asked | more)


def test_a_job_is_done_and_told_by_a_daemon_that_loads_no_model(
    client: DaemonClient, talk: ClipRequest
) -> None:
    job = client.submit(submission(talk))
    told = [logged.event for logged in client.events(job.id) if logged is not None]
    assert told[1].type == "job_started" and told[-1].type == "job_finished"
    assert any(isinstance(e, JobStarted) and e.options["fps"] == "10" for e in told)
    ended = client.job(job.id)
    files = {artifact.name for artifact in client.artifacts(job.id)}
    assert ended.state == "succeeded" and ended.usage == {"source_s": 17.0, "rendered_s": 4.0}
    assert {"clips.json", "index.html"} < files and sum(f.endswith(".mp4") for f in files) == 2
    assert json.loads((Path(str(ended.folder)) / "clips.json").read_bytes())["id"] == job.id


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells what is loaded")
def test_the_daemon_itself_holds_no_model_library(client: DaemonClient, talk: ClipRequest) -> None:
    wait_for(client, client.submit(submission(talk)).id)
    held = Path(f"/proc/{client.health().pid}/maps").read_text()
    for library in ("libtorch", "libctranslate2", "libav", "onnxruntime"):
        assert library not in held


def test_a_second_daemon_is_refused(house: Rig) -> None:
    command = [sys.executable, "-m", "reelremix", "daemon", "start", "--foreground"]
    environment = {**os.environ, "REELREMIX_DATA_DIR": str(house.data)}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 7 and "a daemon runs already (process" in done.stderr


def test_cancelling_a_render_ends_it_within_a_second_and_leaves_no_part(
    client: DaemonClient, endless: ClipRequest, tmp_path: Path
) -> None:
    job = client.submit(submission(endless))
    eventually(lambda: list(tmp_path.rglob(PARTS)) != [], 40)
    began = time.monotonic()
    assert client.cancel(job.id).state == "cancelled"
    assert time.monotonic() - began < GONE_WITHIN_S
    eventually(lambda: not list(tmp_path.rglob(PARTS)), 1)


def test_a_signal_ends_it_and_the_next_one_goes_on(
    rig: Rig, talk: ClipRequest, endless: ClipRequest, tmp_path: Path
) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        rig.start()
        with rig.client() as client:
            busy = client.submit(submission(endless, key="busy"))
            quick = client.submit(submission(talk, key="quick"))
            eventually(lambda: list(tmp_path.rglob(PARTS)) != [], 40)
            workers = [w["pid"] for w in client.status().workers if w["pid"] is not None]
        assert rig.stop(number) == 0
        eventually(partial(_have_gone, workers), 5)
        assert not list(tmp_path.rglob(PARTS))
    with rig.running() as client:
        assert client.job(busy.id).state in ("queued", "running")
        client.cancel(busy.id)
        assert wait_for(client, quick.id).state == "succeeded"


def test_workers_go_when_the_daemon_is_killed(
    rig: Rig, endless: ClipRequest, tmp_path: Path
) -> None:
    rig.start()
    with rig.client() as client:
        client.submit(submission(endless))
        eventually(lambda: list(tmp_path.rglob(PARTS)) != [], 40)
        workers = [w["pid"] for w in client.status().workers if w["pid"] is not None]
    rig.kill()
    eventually(partial(_have_gone, workers), 5)
    assert not list(tmp_path.rglob(PARTS))


def test_a_worker_that_is_killed_costs_one_step(client: DaemonClient, talk: ClipRequest) -> None:
    wait_for(client, client.submit(submission(talk)).id)
    slow = request(
        Path(talk.source), Path(str(talk.transcribe.transcript)), Path(f"{talk.out}2"),
        encode=EncodeOptions(preset="veryslow", crf=1),
    )  # fmt: skip
    job = client.submit(submission(slow))
    eventually(lambda: any(_films(client)), 20)
    psutil.Process(_films(client)[0]).kill()
    ended = wait_for(client, job.id)
    waits = [e.event for e in client.events(job.id) if e and e.event.type == "waiting"]
    assert ended.state == "succeeded"
    assert any("was killed, as a system does" in str(wait) for wait in waits)


def _have_gone(pids: list[int]) -> bool:
    return not any(map(_is_there, pids))


def _is_there(pid: int) -> bool:
    """Whether a process works; one that has ended may be left for its parent to take note of."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _films(client: DaemonClient) -> list[int]:
    return [int(w["pid"]) for w in client.status().workers if w["step"] == "film"]


def test_models_are_unloaded_when_nobody_uses_them(tmp_path: Path, talk: ClipRequest) -> None:
    rig = Rig(tmp_path / "data", worker_idle_s=1.0)
    with rig.running() as client:
        wait_for(client, client.submit(submission(talk)).id)
        eventually(lambda: client.status().held_mb == 0, 10)
        assert client.status().rss_mb < 200


def test_a_source_that_changes_or_goes_fails_its_job_with_the_reason(
    client: DaemonClient, endless: ClipRequest, tmp_path: Path
) -> None:
    gone = client.submit(submission(endless))
    eventually(lambda: list(tmp_path.rglob(PARTS)) != [], 40)
    (tmp_path / "long.mp4").unlink()
    client.pause(gone.id)
    client.resume(gone.id)
    ended = wait_for(client, gone.id)
    assert ended.state == "failed" and ended.failure is not None
    assert ended.failure.kind == "UnreadableMedia" and "no longer where" in ended.failure.message


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        environment = {
            **os.environ, "REELREMIX_DATA_DIR": str(tmp_path), "REELREMIX_DAEMON_PORT": str(port),
        }  # fmt: skip
        command = [sys.executable, "-m", "reelremix", "daemon", "start"]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=60
        )
    assert done.returncode == 7 and f"port {port} cannot be used" in done.stderr


def test_another_version_on_disk_takes_over_and_the_job_goes_on(
    talk: ClipRequest, tmp_path: Path
) -> None:
    code = tmp_path / "code"
    shutil.copytree(Path(reelremix.__file__).parent, code / "reelremix")
    rig = Rig(tmp_path / "data", code=code)
    with rig.running() as client:
        before = client.health()
        named = code / "reelremix" / "__init__.py"
        named.write_text(named.read_text().replace(reelremix.__version__, "99.0.0"))
        job = client.submit(submission(talk))
        told = [logged.event.type for logged in client.events(job.id) if logged is not None]
        with rig.client() as again:
            assert again.health().version == "99.0.0" != before.version
            assert again.health().pid == before.pid
            assert again.job(job.id).state == "succeeded"
    assert told[-1] == "job_finished"
    assert any("99.0.0 is on disk now" in str(entry["message"]) for entry in rig.log())


def test_no_daemon_is_told_with_what_to_type(rig: Rig) -> None:
    with pytest.raises(DaemonError, match="the daemon is not running") as caught:
        rig.client()
    assert caught.value.hint == "`reelremix daemon start` starts it"
