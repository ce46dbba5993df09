"""What each sentence means, as a vector, kept as an artifact."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.events import StageProgress
from reelremix.engine.domain.sentence import Sentence
from reelremix.engine.models.sentences import SentenceEmbedder, Vectors
from reelremix.engine.stages.artifact import StoredArray, key_for, staged

STAGE = "understand"
VERSION = 2


def sentence_vectors(
    sentences: Sequence[Sentence], embedder: SentenceEmbedder, ctx: RunContext
) -> Vectors:
    """A row for each sentence.

    Raises:
        Cancelled: the user asked to stop.
    """
    texts = [sentence.text for sentence in sentences]
    digest = hashlib.sha256("\0".join(texts).encode()).hexdigest()
    key = key_for(ctx, STAGE, VERSION, model=embedder.identity, texts=digest)
    stored = staged(
        ctx, STAGE, key, StoredArray, lambda: StoredArray.of(_embedded(texts, embedder, ctx))
    )
    return stored.array()


def _embedded(texts: Sequence[str], embedder: SentenceEmbedder, ctx: RunContext) -> Vectors:
    vectors = np.zeros((len(texts), embedder.size), np.float32)
    done = 0
    for rows, batch in embedder.embed(texts):
        ctx.cancel.raise_if_set()
        vectors[rows] = batch
        done += len(rows)
        ctx.reporter.emit(StageProgress(STAGE, done, len(texts), "sentences"))
    return vectors
