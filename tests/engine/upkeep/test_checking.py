"""Checking a library, and putting right what can be."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from reelremix.config import Settings
from reelremix.engine.domain.context import ArtifactKey
from reelremix.engine.domain.window import Due
from reelremix.engine.store.catalogue import SqliteCatalogue
from reelremix.engine.store.database import Database
from reelremix.engine.store.integrity import require_sound, search_faults
from reelremix.engine.store.sources import identify_file
from reelremix.engine.upkeep.checking import Report, check
from reelremix.engine.upkeep.shelf import Shelf, open_shelf
from reelremix.errors import ConfigError
from tests.engine.examples import CLIP, SOURCE
from tests.engine.store.indexes import indexed, window
from tests.engine.store.test_salvage import pages_of, spoil


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A library with a recording, a clip, an artifact and vectors."""
    made = Settings(data_dir=str(tmp_path / "data"))
    talk = tmp_path / "talk.mp4"
    talk.write_bytes(b"a recording")
    source = replace(SOURCE, id=hashlib.sha256(b"a recording").hexdigest(), name=talk.name)
    with open_shelf(made) as shelf:
        shelf.catalogue.save_source(source)
        shelf.catalogue.remember_file(identify_file(talk), source.id)
        index = indexed(source.id, window("word", vector=(1, 2)))
        shelf.catalogue.save_windows(Due("", 0), index)
        shelf.catalogue.windows_meaning([1.0, 2.0], 1)
        shelf.catalogue.save_clips(source.id, [CLIP])
        shelf.artifacts.put(ArtifactKey("local", "listen", "ab" * 32), b"a result")
    return made


def said(report: Report) -> list[tuple[str, bool]]:
    """Kinds of faults, and whether they were put right."""
    return [(fault.kind, done) for fault, done in report.faults]


def test_nothing_is_wrong_with_a_sound_library(settings: Settings) -> None:
    for full in (False, True):
        report = check(settings, full=full, repair=True)
        assert report.is_ok and said(report) == [] and report.salvaged is None


def test_a_library_that_is_not_there_yet_is_sound(tmp_path: Path) -> None:
    assert check(Settings(data_dir=str(tmp_path / "new")), full=True, repair=False).is_ok


def out_of_step(shelf: Shelf) -> None:
    with shelf.database.transaction() as connection:
        connection.execute("INSERT INTO clip_words (rowid, terms) VALUES (77, 'nobody')")


def vectors_spoiled(shelf: Shelf) -> None:
    [path] = shelf.database.path.with_name("library.sqlite3-vectors").glob("*.bin")
    path.write_bytes(path.read_bytes()[:70])


def artifact_spoiled(shelf: Shelf) -> None:
    [path] = (p for p in shelf.settings.artifacts_path.rglob("*") if p.is_file())
    path.write_bytes(b"another result")


def artifact_gone(shelf: Shelf) -> None:
    [path] = (p for p in shelf.settings.artifacts_path.rglob("*") if p.is_file())
    path.unlink()


def stray_row(shelf: Shelf) -> None:
    connection = sqlite3.connect(shelf.database.path)
    connection.execute("INSERT INTO clip_details VALUES (99, x'00')")
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    ("spoiling", "kind"),
    [
        (out_of_step, "search"),
        (vectors_spoiled, "vectors"),
        (artifact_spoiled, "artifact"),
        (artifact_gone, "artifact"),
        (stray_row, "reference"),
    ],
)
def test_what_can_be_made_anew_is(
    settings: Settings, spoiling: Callable[[Shelf], None], kind: str
) -> None:
    with open_shelf(settings) as shelf:
        spoiling(shelf)
    assert said(check(settings, full=False, repair=False)) == [(kind, False)]
    assert said(check(settings, full=False, repair=True)) == [(kind, True)]
    assert said(check(settings, full=True, repair=False)) == []
    with open_shelf(settings) as shelf:
        assert [h.id for h in shelf.catalogue.clips_saying(["ten"], 5)] == [CLIP.id]


def test_a_recording_that_is_gone_or_another_is_told_and_not_put_right(
    settings: Settings, tmp_path: Path
) -> None:
    talk = tmp_path / "talk.mp4"
    talk.write_bytes(b"something else")
    report = check(settings, full=False, repair=True)
    assert said(report) == [("source", False)] and not report.is_ok
    assert "was replaced by another" in report.faults[0][0].message
    talk.unlink()
    [(fault, _)] = check(settings, full=False, repair=False).faults
    assert "talk.mp4" in fault.message and "is gone" in fault.message


def test_a_recording_that_was_only_touched_is_the_same(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "talk.mp4").write_bytes(b"a recording")
    assert check(settings, full=False, repair=False).is_ok


def damaged(settings: Settings) -> None:
    """A page of the clips is written over."""
    path = settings.library_file
    database = Database(path)
    with database.transaction() as connection:
        for number in range(200):
            connection.execute(
                "INSERT INTO decisions (owner, clip_id, kind, detail, at)"
                " VALUES ('local', ?, 'kept', ?, 0)",
                (f"c{number}", json.dumps({"why": "x" * 300})),
            )
    database.close()
    size, pages = pages_of(path, "decisions")
    spoil(path, pages[2], size)


def test_a_damaged_file_is_told_saved_and_kept(settings: Settings) -> None:
    damaged(settings)
    assert ("file", False) in said(check(settings, full=False, repair=False))
    report = check(settings, full=False, repair=True)
    assert report.is_ok and report.salvaged is not None and report.salvaged.kept_at.exists()
    plain = report.to_plain()
    lost = {t["table"]: t["lost"] for t in plain["salvaged"]["tables"] if t["lost"] != 0}
    assert list(lost) == ["decisions"]
    with open_shelf(settings) as shelf:
        assert 100 < len(shelf.catalogue.decisions()) < 200
    assert check(settings, full=True, repair=False).is_ok


@pytest.mark.parametrize("share", [0.9, 0.7])
def test_a_library_that_was_cut_off_is_saved_as_far_as_it_goes(
    settings: Settings, share: float
) -> None:
    damaged(settings)
    path = settings.library_file
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    for beside in ("-wal", "-shm"):
        path.with_name(path.name + beside).unlink(missing_ok=True)
    report = check(settings, full=False, repair=True)
    assert report.is_ok and report.salvaged is not None
    assert sum(table.rows for table in report.salvaged.tables) >= 5


def test_a_damaged_library_is_not_copied(settings: Settings) -> None:
    damaged(settings)
    with open_shelf(settings) as shelf, pytest.raises(ConfigError, match="damaged") as caught:
        require_sound(shelf.database)
    assert "check --repair" in (caught.value.hint or "")


def test_a_library_that_is_held_is_not_taken_for_a_damaged_one(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reelremix.engine.store.database.BUSY_TIMEOUT_S", 0.1)
    with open_shelf(settings) as shelf:
        list(search_faults(shelf.database))
        with closing(sqlite3.connect(settings.library_file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(ConfigError, match="another program holds it"):
                list(search_faults(shelf.database))


def test_reading_a_damaged_library_says_what_to_type(settings: Settings) -> None:
    damaged(settings)
    with pytest.raises(ConfigError, match="malformed") as caught:
        SqliteCatalogue(Database(settings.library_file)).decisions()
    assert "reelremix library check --repair" in (caught.value.hint or "")


def test_what_is_no_library_is_not_replaced(tmp_path: Path) -> None:
    settings = Settings(data_dir=str(tmp_path))
    settings.library_file.write_text("my notes " * 1000)
    assert not check(settings, full=False, repair=False).is_ok
    with pytest.raises(ConfigError, match="holds nothing of a library"):
        check(settings, full=False, repair=True)
    assert settings.library_file.read_text().startswith("my notes")
