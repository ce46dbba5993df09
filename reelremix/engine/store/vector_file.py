"""Vectors in a mapped file beside the library, so that a process has them at once.

The library stays the truth; the file is what can be rebuilt from it at any time. Vectors have
numbers that only grow and are never changed, so a file is brought up to date by what was added
since; those that are gone from the library are left where they are, never returned, and left out
when the file is next rebuilt. One process at a time writes; others see the rows they had mapped.
A file that cannot be written, as on a full disk, is replaced by memory for the life of the process.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from filelock import FileLock, Timeout

from reelremix.engine.store.database import Database
from reelremix.engine.store.files import part_beside
from reelremix.engine.store.nearest import Nearest, Numbers, VectorRows, row_type, rows_of

TABLES = {"windows": "windows", "clips": "clip_vectors"}
"""Where vectors of each kind are."""
MAGIC, VERSION = b"rrvector", 1
HEADER = struct.Struct("<8sIIQQ")
HEADER_BYTES = 64
"""Header and padding; rows begin after it."""
SAMPLED = 16
"""Of a file's last rows, compared with the library when it is opened: another library's file, or
one from before a backup was put back, ends otherwise."""
MOST_GONE = 0.25
"""Share of rows that may be gone from the library before the file is rebuilt."""
FEWEST_GONE = 1000
SPARE = 4
"""Times as many are asked for as are wanted, before it is known which are gone."""
CHUNK = 20_000
LOCK_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class State:
    """What the library says of its vectors of one kind."""

    last: int
    """The number that was given last."""
    held: int


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of itself."""

    size: int
    count: int
    last: int

    def to_bytes(self) -> bytes:
        """As it is written."""
        packed = HEADER.pack(MAGIC, VERSION, self.size, self.count, self.last)
        return packed.ljust(HEADER_BYTES, b"\0")


class VectorFile:
    """The vectors of one kind and owner."""

    def __init__(self, database: Database, owner: str, kind: str) -> None:
        self._db = database
        self._owner = owner
        self._kind = kind
        self._table = TABLES[kind]
        self.path = vector_path(database.path, owner, kind)
        self._lock = threading.Lock()
        self._seen: State | None = None
        self._rows = VectorRows.of(())

    def nearest(
        self, vector: Sequence[float], limit: int, allowed: Numbers | None = None
    ) -> list[Nearest]:
        """The numbers with the greatest cosine, of those allowed unless None."""
        rows = self._current()
        asked = limit
        while True:
            asked *= SPARE
            found = rows.nearest(vector, asked, allowed)
            there = self._there([number for number, _ in found])
            kept = [pair for pair in found if pair[0] in there][:limit]
            if len(kept) == limit or len(found) < asked:
                return kept

    def faults(self) -> str | None:
        """What is wrong with the file, compared with the library row by row; None where nothing.

        A file that is not there yet is no fault: the next search makes it.
        """
        if self.path is None or not self.path.exists():
            return None
        header = _read_header(self.path)
        state = self._state()
        if header is None:
            return "is damaged"
        if header.last > state.last:
            return "is of another library, or of one that was put back"
        rows = _mapped(self.path, header)
        at = 0
        for number, vector in self._stored(0, header.last):
            while at < len(rows) and rows.numbers[at] < number:
                at += 1
            if len(vector) != header.size:
                continue
            if at >= len(rows) or rows.numbers[at] != number or rows.vector(at) != vector:
                return f"differs from the library in vector {number}"
        return None

    def rebuild(self) -> None:
        """Write the file anew from the library. Raises OSError."""
        if self.path is None:
            return
        with self._lock, self._alone(self.path):
            _rebuild(self.path, self._size(), self._state().last, self._stored)
            self._seen = None

    def _current(self) -> VectorRows:
        with self._lock:
            state = self._state()
            if state != self._seen:
                self._rows, self._seen = self._opened(), state
            return self._rows

    def _opened(self) -> VectorRows:
        if self.path is None:
            return VectorRows.of(self._stored(0, self._state().last))
        try:
            with self._alone(self.path):
                return self._up_to_date(self.path)
        except (OSError, Timeout):  # read-only, full, or held: memory does as well, if slower
            return VectorRows.of(self._stored(0, self._state().last))

    def _up_to_date(self, path: Path) -> VectorRows:
        state = self._state()
        header = _read_header(path)
        if header is None or not self._fits(path, header, state):
            header = _rebuild(path, self._size(), state.last, self._stored)
        elif header.last < state.last:
            grown = _append(path, header, self._stored(header.last, state.last), state.last)
            header = grown or _rebuild(path, self._size(), state.last, self._stored)
        return _mapped(path, header)

    def _fits(self, path: Path, header: Header, state: State) -> bool:
        """Whether a file is of this library and worth being continued."""
        if header.last > state.last:
            return False
        gone = header.count - state.held
        if gone > max(FEWEST_GONE, MOST_GONE * header.count):
            return False
        rows = _mapped(path, header)
        sampled = range(max(0, len(rows) - SAMPLED), len(rows))
        known = self._vectors([int(rows.numbers[at]) for at in sampled])
        same = [known.get(int(rows.numbers[at]), b"") in (b"", rows.vector(at)) for at in sampled]
        return all(same) and (bool(known) or not sampled)

    def _alone(self, path: Path) -> FileLock:
        path.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(f"{path}.lock", timeout=LOCK_TIMEOUT_S)

    def _state(self) -> State:
        query = "SELECT last, held FROM vectors WHERE owner = ? AND kind = ?"
        rows: list[Any] = self._db.rows(query, (self._owner, self._kind))
        return State(*rows[0]) if rows else State(0, 0)

    def _size(self) -> int:
        """Numbers in a vector, as in the one that was kept last."""
        rows: list[Any] = self._db.rows(
            f"SELECT length(vector) FROM {self._table} WHERE +owner = ? AND vector IS NOT NULL"
            " ORDER BY number DESC LIMIT 1",
            (self._owner,),
        )
        return int(rows[0][0]) if rows else 0

    def _stored(self, after: int, last: int) -> Iterator[tuple[int, bytes]]:
        """Numbered vectors of the library, in order."""
        while True:
            rows: list[Any] = self._db.rows(
                f"SELECT number, vector FROM {self._table} WHERE number > ? AND number <= ?"
                " AND +owner = ? AND vector IS NOT NULL ORDER BY number LIMIT ?",
                (after, last, self._owner, CHUNK),
            )
            yield from rows
            if len(rows) < CHUNK:
                return
            after = rows[-1][0]

    def _vectors(self, numbers: Sequence[int]) -> dict[int, bytes]:
        rows: list[Any] = self._db.rows(
            f"SELECT number, vector FROM {self._table} WHERE +owner = ? AND vector IS NOT NULL"
            " AND number IN (SELECT value FROM json_each(?))",
            (self._owner, json.dumps(numbers)),
        )
        return dict(rows)

    def _there(self, numbers: Sequence[int]) -> set[int]:
        """Those that the library still has."""
        rows: list[Any] = self._db.rows(
            f"SELECT number FROM {self._table} WHERE +owner = ?"
            " AND number IN (SELECT value FROM json_each(?))",
            (self._owner, json.dumps(numbers)),
        )
        return {number for (number,) in rows}


def vector_path(library: Path, owner: str, kind: str) -> Path | None:
    """Where vectors are kept; None for a library in memory."""
    if str(library) == ":memory:":
        return None
    named = owner if owner.isascii() and owner.isalnum() else _digest(owner)
    return library.with_name(f"{library.name}-vectors") / f"{named}-{kind}.bin"


def _digest(owner: str) -> str:
    return hashlib.sha256(owner.encode(errors="surrogatepass")).hexdigest()[:32]


def _read_header(path: Path) -> Header | None:
    """None for a file that is not there, is damaged, or was written by another version."""
    try:
        with path.open("rb") as file:
            head = file.read(HEADER_BYTES)
            length = os.fstat(file.fileno()).st_size
    except FileNotFoundError:
        return None
    if len(head) < HEADER_BYTES:
        return None
    magic, version, size, count, last = HEADER.unpack_from(head)
    header = Header(size, count, last)
    is_whole = length >= HEADER_BYTES + count * row_type(size).itemsize
    return header if (magic, version) == (MAGIC, VERSION) and is_whole else None


def _mapped(path: Path, header: Header) -> VectorRows:
    if not header.count:
        return VectorRows.of(())
    kind = row_type(header.size)
    mapped = np.memmap(path, kind, "r", offset=HEADER_BYTES, shape=(header.count,))
    return VectorRows(mapped.view(np.ndarray))


def _append(
    path: Path, header: Header, added: Iterator[tuple[int, bytes]], last: int
) -> Header | None:
    """The file with what was added; None where that is of another size, as with another model.

    The header is written last: rows that nobody counts are written over by the next process.
    """
    new = list(added)
    if new and len(new[-1][1]) != header.size:
        return None
    rows = rows_of(new, header.size)
    with path.open("r+b") as file:
        file.seek(HEADER_BYTES + header.count * rows.itemsize)
        file.write(rows.tobytes())
        _to_disk(file)
        header = Header(header.size, header.count + len(rows), last)
        file.seek(0)
        file.write(header.to_bytes())
    return header


def _rebuild(
    path: Path, size: int, last: int, stored: Callable[[int, int], Iterator[tuple[int, bytes]]]
) -> Header:
    """The file anew, without what is gone and what is of another size."""
    part, count = part_beside(path), 0
    try:
        with part.open("wb") as file:
            file.write(Header(size, 0, 0).to_bytes())
            for chunk in _chunks(stored(0, last)):
                rows = rows_of(chunk, size)
                file.write(rows.tobytes())
                count += len(rows)
            header = Header(size, count, last)
            file.seek(0)
            file.write(header.to_bytes())
            _to_disk(file)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return header


def _chunks(vectors: Iterator[tuple[int, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    chunk: list[tuple[int, bytes]] = []
    for pair in vectors:
        chunk.append(pair)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _to_disk(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
