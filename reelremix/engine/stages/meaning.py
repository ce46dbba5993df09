"""What each sentence means, as a vector, kept as an artifact."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from reelremix.engine.domain.context import ArtifactKey, RunContext
from reelremix.engine.domain.events import StageProgress
from reelremix.engine.domain.sentence import Sentence
from reelremix.engine.models.sentences import SentenceEmbedder, Vectors
from reelremix.engine.stages.artifact import StoredArray, key_for, load, save, staged
from reelremix.engine.stages.signals import Floats

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
    key = _key(texts, embedder, ctx)
    stored = staged(
        ctx, STAGE, key, StoredArray, lambda: StoredArray.of(_embedded(texts, embedder, ctx))
    )
    return stored.array()


def silent_sentence_vectors(
    sentences: Sequence[Sentence], embedder: SentenceEmbedder, ctx: RunContext
) -> Vectors:
    """The same without events, for one source of many. Raises Cancelled."""
    texts = [sentence.text for sentence in sentences]
    key = _key(texts, embedder, ctx)
    stored = load(ctx, key, StoredArray)
    if stored is None:
        stored = StoredArray.of(_embedded(texts, embedder, ctx, told=False))
        save(ctx, key, stored)
    return stored.array()


def text_vector(text: str, embedder: SentenceEmbedder) -> Floats:
    """What a single text means."""
    [(_, rows)] = embedder.embed([text])
    return np.asarray(rows[0], np.float64)


def _key(texts: Sequence[str], embedder: SentenceEmbedder, ctx: RunContext) -> ArtifactKey:
    digest = hashlib.sha256("\0".join(texts).encode(errors="surrogatepass")).hexdigest()
    return key_for(ctx, STAGE, VERSION, model=embedder.identity, texts=digest)


def _embedded(
    texts: Sequence[str], embedder: SentenceEmbedder, ctx: RunContext, *, told: bool = True
) -> Vectors:
    vectors = np.zeros((len(texts), embedder.size), np.float32)
    done = 0
    for rows, batch in embedder.embed(texts):
        ctx.cancel.raise_if_set()
        vectors[rows] = batch
        done += len(rows)
        if told:
            ctx.reporter.emit(StageProgress(STAGE, done, len(texts), "sentences"))
    return vectors
