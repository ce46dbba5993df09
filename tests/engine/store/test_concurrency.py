"""A command, a review and a daemon on one library at once, each a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reelremix.engine.store.backups import backups_folder
from reelremix.engine.store.catalogue import SqliteCatalogue
from reelremix.engine.store.database import Database
from reelremix.engine.store.integrity import search_faults
from reelremix.engine.store.vector_file import TABLES, VectorFile
from reelremix.engine.upkeep.transfer import export_library
from tests.conftest import REPOSITORY

TURNS = 25
BEGIN = """
import sys
from dataclasses import replace
from pathlib import Path
from reelremix.engine.domain.context import Decision
from reelremix.engine.domain.edit import Changed, Decide, Edit, Status
from reelremix.engine.domain.events import Waiting
from reelremix.engine.domain.rows import ClipFilter
from reelremix.engine.domain.window import Due
from reelremix.engine.store.backups import copy_library
from reelremix.engine.store.catalogue import SqliteCatalogue
from reelremix.engine.store.database import Database
from reelremix.errors import EditConflict
from tests.engine.examples import CLIP, SOURCE, TRANSCRIPT
from tests.engine.store.indexes import indexed, window
path, turns = Path(sys.argv[1]), int(sys.argv[2])
catalogue = SqliteCatalogue(Database(path))
def edit(who, turn):
    while True:
        number = len(catalogue.edits("shared")) + 1
        change = Decide(f"{who}{turn}", Status.KEPT)
        try:
            return catalogue.append_edits("shared", [Edit(number, 1.0, change, {})])
        except EditConflict:
            continue
"""
COMMAND = """
for turn in range(turns):  # each command opens the library anew
    database = Database(path)
    catalogue = SqliteCatalogue(database)
    catalogue.save_source(replace(SOURCE, id=f"{turn:064x}"))
    catalogue.save_transcript(f"{turn:064x}", TRANSCRIPT)
    catalogue.save_clips(f"{turn:064x}", [replace(CLIP, id=f"command{turn}", title=f"Word {turn}")])
    edit("command", turn)
    catalogue.clips_saying(["word"], 50)
    database.close()
"""
REVIEW = """
for turn in range(turns):  # one session, reading between all it writes
    catalogue.save_clips("review", [replace(CLIP, id="review", title=f"Word {turn}")])
    edit("review", turn)
    catalogue.record(Decision("review", "kept", {"turn": turn}, float(turn)))
    catalogue.source_rows()
    catalogue.clip_rows(ClipFilter(text="word"))
    assert catalogue.clip("review").title == f"Word {turn}"
"""
DAEMON = """
for turn in range(turns):  # indexes what the others bring, and makes copies
    for due in catalogue.windows_due("m"):
        catalogue.save_windows(due, indexed(due.source_id, window("word", vector=(1, turn)),
                                            model="m"))
    due = catalogue.clips_due("m")
    catalogue.save_clip_meanings("m", {own.number: bytes([1, turn]) for own in due})
    catalogue.windows_meaning([1.0, 1.0], 50)
    catalogue.clips_meaning([1.0, 1.0], 50)
    catalogue.append("job", Waiting("turn"))
    edit("daemon", turn)
    if turn % 10 == 0:
        copy_library(catalogue._db.connection(), path.with_name("backups") / f"{turn}.sqlite3")
"""


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A library that three processes have worked on at once."""
    path = tmp_path / "library.sqlite3"
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", BEGIN + body, str(path), str(TURNS)],
            stderr=subprocess.PIPE, text=True, cwd=REPOSITORY, env=environ,
        )
        for body in (COMMAND, REVIEW, DAEMON)
    ]  # fmt: skip
    assert [process.communicate(timeout=120)[1] for process in running] == [""] * 3
    return path


def test_nothing_is_lost_and_all_is_in_step(shared: Path) -> None:
    database = Database(shared)
    catalogue = SqliteCatalogue(database)
    edits = catalogue.edits("shared")
    assert [edit.number for edit in edits] == list(range(1, 3 * TURNS + 1))
    assert len({json.dumps(edit.operation.clip) for edit in edits}) == 3 * TURNS  # type: ignore[union-attr]
    assert len(catalogue.source_rows(limit=99)) == TURNS
    assert len(catalogue.clip_rows(limit=99)) == TURNS + 1
    assert [d.detail["turn"] for d in catalogue.decisions("review")] == list(range(TURNS))
    assert [event.seq for event in catalogue.events("job")] == list(range(1, TURNS + 1))
    assert len(catalogue.clips_saying(["word"], 99)) == TURNS + 1
    assert database.rows("PRAGMA integrity_check") == [("ok",)]
    assert list(search_faults(database)) == []
    for kind in TABLES:
        assert VectorFile(database, "local", kind).faults() is None
    for copy in backups_folder(shared).glob("*.sqlite3"):
        assert Database(copy).rows("PRAGMA integrity_check") == [("ok",)]
    assert export_library(catalogue, shared.with_name("all.jsonl"))["clip"] >= TURNS
