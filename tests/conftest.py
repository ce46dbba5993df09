"""Guards around every test, and the few things that come from outside the repository.

No test sees the settings, the library or the models of whoever runs it, and none passes while
something logs an error. Weights and recordings that cannot be made on the spot are found before the
environment is cleaned; tests that need them are skipped with the reason where they are absent.
"""

from __future__ import annotations

import gc
import itertools
import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import hypothesis
import platformdirs
import pytest

from reelremix.engine import codec, workers
from reelremix.engine.domain.context import CancelToken
from reelremix.engine.stages.render import RenderTask

REPOSITORY = Path(__file__).parent.parent
SHARED = Path(os.environ.get("REELREMIX_SHARED", REPOSITORY.parent / "shared"))
_DATA = Path(
    os.environ.get("REELREMIX_DATA_DIR", platformdirs.user_data_dir("reelremix", appauthor=False))
)
MODEL_ROOTS = tuple(
    Path(root).expanduser()
    for root in (os.environ.get("REELREMIX_MODELS_DIR"), _DATA / "models")
    if root
)
HOMES = (
    "HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "XDG_CONFIG_HOME", "XDG_DATA_HOME",
    "XDG_CACHE_HOME", "XDG_STATE_HOME",
)  # fmt: skip
TERMINAL = ("COLUMNS", "LINES", "FORCE_COLOR", "PY_COLORS", "CLICOLOR_FORCE", "GITHUB_ACTIONS")

Models = Callable[..., Path]

hypothesis.settings.register_profile(
    "suite", deadline=None, max_examples=60, derandomize=True, database=None
)
hypothesis.settings.load_profile("suite")


def pytest_collection_finish() -> None:
    """Thousands of tests live to the end: whoever looks for garbage need not look through them."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folders that are nobody's yet; to look for a free number among thousands takes its time."""
    folder = tmp_path_factory.mktemp("homes")
    return (folder / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def clean_environment(homes: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home, a data folder and a working folder of the test's own; returns the home."""
    return cleaned(next(homes), monkeypatch)


def cleaned(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nobody's settings, and everything that is a user's inside of `home`, which is returned."""
    for name in [name for name in os.environ if name.startswith("REELREMIX_")]:
        monkeypatch.delenv(name)
    for name in TERMINAL:
        monkeypatch.delenv(name, raising=False)
    here = home / "here"
    here.mkdir(parents=True)
    for name in HOMES:
        monkeypatch.setenv(name, str(home / name.lower() if name.startswith("XDG") else home))
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.chdir(here)
    return home


class _Errors(logging.Handler):
    """Keeps what was logged as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the message."""
        self.messages.append(f"{record.name}: {record.getMessage()}")


@pytest.fixture(autouse=True)
def no_logged_errors() -> Iterator[None]:
    """Fail a test during which something logged an error."""
    errors = _Errors()
    logging.getLogger().addHandler(errors)
    yield
    logging.getLogger().removeHandler(errors)
    assert not errors.messages


class _Here:
    """Stands for processes that render: tasks go the same way as text, and are done in this one."""

    def __init__(self, tasks: Sequence[RenderTask], jobs: int) -> None:
        told = [json.loads(json.dumps(codec.to_plain(task))) for task in tasks]
        self._tasks = [codec.from_plain(plain, RenderTask) for plain in told]
        self._jobs = jobs

    def outcomes(self, cancel: CancelToken, progress: Any) -> Iterator[workers.Outcome]:
        """One after the other."""
        return workers.render_here(self._tasks, self._jobs, cancel, progress)

    def stop(self) -> None:
        """Nothing has to end."""


@pytest.fixture(autouse=True)
def rendered_here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Films are rendered in this process, unless a test is about processes: each takes a second to
    begin. Commands that run in a process of their own render as they always do.
    """
    if request.node.get_closest_marker("processes") is None:
        monkeypatch.setattr(workers, "_Pool", _Here)


@pytest.fixture
def shared() -> Path:
    """The folder of recordings kept beside the repository."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the recordings in {SHARED}, or in $REELREMIX_SHARED")
    return SHARED


@pytest.fixture
def installed_models(clean_environment: Path, monkeypatch: pytest.MonkeyPatch) -> Models:
    """Called with names, makes those models findable and returns the folder that holds them."""

    def make_findable(*names: str) -> Path:
        folder = clean_environment / "models"
        folder.mkdir(exist_ok=True)
        for name in names:
            found = next((root / name for root in MODEL_ROOTS if (root / name).is_dir()), None)
            if found is None:
                pytest.skip(f"needs the weights of {name}: `reelremix models install {name}`")
            (folder / name).symlink_to(found, target_is_directory=True)
        monkeypatch.setenv("REELREMIX_MODELS_DIR", str(folder))
        return folder

    return make_findable
