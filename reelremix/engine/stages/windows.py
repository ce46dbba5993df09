"""A source cut into the stretches that a search finds, each with its words and its meaning."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np

from reelremix.engine import codec
from reelremix.engine.domain.sentence import Sentence
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.window import Meaning, Window, WindowIndex
from reelremix.engine.models.sentences import SentenceEmbedder, Vectors
from reelremix.engine.stages.relevance import line_of

LONGEST_S = 60.0
"""Of a window, unless a single sentence is longer."""
VERSION = 1
"""Raise it whenever windows are cut, or their words looked for, in another way."""


def cut_windows(sentences: Sequence[Sentence]) -> Iterator[tuple[int, int]]:
    """First and last sentence of each window, in order; every sentence is in one of them."""
    first = 0
    for at in range(1, len(sentences) + 1):
        is_end = at == len(sentences)
        if is_end or sentences[at].range.end_s - sentences[first].range.start_s > LONGEST_S:
            yield first, at - 1
            first = at


def index_model(embedder: SentenceEmbedder | None) -> str | None:
    """What an index is made by, which another version of these windows is not."""
    return f"{embedder.identity}/windows-{VERSION}" if embedder is not None else None


def index_of(
    source_id: str, sentences: Sequence[Sentence], vectors: Vectors | None, model: str | None
) -> WindowIndex:
    """What can be found in a source; `vectors` are what its sentences mean, None where unknown."""
    windows = tuple(
        _window(sentences[first : last + 1], None if vectors is None else vectors[first : last + 1])
        for first, last in (cut_windows(sentences) if sentences else ())
    )
    digest = hashlib.sha256(codec.to_bytes([VERSION, model, vectors is not None]))
    for window in windows:
        digest.update(codec.to_bytes(window.lines))
    return WindowIndex(source_id, digest.hexdigest(), model, windows)


def _window(sentences: Sequence[Sentence], vectors: Vectors | None) -> Window:
    end = max(s.range.end for s in sentences)
    lines = tuple(line_of(s) for s in sentences)
    meaning = None
    if vectors is not None:
        lengths = np.array([max(1.0, float(len(line.text.split()))) for line in lines])
        middle = (vectors * lengths[:, None]).sum(axis=0)
        meaning = Meaning(packed(middle[None]), packed(vectors))
    return Window(TimeRange(sentences[0].range.start, end), lines, meaning)


def packed(vectors: Vectors) -> bytes:
    """Each row over its greatest number, times 127, as signed bytes."""
    greatest = np.maximum(np.abs(vectors).max(axis=1, keepdims=True), 1e-9)
    return bytes(np.round(vectors / greatest * 127).astype(np.int8).tobytes())


def unpacked(numbers: bytes, rows: int) -> Vectors:
    """The rows again, each of length one."""
    vectors = np.frombuffer(numbers, np.int8).reshape(rows, -1).astype(np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1.0), np.float32)
