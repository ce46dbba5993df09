"""What sentences mean."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from reelremix.engine.models.sentences import MINILM, MiniLm, Vectors
from reelremix.errors import ModelError
from tests.conftest import Models

PETS = "My dog chased the neighbour's cat up a tree."
ANIMALS = "A puppy ran after a kitten."
RATES = "The central bank raised interest rates by half a point."


@pytest.fixture
def minilm(installed_models: Models) -> MiniLm:
    return MiniLm(installed_models(MINILM) / MINILM, threads=1)


def vectors_of(model: MiniLm, texts: Sequence[str]) -> Vectors:
    vectors = np.full((len(texts), model.size), np.nan, np.float32)
    for rows, batch in model.embed(texts):
        vectors[rows] = batch
    return vectors


def test_alike_sentences_have_alike_vectors(minilm: MiniLm) -> None:
    pets, animals, rates = vectors_of(minilm, [PETS, ANIMALS, RATES])
    assert pets @ animals > 0.4 > 0.2 > pets @ rates


def test_every_text_gets_a_vector_of_length_one(minilm: MiniLm) -> None:
    odd = ["", "word", PETS, "日本語 Ελληνικά عربى", "go " * 1000]
    texts = [*odd, *(f"number {n}" for n in range(70))]
    lengths = np.linalg.norm(vectors_of(minilm, texts), axis=1)
    np.testing.assert_allclose(lengths, 1, atol=1e-3)


def test_what_stands_beside_a_sentence_hardly_changes_its_vector(minilm: MiniLm) -> None:
    alone = vectors_of(minilm, [PETS])[0]
    beside = vectors_of(minilm, [RATES * 8, PETS, "Yes.", ANIMALS])[1]
    assert alone @ beside > 0.98


def test_no_texts_are_no_vectors(minilm: MiniLm) -> None:
    assert list(minilm.embed([])) == []


@pytest.mark.parametrize("file", ["tokenizer.json", "model.onnx"])
def test_damaged_weights_say_what_to_run(minilm: MiniLm, tmp_path: Path, file: str) -> None:
    for name in ("tokenizer.json", "model.onnx"):
        (tmp_path / name).symlink_to(minilm.folder / name)
    (tmp_path / file).unlink()
    (tmp_path / file).write_bytes(b"not a model")
    with pytest.raises(ModelError) as caught:
        list(MiniLm(tmp_path, threads=1).embed([PETS]))
    assert f"reelremix models install {MINILM}" in (caught.value.hint or "")
