"""`reelremix library`, as it is typed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reelremix.config import Settings, load_settings
from reelremix.engine.store.database import Database
from reelremix.engine.upkeep.shelf import open_shelf
from tests.cli.commandline import QUICK, Command, words_file
from tests.contract.schemas import faults
from tests.media_factory import plain_film


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Seventeen seconds of a talk."""
    (tmp_path / "in").mkdir()
    return plain_film(tmp_path / "in" / "talk.mp4", 17, size=(160, 90))


@pytest.fixture
def clip(reelremix: Command, film: Path, tmp_path: Path) -> dict[str, Any]:
    """A clip that was planned of it."""
    words = words_file(tmp_path / "words.json")
    ranges = ("--range", "0-8", "--range", "8-16")
    made = reelremix("clip", film, "--transcript", words, "--plan", *ranges, *QUICK, "-q")
    assert made.code == 0, made.err
    [first, _] = reelremix("library", "list", "--clips", "--sort", "time", "--json").json["clips"]
    return dict(first)


def library_file() -> Path:
    return load_settings().settings.library_file


def test_what_is_listed_shown_and_found_fits_its_schema(
    reelremix: Command, clip: dict[str, Any], film: Path
) -> None:
    source = clip["source"]["id"]
    assert reelremix("feedback", "keep", clip["id"], "-q").code == 0
    printed = [
        reelremix("library", *words, "--json").json
        for words in (
            ("list",), ("list", "--clips"), ("show", film), ("show", source[:8]),
            ("show", clip["id"]), ("search", "forty books", "-q"), ("check",), ("check", "--full"),
            ("relink", "-q"), ("gc", "--dry-run"), ("export", "library.jsonl"),
            ("import", "library.jsonl"), ("backup",), ("rm", source[:8], "--dry-run"),
        )
    ]  # fmt: skip
    for document in printed:
        assert faults("library", document) == []
    _, clips, by_path, by_id, shown, found, *_ = printed
    assert by_path == by_id and [p["is_there"] for p in by_path["places"]] == [True]
    assert by_path["transcript"]["words"] > 30 and len(by_path["manifests"]) == 1
    assert shown["status"] == "kept" and shown["decisions"][-1]["kind"] == "kept"
    assert len(clips["clips"]) == 2 and clips["next_offset"] is None
    assert "forty books" in found["clips"][0]["match"]["quote"]


def test_lists_are_narrowed_and_go_on(reelremix: Command, clip: dict[str, Any]) -> None:
    reelremix("feedback", "drop", clip["id"], "-q")

    def ids(*words: object) -> list[str]:
        found = reelremix("library", "list", "--clips", *words, "--json").json
        return [own["id"] for own in found["clips"]]

    assert ids("--status", "dropped") == [clip["id"]] != ids("--status", "open")
    assert ids("--source", "talk") == ids() and len(ids("--limit", 1)) == 1
    assert ids("--limit", 1) + ids("--limit", 1, "--offset", 1) == ids()
    assert ids("--text", "no such words") == []
    ended = reelremix("library", "list", "--clips", "--limit", 1)
    assert ended.code == 0 and "--offset 1" in ended.err and "score" in ended.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("list", "--status", "kept"), "--source and --status are of clips"),
        (("list", "--clips", "--sort", "name"), "--sort must be time or score"),
        (("list", "--sort", "score"), "--sort must be time or name"),
        (("list", "--clips", "--status", "lost"), "--status must be one of"),
        (("list", "--clips", "--source", "nobody"), "stands for 0 recordings"),
        (("show", "nobody"), "nothing in the library is called 'nobody'"),
        (("rm", "nobody", "--yes"), "nothing in the library is called 'nobody'"),
        (("search", "?", "-q"), "needs at least a word"),
        (("relink", "nowhere", "-q"), "there is no nowhere"),
        (("import", "gone.jsonl"), "cannot read gone.jsonl"),
    ],
)
def test_what_cannot_be_done_says_why(
    reelremix: Command, words: tuple[str, ...], said: str
) -> None:
    assert reelremix("library", *words).failed_politely(2, said)


def test_a_recording_is_forgotten_only_when_somebody_agrees(
    reelremix: Command, clip: dict[str, Any], film: Path
) -> None:
    assert reelremix("library", "rm", "talk").failed_politely(2, "this forgets talk.mp4 (2 clips)")
    assert "would forget talk.mp4" in reelremix("library", "rm", "talk", "--dry-run").out
    assert reelremix("library", "list", "--json").json["sources"]
    assert "forgot talk.mp4" in reelremix("library", "rm", film, "--yes").out
    assert reelremix("library", "list", "--json").json["sources"] == []
    assert reelremix("library", "list", "--clips", "--json").json["clips"] == []
    assert film.exists() and Path("clips/talk/clips.json").exists()


def test_a_recording_that_was_moved_is_missed_and_found(
    reelremix: Command, clip: dict[str, Any], film: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "archive" / "renamed.mp4"
    moved.parent.mkdir()
    film.rename(moved)
    ended = reelremix("library", "check")
    assert ended.code == 3 and "talk.mp4" in ended.out and "relink" in ended.err
    assert reelremix("library", "relink", "-q").code == 3
    ended = reelremix("library", "relink", moved.parent, "-q")
    assert ended.code == 0 and str(moved) in ended.out
    assert reelremix("library", "check").code == 0
    [source] = reelremix("library", "list", "--json").json["sources"]
    assert (source["name"], source["locations"][0]) == ("renamed.mp4", str(moved))


def test_a_library_goes_to_another_machine(
    reelremix: Command, clip: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert reelremix("library", "export", "library.jsonl").code == 0
    assert reelremix("library", "export", "library.jsonl").failed_politely(2, "exists")
    monkeypatch.setenv("REELREMIX_DATA_DIR", str(tmp_path / "elsewhere"))
    assert "would add" in reelremix("library", "import", "library.jsonl", "--dry-run").out
    assert "2 clips" in reelremix("library", "import", "library.jsonl").out
    assert "added nothing" in reelremix("library", "import", "library.jsonl").out
    shown = reelremix("library", "show", clip["id"], "--json").json
    assert shown["title"] == clip["title"]


def test_a_copy_is_dated_unless_it_is_given_a_name(reelremix: Command, tmp_path: Path) -> None:
    named = tmp_path / "copy.sqlite3"
    assert reelremix("library", "backup", named).out == f"{named}\n"
    assert reelremix("library", "backup", named).failed_politely(2, "exists")
    assert reelremix("library", "backup", named, "--overwrite").code == 0
    dated = Path(reelremix("library", "backup").out.strip())
    assert dated.parent.name == "backups" and Database(dated).rows("SELECT 1") == [(1,)]
    itself = reelremix("library", "backup", library_file(), "--overwrite")
    assert itself.failed_politely(2, "is the library itself")


def test_a_damaged_library_is_told_then_saved(reelremix: Command, clip: dict[str, Any]) -> None:
    path = library_file()
    content = bytearray(path.read_bytes())
    half = len(content) // 2 // 4096 * 4096
    content[half : half + 8 * 4096] = os.urandom(8 * 4096)
    path.write_bytes(bytes(content))
    ended = reelremix("library", "check")
    assert ended.code == 3 and "is damaged" in ended.out and "--repair" in ended.err
    ended = reelremix("library", "check", "--repair", "--json")
    assert faults("library", ended.json) == [] and ended.json["salvaged"]["kept_at"]
    assert reelremix("library", "check").code == 0
    assert [p for p in path.parent.iterdir() if p.suffix == ".corrupt"]


LIST = """
import sys
from reelremix.config import Settings
from reelremix.engine.domain.rows import Order
from reelremix.engine.upkeep.listing import Page, list_clips, list_sources
from reelremix.engine.domain.rows import ClipFilter
from reelremix.engine.upkeep.shelf import open_shelf
with open_shelf(Settings(data_dir=sys.argv[1])) as shelf:
    list_sources(shelf.catalogue, "", Order.TIME, Page())
    list_clips(shelf.catalogue, ClipFilter(), Page())
print([n for n in ("numpy", "av", "sqlite_utils", "onnxruntime", "psutil") if n in sys.modules])
"""


def test_a_list_is_there_before_anything_heavy_is_loaded(tmp_path: Path) -> None:
    with open_shelf(Settings(data_dir=str(tmp_path))) as shelf:
        assert not shelf.catalogue.source_rows()
    command = [sys.executable, "-c", LIST, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
