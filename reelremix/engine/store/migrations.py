"""The library's schema as named forward steps, each applied with its record in one transaction.

Later versions append steps; a step that has shipped is never edited.
"""

from __future__ import annotations

import sqlite3
import time

from reelremix.errors import ConfigError

STEPS: tuple[tuple[str, str], ...] = (
    (
        "0001-library",
        """
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
        """,
    ),
)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the schema up to date.

    Raises:
        ConfigError: the library was written by a newer version.
    """
    connection.execute(
        "CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, applied_at REAL NOT NULL)"
    )
    applied = {row[0] for row in connection.execute("SELECT name FROM migrations")}
    unknown = applied - {name for name, _ in STEPS}
    if unknown:
        raise ConfigError(
            f"the library was written by a newer ReelRemix (it knows {min(unknown)!r})",
            hint="upgrade with `pip install -U reelremix`, or set REELREMIX_DATA_DIR elsewhere",
        )
    for name, script in STEPS:
        if name not in applied:
            _apply(connection, name, script)


def _apply(connection: sqlite3.Connection, name: str, script: str) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        row = connection.execute("SELECT 1 FROM migrations WHERE name = ?", (name,)).fetchone()
        if row is None:  # another process may have been faster
            for statement in _statements(script):
                connection.execute(statement)
            connection.execute("INSERT INTO migrations VALUES (?, ?)", (name, time.time()))
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _statements(script: str) -> list[str]:
    """Split a script into statements; `executescript` would commit behind our back."""
    statements, pending = [], ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            statements.append(pending)
            pending = ""
    return statements
