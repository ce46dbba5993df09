"""What the command line may load before it knows what is wanted."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

HEAVY = {"torch", "av", "numpy", "ctranslate2", "textual", "skia", "faster_whisper", "httpx"}


def loaded_after(statement: str, within: str = "") -> set[str]:
    """Top-level modules a fresh interpreter has loaded after a statement; or those of a package."""
    script = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    names: list[str] = json.loads(done.stdout.splitlines()[-1])
    if within:
        return {n.removeprefix(f"{within}.") for n in names if n.startswith(f"{within}.")}
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize("module", ["reelremix.cli.app", "reelremix.engine", "reelremix.config"])
def test_importing_loads_nothing_heavy(module: str) -> None:
    assert not HEAVY & loaded_after(f"import {module}")


def test_the_domain_needs_the_standard_library_alone() -> None:
    modules = loaded_after(
        "import reelremix.engine.domain.context, reelremix.engine.domain.request"
    )
    assert not {"cattrs", "typer", "platformdirs", "sqlite_utils"} & modules


def test_the_engine_does_not_load_what_draws_on_terminals() -> None:
    assert not {"typer", "textual"} & loaded_after("import reelremix.engine.library")


def test_who_asks_nobody_loads_no_client() -> None:
    assert "httpx" not in loaded_after("import reelremix.daemon.worker")


def test_the_daemon_side_of_rendering_does_not_load_speech_models() -> None:
    assert not {"torch", "ctranslate2"} & loaded_after("import reelremix.engine.worker")


def test_the_version_is_told_at_once() -> None:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "reelremix", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("reelremix ") and done.stdout.count("\n") == 1
    assert time.monotonic() - began < 2.0


def test_the_first_page_of_a_review_loads_no_more_of_the_engine_than_its_list_needs(
    tmp_path: Path,
) -> None:
    modules = loaded_after(
        "from dataclasses import replace; from reelremix.config import load_settings;"
        "from reelremix.cli.tui.desk import Desk;"
        "from reelremix.cli.tui.screens.shelf import Shelf;"
        f"Desk(replace(load_settings().settings, data_dir={str(tmp_path)!r})).rows()",
        "reelremix.engine",
    )
    assert not {"domain.context", "domain.clip", "library", "reviewing"} & modules
