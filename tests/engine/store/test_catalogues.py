"""What every `Catalogue` promises; a new one joins by a line in `CATALOGUES`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reelremix.engine.domain.clip import ClipEntry
from reelremix.engine.domain.context import Catalogue, Decision, FileIdentity
from reelremix.engine.domain.events import Event, JobStarted, StageProgress, Waiting
from reelremix.engine.store.catalogue import SqliteCatalogue
from reelremix.engine.store.database import Database
from reelremix.engine.store.memory import MemoryCatalogue
from tests.engine.examples import CLIP, EVENTS, SOURCE, TRANSCRIPT

FILE = FileIdentity("/videos/talk.mp4", 1000, 123_456_789_012_345, 42)


def in_sqlite(folder: Path) -> Iterator[Catalogue]:
    database = Database(folder / "library.sqlite3")
    yield SqliteCatalogue(database)
    database.close()


def in_memory(_: Path) -> Iterator[Catalogue]:
    yield MemoryCatalogue()


CATALOGUES: list[Callable[[Path], Iterator[Catalogue]]] = [in_sqlite, in_memory]


@pytest.fixture(params=CATALOGUES)
def catalogue(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Catalogue]:
    """An empty catalogue of each kind."""
    yield from request.param(tmp_path)


def test_an_unchanged_file_is_recognised(catalogue: Catalogue) -> None:
    assert catalogue.recall_file(FILE) is None
    catalogue.remember_file(FILE, "source")
    assert catalogue.recall_file(FILE) == "source"


@pytest.mark.parametrize("changed", [{"path": "/videos/other.mp4"}, {"size_bytes": 1001},
                                     {"mtime_ns": 1}, {"inode": 43}])  # fmt: skip
def test_a_changed_file_is_not(catalogue: Catalogue, changed: dict[str, Any]) -> None:
    catalogue.remember_file(FILE, "source")
    assert catalogue.recall_file(replace(FILE, **changed)) is None


def test_a_path_stands_for_what_it_held_last(catalogue: Catalogue) -> None:
    catalogue.remember_file(FILE, "first")
    catalogue.remember_file(replace(FILE, mtime_ns=9), "second")
    assert catalogue.recall_file(FILE) is None
    assert catalogue.recall_file(replace(FILE, mtime_ns=9)) == "second"
    assert catalogue.locations("first") == []


def test_places_are_listed_latest_first(catalogue: Catalogue) -> None:
    for name in ("/a", "/b", "/c"):
        catalogue.remember_file(replace(FILE, path=name), "source")
    catalogue.remember_file(replace(FILE, path="/a"), "source")
    assert list(catalogue.locations("source")) == ["/a", "/c", "/b"]
    assert list(catalogue.locations("other")) == []


def test_sources_come_back_whole_and_latest_first(catalogue: Catalogue) -> None:
    other = replace(SOURCE, id="cd" * 32, name="other.mp4")
    catalogue.save_source(SOURCE)
    catalogue.save_source(other)
    assert catalogue.source(SOURCE.id) == SOURCE
    assert list(catalogue.sources()) == [other, SOURCE]
    catalogue.save_source(replace(SOURCE, name="renamed.mp4"))
    assert [s.name for s in catalogue.sources()] == ["renamed.mp4", "other.mp4"]


def test_which_probe_described_a_source_is_kept_with_it(catalogue: Catalogue) -> None:
    catalogue.save_source(replace(SOURCE, probe_version=7))
    found = catalogue.source(SOURCE.id)
    assert found is not None and found.probe_version == 7


def test_what_was_never_saved_is_none(catalogue: Catalogue) -> None:
    assert catalogue.source("x") is None
    assert catalogue.transcript("x") is None
    assert not [*catalogue.clips("x"), *catalogue.decisions("x"), *catalogue.events("x")]


def test_the_latest_transcript_is_kept(catalogue: Catalogue) -> None:
    catalogue.save_transcript("source", TRANSCRIPT)
    catalogue.save_transcript("source", replace(TRANSCRIPT, model="large"))
    catalogue.save_transcript("other", TRANSCRIPT)
    assert catalogue.transcript("source") == replace(TRANSCRIPT, model="large")


def test_clips_come_by_rank_and_are_refreshed_by_id(catalogue: Catalogue) -> None:
    second = replace(CLIP, id="b", rank=2)
    catalogue.save_clips("source", [second, CLIP])
    catalogue.save_clips("source", [replace(second, title="Better")])
    assert list(catalogue.clips("source")) == [CLIP, replace(second, title="Better")]
    assert list(catalogue.clips("other")) == []


def test_decisions_are_kept_in_order_and_never_replaced(catalogue: Catalogue) -> None:
    decisions = [
        Decision("c1", "proposed", {}, 1.0),
        Decision("c1", "trimmed", {"end_s": 9.5, "why": "ümläut"}, 2.5),
        Decision("c1", "proposed", {}, 1.0),
    ]
    for decision in [*decisions, Decision("c2", "kept", {}, 3.0)]:
        catalogue.record(decision)
    assert list(catalogue.decisions("c1")) == decisions


def test_all_decisions_come_in_the_order_of_their_making(catalogue: Catalogue) -> None:
    decisions = [
        Decision("c2", "kept", {}, 1.0),
        Decision("c1", "dropped", {"why": "ümläut"}, 2.0),
        Decision("", "reset", {}, 1.5),
        Decision("c2", "dropped", {}, 3.0),
    ]
    for decision in decisions:
        catalogue.record(decision)
    assert list(catalogue.decisions()) == decisions
    assert list(catalogue.decisions("c1")) == decisions[1:2]
    assert list(catalogue.decisions("")) == decisions[2:3]


def test_clips_are_found_by_the_beginning_of_their_id(catalogue: Catalogue) -> None:
    assert list(catalogue.find_clips("")) == []
    ids = ("ab00", "ab01", "a_00", "b100")
    catalogue.save_clips("s1", [replace(CLIP, id=id) for id in ids[:2]])
    catalogue.save_clips("s2", [replace(CLIP, id=id, title="Other", slug="o") for id in ids[2:]])
    assert [clip.id for clip in catalogue.find_clips("")] == sorted(ids)
    assert [clip.id for clip in catalogue.find_clips("ab")] == ["ab00", "ab01"]
    assert [clip.id for clip in catalogue.find_clips("a_")] == ["a_00"]
    assert [clip.id for clip in catalogue.find_clips("%")] == []
    assert list(catalogue.find_clips("ab00")) == [
        ClipEntry("ab00", "s1", CLIP.title, CLIP.slug, CLIP.ranges)
    ]
    assert next(iter(catalogue.find_clips("b1"))).source_id == "s2"


def test_the_latest_ranking_is_kept(catalogue: Catalogue) -> None:
    assert catalogue.ranking() is None
    catalogue.save_ranking({"weights": [0.5, -1.25], "why_not": None})
    catalogue.save_ranking({"weights": [], "why_not": "ümläut"})
    assert catalogue.ranking() == {"weights": [], "why_not": "ümläut"}


def test_facts_are_numbered_from_one_within_their_job(catalogue: Catalogue) -> None:
    numbers = [catalogue.append("a", Waiting("gpu")).seq for _ in range(3)]
    assert numbers == [1, 2, 3]
    assert catalogue.append("b", Waiting("gpu")).seq == 1


def test_progress_repeats_the_last_number_and_is_not_kept(catalogue: Catalogue) -> None:
    progress = StageProgress("render", 1, 2, "frames")
    assert catalogue.append("a", progress).seq == 0
    catalogue.append("a", JobStarted("talk.mp4"))
    assert catalogue.append("a", progress).seq == 1
    assert [logged.event for logged in catalogue.events("a")] == [JobStarted("talk.mp4")]


def test_events_are_read_on_from_a_number(catalogue: Catalogue) -> None:
    for _ in range(4):
        catalogue.append("a", Waiting("gpu"))
    assert [logged.seq for logged in catalogue.events("a", after_seq=2)] == [3, 4]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_every_fact_comes_back_as_it_was_told(catalogue: Catalogue, event: Event) -> None:
    logged = catalogue.append("a", event)
    kept = list(catalogue.events("a"))
    assert kept == ([] if event.type == "stage_progress" else [logged])
    assert logged.at > 1_700_000_000
