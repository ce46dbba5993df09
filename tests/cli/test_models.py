"""Installing, finding and removing models from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from reelremix.engine.models import registry
from tests.cli.commandline import Command
from tests.engine.models.weights import CONFIG, MODEL, catalog, write_wheels


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the packages of `tiny`, the only model there is."""
    monkeypatch.setattr(registry, "load_catalog", catalog)
    write_wheels(tmp_path)
    return tmp_path


def test_people_are_told_on_stderr_what_was_installed_and_removed(
    reelremix: Command, shelf: Path
) -> None:
    installed = reelremix("models", "install", "tiny", "--from", shelf)
    assert installed.out == "" and "tiny is installed in " in installed.err
    folder = reelremix("models", "path", "tiny").out.rstrip()
    assert folder in installed.err and Path(folder, "model.bin").read_bytes() == MODEL
    removed = reelremix("models", "remove", "tiny")
    assert removed.out == "" and "removed tiny" in removed.err


def test_programs_get_one_document_of_all_that_was_installed(
    reelremix: Command, shelf: Path
) -> None:
    done = reelremix("models", "install", "tiny", "tiny", "--from", shelf, "--json")
    folder = reelremix("models", "path", "tiny").out.rstrip()
    row = {"name": "tiny", "folder": folder}
    assert done.json == {"version": 1, "models": [row, row]}
    assert "is installed in" not in done.err


def test_programs_are_told_where_a_model_is_and_what_removing_it_freed(
    reelremix: Command, shelf: Path
) -> None:
    [row] = reelremix("models", "install", "tiny", "--from", shelf, "--json").json["models"]
    assert reelremix("models", "path", "tiny", "--json").json == {"version": 1, **row}
    freed = reelremix("models", "remove", "tiny", "--json").json
    assert freed == {"version": 1, "name": "tiny", "freed_bytes": len(MODEL) + len(CONFIG)}
    assert not Path(row["folder"]).exists()


def test_a_failed_install_prints_no_document(reelremix: Command, shelf: Path) -> None:
    ended = reelremix("models", "install", "tiny", "huge", "--from", shelf, "--json")
    assert ended.failed_politely(5, "huge")
