"""Stage results on disk: one file an artifact, checked by SHA-256 every time it is read.

The library file is the index. Files it does not know are what a process left that was killed, or
what another library kept here; they count as held until `collect` sweeps them away.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping
from pathlib import Path

from reelremix.engine.domain.context import ArtifactKey
from reelremix.engine.store.database import Database
from reelremix.engine.store.files import PART_PREFIX, write_atomically

STRAY_AGE_S = 3600.0
"""Another process may be writing a younger file, or be about to record it."""


class FileArtifactStore:
    """`ArtifactStore` over a folder, indexed by the library file."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._db = database
        self._folder = folder

    def get(self, key: ArtifactKey) -> bytes | None:
        """The bytes; None when absent or damaged (the damaged copy is dropped)."""
        rows = self._db.rows(
            "SELECT sha256 FROM artifacts WHERE owner = ? AND stage = ? AND digest = ?",
            (key.owner, key.stage, key.digest),
        )
        if not rows:
            return None
        try:
            content = self._path(key).read_bytes()
        except OSError:  # gone, unreadable, or a folder in its place: as good as damaged
            content = b""
        if hashlib.sha256(content).hexdigest() != rows[0][0]:
            self.delete(key)
            return None
        with self._db.transaction() as connection:
            connection.execute(
                "UPDATE artifacts SET used_at = ? WHERE owner = ? AND stage = ? AND digest = ?",
                (time.time(), key.owner, key.stage, key.digest),
            )
        return content

    def put(self, key: ArtifactKey, content: bytes) -> None:
        """Store atomically, replacing what was there."""
        write_atomically(self._path(key), content)
        with self._db.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO artifacts VALUES (?, ?, ?, ?, ?, ?)",
                (
                    key.owner,
                    key.stage,
                    key.digest,
                    len(content),
                    hashlib.sha256(content).hexdigest(),
                    time.time(),
                ),
            )

    def delete(self, key: ArtifactKey) -> None:
        """Forget the artifact if it is there."""
        with self._db.transaction() as connection:
            connection.execute(
                "DELETE FROM artifacts WHERE owner = ? AND stage = ? AND digest = ?",
                (key.owner, key.stage, key.digest),
            )
        self._path(key).unlink(missing_ok=True)

    def size_bytes(self) -> int:
        """Bytes held for all owners, those of unfinished and unrecorded files included."""
        return sum(stat.st_size for stat in self._files().values())

    def collect(self, cap_bytes: int, *, dry_run: bool = False) -> int:
        """Drop the least recently used until at most `cap_bytes` remain; returns bytes freed.

        A dry run only counts.

        Files that nobody recorded go first, whatever the cap, once they are an hour old.
        """
        files = self._files()  # before the index is read: what is recorded by then is no stray
        keys = self._keys()
        held = sum(stat.st_size for stat in files.values())
        freed = self._sweep(files, {self._path(key) for key in keys}, dry_run=dry_run)
        for key in keys:
            if held - freed <= cap_bytes:
                break
            if not dry_run:
                self.delete(key)
            stat = files.get(self._path(key))
            freed += stat.st_size if stat is not None else 0
        return freed

    def _sweep(
        self, files: Mapping[Path, os.stat_result], recorded: set[Path], *, dry_run: bool
    ) -> int:
        """Remove old files that are not recorded; returns bytes freed."""
        before = time.time() - STRAY_AGE_S
        strays = [p for p, stat in files.items() if p not in recorded and stat.st_mtime < before]
        for path in () if dry_run else strays:
            path.unlink(missing_ok=True)
        return sum(files[path].st_size for path in strays)

    def _keys(self) -> list[ArtifactKey]:
        """The index, least recently used first."""
        rows = self._db.rows("SELECT owner, stage, digest FROM artifacts ORDER BY used_at")
        return [ArtifactKey(*(str(part) for part in row)) for row in rows]

    def _files(self) -> dict[Path, os.stat_result]:
        """Every file that bears an artifact's name or that of one being written."""
        found = {}
        for folder, _, names in os.walk(self._folder):
            for name in names:
                path = Path(folder, name)
                if not _is_ours(path):
                    continue
                try:
                    found[path] = path.stat()
                except FileNotFoundError:
                    continue  # another process has just renamed or removed it
        return found

    def _path(self, key: ArtifactKey) -> Path:
        return self._folder / key.owner / key.stage / key.digest[:2] / key.digest


def _is_ours(path: Path) -> bool:
    return path.name[:2] == path.parent.name or path.name.startswith(PART_PREFIX)
