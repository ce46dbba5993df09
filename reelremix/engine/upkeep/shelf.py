"""The user's library opened for looking after: no models, no FFmpeg, nothing that listens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from reelremix.config import Settings
from reelremix.engine.domain.owner import LOCAL_OWNER
from reelremix.engine.store.artifacts import FileArtifactStore
from reelremix.engine.store.catalogue import SqliteCatalogue
from reelremix.engine.store.database import Database


@dataclass(frozen=True, slots=True)
class Shelf:
    """A library file and what is kept through it."""

    settings: Settings
    database: Database
    catalogue: SqliteCatalogue
    artifacts: FileArtifactStore
    owner: str = LOCAL_OWNER


@contextmanager
def open_shelf(settings: Settings) -> Iterator[Shelf]:
    """The library of this machine's user. Raises ConfigError where it cannot be opened."""
    with closing(Database(settings.library_file)) as database:
        artifacts = FileArtifactStore(database, settings.artifacts_path)
        yield Shelf(settings, database, SqliteCatalogue(database), artifacts)
