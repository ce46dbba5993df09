"""Searching through the facade, in memory, by words alone; and asking for a subject."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reelremix.engine import Library, ScoreRequest, SearchRequest, SelectOptions, searching
from reelremix.engine.bounds import check_select
from reelremix.engine.domain.context import CancelToken
from reelremix.engine.domain.events import StageFinished, StageProgress, Warned
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Transcript
from reelremix.engine.export.clip_reading import clips_from_dict
from reelremix.engine.export.manifest import manifest_to_dict
from reelremix.engine.export.report import contact_sheet
from reelremix.engine.models.registry import InstalledModels
from reelremix.engine.store.memory import MemoryArtifactStore, MemoryCatalogue
from reelremix.engine.store.sources import LocalSourceAccess
from reelremix.errors import Cancelled, ConfigError, SourceError
from tests.cli.commandline import words_file
from tests.conftest import Models
from tests.engine.examples import CLIP, MANIFEST, MATCH, SOURCE
from tests.engine.stages.talk import dull, talk
from tests.fakes import NoModels, Recorder

HIRING = "We hired far too fast and every mistake was mine."

RECRUITING = (
    "New employees came in every week and I never checked a single reference.",
    "I picked staff by how much I liked them in the interview.",
    "Half of those candidates left again within a year.",
)


def library_with(*talks: tuple[str, Transcript], models: Any = None) -> Library:
    """A library in which these were transcribed."""
    catalogue = MemoryCatalogue()
    for number, (name, transcript) in enumerate(talks):
        source = replace(SOURCE, id=f"{number + 10:02x}" * 32, name=name)
        catalogue.save_source(source)
        catalogue.save_transcript(source.id, transcript)
    sources = LocalSourceAccess(catalogue)
    return Library(catalogue, MemoryArtifactStore(), sources, models or NoModels())


def hiring_talk(at: int = 3) -> Transcript:
    return talk([*dull(at), HIRING, *dull(20)])


LIBRARY = (("dull.mp4", talk(dull(30))), ("hiring.mp4", hiring_talk()))


def test_what_is_said_is_found_with_its_place_and_evidence() -> None:
    found = library_with(*LIBRARY).search(SearchRequest("hiring mistakes"))
    [result] = found["results"]
    assert result["source"] == {"id": "0b" * 32, "name": "hiring.mp4", "path": None}
    match = result["match"]
    assert (match["quote"], match["words"]) == (HIRING, ["hired", "mistake"])
    assert (match["start_s"], match["end_s"]) == (15.0, 19.8)
    assert result["start_s"] == 0.0 and 50 < result["end_s"] <= 60
    assert HIRING in result["text"] and result["score"] == match["score"] > 90
    assert (found["version"], found["notice"]) == (1, None)


def test_a_missing_sentence_model_is_told_with_what_to_type() -> None:
    heard = Recorder()
    library_with(*LIBRARY).search(SearchRequest("hiring"), listener=heard)
    [warned] = [e for e in heard.events if isinstance(e, Warned)]
    assert "words alone" in warned.message and "models install minilm" in (warned.hint or "")


def test_a_source_is_indexed_once_and_again_when_its_transcript_changes() -> None:
    library, heard = library_with(*LIBRARY), Recorder()
    for _ in range(2):
        library.search(SearchRequest("hiring mistakes"), listener=heard)
    assert [e.stage for e in heard.events if isinstance(e, StageFinished)] == ["index"]
    assert {e.total for e in heard.events if isinstance(e, StageProgress)} == {2}
    library.catalogue.save_transcript("0b" * 32, talk(["Gardening is calm."]))
    assert library.search(SearchRequest("hiring mistakes"))["results"] == []
    assert len(library.search(SearchRequest("gardening"))["results"]) == 1


@pytest.mark.parametrize("named", ["0b0b", "HIRING.mp4", "hiring", "0b" * 32])
def test_a_source_is_named_by_id_or_name(named: str) -> None:
    library = library_with(*LIBRARY, ("other.mp4", hiring_talk()))
    [result] = library.search(SearchRequest("hiring mistakes", (named,)))["results"]
    assert result["source"]["name"] == "hiring.mp4"


def test_only_what_is_named_is_indexed() -> None:
    library = library_with(*LIBRARY)
    library.search(SearchRequest("hiring", ("hiring",)))
    assert [due.source_id for due in library.catalogue.windows_due(None)] == ["0a" * 32]


def test_transcript_files_are_searched_beside_the_library(tmp_path: Path) -> None:
    words = words_file(tmp_path / "words.json", hiring_talk(5))
    library = library_with(*LIBRARY)
    found = library.search(SearchRequest("hiring mistakes", (str(words), "hiring")))
    paths = {r["source"]["name"]: r["source"]["path"] for r in found["results"]}
    assert paths == {"words.json": str(words), "hiring.mp4": None}
    assert {r["source"]["id"] for r in found["results"]} == {None, "0b" * 32}


@pytest.mark.parametrize(
    ("request_", "said", "hint"),
    [
        (SearchRequest("?"), "needs at least a word", "hiring mistakes"),
        (SearchRequest("x" * 9, count=0), "--count must be between 1 and 100", ""),
        (SearchRequest("word", ("hirin",)), "did you mean 'hiring.mp4'", "library list"),
        (SearchRequest("word", ("twice.mp4",)), "names several recordings: 0d0d", "its id"),
        (SearchRequest("word", ("silent.mp4",)), "was never transcribed", "reelremix transcribe"),
        (SearchRequest("word", ("x" * 5000,)), "there is no recording", ""),
    ],
)
def test_what_cannot_be_searched_says_what_to_type(
    request_: SearchRequest, said: str, hint: str
) -> None:
    library = library_with(*LIBRARY, *[("twice.mp4", talk(["Hello there."]))] * 2)
    library.catalogue.save_source(replace(SOURCE, id="ff" * 32, name="silent.mp4"))
    with pytest.raises(ConfigError, match=said) as caught:
        library.search(request_)
    assert hint in (caught.value.hint or "")


def test_a_transcript_file_that_is_missing_is_named() -> None:
    with pytest.raises(SourceError, match=r"gone\.json"):
        library_with().search(SearchRequest("word", ("gone.json",)))


def test_nothing_found_names_the_question_and_the_nearest() -> None:
    library = library_with(*LIBRARY)
    assert library.search(SearchRequest("pasta"))["notice"] == (
        'nothing that was transcribed so far is about "pasta"'
    )
    found = library.search(SearchRequest("signature pasta bread butter milk cheese"))
    assert found["results"] == [] and "; the nearest, in " in found["notice"]


def test_cancelling_keeps_what_was_indexed(monkeypatch: pytest.MonkeyPatch) -> None:
    library, cancel = library_with(*LIBRARY), CancelToken()
    save = library.catalogue.save_windows

    def save_and_cancel(*arguments: Any) -> None:
        save(*arguments)
        cancel.set()

    monkeypatch.setattr(library.catalogue, "save_windows", save_and_cancel)
    with pytest.raises(Cancelled):
        library.search(SearchRequest("hiring"), cancel=cancel)
    assert len(library.catalogue.windows_due(None)) == 1


def test_a_transcript_nobody_can_read_any_more_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    library = library_with(*LIBRARY)
    monkeypatch.setattr(library.catalogue, "transcript", lambda _: None)
    assert library.search(SearchRequest("hiring"))["results"] == []
    assert list(library.catalogue.windows_due(None)) == []


def test_meaning_finds_what_words_do_not(installed_models: Models) -> None:
    models = InstalledModels([installed_models("minilm")])
    hiring = talk([*dull(12), HIRING, *RECRUITING])
    foreign = replace(hiring_talk(), language="de")
    library = library_with(
        ("dull.mp4", talk(dull(30))), ("hiring.mp4", hiring), ("fremd.mp4", foreign), models=models
    )
    heard = Recorder()
    found = library.search(SearchRequest("errors in recruiting"), listener=heard)
    assert found["results"][0]["source"]["name"] == "hiring.mp4"
    assert found["results"][0]["match"]["words"] == []
    found = library.search(SearchRequest("hired mistake"), listener=heard)
    assert len(found["results"]) == 2
    assert "fremd.mp4" in [e.message for e in heard.events if isinstance(e, Warned)][-1]


def scored(about: str, tmp_path: Path, *, heard: Recorder | None = None) -> dict[str, Any]:
    words = words_file(tmp_path / "words.json", hiring_talk(8))
    select = SelectOptions(3, 9, 21, about=about)
    return library_with().score(ScoreRequest(str(words), select=select), listener=heard)


def test_a_ranking_on_a_subject_holds_only_moments_about_it(tmp_path: Path) -> None:
    heard = Recorder()
    ranking = scored("hiring mistakes", tmp_path, heard=heard)
    assert [c["match"]["words"] for c in ranking["candidates"]] == [["hired", "mistake"]]
    assert ranking["notice"] == 'no other moment with room for it is about "hiring mistakes"'
    assert any("words alone" in e.message for e in heard.events if isinstance(e, Warned))


def test_a_subject_nobody_speaks_of_is_told_with_the_nearest(tmp_path: Path) -> None:
    ranking = scored("pasta signature bread", tmp_path)
    assert ranking["candidates"] == []
    said = ranking["notice"]
    assert said.startswith('nothing here is about "pasta signature bread"; the nearest, at ')
    assert "signature" in said and "70 needed" in said


@pytest.mark.parametrize("about", ["", "?", "🎉"])
def test_a_subject_without_words_is_refused_before_any_work(about: str) -> None:
    with pytest.raises(ConfigError, match="--about needs at least a word"):
        check_select(SelectOptions(about=about))


def test_a_subject_and_ranges_do_not_go_together() -> None:
    ranges = (TimeRange.from_seconds(0, 1),)
    with pytest.raises(ConfigError, match="--about finds moments and --range gives them"):
        check_select(SelectOptions(about="hiring", ranges=ranges))


def test_a_match_survives_the_manifest_and_is_the_first_reason_on_the_sheet() -> None:
    manifest = replace(MANIFEST, clips=(replace(CLIP, match=MATCH),))
    content = manifest_to_dict(manifest)
    [clip] = clips_from_dict(content, Path("clips.json"))
    assert clip.match == MATCH
    card = contact_sheet(manifest, Path()).split('id="clip-')[1]
    assert card.index("about what was asked for") < card.index("opens with a number")
    [plain] = clips_from_dict(manifest_to_dict(MANIFEST), Path("clips.json"))
    assert plain.match is None and "match" not in manifest_to_dict(MANIFEST)["clips"][0]


def test_results_of_many_sources_are_ordered_together() -> None:
    talks = [(f"t{n}.mp4", talk([*dull(n), HIRING if n == 4 else "We hired people.", *dull(20)]))
             for n in range(6)]  # fmt: skip
    found = library_with(*talks).search(SearchRequest("hiring mistakes", count=3))
    assert [r["rank"] for r in found["results"]] == [1, 2, 3]
    assert found["results"][0]["source"]["name"] == "t4.mp4"
    scores = [r["score"] for r in found["results"]]
    assert scores == sorted(scores, reverse=True) and min(scores) >= searching.SHOWN
