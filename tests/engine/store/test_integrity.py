"""A file whose content can be made anew is set aside where it is damaged, and kept."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from reelremix.engine.store.integrity import set_aside_if_damaged
from reelremix.errors import LibraryHeld


def test_a_sound_file_and_a_missing_one_stay_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "jobs.sqlite3"
    set_aside_if_damaged(file)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE t (a)")
        connection.commit()
    set_aside_if_damaged(file)
    assert [path.name for path in tmp_path.iterdir()] == ["jobs.sqlite3"]


def test_a_file_that_is_only_held_stays_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "jobs.sqlite3"
    real = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda path: real(path, timeout=0.1))
    with closing(real(file, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("CREATE TABLE t (a)")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LibraryHeld, match="another program holds it"):
            set_aside_if_damaged(file)
        other.execute("ROLLBACK")
    assert file.exists() and not list(tmp_path.glob("*.damaged-*"))


@pytest.mark.parametrize("how", ["no database at all", "torn"])
def test_a_damaged_file_is_kept_under_another_name_with_all_that_belongs_to_it(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("reelremix"), "propagate", False)
    file = tmp_path / "jobs.sqlite3"
    if how == "torn":
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("CREATE TABLE t (a)")
            connection.executemany("INSERT INTO t VALUES (?)", [("x" * 900,)] * 50)
            connection.commit()
        content = bytearray(file.read_bytes())
        content[4096 : 4096 * 3] = b"\xff" * 8192
        file.write_bytes(content)
    else:
        file.write_bytes(b"jobs, jobs and jobs" * 100)
    (tmp_path / "jobs.sqlite3-wal").write_bytes(b"wal")
    before = file.read_bytes()
    set_aside_if_damaged(file)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert not file.exists() and all(".damaged-" in name for name in names)
    assert (tmp_path / names[0]).read_bytes() == before
