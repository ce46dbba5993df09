"""Libraries that earlier versions wrote, upgraded."""

from __future__ import annotations

import gzip
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from reelremix.engine.domain.rows import ClipFilter, Order, Standing
from reelremix.engine.store.backups import backups_folder
from reelremix.engine.store.catalogue import SqliteCatalogue
from reelremix.engine.store.database import Database
from reelremix.engine.store.migrations import STEPS
from reelremix.errors import ConfigError

THIRD_VERSION = Path(__file__).with_name("library-0003.sqlite3.gz")
"""The file itself, as the version before reviews wrote it."""
HIRING, GARDEN = "aa" * 32, "bb" * 32


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A library as the third version left it."""
    path = tmp_path / "library.sqlite3"
    path.write_bytes(gzip.decompress(THIRD_VERSION.read_bytes()))
    return path


def test_what_was_decided_before_there_were_lists_is_in_them(file: Path) -> None:
    catalogue = SqliteCatalogue(Database(file))
    standings = {row.title: row.standing for row in catalogue.clip_rows()}
    assert standings == {
        "A mistake": Standing.KEPT,
        "Too fast": Standing.DROPPED,
        "Left open": Standing.OPEN,
        "Changed mind": Standing.DROPPED,
        "Calm": Standing.OPEN,
    }
    by_name = {row.name: (row.clips, row.kept, row.dropped) for row in catalogue.source_rows()}
    assert by_name == {"hiring talk.mp4": (4, 1, 2), "Ümläut garden.mov": (1, 0, 0)}


def test_lengths_scores_and_places_are_told_of_old_rows(file: Path) -> None:
    catalogue = SqliteCatalogue(Database(file))
    for row in catalogue.clip_rows(ClipFilter(order=Order.SCORE)):
        clip = catalogue.clip(row.id)
        assert clip is not None and clip.title == row.title
        assert (row.start_s, row.length_s) == (clip.ranges[0].start_s, clip.duration_s)
        assert row.total == (clip.score.total if clip.score else None)
        [entry] = catalogue.find_clips(row.id)
        assert (entry.ranges, entry.slug) == (clip.ranges, clip.slug)
    [source] = catalogue.find_sources("hiring talk")
    known = catalogue.source(HIRING)
    assert known is not None and source.length_s == known.duration.seconds


def test_old_recordings_and_clips_are_found(file: Path) -> None:
    catalogue = SqliteCatalogue(Database(file))
    [hit] = catalogue.windows_saying(["mistak"], 5)
    [found] = catalogue.windows([hit.window])
    assert found is not None and found.source_id == HIRING
    assert [h.window for h in catalogue.windows_meaning([1.0] * 8, 5)] == [hit.window]
    assert [hit.id for hit in catalogue.clips_saying(["calm"], 5)] == ["00000000000a"]
    assert len(catalogue.clips_due("m")) == 5
    assert [due.source_id for due in catalogue.windows_due(None)] == [GARDEN]


def test_nothing_a_person_did_is_lost(file: Path) -> None:
    catalogue = SqliteCatalogue(Database(file))
    kinds = [(d.kind, d.detail["note"]) for d in catalogue.decisions()]
    assert kinds == [(k, "ümläut") for k in ("kept", "dropped", "kept", "dropped")]
    assert catalogue.ranking() == {"weights": [0.5]}
    assert [e.event.type for e in catalogue.events("job-1")] == ["job_started"]
    transcript = catalogue.transcript(GARDEN)
    assert transcript is not None and "Gardening" in transcript.segments[0].text


def test_an_old_library_is_copied_before_it_is_changed(file: Path) -> None:
    before = sqlite3.connect(file)
    dump = list(before.execute("SELECT * FROM clips ORDER BY id"))
    before.close()
    Database(file).rows("SELECT 1")
    [copy] = backups_folder(file).iterdir()
    assert copy.name.endswith("-before-0004-reviews.sqlite3")
    with closing(sqlite3.connect(copy)) as connection:
        assert list(connection.execute("SELECT * FROM clips ORDER BY id")) == dump
    Database(file).rows("SELECT 1")
    assert len(list(backups_folder(file).iterdir())) == 1


def test_a_new_library_is_not_copied(tmp_path: Path) -> None:
    Database(tmp_path / "new.sqlite3").rows("SELECT 1")
    assert not backups_folder(tmp_path / "new.sqlite3").exists()


def test_an_old_library_that_cannot_be_copied_is_left_as_it_is(file: Path) -> None:
    backups_folder(file).write_text("in the way")
    with pytest.raises(ConfigError, match="cannot write the copy"):
        Database(file).rows("SELECT 1")
    with closing(sqlite3.connect(file)) as connection:
        rows = connection.execute("SELECT name FROM _sqlite_migrations").fetchall()
    assert [name for (name,) in rows] == list(STEPS)[:3]


def test_an_upgraded_library_is_sound(file: Path) -> None:
    database = Database(file)
    assert database.rows("PRAGMA integrity_check") == [("ok",)]
    assert database.rows("PRAGMA foreign_key_check") == []
    indexes = {row[0] for row in database.rows("SELECT name FROM sqlite_master")}
    new = Database(file.with_name("new.sqlite3"))
    assert indexes == {row[0] for row in new.rows("SELECT name FROM sqlite_master")}


@pytest.mark.parametrize("detail", [b"{}", b"", b"\xff", b"[1", b'{"ranges": [1]}', "text", 7])
def test_a_row_that_cannot_be_read_does_not_stop_an_upgrade(file: Path, detail: object) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE clips SET detail = ? WHERE id = '000000000001'", (detail,))
        connection.execute("UPDATE sources SET detail = ? WHERE id = ?", (detail, GARDEN))
    catalogue = SqliteCatalogue(Database(file))
    assert catalogue.clip("000000000001") is None and catalogue.source(GARDEN) is None
    assert "000000000001" not in [clip.id for clip in catalogue.find_clips("")]
    assert len(catalogue.find_clips("")) == 4
