"""The sample recording, made once for all tests that need it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

DEMO = Path(__file__).parents[2] / "demo"


def make_sample(out: Path) -> str:
    """Make the recording, or find it there; returns what was said about it."""
    command = [sys.executable, str(DEMO / "make_sample.py"), str(out)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stderr


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished recording, one for all processes that run tests side by side."""
    folder = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        folder = folder.parent
    out = folder / "sample.mp4"
    with FileLock(f"{out}.lock"):
        make_sample(out)
    return out


@pytest.fixture
def truth(sample: Path) -> dict[str, Any]:
    """What lies beside it."""
    plain: dict[str, Any] = json.loads(sample.with_suffix(".truth.json").read_text("utf-8"))
    return plain
