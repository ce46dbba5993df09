"""A library written as one document and read again elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.context import Catalogue, Decision
from reelremix.engine.domain.edit import (
    Changed,
    Correction,
    Decide,
    Edit,
    ManifestPlace,
    RenderRecord,
    Status,
)
from reelremix.engine.domain.rows import Standing
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.store.catalogue import SqliteCatalogue
from reelremix.engine.store.database import Database
from reelremix.engine.store.memory import MemoryCatalogue
from reelremix.engine.upkeep.transfer import export_library, import_library
from reelremix.errors import ConfigError
from tests.engine.examples import CLIP, SOURCE, TRANSCRIPT

EDIT = Edit(1, 5.0, Decide(CLIP.id, Status.KEPT), {CLIP.id: Changed({"status": "kept"}, ("x",)),
                                                    "gone": None})  # fmt: skip
RENDER = RenderRecord("m1", CLIP.id, "01.mp4", "ab", "cd", True, 7.0)
CORRECTION = Correction(TimeRange.from_seconds(1.0, 2.0), ("Ümläut",))


def in_sqlite(folder: Path) -> Catalogue:
    return SqliteCatalogue(Database(folder / "other" / "library.sqlite3"), "bob")


def in_memory(_: Path) -> Catalogue:
    return MemoryCatalogue()


@pytest.fixture(params=[in_sqlite, in_memory])
def other(request: pytest.FixtureRequest, tmp_path: Path) -> Catalogue:
    """Another machine's library, of another owner."""
    make: Callable[[Path], Catalogue] = request.param
    return make(tmp_path)


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Catalogue]:
    """A library with one of everything."""
    database = Database(tmp_path / "library.sqlite3")
    catalogue = SqliteCatalogue(database)
    catalogue.save_source(SOURCE)
    catalogue.save_transcript(SOURCE.id, TRANSCRIPT)
    catalogue.correct(SOURCE.id, CORRECTION)
    catalogue.save_clips(SOURCE.id, [CLIP])
    catalogue.record(Decision(CLIP.id, "kept", {"why": "ümläut"}, 3.0))
    catalogue.remember_manifest(ManifestPlace("m1", SOURCE.id, "/clips/clips.json"))
    catalogue.append_edits("m1", [EDIT])
    catalogue.save_render(RENDER)
    yield catalogue
    database.close()


def everything(catalogue: Catalogue) -> list[Any]:
    """What a person made, to be compared."""
    return [
        [catalogue.source(row.id) for row in catalogue.source_rows()],
        catalogue.transcript(SOURCE.id),
        [*catalogue.corrections(SOURCE.id)],
        [*catalogue.clips(SOURCE.id)],
        [(row.id, row.standing) for row in catalogue.clip_rows()],
        [*catalogue.decisions()],
        [*catalogue.manifests()],
        [*catalogue.edits("m1")],
        [*catalogue.renders("m1")],
    ]


def test_everything_arrives_as_it_was_however_often(
    filled: Catalogue, other: Catalogue, tmp_path: Path
) -> None:
    counts = export_library(filled, tmp_path / "library.jsonl")
    assert set(counts.values()) == {1} and len(counts) == 8
    first = import_library(other, tmp_path / "library.jsonl")
    assert dict(first.added) == counts and not first.known
    assert everything(other) == everything(filled)
    again = import_library(other, tmp_path / "library.jsonl")
    assert not again.added and dict(again.known) == counts
    assert everything(other) == everything(filled)
    assert not first.conflicts and not first.unread and not again.conflicts


def test_a_library_can_be_read_into_itself(filled: Catalogue, tmp_path: Path) -> None:
    before = everything(filled)
    export_library(filled, tmp_path / "library.jsonl")
    assert not import_library(filled, tmp_path / "library.jsonl").added
    assert everything(filled) == before


def test_a_dry_run_adds_nothing(filled: Catalogue, other: Catalogue, tmp_path: Path) -> None:
    export_library(filled, tmp_path / "library.jsonl")
    assert sum(import_library(other, tmp_path / "library.jsonl", dry_run=True).added.values()) == 8
    assert not other.source_rows() and not other.decisions() and not other.manifests()


def test_what_is_here_stays_as_it_is(filled: Catalogue, other: Catalogue, tmp_path: Path) -> None:
    own: Clip = replace(CLIP, title="Mine")
    other.save_clips(SOURCE.id, [own])
    other.save_transcript(SOURCE.id, replace(TRANSCRIPT, model="mine"))
    other.correct(SOURCE.id, replace(CORRECTION, words=("mine",)))
    export_library(filled, tmp_path / "library.jsonl")
    merged = import_library(other, tmp_path / "library.jsonl")
    assert [told.split(" at ")[0] for told in merged.conflicts] == [
        f"correction of {SOURCE.id[:12]}"
    ]
    transcript = other.transcript(SOURCE.id)
    assert other.clip(CLIP.id) == own and transcript is not None and transcript.model == "mine"
    assert [c.words for c in other.corrections(SOURCE.id)] == [("mine",)]


@pytest.mark.parametrize(("at", "standing"), [(9.0, Standing.DROPPED), (1.0, Standing.KEPT)])
def test_the_later_of_two_decisions_counts(
    filled: Catalogue, other: Catalogue, tmp_path: Path, at: float, standing: Standing
) -> None:
    other.save_clips(SOURCE.id, [CLIP])
    other.record(Decision(CLIP.id, "dropped", {}, at))
    export_library(filled, tmp_path / "library.jsonl")
    for _ in range(2):
        import_library(other, tmp_path / "library.jsonl")
        assert [row.standing for row in other.clip_rows()] == [standing]


def test_a_manifest_that_was_changed_otherwise_is_a_conflict_and_stays(
    filled: Catalogue, other: Catalogue, tmp_path: Path
) -> None:
    mine = replace(EDIT, at=6.0)
    other.append_edits("m1", [mine])
    filled.append_edits("m1", [replace(EDIT, number=2)])
    export_library(filled, tmp_path / "library.jsonl")
    merged = import_library(other, tmp_path / "library.jsonl")
    assert merged.conflicts == ["m1"] and list(other.edits("m1")) == [mine]


def test_a_library_that_is_held_is_told_and_not_taken_for_another_version(
    filled: Catalogue, other: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def held(*_: object) -> None:
        raise ValueError("a fault of ours")

    export_library(filled, tmp_path / "library.jsonl")
    monkeypatch.setattr(other, "save_clips", held)
    with pytest.raises(ValueError, match="of ours"):
        import_library(other, tmp_path / "library.jsonl")


def test_corrections_that_go_on_from_those_here_are_added(
    filled: Catalogue, other: Catalogue, tmp_path: Path
) -> None:
    export_library(filled, tmp_path / "library.jsonl")
    import_library(other, tmp_path / "library.jsonl")
    filled.correct(SOURCE.id, replace(CORRECTION, words=("again",)))
    export_library(filled, tmp_path / "library.jsonl")
    assert import_library(other, tmp_path / "library.jsonl").conflicts == []
    assert list(other.corrections(SOURCE.id)) == list(filled.corrections(SOURCE.id))


def test_lines_that_say_of_nobody_are_not_read(
    filled: Catalogue, other: Catalogue, tmp_path: Path
) -> None:
    document = tmp_path / "library.jsonl"
    export_library(filled, document)
    lines = [json.loads(line) for line in document.read_text(encoding="utf-8").splitlines()]
    for line in lines:
        line.pop("source", None)
        line.pop("manifest", None)
        if line["type"] == "source":
            line["value"]["id"] = "x\ud800"
    document.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    merged = import_library(other, document)
    assert set(merged.added) == {"manifest", "render", "decision"}
    assert sum(merged.unread.values()) == 5
    assert other.transcript("") is None


def test_a_file_without_end_is_no_library(
    other: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reelremix.engine.upkeep.transfer.MOST_LETTERS", 1000)
    with pytest.raises(ConfigError, match="is not an exported library"):
        import_library(other, Path("/dev/zero"))


def test_edits_that_go_on_from_those_here_are_added(
    filled: Catalogue, other: Catalogue, tmp_path: Path
) -> None:
    other.append_edits("m1", [EDIT])
    filled.append_edits("m1", [replace(EDIT, number=2)])
    export_library(filled, tmp_path / "library.jsonl")
    assert import_library(other, tmp_path / "library.jsonl").added["edit"] == 1
    assert [edit.number for edit in other.edits("m1")] == [1, 2]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is not an exported library"),
        ("[1]", "is not an exported library"),
        ("{}", "is not an exported library"),
        ("notes\n", "is not an exported library"),
        ('{"kind": "reelremix library", "version": 2}', "written by a newer ReelRemix"),
        ('{"kind": "reelremix library", "version": 1}\n{"type": "sou', "damaged in line 2"),
        (b"\xff\xfe\x00", "cannot read"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, content: str | bytes, said: str) -> None:
    file = tmp_path / "x.jsonl"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigError, match=said):
        import_library(MemoryCatalogue(), file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.jsonl"):
        import_library(MemoryCatalogue(), tmp_path / "gone.jsonl")


def test_what_another_version_wrote_is_counted_and_passed_over(
    filled: Catalogue, tmp_path: Path
) -> None:
    file = tmp_path / "library.jsonl"
    export_library(filled, file)
    more = [
        {"type": "dream"},
        {"type": "clip", "source": "s", "value": {"id": 1}},
        {"type": "edit"},
    ]
    with file.open("a", encoding="utf-8") as out:
        out.writelines(json.dumps(line) + "\n" for line in more)
    merged = import_library(MemoryCatalogue(), file)
    assert dict(merged.unread) == {"dream": 1, "clip": 1, "edit": 1}
    assert sum(merged.added.values()) == 8
