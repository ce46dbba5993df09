from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelremix.engine.export.manifest import manifest_to_bytes
from reelremix.engine.export.names import RESERVED
from reelremix.engine.output_folder import (
    NOTE_NAME,
    changed_options,
    check_writable,
    find_folder,
    safe_stem,
)
from reelremix.errors import ConfigError, OutputExists
from tests.engine.examples import MANIFEST, RENDERED, SOURCE

OPTIONS: dict[str, Any] = {"count": 3, "crf": 20}
OTHER = "ff" * 32


def finished(out: Path, source_id: str = SOURCE.id, **options: Any) -> Path:
    """The folder of a finished run, its files in place."""
    folder = out / "talk"
    folder.mkdir(parents=True)
    source = replace(SOURCE, id=source_id)
    manifest = replace(
        MANIFEST,
        options=OPTIONS | options,
        presentation=replace(MANIFEST.presentation, source=source),
    )
    (folder / "clips.json").write_bytes(manifest_to_bytes(manifest))
    for name in (RENDERED.video, RENDERED.thumbnail, RENDERED.subtitles, "index.html"):
        (folder / str(name)).write_text("ours")
    return folder


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_new_source_gets_a_folder_of_its_name(tmp_path: Path) -> None:
    found = find_folder(tmp_path / "out", "talk.mp4", SOURCE.id)
    assert (found.path, found.finished) == (tmp_path / "out" / "talk", None)
    assert not found.path.exists()


def test_a_finished_run_of_the_same_source_is_found_again(tmp_path: Path) -> None:
    finished(tmp_path)
    found = find_folder(tmp_path, "talk.mp4", SOURCE.id)
    assert found.path == tmp_path / "talk" and found.finished is not None
    found.check_options(OPTIONS, overwrite=False)


def test_an_empty_folder_is_free(tmp_path: Path) -> None:
    (tmp_path / "talk").mkdir()
    assert find_folder(tmp_path, "talk.mp4", SOURCE.id).path == tmp_path / "talk"


@pytest.mark.parametrize("content", [None, "{}", "not json"])
def test_somebody_elses_folder_is_left_alone(tmp_path: Path, content: str | None) -> None:
    folder = finished(tmp_path, OTHER)
    if content is not None:
        (folder / "clips.json").write_text(content)
    found = find_folder(tmp_path, "talk.mp4", SOURCE.id)
    assert found.path == tmp_path / f"talk-{SOURCE.id[:6]}"


def test_a_file_or_foreign_files_in_place_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "talk").write_text("mine")
    beside = tmp_path / f"talk-{SOURCE.id[:6]}"
    assert find_folder(tmp_path, "talk.mp4", SOURCE.id).path == beside
    beside.mkdir()
    (beside / "notes.txt").write_text("mine too")
    with pytest.raises(ConfigError, match="hold other files"):
        find_folder(tmp_path, "talk.mp4", SOURCE.id)


def test_a_folder_that_is_ours_comes_before_one_that_became_free(tmp_path: Path) -> None:
    finished(tmp_path).rename(tmp_path / f"talk-{SOURCE.id[:6]}")
    found = find_folder(tmp_path, "talk.mp4", SOURCE.id)
    assert found.path.name == f"talk-{SOURCE.id[:6]}" and found.finished is not None


def test_an_output_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(ConfigError, match="is a file, not a folder"):
        find_folder(tmp_path / "out", "talk.mp4", SOURCE.id)
    with pytest.raises(ConfigError, match="too long"):
        find_folder(tmp_path / ("x" * 300), "talk.mp4", SOURCE.id)


@pytest.mark.parametrize("there", [0, 1, 3])
def test_a_folder_is_tried_and_left_as_it_was(tmp_path: Path, there: int) -> None:
    places = [tmp_path / "a", tmp_path / "a" / "b", tmp_path / "a" / "b" / "c"]
    for place in places[:there]:
        place.mkdir()
    check_writable(places[-1])
    assert sorted(tmp_path.rglob("*")) == places[:there]


@pytest.mark.parametrize(("out", "said"), [
    ("out", "is a file, not a folder"), ("out/clips", "not a directory"), ("x" * 300, "too long"),
])  # fmt: skip
def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path: Path, out: str, said: str) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(ConfigError, match=said):
        check_writable(tmp_path / out)


def test_other_options_need_overwrite_and_are_named(tmp_path: Path) -> None:
    finished(tmp_path)
    found = find_folder(tmp_path, "talk.mp4", SOURCE.id)
    with pytest.raises(OutputExists, match=r"other options \(count, crf\)") as caught:
        found.check_options({"count": 5, "crf": 30}, overwrite=False)
    assert "--overwrite" in (caught.value.hint or "")
    found.check_options({"count": 5, "crf": 30}, overwrite=True)


@pytest.mark.parametrize("name", ["plan", "jobs", "device"])
def test_how_clips_are_made_does_not_count_as_another_option(name: str) -> None:
    assert changed_options(OPTIONS | {name: 1}, OPTIONS | {name: 2}) == set()


def test_claiming_notes_whose_folder_it_is_and_clears_parts(tmp_path: Path) -> None:
    found = find_folder(tmp_path, "talk.mp4", SOURCE.id)
    found.path.mkdir()
    (found.path / ".reelremix-0123456789ab.part").write_text("half")
    (found.path / "mine.part").write_text("mine")
    (found.path / NOTE_NAME).write_text(json.dumps({"source": SOURCE.id, "files": []}))
    found = find_folder(tmp_path, "talk.mp4", SOURCE.id)
    found.claim(OPTIONS)
    assert names(found.path) == {NOTE_NAME, "mine.part"}


def test_a_claimed_folder_belongs_to_its_source_alone(tmp_path: Path) -> None:
    find_folder(tmp_path, "talk.mp4", SOURCE.id).claim(OPTIONS)
    assert find_folder(tmp_path, "talk.mp4", SOURCE.id).path.name == "talk"
    assert find_folder(tmp_path, "talk.mp4", OTHER).path.name == f"talk-{OTHER[:6]}"


def test_only_files_our_own_manifest_lists_are_removed(tmp_path: Path) -> None:
    folder = finished(tmp_path)
    (folder / "mine.mp4").write_text("mine")
    found = find_folder(tmp_path, "talk.mp4", SOURCE.id)
    found.claim(OPTIONS)
    found.announce(OPTIONS, {"01-new.mp4", "index.html"})
    found.finish(b"{}", {"01-new.mp4", "index.html"})
    assert names(folder) == {"mine.mp4", "index.html", "clips.json"}


def test_what_an_earlier_run_made_stays_until_the_new_one_is_finished(tmp_path: Path) -> None:
    folder = finished(tmp_path)
    before = names(folder)
    found = find_folder(tmp_path, "talk.mp4", SOURCE.id)
    found.claim(OPTIONS)
    found.announce(OPTIONS, {"01-new.mp4", "index.html"})
    assert before - names(folder) == {"clips.json"}
    again = find_folder(tmp_path, "talk.mp4", SOURCE.id)  # as after a power cut
    again.claim(OPTIONS)
    again.announce(OPTIONS, {"02-other.mp4"})
    again.finish(b"{}", {"02-other.mp4"})
    assert names(folder) == {"clips.json"}


@pytest.mark.parametrize("listed", ["../precious.txt", "../../precious.txt", "{tmp}/precious.txt"])
def test_a_forged_list_removes_nothing_elsewhere(tmp_path: Path, listed: str) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious.txt").write_text("mine")
    folder = tmp_path / "out" / "talk"
    folder.mkdir()
    note = {"source": SOURCE.id, "files": [listed.format(tmp=tmp_path)]}
    (folder / NOTE_NAME).write_text(json.dumps(note))
    found = find_folder(tmp_path / "out", "talk.mp4", SOURCE.id)
    found.claim(OPTIONS)
    found.announce(OPTIONS, {"01-new.mp4"})
    found.finish(b"{}", {"01-new.mp4"})
    assert (tmp_path / "precious.txt").exists()
    assert (tmp_path / "out" / "precious.txt").exists()


def test_finishing_leaves_the_manifest_and_no_note(tmp_path: Path) -> None:
    found = find_folder(tmp_path, "talk.mp4", SOURCE.id)
    found.claim(OPTIONS)
    found.announce(OPTIONS, {"index.html"})
    assert found.finish(b"{}", {"index.html"}) == tmp_path / "talk" / "clips.json"
    assert names(found.path) == {"clips.json"}


def test_a_failed_run_takes_its_empty_folder_along_but_nothing_else(tmp_path: Path) -> None:
    found = find_folder(tmp_path, "talk.mp4", SOURCE.id)
    found.claim(OPTIONS)
    found.release()
    assert not found.path.exists()
    found.claim(OPTIONS)
    (found.path / "01-a.mp4").write_text("done")
    found.release()
    assert "01-a.mp4" in names(found.path)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("talk.mp4", "talk"),
        ("two words.final.mov", "two words.final"),
        ("line\nbreak.mp4", "line_break"),
        ('a:b*c?"<>|.mp4', "a_b_c_____"),
        ("con.mp4", "con_"),
        ("NUL.tar.mp4", "NUL_.tar"),
        ("dots...mp4", "dots"),
        (" .mp4", "clips"),
        ("日本.mp4", "日本"),
    ],
)
def test_folders_are_named_after_their_source(name: str, stem: str) -> None:
    assert safe_stem(name) == stem


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300))
def test_any_name_makes_a_folder_every_file_system_takes(name: str) -> None:
    stem = safe_stem(name)
    assert 0 < len(stem.encode()) <= 201
    assert not set(stem) & set('/\\:*?"<>|\0\n\t')
    assert stem == stem.rstrip(". ") and stem not in (".", "..")
    assert stem.partition(".")[0].lower() not in RESERVED
