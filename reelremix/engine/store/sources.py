"""Where a source's bytes are on this machine."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reelremix.engine.domain.context import Catalogue, FileIdentity
from reelremix.errors import UnreadableMedia

RELINK = "`reelremix library relink FOLDER`"


def identify_file(path: Path) -> FileIdentity:
    """Path, size, mtime and inode of a file. Raises OSError."""
    try:
        resolved = path.resolve()
    except RuntimeError as exc:  # as Python 3.11 tells of links that lead round in a circle
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path)) from exc
    stat = resolved.stat()
    return FileIdentity(str(resolved), stat.st_size, stat.st_mtime_ns, stat.st_ino)


class LocalSourceAccess:
    """`SourceAccess` through the paths the catalogue remembers."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    @contextmanager
    def open(self, source_id: str) -> Iterator[Path]:
        """The newest remembered path whose file is unchanged. Raises UnreadableMedia."""
        other = None
        for location in self._catalogue.locations(source_id):
            path = Path(location)
            if path.is_file():
                if self._catalogue.recall_file(identify_file(path)) == source_id:
                    yield path
                    return
                other = other or path
        if other is not None:
            raise UnreadableMedia(
                f"{other} is another file now than the recording that was seen there",
                hint=f"put that one back, or find it with {RELINK}",
            )
        raise UnreadableMedia(
            f"{self._name(source_id)} is no longer where it was seen",
            hint=f"put it back, or find it with {RELINK}",
        )

    def _name(self, source_id: str) -> str:
        known = self._catalogue.source(source_id)
        return known.name if known is not None else f"the recording {source_id[:12]}"
