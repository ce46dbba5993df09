"""What goes, and what does not."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from reelremix.config import Settings
from reelremix.engine.domain.edit import Edit, ManifestPlace, RenderRecord, Undo
from reelremix.engine.store.backups import backups_folder, copy_library, dated, prune
from reelremix.engine.store.catalogue import SqliteCatalogue
from reelremix.engine.store.database import Database
from reelremix.engine.upkeep.shelf import open_shelf
from reelremix.engine.upkeep.tidying import LONG_GONE_S, find_all, tidy
from reelremix.errors import ConfigError
from tests.engine.examples import CLIP, SOURCE, TRANSCRIPT


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a library in a folder of its own."""
    return Settings(data_dir=str(tmp_path / "data"))


def edited(settings: Settings, id: str, path: Path, age_s: float) -> None:
    """A manifest with an edit and a film, both that old."""
    at = time.time() - age_s
    with open_shelf(settings) as shelf:
        shelf.catalogue.remember_manifest(ManifestPlace(id, "s", str(path)))
        shelf.catalogue.append_edits(id, [Edit(1, at, Undo(), {})])
        shelf.catalogue.save_render(RenderRecord(id, "c", "1.mp4", "", "", True, at))
        with shelf.database.transaction() as connection:
            connection.execute("UPDATE manifests SET seen_at = ? WHERE id = ?", (at, id))


def test_only_edits_of_manifests_that_are_gone_for_long_go(
    settings: Settings, tmp_path: Path
) -> None:
    there = tmp_path / "clips.json"
    there.write_text("{}")
    edited(settings, "there", there, LONG_GONE_S * 2)
    edited(settings, "lately", tmp_path / "gone.json", LONG_GONE_S / 2)
    edited(settings, "long", tmp_path / "gone.json", LONG_GONE_S * 2)
    with open_shelf(settings) as shelf:
        told = tidy(shelf, 10**9, dry_run=True)
        assert told.manifests == (str(tmp_path / "gone.json"),) and told.edits == 1
        assert len(shelf.catalogue.edits("long")) == 1
        assert tidy(shelf, 10**9, dry_run=False).edits == 1
        assert [len(shelf.catalogue.edits(id)) for id in ("there", "lately", "long")] == [1, 1, 0]
        assert len(shelf.catalogue.renders("long")) == 0
        assert {place.id for place in shelf.catalogue.manifests()} == {"there", "lately"}


def test_edits_that_no_manifest_names_go_when_they_are_old(
    settings: Settings, tmp_path: Path
) -> None:
    for id, age_s in (("old", LONG_GONE_S * 2), ("new", 1.0)):
        edited(settings, id, tmp_path / "x", age_s)
    with open_shelf(settings) as shelf:
        shelf.catalogue.forget_source("s")
        assert tidy(shelf, 10**9, dry_run=False).edits == 1
        assert [len(shelf.catalogue.edits(id)) for id in ("old", "new")] == [0, 1]


def test_a_library_that_is_mostly_empty_is_written_anew(settings: Settings) -> None:
    with open_shelf(settings) as shelf:
        for number in range(60):
            clip = replace(CLIP, id=f"c{number}", title=f"{number} " * 500)
            shelf.catalogue.save_clips(f"s{number}", [clip])
        assert not tidy(shelf, 10**9, dry_run=False).is_compacted
        for number in range(60):
            shelf.catalogue.forget_source(f"s{number}")
        size = shelf.database.rows("PRAGMA page_count")[0][0]
        assert tidy(shelf, 10**9, dry_run=False).is_compacted
        assert int(str(shelf.database.rows("PRAGMA page_count")[0][0])) < int(str(size)) / 2


def test_a_name_must_stand_for_one_recording(settings: Settings) -> None:
    with open_shelf(settings) as shelf:
        for id in ("ab" * 32, "cd" * 32):
            shelf.catalogue.save_source(replace(SOURCE, id=id, name="talk.mp4"))
        assert [row.id for row in find_all(shelf.catalogue, ["abab", "ab" * 32])] == ["ab" * 32]
        with pytest.raises(ConfigError, match="stands for 2 recordings"):
            find_all(shelf.catalogue, ["talk"])
        with pytest.raises(ConfigError, match="nothing in the library is called 'nobody'"):
            find_all(shelf.catalogue, ["nobody"])


def test_a_copy_is_a_library_of_its_own_and_old_ones_make_room(tmp_path: Path) -> None:
    database = Database(tmp_path / "library.sqlite3")
    catalogue = SqliteCatalogue(database)
    catalogue.save_transcript("a", TRANSCRIPT)
    for day in range(1, 5):
        target = backups_folder(database.path) / f"library-2026010{day}-000000.sqlite3"
        copy_library(database.connection(), target)
    kept = backups_folder(database.path) / "library-20200101-000000-before-0005-x.sqlite3"
    copy_library(database.connection(), kept)
    assert [p.name[8:16] for p in prune(database.path, 2)] == ["20260101", "20260102"]
    assert kept.exists() and len(list(backups_folder(database.path).iterdir())) == 3
    assert SqliteCatalogue(Database(kept)).transcript("a") == TRANSCRIPT
    assert dated(database.path).parent == backups_folder(database.path)


def test_a_copy_holds_what_was_committed_while_another_writes(tmp_path: Path) -> None:
    database = Database(tmp_path / "library.sqlite3")
    SqliteCatalogue(database).save_source(SOURCE)
    other = Database(database.path)
    with other.transaction() as connection:
        connection.execute("DELETE FROM sources")
        copy_library(database.connection(), tmp_path / "copy.sqlite3")
    assert SqliteCatalogue(Database(tmp_path / "copy.sqlite3")).source(SOURCE.id) == SOURCE


def test_a_copy_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path / "library.sqlite3")
    (tmp_path / "in the way").write_text("")
    with pytest.raises(ConfigError, match="cannot write the copy"):
        copy_library(database.connection(), tmp_path / "in the way" / "copy.sqlite3")
    assert not list(tmp_path.glob("**/*.part"))
