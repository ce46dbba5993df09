"""`reelremix feedback` as users meet it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from reelremix.config import load_settings
from reelremix.engine.library import Library
from tests.cli.commandline import QUICK, Command, manifest_in, words_file
from tests.engine.decided import clip_ids, with_talks
from tests.media_factory import plain_film

STANDING = {"kept", "dropped", "imported", "decisions", "sources", "left_out", "ranker", "adopted",
            "why_not", "held_out", "confidence", "taste", "learned_at"}  # fmt: skip
FIRST, SECOND = clip_ids(0, 2)


@pytest.fixture(autouse=True)
def clips(clean_environment: Path) -> None:
    """A library with the clips of two talks."""
    with_talks(Library.open().catalogue, 2, 6)


def recorded() -> list[tuple[str, str]]:
    """The entries in the library, oldest first."""
    connection = sqlite3.connect(load_settings().settings.library_file)
    rows = connection.execute("SELECT clip_id, kind FROM decisions ORDER BY number").fetchall()
    connection.close()
    return rows


def table(content: str) -> Path:
    path = Path("analytics.csv")
    path.write_text(content, encoding="utf-8")
    return path


def test_keeping_and_dropping_is_told_and_recorded(reelremix: Command) -> None:
    ended = reelremix("feedback", "keep", FIRST, SECOND)
    assert ended.code == 0
    first, second, outcome = ended.out.splitlines()
    assert first == f"kept Talk 0 about thing 0 ({FIRST})" and SECOND in second
    assert outcome.startswith("the shipped ranking stays; yours is not used, because it needs")
    assert f"dropped Talk 0 about thing 0 ({FIRST})" in reelremix("feedback", "drop", FIRST).out
    assert recorded() == [(FIRST, "kept"), (SECOND, "kept"), (FIRST, "dropped")]


def test_a_clip_named_twice_is_recorded_once(reelremix: Command) -> None:
    assert reelremix("feedback", "keep", FIRST, FIRST).code == 0
    assert recorded() == [(FIRST, "kept")]


def test_one_unknown_clip_and_nothing_is_recorded(reelremix: Command) -> None:
    ended = reelremix("feedback", "keep", FIRST, "c0ffee")
    assert ended.failed_politely(2, "there is no clip 'c0ffee' in the library")
    assert "hint: name an id from clips.json" in ended.err
    assert recorded() == []


def test_decisions_are_told_to_programs(reelremix: Command) -> None:
    told = reelremix("feedback", "drop", FIRST, "--json").json
    assert told["decision"] == "dropped"
    assert told["clips"] == [{"id": FIRST, "title": "Talk 0 about thing 0", "source": "source 0"}]
    assert told["learning"].keys() == STANDING and told["learning"]["dropped"] == 1


def test_the_status_is_told_to_people_and_to_programs(reelremix: Command) -> None:
    reelremix("feedback", "keep", FIRST)
    told = reelremix("feedback", "status", "--json").json
    assert told.keys() == STANDING | {"version"}
    assert (told["kept"], told["ranker"], told["adopted"]) == (1, "shipped", False)
    assert told["left_out"][0]["decisions"] == 1, "there is no sentence model here"
    shown = " ".join(reelremix("feedback", "status").out.split())
    assert "kept 1" in shown and "it needs 20 more decisions" in shown
    assert "reelremix models install minilm" in shown


def test_a_reset_needs_a_yes_and_keeps_the_entries(reelremix: Command) -> None:
    reelremix("feedback", "keep", FIRST)
    assert reelremix("feedback", "reset").failed_politely(2, "forgets 1 kept, 0 dropped")
    assert "--yes" in reelremix("feedback", "reset").err
    assert reelremix("feedback", "status", "--json").json["kept"] == 1
    assert "forgot 1 kept" in reelremix("feedback", "reset", "--yes").out
    assert reelremix("feedback", "status", "--json").json["kept"] == 0
    assert recorded() == [(FIRST, "kept"), ("", "reset")]
    told = reelremix("feedback", "reset", "--yes", "--json").json
    assert told["forgotten"] == {"kept": 0, "dropped": 0, "imported": 0}


def test_an_import_is_told_row_by_row(reelremix: Command) -> None:
    path = table(
        "Content,Video title,Views,Average percentage viewed (%),Shares\nTotal,,9,,\n"
        'a,Talk 0 about thing 0,"1,200",61.5,1\nb,Cat video,5,10,1\nc\n'
    )
    ended = reelremix("feedback", "import", path)
    assert ended.code == 0
    for said in (FIRST, "1,200", "62 %", "2 rows from YouTube, UTF-8: recorded 1, 0 known already",
                 "left out: 1 about no clip of the library", "left out: 1 of totals",
                 "left out: 1 that could not be read", "no clip: Cat video",
                 "columns not used: Shares"):  # fmt: skip
        assert said in ended.out
    assert recorded() == [(FIRST, "imported")]


def test_an_import_is_told_to_programs(reelremix: Command) -> None:
    path = table("Video title,Views\nTalk 0 about thing 1,7\nx,1\n")
    told = reelremix("feedback", "import", path, "--dry-run", "--json").json
    assert told["dry_run"] and told["learning"] is None and recorded() == []
    assert told["results"] == [
        {"clip": SECOND, "title": "Talk 0 about thing 1", "views": 7.0, "retention": None,
         "published_as": "Talk 0 about thing 1"}
    ]  # fmt: skip
    assert told["left_out"]["unmatched"] == 1 and told["unmatched"] == ["x"]
    learning = reelremix("feedback", "import", path, "--json").json["learning"]
    assert learning["imported"] == 1 and recorded() == [(SECOND, "imported")]


def test_an_import_that_names_no_clip_ends_with_3(reelremix: Command) -> None:
    ended = reelremix("feedback", "import", table("Video title,Views\nCat video,1\n"))
    assert ended.code == 3
    assert "no row of analytics.csv with a result names a clip" in ended.err


@pytest.mark.parametrize(
    ("content", "said"),
    [("a,b\n1,2\n", "has no columns that are understood; it has: 'a', 'b'"), ("", "is empty")],
)
def test_a_table_that_cannot_be_used_is_refused(
    reelremix: Command, content: str, said: str
) -> None:
    assert reelremix("feedback", "import", table(content)).failed_politely(2, said)
    assert reelremix("feedback", "import", "nowhere.csv").failed_politely(2, "nowhere.csv")


def test_clips_of_a_run_are_decided_on_by_folder_and_rank(
    reelremix: Command, tmp_path: Path
) -> None:
    film = plain_film(tmp_path / "talk.mp4", 5, size=(160, 90))
    words = words_file(tmp_path / "words.json")
    given = ("--transcript", words, "--range", "1-2", "--range", "2-4", "--plan", *QUICK)
    assert reelremix("clip", film, *given).code == 0
    assert manifest_in(Path("clips/talk"))["run"]["ranker"] is None
    ended = reelremix("feedback", "keep", "clips/talk#2", "--json")
    assert ended.json["clips"][0]["id"] == manifest_in(Path("clips/talk"))["clips"][1]["id"]
    assert ended.json["learning"]["left_out"][0]["reason"].startswith("of recordings that are rank")


def test_a_manifest_names_what_ordered_the_moments(reelremix: Command, tmp_path: Path) -> None:
    film = plain_film(tmp_path / "talk.mp4", 17, size=(160, 90))
    words = words_file(tmp_path / "words.json")
    given = ("--transcript", words, "--min", 6, "--max", 12, "--count", 1, "--plan", *QUICK)
    assert reelremix("clip", film, *given).code == 0
    assert manifest_in(Path("clips/talk"))["run"]["ranker"] == "signals"
