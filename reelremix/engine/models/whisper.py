"""Speech to text: Whisper through faster-whisper's batched pipeline on CTranslate2.

Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", 2022.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from reelremix.engine.domain.request import TranscribeOptions
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Segment, Word
from reelremix.errors import ModelError, OutOfMemory

Speech = npt.NDArray[np.float32]
"""Mono at 16 kHz, -1 to 1."""
LANGUAGE_FLOOR = 0.5
"""A language heard with less probability is not believed on its own."""
DETECTION_SEGMENTS = 4
"""Stretches of 30 s looked at before a doubtful language is settled by majority."""


@dataclass(frozen=True, slots=True)
class LanguageGuess:
    """The language heard, and how surely."""

    language: str
    probability: float


class Transcriber(Protocol):
    """Turns sound into timed words."""

    identity: str
    """Changes whenever the same sound could give other words."""
    name: str
    device: str

    def transcribe(
        self, speech: Speech, language: str | None, options: TranscribeOptions
    ) -> tuple[LanguageGuess, Iterator[Segment]]:
        """The language, at once, and segments as they are decoded.

        Times count from the start of `speech`. A given language is taken with certainty.
        """


class FasterWhisper:
    """`Transcriber` over one loaded model."""

    def __init__(self, name: str, folder: Path, device: str, *, threads: int = 0) -> None:
        """Load the weights.

        Args:
            name: what users call the model.
            folder: a CTranslate2 Whisper model.
            device: `cpu` (int8) or `cuda` (float16).
            threads: CPU threads, 0 for CTranslate2's own choice.

        Raises:
            ModelError: the folder holds no usable model, or the device is not usable.
            OutOfMemory: the device has too little free memory.
        """
        from faster_whisper import BatchedInferencePipeline, WhisperModel

        compute_type = "int8" if device == "cpu" else "float16"
        try:
            self._model: Any = WhisperModel(
                str(folder), device=device, compute_type=compute_type, cpu_threads=threads
            )
        except (RuntimeError, ValueError, OSError) as exc:
            raise _explained(exc, name, folder, device) from exc
        self._batched: Any = BatchedInferencePipeline(self._model)
        self._folder = folder
        self.name = name
        self.device = device
        self.identity = f"faster-whisper/{compute_type}/{_fingerprint(folder)}"

    def transcribe(
        self, speech: Speech, language: str | None, options: TranscribeOptions
    ) -> tuple[LanguageGuess, Iterator[Segment]]:
        """The language, at once, and segments as they are decoded.

        Raises:
            ModelError: the model cannot run on its device.
            OutOfMemory: the device has too little free memory.
        """
        try:
            segments, info = self._batched.transcribe(
                speech,
                language=language if self._model.model.is_multilingual else None,
                language_detection_segments=DETECTION_SEGMENTS,
                language_detection_threshold=LANGUAGE_FLOOR,
                word_timestamps=True,
                batch_size=options.batch_size,
                beam_size=options.beam_size,
                initial_prompt=options.initial_prompt,
                hotwords=", ".join(options.vocabulary) or None,
            )
        except RuntimeError as exc:
            raise _explained(exc, self.name, self._folder, self.device) from exc
        guess = LanguageGuess(info.language, round(float(info.language_probability), 4))
        return guess, self._decoded(segments)

    def _decoded(self, segments: Iterator[Any]) -> Iterator[Segment]:
        try:
            for segment in segments:
                yield _segment(segment)
        except RuntimeError as exc:
            raise _explained(exc, self.name, self._folder, self.device) from exc


def _segment(heard: Any) -> Segment:
    words = tuple(
        Word(
            word.word.strip(),
            TimeRange.from_seconds(float(word.start), float(word.end)),
            round(float(word.probability), 4),
        )
        for word in heard.words or ()
        if word.word.strip()
    )
    times = TimeRange.from_seconds(float(heard.start), float(heard.end))
    return Segment(times, heard.text.strip(), words)


def _fingerprint(folder: Path) -> str:
    """Tells models apart without hashing gigabytes at every start."""
    parts = [(folder / "config.json").read_bytes() if (folder / "config.json").exists() else b""]
    parts.append(str((folder / "model.bin").stat().st_size).encode())
    with (folder / "model.bin").open("rb") as weights:
        weights.seek(max(0, (folder / "model.bin").stat().st_size - 65_536))
        parts.append(weights.read())
    return hashlib.sha256(b"".join(parts)).hexdigest()[:16]


def _explained(exc: Exception, name: str, folder: Path, device: str) -> ModelError:
    reason = str(exc)
    if "out of memory" in reason.lower():
        return OutOfMemory(
            f"not enough {'GPU ' if device == 'cuda' else ''}memory for model '{name}'",
            hint="`--model small`, or `--device cpu`",
        )
    if "libcublas" in reason or "libcudnn" in reason or "CUDA" in reason:
        return ModelError(
            f"model '{name}' cannot run on the GPU: {reason.splitlines()[0]}",
            hint="`--device cpu` works now; `reelremix doctor` says what the GPU is missing",
        )
    return ModelError(
        f"model '{name}' in {folder} cannot be loaded: {reason.splitlines()[0]}",
        hint=f"`reelremix models install {name}` fetches it again",
    )
