"""What sentences mean, as vectors: all-MiniLM-L6-v2 through onnxruntime.

Reimers & Gurevych, "Sentence-BERT: Sentence Embeddings using Siamese BERT-Networks", 2019; Wang et
al., "MiniLM", 2020. Token vectors are averaged over each sentence and set to length one, as the
model was trained.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from reelremix.errors import ModelError

Vectors = npt.NDArray[np.float32]
"""Shape (sentences, size), each row of length one."""
MINILM = "minilm"
MOST_TOKENS = 128
"""Of a sentence; the model was trained on no more."""
BATCH = 32


class SentenceEmbedder(Protocol):
    """Turns sentences into vectors whose dot product says how alike they are."""

    identity: str
    """Changes whenever the vectors would."""
    size: int

    def embed(self, texts: Sequence[str]) -> Iterator[tuple[list[int], Vectors]]:
        """Vectors batch by batch: the indexes of the texts and a row for each of them."""


class MiniLm:
    """`SentenceEmbedder` for English; the network is loaded when first needed."""

    identity = f"{MINILM}/int8"
    size = 384

    def __init__(self, folder: Path, *, threads: int = 0) -> None:
        """Use `model.onnx` and `tokenizer.json` in `folder`; 0 threads are one a core."""
        self.folder = folder
        self._threads = threads

    def embed(self, texts: Sequence[str]) -> Iterator[tuple[list[int], Vectors]]:
        """Vectors batch by batch, short texts first, so that little is padded.

        Raises:
            ModelError: the weights are missing or damaged.
        """
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        order = sorted(range(len(texts)), key=lambda i: len(tokens[i]))
        for begin in range(0, len(order), BATCH):
            rows = order[begin : begin + BATCH]
            yield rows, self._vectors([tokens[i] for i in rows])

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        try:
            tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        except Exception as exc:  # the library raises plain exceptions
            raise self._broken(exc) from exc
        tokenizer.enable_truncation(MOST_TOKENS)
        tokenizer.no_padding()
        return tokenizer

    @cached_property
    def _network(self) -> Any:
        import onnxruntime

        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = self._threads
        try:
            return onnxruntime.InferenceSession(
                str(self.folder / "model.onnx"), settings, providers=["CPUExecutionProvider"]
            )
        except Exception as exc:  # the library raises kinds of its own
            raise self._broken(exc) from exc

    def _broken(self, exc: Exception) -> ModelError:
        return ModelError(
            f"the sentence model in {self.folder} cannot be loaded: {exc}",
            hint=f"`reelremix models install {MINILM}` fetches it again",
        )

    def _vectors(self, tokens: list[list[int]]) -> Vectors:
        ids = np.zeros((len(tokens), max(map(len, tokens))), np.int64)
        mask = np.zeros_like(ids)
        for row, own in enumerate(tokens):
            ids[row, : len(own)] = own
            mask[row, : len(own)] = 1
        inputs = {
            "input_ids": ids,
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(ids),
        }
        hidden = self._network.run(None, inputs)[0]
        total = (hidden * mask[..., None]).sum(axis=1)
        vectors: Vectors = (total / np.linalg.norm(total, axis=1, keepdims=True)).astype(np.float32)
        return vectors
