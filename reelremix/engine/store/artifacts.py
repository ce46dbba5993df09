"""Stage results on disk: one file an artifact, checked by SHA-256 every time it is read."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from reelremix.engine.domain.context import ArtifactKey
from reelremix.engine.store.database import Database
from reelremix.engine.store.files import write_atomically


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
        except FileNotFoundError:
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
        """Bytes held for all owners."""
        rows = self._db.rows("SELECT COALESCE(SUM(size_bytes), 0) FROM artifacts")
        return int(str(rows[0][0]))

    def collect(self, cap_bytes: int) -> int:
        """Drop the least recently used until at most `cap_bytes` remain; returns bytes freed."""
        held = self.size_bytes()
        freed = 0
        rows = self._db.rows(
            "SELECT owner, stage, digest, size_bytes FROM artifacts ORDER BY used_at"
        )
        for owner, stage, digest, size in rows:
            if held - freed <= cap_bytes:
                break
            self.delete(ArtifactKey(str(owner), str(stage), str(digest)))
            freed += int(str(size))
        return freed

    def _path(self, key: ArtifactKey) -> Path:
        return self._folder / key.owner / key.stage / key.digest[:2] / key.digest
