"""What every `Catalogue` promises; a new one joins by a line in `CATALOGUES`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelremix.engine.domain.candidate import Score
from reelremix.engine.domain.clip import Clip, ClipEntry
from reelremix.engine.domain.context import Catalogue, Decision, FileIdentity
from reelremix.engine.domain.edit import Edit, ManifestPlace, Undo
from reelremix.engine.domain.events import Event, JobStarted, StageProgress, Waiting
from reelremix.engine.domain.rows import ClipFilter, Order, Standing
from reelremix.engine.domain.window import Due, FoundWindow, WindowHit
from reelremix.engine.store.catalogue import SqliteCatalogue
from reelremix.engine.store.database import Database
from reelremix.engine.store.memory import MemoryCatalogue
from reelremix.engine.store.words import most_of, telling
from tests.engine.examples import CLIP, EVENTS, SOURCE, TRANSCRIPT
from tests.engine.store.indexes import indexed, window

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


def test_another_transcript_has_another_digest(catalogue: Catalogue) -> None:
    assert catalogue.transcript_digest("source") is None
    digests = set()
    for transcript in (TRANSCRIPT, replace(TRANSCRIPT, model="large"), TRANSCRIPT):
        catalogue.save_transcript("source", transcript)
        digests.add(catalogue.transcript_digest("source"))
    assert len(digests) == 2 and None not in digests


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


def test_a_saved_transcript_is_due_until_it_is_indexed(catalogue: Catalogue) -> None:
    catalogue.save_transcript("a", TRANSCRIPT)
    catalogue.save_transcript("b", TRANSCRIPT)
    first, second = catalogue.windows_due(None)
    assert (first.source_id, second.source_id) == ("a", "b")
    catalogue.save_windows(first, indexed("a", window("ada")))
    assert list(catalogue.windows_due(None)) == [second]


def test_a_transcript_saved_while_the_one_before_was_indexed_stays_due(
    catalogue: Catalogue,
) -> None:
    catalogue.save_transcript("a", TRANSCRIPT)
    [due] = catalogue.windows_due(None)
    catalogue.save_transcript("a", replace(TRANSCRIPT, model="large"))
    catalogue.save_windows(due, indexed("a", window("ada")))
    [later] = catalogue.windows_due(None)
    assert later.source_id == "a" and later != due


def test_a_model_makes_due_what_was_indexed_without_it(catalogue: Catalogue) -> None:
    for source_id, model in (("a", None), ("b", "old/1"), ("c", "new/1")):
        catalogue.save_windows(Due(source_id, 0), indexed(source_id, window("x"), model=model))
    assert list(catalogue.windows_due(None)) == []
    assert [due.source_id for due in catalogue.windows_due("new/1")] == ["a", "b"]


def test_windows_come_back_as_they_were_indexed(catalogue: Catalogue) -> None:
    windows = window("ünïcode", "中文", start_s=1.25), window("plain", vector=(3, -2))
    catalogue.save_windows(Due("a", 0), indexed("a", *windows))
    hits = [*catalogue.windows_saying(["中文"], 5), *catalogue.windows_saying(["plain"], 5)]
    numbers = [hit.window for hit in hits]
    assert list(catalogue.windows([*numbers, 99])) == [
        FoundWindow("a", windows[0]), FoundWindow("a", windows[1]), None
    ]  # fmt: skip


def test_indexing_anew_replaces_all_of_a_source(catalogue: Catalogue) -> None:
    catalogue.save_windows(Due("a", 0), indexed("a", window("old", vector=(1, 0))))
    [old] = catalogue.windows_saying(["old"], 5)
    assert catalogue.windows_meaning([1.0, 0.0], 5)
    catalogue.save_windows(Due("a", 0), indexed("a", window("new", vector=(1, 0)), digest="2"))
    assert list(catalogue.windows_saying(["old"], 5)) == []
    assert list(catalogue.windows([old.window])) == [None]
    [by_word], [by_meaning] = (
        catalogue.windows_saying(["new"], 5), catalogue.windows_meaning([1.0, 0.0], 5)
    )  # fmt: skip
    assert by_word.window == by_meaning.window != old.window


def test_an_index_with_the_same_digest_changes_nothing(catalogue: Catalogue) -> None:
    for _ in range(2):
        catalogue.save_windows(Due("a", 0), indexed("a", window("word")))
    [hit] = catalogue.windows_saying(["word"], 5)
    assert hit.window == 1


def test_what_says_more_of_it_comes_first(catalogue: Catalogue) -> None:
    for number in range(30):
        source = indexed(f"s{number:02}", window(f"filler{number}", "common"))
        catalogue.save_windows(Due("", 0), source)
    talks = window("hire", "mistak"), window("hire", "hire", "other", "words"), window("mistak")
    catalogue.save_windows(Due("", 0), indexed("talk", *talks))
    hits = list(catalogue.windows_saying(["hire", "mistak", "common", "absent"], 10))
    assert [hit.window for hit in hits[:3]] == [31, 33, 32] and len(hits) == 10
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True) and scores[-1] > 0
    assert [h.window for h in catalogue.windows_saying(["common"], 3)] == [1, 2, 3]
    assert [h.window for h in catalogue.windows_saying(["hire"], 1)] == [32]


def test_both_kinds_of_catalogue_give_the_same_scores(tmp_path: Path) -> None:
    found = []
    for make in CATALOGUES:
        [catalogue] = list(filled(make(tmp_path)))
        found.append([(h.window, round(h.score, 6)) for h in catalogue])
    assert found[0] == found[1] and len(found[0]) == 4


def filled(made: Iterator[Catalogue]) -> Iterator[list[WindowHit]]:
    """What a catalogue finds by words and by meaning in two sources."""
    for catalogue in made:
        talks = window("hire", "mistak", "x", vector=(5, 1)), window("hire", vector=(1, 5))
        catalogue.save_windows(Due("", 0), indexed("a", *talks))
        many = [window(f"w{n}", vector=(n, -n)) for n in range(25)]
        catalogue.save_windows(Due("", 0), indexed("b", *many))
        yield [
            *catalogue.windows_saying(["hire", "mistak"], 5),
            *catalogue.windows_meaning([0.0, 2.0], 2),
        ]


def test_only_the_named_sources_are_searched(catalogue: Catalogue) -> None:
    for source_id in ("a", "b", "c"):
        about = indexed(source_id, window("word", source_id, vector=(1, 2)))
        catalogue.save_windows(Due("", 0), about)
    for named, wanted in ((["b"], {2}), ({"a", "c"}, {1, 3}), ([], set()), (["nobody"], set())):
        hits = catalogue.windows_saying(["word"], 5, named)
        assert {hit.window for hit in hits} == wanted
        assert {hit.window for hit in catalogue.windows_meaning([1.0, 2.0], 5, named)} == wanted


def test_meanings_are_compared_by_direction_alone(catalogue: Catalogue) -> None:
    vectors = [(127, 0), (10, 10), (0, 3), (-9, 0)]
    windows = [window(f"w{n}", vector=vector) for n, vector in enumerate(vectors)]
    catalogue.save_windows(Due("", 0), indexed("a", *windows, window("meaningless")))
    hits = list(catalogue.windows_meaning([0.0, 7.0], 3))
    assert [hit.window for hit in hits] == [3, 2, 1]
    assert [hit.score for hit in hits] == pytest.approx([1.0, 0.5**0.5, 0.0], abs=1e-6)


def test_a_vector_of_another_model_is_near_to_nothing(catalogue: Catalogue) -> None:
    assert list(catalogue.windows_meaning([1.0], 5)) == []
    catalogue.save_windows(Due("", 0), indexed("a", window("w", vector=(1, 2))))
    assert list(catalogue.windows_meaning([1.0, 2.0, 3.0], 5)) == []


HOSTILE = ('"', '""', "NEAR", "AND", "a* OR b", "-x", "(", "terms:x", "^x", "{a b}", "\0", "🎉",
           "'", "; DROP TABLE windows", "%", "x" * 10_000)  # fmt: skip


@pytest.mark.parametrize("term", HOSTILE)
def test_no_term_is_taken_for_a_query(catalogue: Catalogue, term: str) -> None:
    catalogue.save_windows(Due("", 0), indexed("a", window("plain")))
    assert list(catalogue.windows_saying([term], 5)) == []
    assert [hit.window for hit in catalogue.windows_saying([term, "plain"], 5)] == [1]


@given(st.lists(st.text(), max_size=4))
def test_any_text_can_be_looked_for(terms: list[str]) -> None:
    database = Database(Path(":memory:"))
    catalogue = SqliteCatalogue(database)
    catalogue.save_windows(Due("", 0), indexed("a", window("plain")))
    assert {hit.window for hit in catalogue.windows_saying([*terms, "plain"], 5)} == {1}
    database.close()


def test_words_that_are_everywhere_do_not_count_beside_rarer_ones() -> None:
    assert telling([("a", 5), ("b", 10), ("c", 11)], 10) == ["a", "b"]
    assert telling([("a", 13), ("b", 12)], 10) == ["b"]
    assert telling([], 10) == []
    assert (most_of(50), most_of(100_000)) == (1000, 10_000)


def clip_saying(id: str, title: str, **changes: Any) -> Clip:
    """A clip of that title that says nothing else."""
    score = Score(changes.pop("total", 50.0), {}, (), 0.0)
    return replace(CLIP, id=id, title=title, description="", text="", score=score, **changes)


def listed(catalogue: Catalogue, **wanted: Any) -> list[str]:
    """Ids of the clips in a list."""
    return [row.id for row in catalogue.clip_rows(ClipFilter(**wanted))]


def test_clips_are_listed_by_time_or_by_score(catalogue: Catalogue) -> None:
    catalogue.save_clips("s", [clip_saying("low", "x", total=1.0)])
    catalogue.save_clips("s", [clip_saying("high", "x", total=9.0)])
    catalogue.save_clips("s", [replace(clip_saying("none", "x"), score=None)])
    assert listed(catalogue) == ["none", "high", "low"]
    assert listed(catalogue, order=Order.SCORE) == ["high", "low", "none"]
    catalogue.save_clips("s", [clip_saying("low", "seen again", total=1.0)])
    assert listed(catalogue)[0] == "low"


def test_lists_of_clips_are_narrowed_and_paged(catalogue: Catalogue) -> None:
    for n, (source, title) in enumerate((("a", "Hire slow"), ("a", "Fire fast"), ("b", "HIRED"))):
        catalogue.save_clips(source, [clip_saying(f"c{n}", title, rank=n)])
    catalogue.record(Decision("c0", "kept", {}, 1.0))
    catalogue.record(Decision("c1", "dropped", {}, 2.0))
    assert listed(catalogue, source_id="a") == ["c1", "c0"]
    assert listed(catalogue, text="hire") == ["c2", "c0"]
    assert listed(catalogue, standing=Standing.KEPT) == ["c0"]
    assert listed(catalogue, standing=Standing.OPEN) == ["c2"]
    catalogue.record(Decision("c1", "reopened", {}, 3.0))
    assert listed(catalogue, standing=Standing.OPEN) == ["c2", "c1"]
    assert [row.id for row in catalogue.clip_rows(limit=1, offset=1)] == ["c1"]
    assert catalogue.count_clips(ClipFilter(text="hire")) == 2


@pytest.mark.parametrize("text", ["100%", "a_b", "back\\slash", "it's", '"', "%", "_", "\\"])
def test_a_text_is_looked_for_as_it_is(catalogue: Catalogue, text: str) -> None:
    for number, title in enumerate((f"has {text} in it", "plain")):
        catalogue.save_clips("s", [clip_saying(f"c{number}", title)])
        catalogue.save_source(replace(SOURCE, id=f"s{number}", name=title))
    assert listed(catalogue, text=text.upper()) == ["c0"]
    assert [row.id for row in catalogue.source_rows(text)] == ["s0"]


def test_a_row_says_what_a_list_shows(catalogue: Catalogue) -> None:
    catalogue.save_source(SOURCE)
    catalogue.save_clips(SOURCE.id, [CLIP])
    [row] = catalogue.clip_rows()
    assert (row.id, row.title, row.source, row.rank) == (CLIP.id, CLIP.title, SOURCE.name, 1)
    assert (row.start_s, row.length_s) == (CLIP.ranges[0].start_s, CLIP.duration_s)
    assert row.total == (CLIP.score and CLIP.score.total) and row.standing is Standing.OPEN
    assert catalogue.clip(CLIP.id) == CLIP and catalogue.clip("nobody") is None


def test_what_was_decided_outlasts_a_clip_that_is_made_again(catalogue: Catalogue) -> None:
    catalogue.save_clips("s", [CLIP])
    catalogue.record(Decision(CLIP.id, "kept", {}, 1.0))
    catalogue.remove_clips([CLIP.id])
    assert listed(catalogue) == []
    catalogue.save_clips("s", [CLIP])
    assert listed(catalogue, standing=Standing.KEPT) == [CLIP.id]


def test_clips_are_found_by_their_words_until_these_change(catalogue: Catalogue) -> None:
    catalogue.save_clips("s", [clip_saying("a", "Hiring mistakes"), clip_saying("b", "Mistakes")])
    terms = ["hir", "mistak"]
    assert [hit.id for hit in catalogue.clips_saying(terms, 5)] == ["a", "b"]
    catalogue.save_clips("s", [clip_saying("a", "Gardening")])
    assert [hit.id for hit in catalogue.clips_saying(terms, 5)] == ["b"]
    catalogue.remove_clips(["b"])
    assert list(catalogue.clips_saying(terms, 5)) == []
    assert [hit.id for hit in catalogue.clips_saying(["garden"], 5)] == ["a"]


def test_a_clip_is_due_until_its_meaning_is_told_and_again_when_it_reads_otherwise(
    catalogue: Catalogue,
) -> None:
    catalogue.save_clips("s", [clip_saying("a", "First"), clip_saying("b", "Second")])
    first, second = catalogue.clips_due("m/1")
    assert (first.text.strip(), second.text.strip()) == ("First", "Second")
    catalogue.save_clip_meanings("m/1", {first.number: bytes([0, 9]), second.number: None})
    assert list(catalogue.clips_due("m/1")) == []
    catalogue.save_clips("s", [clip_saying("a", "First", rank=7)])
    assert list(catalogue.clips_due("m/1")) == []
    catalogue.save_clips("s", [clip_saying("a", "Another")])
    [again] = catalogue.clips_due("m/1")
    assert again.number not in (first.number, second.number)
    assert list(catalogue.clips_meaning([0.0, 1.0], 5)) == []


def test_a_meaning_that_comes_too_late_is_not_kept(catalogue: Catalogue) -> None:
    catalogue.save_clips("s", [clip_saying("a", "First")])
    [due] = catalogue.clips_due("m/1")
    catalogue.save_clips("s", [clip_saying("a", "Edited meanwhile")])
    catalogue.save_clip_meanings("m/1", {due.number: bytes([1, 2])})
    assert len(catalogue.clips_due("m/1")) == 1
    assert list(catalogue.clips_meaning([1.0, 2.0], 5)) == []


def test_another_model_tells_every_meaning_anew(catalogue: Catalogue) -> None:
    catalogue.save_clips("s", [clip_saying("a", "First")])
    [due] = catalogue.clips_due("m/1")
    catalogue.save_clip_meanings("m/1", {due.number: bytes([1, 2])})
    [again] = catalogue.clips_due("m/2")
    catalogue.save_clip_meanings("m/2", {again.number: bytes([2, 1, 3])})
    assert list(catalogue.clips_meaning([1.0, 2.0], 5)) == []
    assert [hit.id for hit in catalogue.clips_meaning([2.0, 1.0, 3.0], 5)] == ["a"]


def test_clips_are_found_by_their_meaning_with_what_they_stand_for(catalogue: Catalogue) -> None:
    catalogue.save_clips("s", [clip_saying(id, id) for id in ("near", "far", "unknown")])
    vectors: list[bytes | None] = [bytes([10, 1]), bytes([1, 10]), None]
    due = catalogue.clips_due("m")
    catalogue.save_clip_meanings("m", {d.number: v for d, v in zip(due, vectors, strict=True)})
    hits = catalogue.clips_meaning([1.0, 0.0], 5)
    assert [hit.id for hit in hits] == ["near", "far"] and hits[0].score > 0.99
    found = catalogue.found_clips(["far", "gone", "near"])
    assert [own and (own.row.id, own.vector) for own in found] == [
        ("far", vectors[1]), None, ("near", vectors[0])
    ]  # fmt: skip
    assert found[0] is not None and found[0].terms == {"far"}


def test_a_source_goes_with_what_was_made_from_it_and_what_was_decided_stays(
    catalogue: Catalogue,
) -> None:
    other = replace(SOURCE, id="cd" * 32, name="other.mp4")
    for source in (SOURCE, other):
        catalogue.save_source(source)
        catalogue.save_transcript(source.id, TRANSCRIPT)
        catalogue.save_clips(source.id, [clip_saying(source.id[:4], "Title")])
        [due] = catalogue.windows_due(None)
        catalogue.save_windows(due, indexed(source.id, window("word", vector=(1, 2))))
        catalogue.remember_file(replace(FILE, path=f"/{source.name}"), source.id)
        catalogue.remember_manifest(ManifestPlace(source.name, source.id, "/clips.json"))
    catalogue.record(Decision(SOURCE.id[:4], "kept", {}, 1.0))
    catalogue.append_edits(SOURCE.name, [Edit(1, 1.0, Undo(), {})])
    gone = catalogue.forget_source(SOURCE.id)
    assert (gone.transcripts, gone.windows, gone.clips, gone.manifests) == (1, 1, 1, 1)
    assert [row.id for row in catalogue.source_rows()] == [other.id]
    assert catalogue.source(SOURCE.id) is None and catalogue.transcript(SOURCE.id) is None
    assert list(catalogue.locations(SOURCE.id)) == [] and list(catalogue.windows_due(None)) == []
    assert len(catalogue.windows_saying(["word"], 5)) == 1
    assert len(catalogue.windows_meaning([1.0, 2.0], 5)) == 1
    assert [hit.id for hit in catalogue.clips_saying(["titl"], 5)] == [other.id[:4]]
    assert [m.id for m in catalogue.manifests()] == ["other.mp4"]
    assert len(catalogue.decisions()) == 1 and len(catalogue.edits(SOURCE.name)) == 1


def test_sources_are_found_by_name_or_by_the_beginning_of_their_id(catalogue: Catalogue) -> None:
    for id, name in (("ab" * 32, "Talk.mp4"), ("cd" * 32, "talk two.mov"), ("ef" * 32, "x.mp4")):
        catalogue.save_source(replace(SOURCE, id=id, name=name))
    for named in ("Talk.mp4", "talk", "abab", "AB" * 32):
        assert [row.name for row in catalogue.find_sources(named)] == ["Talk.mp4"]
    for named in ("tal", "aba", "%", "", "talk_two"):
        assert list(catalogue.find_sources(named)) == []
    names = [row.name for row in catalogue.source_rows(order=Order.NAME)]
    assert names == ["talk two.mov", "Talk.mp4", "x.mp4"]


def test_the_names_and_places_of_several_sources_come_at_once(catalogue: Catalogue) -> None:
    catalogue.save_source(SOURCE)
    for path in ("/a", "/b"):
        catalogue.remember_file(replace(FILE, path=path), SOURCE.id)
    found = catalogue.places([SOURCE.id, "unknown"])
    assert {id: (name, list(paths)) for id, (name, paths) in found.items()} == {
        SOURCE.id: (SOURCE.name, ["/b", "/a"]), "unknown": (None, [])
    }  # fmt: skip
    catalogue.forget_file("/b")
    assert [identity.path for identity, _ in catalogue.files(SOURCE.id)] == ["/a"]
