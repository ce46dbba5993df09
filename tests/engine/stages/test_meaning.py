"""Vectors of sentences as an artifact."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from reelremix.engine.domain.context import CancelToken
from reelremix.engine.models.sentences import Vectors
from reelremix.engine.stages.meaning import sentence_vectors
from reelremix.engine.stages.propose import split_sentences
from reelremix.errors import Cancelled
from tests.engine.stages.talk import dull, talk
from tests.fakes import run_context


@dataclass
class Lengths:
    """`SentenceEmbedder` that knows how long sentences are, two at a time, the last first."""

    identity: str = "lengths/1"
    size: int = 2
    asked: list[str] = field(default_factory=list)

    def embed(self, texts: Sequence[str]) -> Iterator[tuple[list[int], Vectors]]:
        order = list(range(len(texts)))[::-1]
        for begin in range(0, len(order), 2):
            rows = order[begin : begin + 2]
            self.asked += [texts[row] for row in rows]
            yield rows, np.array([[len(texts[row]), 1] for row in rows], np.float32)


SENTENCES = split_sentences(talk(dull(5)))


def test_every_sentence_gets_the_row_of_its_own_text() -> None:
    vectors = sentence_vectors(SENTENCES, Lengths(), run_context())
    assert vectors[:, 0].tolist() == [len(s.text) for s in SENTENCES]


def test_the_same_sentences_are_embedded_once() -> None:
    ctx, embedder = run_context(), Lengths()
    first = sentence_vectors(SENTENCES, embedder, ctx)
    again = sentence_vectors(SENTENCES, embedder, ctx)
    assert len(embedder.asked) == len(SENTENCES)
    np.testing.assert_array_equal(first, again)


def test_other_words_or_another_model_are_embedded_anew() -> None:
    ctx, embedder, other = run_context(), Lengths(), Lengths(identity="lengths/2")
    sentence_vectors(SENTENCES, embedder, ctx)
    sentence_vectors(SENTENCES[:-1], embedder, ctx)
    sentence_vectors(SENTENCES, other, ctx)
    assert len(embedder.asked) == 2 * len(SENTENCES) - 1
    assert len(other.asked) == len(SENTENCES)


def test_embedding_is_stopped_between_batches() -> None:
    token, embedder = CancelToken(), Lengths()
    ctx = run_context(cancel=token)
    embed = embedder.embed

    def stopped_after_one(texts: Sequence[str]) -> Iterator[tuple[list[int], Vectors]]:
        for batch in embed(texts):
            yield batch
            token.set()

    embedder.embed = stopped_after_one  # type: ignore[method-assign]
    with pytest.raises(Cancelled):
        sentence_vectors(SENTENCES, embedder, ctx)
    assert len(embedder.asked) == 4
