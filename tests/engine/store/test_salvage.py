"""Damaged libraries, and what is saved of them."""

from __future__ import annotations

import gzip
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from reelremix.engine.domain.context import Decision
from reelremix.engine.domain.window import Due
from reelremix.engine.store.catalogue import SqliteCatalogue
from reelremix.engine.store.database import Database
from reelremix.engine.store.salvage import salvage
from reelremix.errors import ConfigError
from tests.engine.examples import CLIP, SOURCE, TRANSCRIPT
from tests.engine.store.indexes import indexed, window
from tests.engine.store.test_migrations import THIRD_VERSION

SOURCES = 40


def filled(path: Path) -> None:
    """A library of some pages."""
    database = Database(path)
    catalogue = SqliteCatalogue(database)
    for number in range(SOURCES):
        id = f"{number:064x}"
        catalogue.save_source(replace(SOURCE, id=id, name=f"talk {number}.mp4"))
        catalogue.save_transcript(id, TRANSCRIPT)
        catalogue.save_windows(Due(id, 0), indexed(id, window("word", vector=(1, number))))
        catalogue.save_clips(id, [replace(CLIP, id=f"c{number:03}", title=f"Clip {number}")])
        catalogue.record(Decision(f"c{number:03}", "kept", {"why": "x" * 200}, float(number)))
    database.close()


def pages_of(path: Path, table: str) -> tuple[int, list[int]]:
    """The size of a page, and the pages that rows of a table are on."""
    with closing(sqlite3.connect(path)) as connection:
        [(size,)] = connection.execute("PRAGMA page_size").fetchall()
        [(root,)] = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)
        ).fetchall()
    content = path.read_bytes()
    first = (root - 1) * size
    if content[first] == 13:  # a leaf
        return size, [root]
    cells = int.from_bytes(content[first + 3 : first + 5], "big")
    found = []
    for cell in range(cells):
        at = int.from_bytes(content[first + 12 + 2 * cell :][:2], "big")
        found.append(int.from_bytes(content[first + at :][:4], "big"))
    return size, [*found, int.from_bytes(content[first + 8 :][:4], "big")]


def spoil(path: Path, page: int, size: int) -> None:
    """Write over a page."""
    content = bytearray(path.read_bytes())
    content[(page - 1) * size : page * size] = b"\xa5" * size
    path.write_bytes(bytes(content))


def test_a_page_that_is_lost_costs_its_rows_and_no_others(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite3"
    filled(path)
    size, pages = pages_of(path, "decisions")
    assert len(pages) > 2
    spoil(path, pages[1], size)
    saved = salvage(path)
    catalogue = SqliteCatalogue(Database(path))
    left = [d.clip_id for d in catalogue.decisions()]
    assert 0 < len(left) < SOURCES and {"c000", "c039"} <= set(left)
    assert left == sorted(left)
    assert [own.table for own in saved.lost] == ["decisions"]
    assert len(catalogue.source_rows(limit=99)) == len(catalogue.clip_rows(limit=99)) == SOURCES
    assert len(catalogue.windows_saying(["word"], 99)) == SOURCES
    assert len(catalogue.windows_meaning([1.0, 1.0], 99)) == SOURCES


def test_the_damaged_file_is_kept_beside_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite3"
    filled(path)
    size, pages = pages_of(path, "decisions")
    spoil(path, pages[0], size)
    damaged = path.read_bytes()
    saved = salvage(path)
    assert saved.kept_at.suffix == ".corrupt" and saved.kept_at.read_bytes() == damaged
    assert Database(path).rows("PRAGMA integrity_check") == [("ok",)]


@pytest.mark.parametrize("table", ["clips", "clip_texts", "windows", "sources", "clip_details"])
def test_whatever_table_is_hit_the_rest_is_saved_and_sound(tmp_path: Path, table: str) -> None:
    path = tmp_path / "library.sqlite3"
    filled(path)
    size, pages = pages_of(path, table)
    spoil(path, pages[0], size)
    salvage(path)
    database = Database(path)
    assert database.rows("PRAGMA integrity_check") == [("ok",)]
    assert database.rows("PRAGMA foreign_key_check") == []
    catalogue = SqliteCatalogue(database)
    assert len(catalogue.decisions()) == SOURCES
    catalogue.save_clips("s", [replace(CLIP, id="new", title="Zebra")])
    assert [hit.id for hit in catalogue.clips_saying(["zebra"], 5)] == ["new"]


def test_decisions_stay_append_only_in_what_was_saved(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite3"
    filled(path)
    salvage(path)
    database = Database(path)
    with pytest.raises(sqlite3.IntegrityError), database.transaction() as connection:
        connection.execute("DELETE FROM decisions")


def test_a_sound_library_is_saved_whole(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite3"
    filled(path)
    assert salvage(path).lost == ()
    catalogue = SqliteCatalogue(Database(path))
    assert catalogue.clip("c007") == replace(CLIP, id="c007", title="Clip 7")


def test_an_older_library_is_saved_and_upgraded(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite3"
    path.write_bytes(gzip.decompress(THIRD_VERSION.read_bytes()))
    assert salvage(path).lost == ()
    catalogue = SqliteCatalogue(Database(path))
    assert len(catalogue.clip_rows()) == 5 and len(catalogue.decisions()) == 4


@pytest.mark.parametrize("spoiled", [lambda b: b"notes " * 900, lambda b: b"\0" * 4096 + b[4096:]])
def test_what_holds_nothing_of_a_library_is_left_alone(
    tmp_path: Path, spoiled: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "library.sqlite3"
    filled(path)
    path.write_bytes(spoiled(path.read_bytes()))
    before = path.read_bytes()
    with pytest.raises(ConfigError) as caught:
        salvage(path)
    assert str(path) in caught.value.message and "move" in (caught.value.hint or "")
    assert path.read_bytes() == before
    assert not [p for p in tmp_path.iterdir() if p.suffix in (".part", ".corrupt")]
