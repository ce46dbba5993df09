"""Where everything is kept: on this machine, or wherever a factory named in the settings says."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass

from reelremix.config import Settings
from reelremix.engine.domain.context import ArtifactStore, Catalogue, SourceAccess
from reelremix.engine.domain.job import JobStore
from reelremix.engine.domain.owner import LOCAL_OWNER
from reelremix.engine.domain.watch import WatchStore
from reelremix.engine.store.artifacts import FileArtifactStore
from reelremix.engine.store.catalogue import SqliteCatalogue
from reelremix.engine.store.database import Database
from reelremix.engine.store.job_table import SqliteJobStore
from reelremix.engine.store.sources import LocalSourceAccess
from reelremix.engine.store.watch_table import SqliteWatchStore
from reelremix.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Stores:
    """What one owner keeps."""

    catalogue: Catalogue
    artifacts: ArtifactStore
    sources: SourceAccess
    jobs: JobStore
    watches: WatchStore
    release_thread: Callable[[], None] = lambda: None
    """Gives back what the calling thread holds, such as a connection."""


def open_stores(settings: Settings) -> Stores:
    """The stores that the settings name.

    Raises:
        ConfigError: there is no such factory, or the library cannot be opened.
    """
    if not settings.stores:
        return open_local(settings)
    module, _, name = settings.stores.partition(":")
    try:
        factory = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as exc:
        raise ConfigError(
            f"stores: {settings.stores} cannot be loaded: {exc}",
            hint="write it as `module:function`, or leave it empty",
        ) from exc
    stores: Stores = factory(settings)
    return stores


def open_local(settings: Settings) -> Stores:
    """The stores of this machine's user: the library file, and folders beside it."""
    database = Database(settings.library_file)
    catalogue = SqliteCatalogue(database)
    return Stores(
        catalogue,
        FileArtifactStore(database, settings.artifacts_path),
        LocalSourceAccess(catalogue),
        SqliteJobStore(database),
        SqliteWatchStore(database, LOCAL_OWNER),
        database.close_thread,
    )
