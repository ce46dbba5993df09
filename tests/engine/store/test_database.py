from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from reelremix.engine import codec
from reelremix.engine.domain.context import Decision, FileIdentity
from reelremix.engine.domain.events import Waiting
from reelremix.engine.domain.window import Due
from reelremix.engine.store.catalogue import SqliteCatalogue
from reelremix.engine.store.database import Database
from reelremix.engine.store.migrations import migrate
from reelremix.errors import ConfigError
from tests.conftest import REPOSITORY
from tests.engine.examples import CLIP, SOURCE, TRANSCRIPT
from tests.engine.store.indexes import indexed, window

FIRST_VERSION = Path(__file__).with_name("library-0001.sql")
"""A dump of a library that the first version wrote."""
APPEND = """
import sys
from pathlib import Path
from reelremix.engine.domain.events import Waiting
from reelremix.engine.domain.window import Due
from reelremix.engine.store.catalogue import SqliteCatalogue
from reelremix.engine.store.database import Database
catalogue = SqliteCatalogue(Database(Path(sys.argv[1])))
for _ in range(40):
    catalogue.append("job", Waiting("turn"))
"""
INDEX = """
import sys
from pathlib import Path
from reelremix.engine.domain.window import Due
from reelremix.engine.store.catalogue import SqliteCatalogue
from reelremix.engine.store.database import Database
from tests.engine.store.indexes import indexed, window
catalogue = SqliteCatalogue(Database(Path(sys.argv[1])))
for turn in range(10):
    own = indexed(f"{sys.argv[2]}-{turn}", window("word", vector=(1, 2)))
    catalogue.save_windows(Due("", 0), own)
    catalogue.save_windows(Due("", 0), indexed("all", window("word"), digest=str(turn)))
    assert catalogue.windows_saying(["word"], 100)
"""


STEPS = [
    "0001-library", "0002-rankings", "0003-windows", "0004-reviews", "0005-shelves",
    "0006-corrections",
    "0007-jobs",
]  # fmt: skip
UNKNOWN = (
    "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
    " VALUES ('library', '9999-telepathy', 'tomorrow')"
)


def applied(database: Database) -> list[object]:
    """Names of the steps a library has gone through."""
    return [row[0] for row in database.rows("SELECT name FROM _sqlite_migrations ORDER BY name")]


def first_version(file: Path) -> None:
    """A library as the first version left it, with a decision in it."""
    file.parent.mkdir(parents=True)
    connection = sqlite3.connect(file, isolation_level=None)
    connection.executescript(FIRST_VERSION.read_text(encoding="utf-8"))
    connection.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a library may be made."""
    return tmp_path / "deep" / "library.sqlite3"


def test_migrating_twice_changes_nothing(file: Path) -> None:
    for _ in range(2):
        database = Database(file)
        assert applied(database) == STEPS
        database.close()


def test_a_library_of_the_first_version_is_upgraded_and_loses_nothing(file: Path) -> None:
    first_version(file)
    connection = sqlite3.connect(file)
    connection.execute(
        "INSERT INTO transcripts VALUES ('local', 'talk', 'en', NULL, ?, 0)",
        (codec.to_bytes(TRANSCRIPT),),
    )
    connection.commit()
    connection.close()
    database = Database(file)
    catalogue = SqliteCatalogue(database)
    assert applied(database) == STEPS
    assert [d.kind for d in catalogue.decisions()] == ["proposed"]
    assert catalogue.source(SOURCE.id) == SOURCE
    assert [clip.id for clip in catalogue.find_clips("")] == [CLIP.id]
    assert [due.source_id for due in catalogue.windows_due(None)] == ["talk"]
    assert catalogue.ranking() is None
    catalogue.save_ranking({"weights": []})
    assert SqliteCatalogue(Database(file)).ranking() == {"weights": []}


def test_migrating_an_open_library_again_is_harmless(file: Path) -> None:
    SqliteCatalogue(Database(file)).save_source(SOURCE)
    connection = sqlite3.connect(file, isolation_level=None)
    migrate(connection)
    connection.close()
    assert SqliteCatalogue(Database(file)).source(SOURCE.id) == SOURCE


def test_a_library_of_a_newer_version_is_refused_and_left_alone(file: Path) -> None:
    database = Database(file)
    with database.transaction() as connection:
        connection.execute(UNKNOWN)
    database.close()
    with pytest.raises(ConfigError, match="written by a newer ReelRemix") as caught:
        Database(file).rows("SELECT 1")
    assert "9999-telepathy" in caught.value.message and "upgrade" in (caught.value.hint or "")


def test_a_step_that_fails_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = {"0001-half": "CREATE TABLE half (a);\nCREATE TABLE half (a);\n"}
    monkeypatch.setattr("reelremix.engine.store.migrations.STEPS", half)
    connection = sqlite3.connect(tmp_path / "a.sqlite3", isolation_level=None)
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection)
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    connection.close()
    assert "half" not in tables


def test_what_is_not_a_library_is_refused_by_name(file: Path) -> None:
    file.parent.mkdir()
    file.write_text("These are my notes. " * 100)
    with pytest.raises(ConfigError, match="cannot use the library"):
        Database(file).rows("SELECT 1")
    assert file.read_text().startswith("These are my notes")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot open the library") as caught:
        Database(tmp_path / "file" / "library.sqlite3").rows("SELECT 1")
    assert "REELREMIX_DATA_DIR" in (caught.value.hint or "")


def test_a_transaction_is_all_or_nothing(file: Path) -> None:
    database = Database(file)
    catalogue = SqliteCatalogue(database)
    with pytest.raises(RuntimeError), database.transaction() as connection:
        connection.execute(UNKNOWN)
        raise RuntimeError
    assert applied(database) == STEPS
    catalogue.save_source(SOURCE)


def test_a_library_that_cannot_grow_is_a_plain_error(file: Path) -> None:
    database = Database(file)
    pages = database.rows("PRAGMA page_count")[0][0]
    database.rows(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(ConfigError, match=r"cannot write to the library.*full"):
        for number in range(1000):
            SqliteCatalogue(database).record(Decision(f"c{number}", "x" * 4000, {}, 0.0))
    assert database.rows("SELECT 1") == [(1,)]


def test_a_library_that_cannot_be_read_is_a_plain_error(file: Path) -> None:
    database = Database(file)
    with database.transaction() as connection:
        connection.execute("DROP TABLE sources")
    with pytest.raises(ConfigError, match="cannot read the library") as caught:
        SqliteCatalogue(database).sources()
    assert str(file) in caught.value.message and "check --repair" in (caught.value.hint or "")


@pytest.mark.parametrize("statement", ["UPDATE decisions SET kind = 'kept'",
                                       "DELETE FROM decisions"])  # fmt: skip
def test_decisions_cannot_be_changed_even_by_hand(file: Path, statement: str) -> None:
    database = Database(file)
    SqliteCatalogue(database).record(Decision("c1", "dropped", {}, 1.0))
    with pytest.raises(sqlite3.IntegrityError, match="append-only"), database.transaction() as c:
        c.execute(statement)
    assert [d.kind for d in SqliteCatalogue(database).decisions("c1")] == ["dropped"]


@pytest.mark.parametrize("detail", [b"{}", b"", b"\xff", b"[1", "text", 7])
def test_what_another_version_wrote_counts_as_absent(file: Path, detail: object) -> None:
    database = Database(file)
    catalogue = SqliteCatalogue(database)
    for number in (1, 2):
        catalogue.save_source(replace(SOURCE, id=f"s{number}"))
        catalogue.save_transcript(f"s{number}", TRANSCRIPT)
        catalogue.save_clips("s1", [replace(CLIP, id=f"c{number}")])
    with database.transaction() as connection:
        connection.execute("UPDATE sources SET detail = ? WHERE id = 's1'", (detail,))
        connection.execute("UPDATE transcripts SET detail = ? WHERE source_id = 's1'", (detail,))
        connection.execute("UPDATE clip_details SET detail = ? WHERE number = 1", (detail,))
    assert catalogue.clip("c1") is None and catalogue.clip("c2") is not None
    assert catalogue.source("s1") is None and catalogue.transcript("s1") is None
    assert [source.id for source in catalogue.sources()] == ["s2"]
    assert [clip.id for clip in catalogue.clips("s1")] == ["c2"]
    catalogue.save_source(SOURCE)
    assert catalogue.source(SOURCE.id) == SOURCE


def test_owners_do_not_see_each_other(file: Path) -> None:
    database = Database(file)
    ada, bob = SqliteCatalogue(database, "ada"), SqliteCatalogue(database, "bob")
    identity = FileIdentity("/a", 1, 2, 3)
    ada.remember_file(identity, SOURCE.id)
    ada.save_source(SOURCE)
    ada.save_transcript(SOURCE.id, TRANSCRIPT)
    ada.save_clips(SOURCE.id, [CLIP])
    ada.record(Decision(CLIP.id, "kept", {}, 1.0))
    ada.save_ranking({"weights": []})
    ada.append("job", Waiting("turn"))
    assert bob.recall_file(identity) is None and bob.source(SOURCE.id) is None
    assert not [*bob.locations(SOURCE.id), *bob.sources(), *bob.clips(SOURCE.id)]
    assert not [*bob.decisions(CLIP.id), *bob.events("job")]
    assert bob.transcript(SOURCE.id) is None and bob.ranking() is None
    assert not [*bob.decisions(), *bob.find_clips("")]
    assert bob.append("job", Waiting("turn")).seq == 1


def test_two_catalogues_on_one_file_number_facts_together(file: Path) -> None:
    first, second = SqliteCatalogue(Database(file)), SqliteCatalogue(Database(file))
    numbers = [c.append("job", Waiting("turn")).seq for c in (first, second, second, first)]
    assert numbers == [1, 2, 3, 4]
    assert list(first.events("job")) == list(second.events("job"))


def test_threads_write_at_once_without_losing_a_fact(file: Path) -> None:
    catalogue = SqliteCatalogue(Database(file))
    numbers: list[int] = []

    def write() -> None:
        numbers.extend(catalogue.append("job", Waiting("turn")).seq for _ in range(25))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == list(range(1, 101))


def test_threads_open_a_new_library_at_once(tmp_path: Path) -> None:
    """Where the mode of the journal is changed, SQLite waits for nobody by itself."""
    for turn in range(6):
        shared = Database(tmp_path / str(turn))
        with ThreadPoolExecutor(8) as threads:
            opened = [threads.submit(applied, shared) for _ in range(4)]
            opened += [threads.submit(applied, Database(shared.path)) for _ in range(4)]
        assert [one.result() for one in opened] == [STEPS] * 8


def test_a_library_that_another_program_holds_is_not_to_be_moved_away(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reelremix.engine.store.database.BUSY_TIMEOUT_S", 0.1)
    file.parent.mkdir(parents=True)
    with FileLock(f"{file}.lock"), pytest.raises(ConfigError, match="another program") as caught:
        Database(file).rows("SELECT 1")
    assert "try again" in str(caught.value.hint)


HOLD = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
time.sleep(60)
"""


def test_who_holds_a_library_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    SqliteCatalogue(Database(file)).save_source(SOURCE)
    command = [sys.executable, "-c", HOLD, str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        monkeypatch.setattr("reelremix.engine.store.database.BUSY_TIMEOUT_S", 0.1)
        with pytest.raises(ConfigError, match="cannot write to the library") as caught:
            SqliteCatalogue(Database(file)).save_source(SOURCE)
        holder.kill()
    assert "another program holds it" in caught.value.message
    assert f"process {holder.pid}" in caught.value.message
    assert "try again" in (caught.value.hint or "")


def test_processes_open_and_write_a_new_library_at_once(file: Path) -> None:
    command = [sys.executable, "-c", APPEND, str(file)]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    assert [process.communicate()[1] for process in running] == [""] * 4
    events = SqliteCatalogue(Database(file)).events("job")
    assert [logged.seq for logged in events] == list(range(1, 161))


def test_processes_index_and_search_one_library_at_once(file: Path) -> None:
    command = [sys.executable, "-c", INDEX, str(file)]
    running = [
        subprocess.Popen([*command, str(n)], stderr=subprocess.PIPE, text=True, cwd=REPOSITORY)
        for n in range(3)
    ]
    assert [process.communicate()[1] for process in running] == [""] * 3
    database = Database(file)
    hits = SqliteCatalogue(database).windows_saying(["word"], 100)
    assert len({hit.window for hit in hits}) == 31
    [(integrity,)] = database.rows("PRAGMA integrity_check")
    assert integrity == "ok"
    with database.transaction() as connection:
        connection.execute("INSERT INTO window_words (window_words) VALUES ('integrity-check')")


def test_vectors_are_read_again_when_somebody_else_indexed_more(file: Path) -> None:
    first, second = SqliteCatalogue(Database(file)), SqliteCatalogue(Database(file))
    first.save_windows(Due("", 0), indexed("a", window("w", vector=(1, 0))))
    assert len(first.windows_meaning([1.0, 0.0], 9)) == 1
    second.save_windows(Due("", 0), indexed("b", window("w", vector=(1, 1))))
    assert len(first.windows_meaning([1.0, 0.0], 9)) == 2
    second.save_windows(Due("", 0), indexed("a", digest="2"))
    assert [hit.window for hit in first.windows_meaning([1.0, 0.0], 9)] == [2]


def test_windows_of_another_owner_are_not_found_even_among_many(file: Path) -> None:
    database = Database(file)
    ada, bob = SqliteCatalogue(database, "ada"), SqliteCatalogue(database, "bob")
    many = [window("word", vector=(1, 0)) for _ in range(12)]
    ada.save_windows(Due("", 0), indexed("a", *many))
    bob.save_windows(Due("", 0), indexed("a", window("word", "more", vector=(0, 1))))
    bob.save_transcript("b", TRANSCRIPT)
    assert [hit.window for hit in bob.windows_saying(["word"], 2)] == [13]
    assert [hit.window for hit in bob.windows_meaning([1.0, 0.0], 5)] == [13]
    assert list(bob.windows([1])) == [None] and list(ada.windows_due("model/1")) != []
    assert "b" not in {due.source_id for due in ada.windows_due(None)}


def test_a_reader_sees_what_was_committed_and_no_more(file: Path) -> None:
    writer, reader = Database(file), Database(file)
    with writer.transaction() as connection:
        connection.execute(UNKNOWN)
        assert applied(reader) == STEPS
    assert applied(reader) == [*STEPS, "9999-telepathy"]
