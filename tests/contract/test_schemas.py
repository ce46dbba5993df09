"""What is really written fits the published schemas, and what is not promised does not."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reelremix.engine.codec import event_to_plain
from reelremix.engine.domain.events import EVENT_TYPES, Event, LoggedEvent
from reelremix.engine.export.manifest import manifest_to_dict
from reelremix.engine.export.ranking import ranking_to_dict
from reelremix.engine.export.transcript import read_transcript, transcript_to_dict
from reelremix.engine.stages.propose import propose_candidates, split_sentences
from reelremix.engine.stages.score import score_candidates
from tests.cli.commandline import QUICK, in_process, manifest_in, words_file
from tests.conftest import Models
from tests.contract.schemas import FOLDER, NAMES, faults, schema
from tests.engine.examples import CLIP, EVENTS, MANIFEST, MATCH, TRANSCRIPT
from tests.engine.stages.talk import dull, timed_talk
from tests.fakes import spoken
from tests.media_factory import plain_film


@pytest.mark.parametrize("name", NAMES)
def test_every_schema_is_a_valid_schema_of_its_own_name(name: str) -> None:
    Draft202012Validator.check_schema(schema(name))
    assert schema(name)["$id"] == f"{name}.v1.schema.json"


def test_every_file_among_the_schemas_is_tested() -> None:
    assert {p.name for p in FOLDER.iterdir()} == {f"{name}.v1.schema.json" for name in NAMES}


def test_a_manifest_fits() -> None:
    assert faults("clips", manifest_to_dict(MANIFEST)) == []


@pytest.mark.parametrize(
    "manifest",
    [
        replace(MANIFEST, clips=(), tracks=(), notice="no speech was found"),
        replace(MANIFEST, rendered={}),
        replace(MANIFEST, spoken=None),
        replace(MANIFEST, clips=(replace(CLIP, score=None, captions=None, words=()),)),
    ],
)
def test_plans_and_empty_runs_fit_too(manifest: Any) -> None:
    assert faults("clips", manifest_to_dict(manifest)) == []


@pytest.mark.slow
def test_what_clip_writes_and_prints_fits(tmp_path: Path) -> None:
    words = words_file(tmp_path / "words.json")
    film = plain_film(tmp_path / "talk.mp4", 17, size=(160, 90))
    ended = in_process(
        "clip", film, "--transcript", words, "--min", 6, "--max", 12, "--count", 1, *QUICK,
        "--captions", "bold", "--progress", "json", "--json",
    )  # fmt: skip
    manifest = manifest_in(Path("clips/talk"))
    assert manifest["clips"] and ended.json["runs"][0]["manifest"] == manifest
    assert faults("clips", manifest) == []
    events = [json.loads(line) for line in ended.err.splitlines()]
    assert [fault for event in events for fault in faults("events", event)] == []


@pytest.mark.slow
def test_a_manifest_with_faces_fits(shared: Path, installed_models: Models) -> None:
    installed_models("blazeface")
    film = shared / "media" / "his_girl_friday_6s.mp4"
    words = words_file(Path("words.json"), spoken("One, two, three."))
    ended = in_process("clip", film, "--transcript", words, "--range", "1-3", "--plan", "--json")
    manifest = ended.json["runs"][0]["manifest"]
    assert manifest["tracks"] and faults("clips", manifest) == []


def test_a_transcript_fits_and_is_read_back(tmp_path: Path) -> None:
    document = transcript_to_dict(TRANSCRIPT)
    assert faults("transcript", document) == []
    assert read_transcript(words_file(tmp_path / "words.json", TRANSCRIPT)) == TRANSCRIPT


@pytest.mark.parametrize(
    "document",
    [
        {"version": 1, "segments": []},
        {"version": 1, "segments": [{"start_s": 0, "end_s": 1, "text": "Hi."}], "mood": "calm"},
        {"version": 1, "language": None, "segments": [
            {"start_s": 0, "end_s": 1, "text": "Hi.", "words": [
                {"text": "Hi.", "start_s": 0, "end_s": 1, "syllables": 1}]}]},
    ],
)  # fmt: skip
def test_whatever_fits_the_schema_of_transcripts_is_accepted_and_kept(
    tmp_path: Path, document: dict[str, Any]
) -> None:
    assert faults("transcript", document) == []
    (tmp_path / "words.json").write_text(json.dumps(document), encoding="utf-8")
    written = transcript_to_dict(read_transcript(tmp_path / "words.json"))
    assert faults("transcript", written) == [] and written.keys() >= document.keys()


def test_a_ranking_fits() -> None:
    lines = ["Why did nobody tell me this?", *dull(8), "That changed everything."]
    transcript = timed_talk(lines, [1.0] * len(lines))
    sentences = split_sentences(transcript)
    candidates = score_candidates(propose_candidates(sentences, 9, 21), sentences, transcript)
    ranking = ranking_to_dict(candidates, MANIFEST.rejected, "only a few")
    assert ranking["candidates"] and faults("score", ranking) == []


@pytest.mark.slow
def test_what_is_found_on_a_subject_fits(tmp_path: Path) -> None:
    words = words_file(tmp_path / "words.json")
    ended = in_process("score", words, "--min", 5, "--about", "reading books", "--json")
    assert all(c["match"]["words"] for c in ended.json["candidates"])
    assert ended.json["candidates"] and faults("score", ended.json) == []
    manifest = replace(MANIFEST, clips=(replace(CLIP, match=MATCH),))
    assert faults("clips", manifest_to_dict(manifest)) == []


@pytest.mark.slow
@pytest.mark.parametrize(("query", "results"), [("forty books", 1), ("pasta", 0)])
def test_what_search_prints_fits(tmp_path: Path, query: str, results: int) -> None:
    ended = in_process("search", query, words_file(tmp_path / "words.json"), "--json")
    assert len(ended.json["results"]) == results and faults("search", ended.json) == []


@pytest.mark.slow
def test_what_score_prints_fits(tmp_path: Path) -> None:
    ended = in_process("score", words_file(tmp_path / "words.json"), "--min", 5, "--json")
    assert faults("score", ended.json) == []


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_every_event_fits(event: Event) -> None:
    assert faults("events", event_to_plain(LoggedEvent("job", 1, 1.5, event))) == []


def test_every_type_of_event_is_described_unless_it_holds_nothing() -> None:
    described = {rule["if"]["properties"]["type"]["const"] for rule in schema("events")["allOf"]}
    bare = {"job_paused", "job_resumed", "job_cancelled"}
    assert described | bare == set(EVENT_TYPES)


def test_an_unknown_event_fits_as_long_as_its_envelope_does() -> None:
    envelope = {"version": 1, "job_id": "job", "seq": 3, "at": 1.5}
    assert faults("events", {"type": "clip_danced", "tempo": 120, **envelope}) == []
    assert faults("events", {"type": "clip_danced", **envelope, "seq": -1})


def strip(document: Any, *path: Any) -> Any:
    """A copy without what lies at a path."""
    changed = copy.deepcopy(document)
    place = changed
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return changed


PROMISED: list[tuple[Any, ...]] = [
    ("version",),
    ("source", "id"),
    ("source", "frame_rate"),
    ("run", "network"),
    ("tracks",),
    ("rejected", 0, "reason"),
    ("clips", 0, "id"),
    ("clips", 0, "files", "subtitles"),
    ("clips", 0, "score", "axes", "reaction"),
    ("clips", 0, "score", "reasons", 0, "quote"),
    ("clips", 0, "layout", 0, "regions", 0, "output"),
    ("clips", 0, "layout", 0, "regions", 0, "path", 0, 4),
    ("clips", 0, "captions", "cues", 0, "box"),
    ("clips", 0, "verdict", "speaker_in_frame"),
    ("clips", 0, "words", 0, "speaker"),
]


@pytest.mark.parametrize("path", PROMISED, ids=str)
def test_what_is_promised_may_not_be_missing(path: tuple[Any, ...]) -> None:
    assert faults("clips", strip(manifest_to_dict(MANIFEST), *path))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("version",), 2),
        (("clips", 0, "files", "video"), "../a.mp4"),
        (("clips", 0, "ranges"), [[1.0]]),
        (("clips", 0, "layout", 0, "kind"), "spiral"),
        (("clips", 0, "score", "total"), 101),
        (("clips", 0, "output", "frame_rate"), "25"),
        (("source", "id"), "short"),
    ],
)
def test_what_breaks_a_promise_does_not_fit(path: tuple[Any, ...], value: Any) -> None:
    document = copy.deepcopy(manifest_to_dict(MANIFEST))
    place: Any = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert faults("clips", document)


def test_unknown_keys_fit_everywhere() -> None:
    document = manifest_to_dict(MANIFEST)
    for place in (document, document["source"], document["clips"][0], document["run"]):
        place["mood"] = "calm"
    assert faults("clips", document) == []
