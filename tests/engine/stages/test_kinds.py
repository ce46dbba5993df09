from __future__ import annotations

import json
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from reelremix.engine.domain.candidate import Candidate
from reelremix.engine.models.sentences import MiniLm, Vectors
from reelremix.engine.stages.kinds import (
    EXCLUDED,
    KINDS,
    KindFinder,
    Prototype,
    load_prototypes,
    prototypes_from,
    prototypes_to,
)
from reelremix.engine.stages.propose import propose_candidates, split_sentences
from reelremix.engine.stages.score import score_candidates
from reelremix.engine.stages.select import Floor, select_clips
from reelremix.engine.stages.signals import windows_of
from tests.conftest import Models
from tests.engine.stages.talk import dull, talk

SIZE = 8


def toy(name: str, axis: int) -> Prototype:
    direction = np.zeros(SIZE)
    direction[axis] = 1
    return Prototype(direction, 0.0, 1.0, 0.5)


TOYS = {name: toy(name, axis) for axis, name in enumerate(("story", "joke", "advertising"))} | {
    name: toy(name, 7)
    for name in (*KINDS, *EXCLUDED)
    if name not in ("story", "joke", "advertising")
}


def vectors(*axes: int) -> Vectors:
    return np.eye(SIZE, dtype=np.float32)[list(axes)]


def found(*axes: int) -> tuple[list[Candidate], KindFinder]:
    transcript = talk(dull(len(axes)))
    sentences = split_sentences(transcript)
    words = np.full(len(axes), 8.0)
    return (
        propose_candidates(sentences, 1, 600),
        KindFinder(sentences, words, vectors(*axes), TOYS),
    )


def between(candidates: list[Candidate], first: int, last: int) -> Candidate:
    return next(c for c in candidates if (c.first_sentence, c.last_sentence) == (first, last))


def test_a_stretch_is_of_the_kind_its_sentences_are_near() -> None:
    candidates, finder = found(0, 0, 5, 1, 1, 5)
    story, joke = between(candidates, 0, 1), between(candidates, 3, 4)
    names = [[k.name for k in kinds] for kinds in finder.kinds(windows_of([story, joke]))]
    assert names == [["story"], ["joke"]]


def test_a_kind_quotes_the_sentence_that_says_so() -> None:
    candidates, finder = found(5, 0, 0)
    [[kind]] = finder.kinds(windows_of([between(candidates, 0, 2)]))
    assert kind.range == split_sentences(talk(dull(3)))[1].range
    assert kind.text == KINDS["story"]


def test_what_is_near_nothing_has_no_kind() -> None:
    candidates, finder = found(5, 5, 6)
    assert finder.kinds(windows_of([between(candidates, 0, 2)])) == [()]


def test_advertising_is_excluded_with_the_reason() -> None:
    candidates, finder = found(2, 2, 5, 5)
    own = windows_of([between(candidates, 0, 1), between(candidates, 2, 3)])
    assert finder.excluded(own) == [EXCLUDED["advertising"], None]


def test_an_excluded_stretch_is_never_chosen_while_there_are_others() -> None:
    transcript = talk(dull(30))
    sentences = split_sentences(transcript)
    candidates = propose_candidates(sentences, 10, 20)
    axes = [2 if 9 <= i <= 14 else 5 for i in range(30)]
    scored = score_candidates(candidates, sentences, transcript, vectors(*axes), prototypes=TOYS)
    excluded = [c for c in scored if c.score and c.score.excluded]
    assert excluded
    for floor in (None, Floor()):
        chosen = select_clips(scored, 3, floor=floor)
        assert not any(c.score and c.score.excluded for c in chosen.chosen)
    assert EXCLUDED["advertising"] in {r.reason for r in chosen.rejected}


def test_other_languages_are_not_judged_by_english_prototypes() -> None:
    transcript = replace(talk(dull(6)), language="xx")
    sentences = split_sentences(transcript)
    candidates = propose_candidates(sentences, 1, 600)
    scored = score_candidates(
        candidates, sentences, transcript, vectors(2, 2, 2, 0, 0, 0), prototypes=TOYS
    )
    assert all(c.score and not c.score.kinds and not c.score.excluded for c in scored)


def test_prototypes_survive_their_data_file() -> None:
    learned = load_prototypes()
    assert learned is not None and set(learned) == {*KINDS, *EXCLUDED}
    again = prototypes_from({"prototypes": json.loads(json.dumps(prototypes_to(learned)))})
    rows = np.random.default_rng(0).normal(size=(5, 384)).astype(np.float32)
    for name, prototype in learned.items():
        np.testing.assert_allclose(again[name].nearness(rows), prototype.nearness(rows), atol=1e-3)


def test_the_data_file_says_what_it_was_learned_from() -> None:
    file = resources.files("reelremix.engine.stages") / "data" / "kinds.json"
    record = json.loads(file.read_text(encoding="utf-8"))["record"]
    assert len(record["data_sha256"]) == 64
    assert set(record["held_out"]) == {*KINDS, *EXCLUDED}


SAID = {
    "advertising": (
        "This episode is brought to you by our sponsor.",
        "Use the promo code to get twenty percent off your first order.",
        "Their platform has every feature that your team needs, sign up for a free trial.",
    ),
    "greeting": (
        "Welcome to the show everybody, I'm your host.",
        "Today we are joined by a very special guest.",
        "Please introduce yourself to the listeners.",
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_what_no_editor_keeps_is_recognised_by_its_meaning(
    name: str, installed_models: Models
) -> None:
    lines = [*SAID[name], *dull(3)]
    transcript = talk(lines)
    sentences = split_sentences(transcript)
    embedder = MiniLm(Path(installed_models("minilm")) / "minilm")
    meaning = np.zeros((len(sentences), embedder.size), np.float32)
    for rows, batch in embedder.embed([s.text for s in sentences]):
        meaning[rows] = batch
    candidates = propose_candidates(sentences, 1, 600)
    scored = score_candidates(candidates, sentences, transcript, meaning)
    opening = between(scored, 0, 2)
    assert opening.score is not None and opening.score.excluded == EXCLUDED[name]
