"""Vectors in a mapped file: in step with the library, whatever became of either."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reelremix.engine.domain.window import Due
from reelremix.engine.store import vector_file
from reelremix.engine.store.catalogue import SqliteCatalogue
from reelremix.engine.store.database import Database
from reelremix.engine.store.nearest import VectorRows
from reelremix.engine.store.vector_file import HEADER_BYTES, VectorFile, vector_path
from tests.engine.store.indexes import indexed, window


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """An empty library."""
    return Database(tmp_path / "library.sqlite3")


def save(database: Database, source: str, *vectors: tuple[int, ...], digest: str = "1") -> None:
    """Index a source with these vectors."""
    windows = [window(f"{source}{n}", vector=vector) for n, vector in enumerate(vectors)]
    index = indexed(source, *windows, digest=digest)
    SqliteCatalogue(database).save_windows(Due("", 0), index)


def file_of(database: Database) -> VectorFile:
    return VectorFile(database, "local", "windows")


def numbers(file: VectorFile, vector: tuple[float, ...] = (1.0, 0.0), limit: int = 9) -> list[int]:
    """What is found, the nearest first."""
    return [number for number, _ in file.nearest(vector, limit)]


def path_of(database: Database) -> Path:
    path = vector_path(database.path, "local", "windows")
    assert path is not None
    return path


def test_the_file_is_made_at_the_first_search_and_grows_with_the_library(
    database: Database,
) -> None:
    save(database, "a", (1, 0))
    file = file_of(database)
    assert not path_of(database).exists()
    assert numbers(file) == [1]
    before = path_of(database).stat()
    save(database, "b", (1, 1), (0, 1))
    assert numbers(file) == numbers(file_of(database)) == [1, 2, 3]
    after = path_of(database).stat()
    assert after.st_ino == before.st_ino and after.st_size > before.st_size


def test_vectors_that_are_gone_are_not_found_and_leave_room_for_others(database: Database) -> None:
    save(database, "a", *[(100, n) for n in range(8)])
    save(database, "b", (1, 100))
    file = file_of(database)
    assert numbers(file, limit=2) == [1, 2]
    save(database, "a", digest="2")
    assert numbers(file, limit=2) == [9]


def test_a_file_that_is_mostly_gone_is_made_anew(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_file, "FEWEST_GONE", 2)
    save(database, "a", *[(100, n) for n in range(8)])
    assert len(numbers(file_of(database))) == 8
    long = path_of(database).stat().st_size
    save(database, "a", (1, 0), digest="2")
    assert numbers(file_of(database)) == [9]
    assert path_of(database).stat().st_size < long


@pytest.mark.parametrize(
    "damage",
    [lambda b: b"", lambda b: b[:40], lambda b: b[:-3], lambda b: b"x" + b[1:], lambda b: b * 0],
)
def test_a_damaged_file_is_made_anew(database: Database, damage: Any) -> None:
    save(database, "a", (1, 0), (0, 1))
    assert numbers(file_of(database)) == [1, 2]
    path = path_of(database)
    path.write_bytes(damage(path.read_bytes()))
    assert numbers(file_of(database)) == [1, 2]
    assert file_of(database).faults() is None


def test_a_file_of_another_library_is_made_anew(tmp_path: Path) -> None:
    first, second = Database(tmp_path / "1.sqlite3"), Database(tmp_path / "2.sqlite3")
    save(first, "a", (1, 0), (0, 1))
    numbers(file_of(first))
    save(second, "b", (0, 1), (1, 0))
    path_of(second).parent.mkdir()
    path_of(first).rename(path_of(second))
    save(second, "c", (1, 1))
    assert numbers(file_of(second)) == [2, 3, 1]


def test_a_file_that_knows_more_than_the_library_is_made_anew(tmp_path: Path) -> None:
    """As when a backup was put back."""
    database = Database(tmp_path / "library.sqlite3")
    save(database, "a", (1, 0))
    database.close()
    before = database.path.read_bytes()
    save(database, "b", (1, 1))
    assert numbers(file_of(database)) == [1, 2]
    database.close()
    database.path.write_bytes(before)
    assert numbers(file_of(database)) == [1]
    save(database, "c", (0, 1))
    assert numbers(file_of(database), (0.0, 1.0)) == [2, 1]


def test_another_model_s_vectors_take_the_place_of_all(database: Database) -> None:
    save(database, "a", (1, 0))
    assert numbers(file_of(database)) == [1]
    save(database, "b", (1, 0, 0))
    assert numbers(file_of(database)) == []
    assert numbers(file_of(database), (1.0, 0.0, 0.0)) == [2]


def test_where_no_file_can_be_written_memory_does(database: Database) -> None:
    save(database, "a", (1, 0))
    path_of(database).parent.write_text("in the way")
    assert numbers(file_of(database)) == [1]


def test_rows_that_nobody_counted_are_written_over(database: Database) -> None:
    """As a process leaves them that was killed while it wrote."""
    save(database, "a", (1, 0))
    numbers(file_of(database))
    with path_of(database).open("ab") as file:
        file.write(b"\x7f" * 11)
    save(database, "b", (0, 1))
    assert numbers(file_of(database)) == [1, 2]
    assert file_of(database).faults() is None


def test_a_vector_that_differs_from_the_library_is_a_fault_until_rebuilt(
    database: Database,
) -> None:
    save(database, "a", *[(1, n) for n in range(30)])
    file = file_of(database)
    numbers(file)
    content = bytearray(path_of(database).read_bytes())
    content[HEADER_BYTES + 16] ^= 1
    path_of(database).write_bytes(bytes(content))
    assert "differs from the library in vector 1" in (file.faults() or "")
    file.rebuild()
    assert file.faults() is None


def test_the_nearest_are_those_of_a_plain_comparison() -> None:
    chance = np.random.default_rng(0)
    held = chance.integers(-127, 128, (3000, 16), np.int8)
    rows = VectorRows.of((n, held[n].tobytes()) for n in range(len(held)))
    for _ in range(5):
        asked = chance.standard_normal(16).astype(np.float32)
        cosine = held @ asked / np.linalg.norm(held.astype(float), axis=1) / np.linalg.norm(asked)
        found = rows.nearest(asked, 20)
        assert [number for number, _ in found] == np.argsort(-cosine)[:20].tolist()
        assert [c for _, c in found] == pytest.approx(np.sort(cosine)[::-1][:20], abs=1e-5)
        some = np.arange(7, 3000, 13)
        within = [number for number, _ in rows.nearest(asked, 5, some)]
        assert within == some[np.argsort(-cosine[some])[:5]].tolist()


def test_vectors_of_nothing_but_zeros_are_near_to_nothing() -> None:
    held = np.zeros((40, 8), np.int8)
    held[3], held[5] = 1, -1
    rows = VectorRows.of((n, held[n].tobytes()) for n in range(len(held)))
    [first, second] = rows.nearest(np.ones(8), 2)
    assert (first[0], second) == (3, (0, 0.0)) and first[1] == pytest.approx(1)
    assert [c for _, c in rows.nearest(np.zeros(8), 3)] == [0.0, 0.0, 0.0]


def test_numbers_that_are_not_there_are_passed_over() -> None:
    rows = VectorRows.of([(3, b"\x01\x00"), (5, b"\x00\x01")])
    assert [n for n, _ in rows.nearest([1.0, 1.0], 9, np.array([1, 3, 4, 9]))] == [3]
