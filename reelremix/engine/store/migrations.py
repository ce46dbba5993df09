"""The library's schema as named forward steps, each applied with its record in one transaction.

Later versions append steps; a step that has shipped is never edited. A library that is up to date
is recognised without sqlite-utils, which takes a tenth of a second to import, and up to half of one
where pandas is installed too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from reelremix.errors import ConfigError

if TYPE_CHECKING:
    from sqlite_utils import Database as Tables

SET = "library"
STEPS: dict[str, str] = {}
"""Scripts by name, in order."""

STEPS["0001-library"] = """
CREATE TABLE sources (
    owner TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, size_bytes INTEGER NOT NULL,
    detail BLOB NOT NULL, seen_at REAL NOT NULL,
    PRIMARY KEY (owner, id)
);
CREATE TABLE files (
    owner TEXT NOT NULL, path TEXT NOT NULL, size_bytes INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL, inode INTEGER NOT NULL, source_id TEXT NOT NULL,
    seen_at REAL NOT NULL,
    PRIMARY KEY (owner, path)
);
CREATE INDEX files_by_source ON files (owner, source_id, seen_at);
CREATE TABLE transcripts (
    owner TEXT NOT NULL, source_id TEXT NOT NULL, language TEXT, model TEXT,
    detail BLOB NOT NULL, saved_at REAL NOT NULL,
    PRIMARY KEY (owner, source_id)
);
CREATE TABLE clips (
    owner TEXT NOT NULL, id TEXT NOT NULL, source_id TEXT NOT NULL, rank INTEGER NOT NULL,
    title TEXT NOT NULL, detail BLOB NOT NULL, saved_at REAL NOT NULL,
    PRIMARY KEY (owner, id)
);
CREATE INDEX clips_by_source ON clips (owner, source_id, rank);
CREATE TABLE decisions (
    number INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL, clip_id TEXT NOT NULL,
    kind TEXT NOT NULL, detail TEXT NOT NULL, at REAL NOT NULL
);
CREATE INDEX decisions_by_clip ON decisions (owner, clip_id, number);
CREATE TRIGGER decisions_are_never_changed BEFORE UPDATE ON decisions
    BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END;
CREATE TRIGGER decisions_are_never_removed BEFORE DELETE ON decisions
    BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END;
CREATE TABLE events (
    owner TEXT NOT NULL, job_id TEXT NOT NULL, seq INTEGER NOT NULL, at REAL NOT NULL,
    type TEXT NOT NULL, detail TEXT NOT NULL,
    PRIMARY KEY (owner, job_id, seq)
);
CREATE TABLE artifacts (
    owner TEXT NOT NULL, stage TEXT NOT NULL, digest TEXT NOT NULL,
    size_bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, used_at REAL NOT NULL,
    PRIMARY KEY (owner, stage, digest)
);
CREATE INDEX artifacts_by_use ON artifacts (used_at);
"""

STEPS["0002-rankings"] = """
CREATE TABLE rankings (
    owner TEXT PRIMARY KEY, detail TEXT NOT NULL, saved_at REAL NOT NULL
);
"""

# Texts lie apart, so that reading every vector, or whose a window is, reads nothing else.
STEPS["0003-windows"] = """
CREATE TABLE window_sources (
    version INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL,
    source_id TEXT NOT NULL, digest TEXT NOT NULL, model TEXT, windows INTEGER NOT NULL,
    indexed_at REAL NOT NULL,
    UNIQUE (owner, source_id)
);
CREATE TABLE windows (
    number INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL,
    source_id TEXT NOT NULL, start_ticks INTEGER NOT NULL, end_ticks INTEGER NOT NULL,
    time_base TEXT NOT NULL, vector BLOB
);
CREATE INDEX windows_by_source ON windows (owner, source_id, number);
CREATE TABLE window_texts (
    number INTEGER PRIMARY KEY REFERENCES windows ON DELETE CASCADE,
    terms TEXT NOT NULL, lines BLOB NOT NULL, line_vectors BLOB
);
CREATE VIRTUAL TABLE window_words USING fts5 (
    terms, content = 'window_texts', content_rowid = 'number',
    tokenize = "unicode61 remove_diacritics 0 categories 'L* M* N* Co'"
);
CREATE TRIGGER window_words_begin AFTER INSERT ON window_texts
    BEGIN
        INSERT INTO window_words (rowid, terms) VALUES (new.number, new.terms);
    END;
CREATE TRIGGER window_words_end AFTER DELETE ON window_texts
    BEGIN
        INSERT INTO window_words (window_words, rowid, terms)
            VALUES ('delete', old.number, old.terms);
    END;
CREATE TABLE windows_due (
    ticket INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL,
    source_id TEXT NOT NULL, UNIQUE (owner, source_id)
);
CREATE TRIGGER transcripts_are_due AFTER INSERT ON transcripts
    BEGIN
        INSERT OR REPLACE INTO windows_due (owner, source_id)
            VALUES (new.owner, new.source_id);
    END;
INSERT INTO windows_due (owner, source_id)
    SELECT owner, source_id FROM transcripts ORDER BY saved_at;
"""

STEPS["0004-reviews"] = """
ALTER TABLE sources ADD COLUMN length_s REAL;
UPDATE sources SET length_s = source_length_s(detail);
CREATE INDEX sources_by_time ON sources (owner, seen_at);
ALTER TABLE clips ADD COLUMN status TEXT;
ALTER TABLE clips ADD COLUMN total REAL;
ALTER TABLE clips ADD COLUMN length_s REAL;
UPDATE clips SET
    total = clip_total(detail),
    length_s = clip_length_s(detail),
    status = (
        SELECT kind FROM decisions
        WHERE decisions.owner = clips.owner AND clip_id = id AND kind IN ('kept', 'dropped')
        ORDER BY number DESC LIMIT 1
    );
CREATE TABLE manifests (
    owner TEXT NOT NULL, id TEXT NOT NULL, source_id TEXT NOT NULL, path TEXT NOT NULL,
    seen_at REAL NOT NULL,
    PRIMARY KEY (owner, id)
);
CREATE INDEX manifests_by_source ON manifests (owner, source_id, seen_at);
CREATE TABLE edits (
    owner TEXT NOT NULL, manifest_id TEXT NOT NULL, number INTEGER NOT NULL, at REAL NOT NULL,
    operation TEXT NOT NULL, changed BLOB NOT NULL,
    PRIMARY KEY (owner, manifest_id, number)
);
CREATE TRIGGER edits_are_never_changed BEFORE UPDATE ON edits
    BEGIN SELECT RAISE(ABORT, 'edits are append-only'); END;
CREATE TABLE renders (
    owner TEXT NOT NULL, manifest_id TEXT NOT NULL, clip_id TEXT NOT NULL, video TEXT NOT NULL,
    sha256 TEXT NOT NULL, drawn TEXT NOT NULL, is_ok INTEGER NOT NULL, at REAL NOT NULL,
    PRIMARY KEY (owner, manifest_id, clip_id)
);
CREATE TABLE corrections (
    owner TEXT NOT NULL, source_id TEXT NOT NULL, start_us INTEGER NOT NULL,
    end_us INTEGER NOT NULL, words TEXT NOT NULL, at REAL NOT NULL,
    PRIMARY KEY (owner, source_id, start_us)
);
"""


# What lists show lies apart from what a render needs, which is a hundred times as much; they are
# read in the order of an index, which also holds what they are narrowed by. A text gets another
# number when it changes, and so does a vector: a file of vectors only ever grows.
STEPS["0005-shelves"] = """
CREATE TABLE clips_now (
    number INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL, id TEXT NOT NULL,
    source_id TEXT NOT NULL, rank INTEGER NOT NULL, title TEXT NOT NULL, slug TEXT NOT NULL,
    ranges TEXT NOT NULL, start_s REAL, length_s REAL, total REAL, status TEXT,
    saved_at REAL NOT NULL,
    UNIQUE (owner, id)
);
INSERT INTO clips_now (owner, id, source_id, rank, title, slug, ranges, start_s, length_s, total,
    status, saved_at)
    SELECT owner, id, source_id, rank, title, clip_slug(detail), clip_ranges(detail),
        clip_start_s(detail), length_s, total, status, saved_at
    FROM clips ORDER BY saved_at, rank;
CREATE TABLE clip_details (
    number INTEGER PRIMARY KEY REFERENCES clips ON DELETE CASCADE, detail BLOB NOT NULL
);
INSERT INTO clip_details SELECT clips_now.number, packed(detail)
    FROM clips JOIN clips_now USING (owner, id);
CREATE TABLE clip_texts (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    clip INTEGER NOT NULL UNIQUE REFERENCES clips ON DELETE CASCADE,
    owner TEXT NOT NULL, text TEXT NOT NULL, terms TEXT NOT NULL
);
CREATE VIRTUAL TABLE clip_words USING fts5 (
    terms, content = 'clip_texts', content_rowid = 'number',
    tokenize = "unicode61 remove_diacritics 0 categories 'L* M* N* Co'"
);
CREATE TABLE clips_due (
    text INTEGER PRIMARY KEY REFERENCES clip_texts ON DELETE CASCADE, owner TEXT NOT NULL
);
CREATE INDEX clips_due_by_owner ON clips_due (owner, text);
CREATE TRIGGER clip_words_begin AFTER INSERT ON clip_texts
    BEGIN
        INSERT INTO clip_words (rowid, terms) VALUES (new.number, new.terms);
        INSERT INTO clips_due VALUES (new.number, new.owner);
    END;
CREATE TRIGGER clip_words_end AFTER DELETE ON clip_texts
    BEGIN
        INSERT INTO clip_words (clip_words, rowid, terms) VALUES ('delete', old.number, old.terms);
    END;
CREATE TABLE clip_vectors (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    text INTEGER NOT NULL UNIQUE REFERENCES clip_texts ON DELETE CASCADE,
    owner TEXT NOT NULL, model TEXT NOT NULL, vector BLOB
);
CREATE INDEX clip_vectors_by_model ON clip_vectors (owner, model);
INSERT INTO clip_texts (clip, owner, text, terms)
    SELECT number, owner, clip_text(detail), clip_terms(detail)
    FROM clips_now JOIN clip_details USING (number) ORDER BY number;
DROP TABLE clips;
ALTER TABLE clips_now RENAME TO clips;
CREATE INDEX clips_by_source ON clips (owner, source_id, rank, id, status);
CREATE INDEX clips_by_time ON clips (owner, saved_at DESC, status, title);
CREATE INDEX clips_by_score ON clips (owner, total DESC, status, title);
CREATE INDEX sources_by_name ON sources (owner, name COLLATE NOCASE);
CREATE TABLE vectors (
    owner TEXT NOT NULL, kind TEXT NOT NULL, last INTEGER NOT NULL, held INTEGER NOT NULL,
    PRIMARY KEY (owner, kind)
) WITHOUT ROWID;
CREATE TRIGGER window_vectors_begin AFTER INSERT ON windows WHEN new.vector IS NOT NULL
    BEGIN
        INSERT INTO vectors VALUES (new.owner, 'windows', new.number, 1)
            ON CONFLICT DO UPDATE SET last = excluded.last, held = held + 1;
    END;
CREATE TRIGGER window_vectors_end AFTER DELETE ON windows WHEN old.vector IS NOT NULL
    BEGIN
        UPDATE vectors SET held = held - 1 WHERE owner = old.owner AND kind = 'windows';
    END;
CREATE TRIGGER clip_vectors_begin AFTER INSERT ON clip_vectors WHEN new.vector IS NOT NULL
    BEGIN
        INSERT INTO vectors VALUES (new.owner, 'clips', new.number, 1)
            ON CONFLICT DO UPDATE SET last = excluded.last, held = held + 1;
    END;
CREATE TRIGGER clip_vectors_end AFTER DELETE ON clip_vectors WHEN old.vector IS NOT NULL
    BEGIN
        UPDATE vectors SET held = held - 1 WHERE owner = old.owner AND kind = 'clips';
    END;
INSERT INTO vectors SELECT owner, 'windows', MAX(number), COUNT(*)
    FROM windows WHERE vector IS NOT NULL GROUP BY owner;
"""

# Corrections are made one after the other, each in what those before it led to, and a transcript is
# kept as it was heard: what is taken back is read as before.
STEPS["0006-corrections"] = """
CREATE TABLE corrections_now (
    number INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL, source_id TEXT NOT NULL,
    start_us INTEGER NOT NULL, end_us INTEGER NOT NULL, words TEXT NOT NULL, at REAL NOT NULL
);
INSERT INTO corrections_now (owner, source_id, start_us, end_us, words, at)
    SELECT owner, source_id, start_us, end_us, words, at FROM corrections ORDER BY at;
DROP TABLE corrections;
ALTER TABLE edits ADD COLUMN faces BLOB;
ALTER TABLE corrections_now RENAME TO corrections;
CREATE INDEX corrections_by_source ON corrections (owner, source_id);
CREATE TRIGGER corrected_is_due AFTER INSERT ON corrections
    BEGIN
        INSERT OR REPLACE INTO windows_due (owner, source_id)
            SELECT owner, source_id FROM transcripts
            WHERE owner = new.owner AND source_id = new.source_id;
    END;
CREATE TRIGGER uncorrected_is_due AFTER DELETE ON corrections
    BEGIN
        INSERT OR REPLACE INTO windows_due (owner, source_id)
            SELECT owner, source_id FROM transcripts
            WHERE owner = old.owner AND source_id = old.source_id;
    END;
"""

# Facts of all jobs have numbers that only ever grow, so that whoever follows them can go on.
STEPS["0007-jobs"] = """
CREATE TABLE events_now (
    number INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL, job_id TEXT NOT NULL,
    seq INTEGER NOT NULL, at REAL NOT NULL, type TEXT NOT NULL, detail TEXT NOT NULL,
    UNIQUE (owner, job_id, seq)
);
INSERT INTO events_now (owner, job_id, seq, at, type, detail)
    SELECT owner, job_id, seq, at, type, detail FROM events ORDER BY at, job_id, seq;
DROP TABLE events;
ALTER TABLE events_now RENAME TO events;
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL, id TEXT NOT NULL,
    key TEXT, state TEXT NOT NULL, origin TEXT NOT NULL, created_at REAL NOT NULL,
    detail TEXT NOT NULL,
    UNIQUE (owner, id), UNIQUE (owner, key)
);
CREATE INDEX jobs_by_number ON jobs (owner, number);
CREATE INDEX jobs_by_state ON jobs (owner, state, number);
CREATE TABLE watches (
    owner TEXT NOT NULL, id TEXT NOT NULL, detail TEXT NOT NULL, created_at REAL NOT NULL,
    PRIMARY KEY (owner, id)
);
CREATE TABLE watched (
    owner TEXT NOT NULL, watch_id TEXT NOT NULL, source_id TEXT NOT NULL, path TEXT NOT NULL,
    job_id TEXT, at REAL NOT NULL,
    PRIMARY KEY (owner, watch_id, source_id)
);
"""

REWRITING = ("0004-reviews", "0005-shelves", "0006-corrections", "0007-jobs")
"""Steps that change what is there; a copy is made before them."""


def pending(connection: sqlite3.Connection) -> list[str]:
    """Names of the steps that a library has not gone through, if it has gone through any."""
    applied = _applied(connection)
    return [name for name in STEPS if name not in applied] if applied else []


def count_vectors(connection: sqlite3.Connection) -> None:
    """Count the vectors of every owner anew."""
    connection.execute("DELETE FROM vectors")
    for kind, table in (("windows", "windows"), ("clips", "clip_vectors")):
        connection.execute(
            f"INSERT INTO vectors SELECT owner, ?, MAX(number), COUNT(*) FROM {table}"
            " WHERE vector IS NOT NULL GROUP BY owner",
            (kind,),
        )


def migrate(connection: sqlite3.Connection, only: Collection[str] | None = None) -> None:
    """Bring the schema up to date. Callers see to it that no other process does so meanwhile.

    Args:
        connection: of the library.
        only: the steps that are taken, unless None.

    Raises:
        ConfigError: the library was written by a newer version.
    """
    applied = _applied(connection)
    if unknown := applied - STEPS.keys():
        raise ConfigError(
            f"the library was written by a newer ReelRemix (it knows {min(unknown)!r})",
            hint="upgrade with `pip install -U reelremix`, or set REELREMIX_DATA_DIR elsewhere",
        )
    wanted = STEPS.keys() if only is None else only
    if applied != wanted:
        _apply(connection, wanted)


def _applied(connection: sqlite3.Connection) -> set[str]:
    """Names of the steps that a library has gone through."""
    is_new = not connection.execute(
        "SELECT 1 FROM sqlite_master WHERE name = '_sqlite_migrations'"
    ).fetchone()
    if is_new:
        return set()
    rows = connection.execute("SELECT name FROM _sqlite_migrations WHERE migration_set = ?", (SET,))
    return {str(name) for (name,) in rows}


def _apply(connection: sqlite3.Connection, wanted: Collection[str]) -> None:
    from sqlite_utils import Database as Tables
    from sqlite_utils.migrations import Migrations

    from reelremix.engine.store.old_rows import OLD_ROWS

    for name, function in OLD_ROWS.items():
        connection.create_function(name, 1, function, deterministic=True)
    library = Migrations(SET)
    for name, script in ((name, STEPS[name]) for name in STEPS if name in wanted):
        library(name=name)(_step(script))
    library.apply(Tables(connection))


def _step(script: str) -> Callable[[Tables], None]:
    def run(tables: Tables) -> None:
        _run(tables, script)

    return run


def _run(tables: Tables, script: str) -> None:
    """Run a script statement by statement; `executescript` would commit behind our back."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            tables.execute(pending)
            pending = ""
