from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.events import StageFinished, StageProgress
from reelremix.engine.stages.ingest import VERSION, ingest
from reelremix.engine.store.catalogue import SqliteCatalogue
from reelremix.engine.store.database import Database
from reelremix.errors import Cancelled
from tests.fakes import Recorder, run_context
from tests.media_factory import plain_film


def was_read(ctx: RunContext) -> bool:
    """Whether the last ingest had to read the file."""
    assert isinstance(ctx.reporter, Recorder)
    [*_, last] = [e for e in ctx.reporter.events if isinstance(e, StageFinished)]
    return not last.cached


def test_a_source_is_known_by_the_hash_of_the_whole_file(tmp_path: Path) -> None:
    path = plain_film(tmp_path / "a.mp4", 1)
    assert ingest(path, run_context()).id == hashlib.sha256(path.read_bytes()).hexdigest()


def test_an_unchanged_file_is_read_once(tmp_path: Path) -> None:
    path, ctx = plain_film(tmp_path / "a.mp4", 1), run_context()
    first = ingest(path, ctx)
    assert was_read(ctx)
    assert ingest(path, ctx) == first and not was_read(ctx)


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path, ctx = plain_film(tmp_path / "a.mp4", 1), run_context()
    first = ingest(path, ctx)
    plain_film(path, 2)
    assert ingest(path, ctx).id != first.id
    os.utime(path, ns=(1, 1))
    ingest(path, ctx)
    assert was_read(ctx)


def test_the_same_content_elsewhere_is_the_same_source(tmp_path: Path) -> None:
    path, ctx = plain_film(tmp_path / "a.mp4", 1), run_context()
    first = ingest(path, ctx)
    copy = tmp_path / "b.mp4"
    copy.write_bytes(path.read_bytes())
    assert ingest(copy, ctx).id == first.id
    assert set(ctx.catalogue.locations(first.id)) == {str(path), str(copy)}


def test_what_an_older_probe_described_is_looked_at_again_but_not_hashed(tmp_path: Path) -> None:
    path, ctx = plain_film(tmp_path / "a.mp4", 1), run_context()
    first = ingest(path, ctx)
    ctx.catalogue.save_source(replace(first, container="guessed", probe_version=VERSION - 1))
    assert isinstance(ctx.reporter, Recorder)
    ctx.reporter.events.clear()
    assert ingest(path, ctx) == first
    assert was_read(ctx) and not any(isinstance(e, StageProgress) for e in ctx.reporter.events)
    assert ctx.catalogue.source(first.id) == first


def test_a_known_file_whose_record_cannot_be_read_is_described_anew(tmp_path: Path) -> None:
    path, library = plain_film(tmp_path / "a.mp4", 1), Database(tmp_path / "library.sqlite3")
    ctx = replace(run_context(), catalogue=SqliteCatalogue(library))
    first = ingest(path, ctx)
    with library.transaction() as connection:
        connection.execute("UPDATE sources SET detail = CAST('{}' AS BLOB)")
    assert ingest(path, ctx) == first
    library.close()


def test_reading_can_be_cancelled(tmp_path: Path) -> None:
    path, ctx = plain_film(tmp_path / "a.mp4", 1), run_context()
    ctx.cancel.set()
    with pytest.raises(Cancelled):
        ingest(path, ctx)
    assert ctx.catalogue.sources() == []
