"""One SQLite file, one connection a thread, short transactions."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from reelremix.engine.store.backups import copy_library, dated
from reelremix.engine.store.migrations import REWRITING, migrate, pending
from reelremix.engine.store.trouble import WAIT, is_damage, named_holders, trouble
from reelremix.errors import ConfigError, LibraryHeld

BUSY_TIMEOUT_S = 30.0


class Database:
    """Opens connections to the library file and hands out transactions."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._connections: list[tuple[threading.Thread, sqlite3.Connection]] = []
        self._lock = threading.Lock()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A write transaction: all or nothing; inside another one, a part of that.

        Raises ConfigError for a full or read-only disk.
        """
        connection = self._connection()
        is_part: bool = connection.in_transaction
        if is_part:
            yield connection
            return
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        except BaseException as exc:
            if connection.in_transaction:  # SQLite ends it itself when the disk is full
                connection.execute("ROLLBACK")
            if isinstance(exc, sqlite3.OperationalError) or (
                isinstance(exc, sqlite3.DatabaseError) and is_damage(exc)
            ):
                raise trouble("cannot write to", self.path, exc) from exc
            raise

    def rows(self, query: str, parameters: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
        """All rows of a read-only query. Raises ConfigError for a library that is damaged."""
        connection = self._connection()
        try:
            return connection.execute(query, parameters).fetchall()
        except sqlite3.Error as exc:
            raise trouble("cannot read", self.path, exc) from exc

    def connection(self) -> sqlite3.Connection:
        """The calling thread's connection, for what is neither a query nor a transaction."""
        return self._connection()

    def close_thread(self) -> None:
        """Close the calling thread's connection, if it has one; the next use opens another."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is not None:
            self._local.connection = None
            with self._lock:
                self._connections = [o for o in self._connections if o[1] is not connection]
            connection.close()

    def close(self) -> None:
        """Close every thread's connection."""
        with self._lock:
            for _, connection in self._connections:
                connection.close()
            self._connections.clear()
            self._local = threading.local()

    def _close_left(self) -> None:
        """Close what threads have left open that are gone."""
        for thread, connection in self._connections:
            if not thread.is_alive():
                connection.close()
        self._connections = [own for own in self._connections if own[0].is_alive()]

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._connect()
            with self._lock:
                self._close_left()
                self._connections.append((threading.current_thread(), connection))
        return connection

    def _connect(self) -> sqlite3.Connection:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(
                self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
        except (OSError, sqlite3.Error) as exc:
            raise ConfigError(
                f"cannot open the library {self.path}: {exc}",
                hint="set REELREMIX_DATA_DIR to a folder you can write to",
            ) from exc
        try:
            # SQLite waits for nobody where it changes the journal's mode: only one may do so.
            with FileLock(f"{self.path}.lock", timeout=BUSY_TIMEOUT_S):
                connection.execute("PRAGMA journal_mode = WAL")
                self._upgrade(connection)
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
        except Timeout as exc:
            connection.close()
            raise LibraryHeld(
                f"the library {self.path} cannot be used: another program holds it"
                f"{named_holders(self.path)}",
                hint=WAIT,
            ) from exc
        except sqlite3.DatabaseError as exc:
            connection.close()
            raise trouble("cannot use", self.path, exc) from exc
        except BaseException:
            connection.close()
            raise
        return connection

    def _upgrade(self, connection: sqlite3.Connection) -> None:
        """Bring the schema up to date; a library whose rows that changes is copied before."""
        rewriting = [step for step in pending(connection) if step in REWRITING]
        if rewriting:
            copy_library(connection, dated(self.path, f"before-{rewriting[0]}"))
        migrate(connection)
