"""Speech to text: Whisper through faster-whisper's batched pipeline on CTranslate2.

Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", 2022.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psutil

from reelremix.engine.domain.context import ModelProvider
from reelremix.engine.domain.request import TranscribeOptions
from reelremix.engine.domain.spacing import needs_space
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Segment, Word
from reelremix.engine.models.gpu import CUBLAS_HINT, Gpu, NvidiaGpu
from reelremix.engine.models.registry import load_catalog
from reelremix.engine.models.speech import Speech, find_speech, placed
from reelremix.errors import ConfigError, ModelError, ModelNotInstalled, OutOfMemory

LANGUAGE_FLOOR = 0.5
"""A language heard with less probability is not believed on its own."""
DETECTION_SEGMENTS = 4
"""Stretches of 30 s looked at before a doubtful language is settled by majority."""
TAIL_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class LanguageGuess:
    """The language heard, and how surely."""

    language: str
    probability: float


@dataclass(frozen=True, slots=True)
class Hearing:
    """What was heard in one window of a recording."""

    guess: LanguageGuess
    """Empty where nobody speaks."""
    used: int
    """Samples dealt with; the next window begins there."""
    segments: Iterator[Segment]
    """As they are decoded; times count from the start of the window."""


class Transcriber(Protocol):
    """Turns sound into timed words."""

    identity: str
    """Changes whenever the same sound could give other words."""
    name: str
    device: str

    def prepare(self) -> None:
        """Begin to load what will be needed, beside whatever the caller does meanwhile."""

    def transcribe(
        self, speech: Speech, language: str | None, options: TranscribeOptions, *, goes_on: bool
    ) -> Hearing:
        """Hear a window; where the recording `goes_on` behind it, its last part may be left.

        A given language is taken with certainty.
        """


class FasterWhisper:
    """`Transcriber` over one loaded model."""

    def __init__(self, name: str, folder: Path, device: str, *, threads: int = 0) -> None:
        """Name the weights; they are loaded when first needed.

        Args:
            name: what users call the model.
            folder: a CTranslate2 Whisper model.
            device: `cpu` (int8) or `cuda` (float16).
            threads: CPU threads, 0 for one a physical core.

        Raises:
            ModelNotInstalled: the folder holds no weights.
        """
        self.name = name
        self.device = device
        self._folder = folder
        self._threads = threads or psutil.cpu_count(logical=False) or 1
        self._compute_type = "int8" if device == "cpu" else "float16"
        self._loading: Future[Any] | None = None
        self.identity = f"faster-whisper/{self._compute_type}/{_fingerprint(name, folder)}"

    def prepare(self) -> None:
        """Begin to load the weights, beside whatever the caller does meanwhile."""
        if self._loading is None:
            self._loading = ThreadPoolExecutor(1).submit(self._load)

    @property
    def _model(self) -> Any:
        """The loaded model. Raises ModelError and OutOfMemory."""
        self.prepare()
        assert self._loading is not None
        try:
            return self._loading.result()
        except ModelError:
            self._loading = None  # what it lacked may be there the next time
            raise

    def _load(self) -> Any:
        # No byte leaves the machine: the hub is not asked, and its library sends no statistics.
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
        from faster_whisper import WhisperModel

        try:
            return WhisperModel(
                str(self._folder),
                device=self.device,
                compute_type=self._compute_type,
                cpu_threads=self._threads,
                local_files_only=True,
            )
        except (RuntimeError, ValueError, OSError) as exc:
            raise _explained(exc, self.name, self._folder, self.device) from exc

    def transcribe(
        self, speech: Speech, language: str | None, options: TranscribeOptions, *, goes_on: bool
    ) -> Hearing:
        """Hear a window; where the recording `goes_on` behind it, its last part may be left.

        Raises:
            ConfigError: Whisper, or this model, does not know the language.
            ModelError: the model cannot run on its device.
            OutOfMemory: the device has too little free memory.
        """
        from faster_whisper import BatchedInferencePipeline

        model = self._model
        if not model.model.is_multilingual:
            if language not in (None, "en"):
                raise ConfigError(
                    f"model '{self.name}' hears English only (got --language {language!r})",
                    hint=f"`--model {CPU_MODEL}` knows 99 languages",
                )
            language = None
        elif language is not None and language not in model.supported_languages:
            raise ConfigError(
                f"--language {language!r} is not a language Whisper knows",
                hint="use a code such as en, de, fr, es, pt, ja",
            )
        parts = find_speech(speech, options.batch_size, goes_on=goes_on)
        if not parts.spans:
            return Hearing(LanguageGuess("", 0.0), parts.used, iter(()))
        try:
            segments, info = BatchedInferencePipeline(model).transcribe(
                parts.speech,
                clip_timestamps=parts.clips,
                language=language,
                language_detection_segments=DETECTION_SEGMENTS,
                language_detection_threshold=LANGUAGE_FLOOR,
                word_timestamps=True,
                batch_size=options.batch_size,
                beam_size=options.beam_size,
                initial_prompt=options.initial_prompt,
                hotwords=", ".join(options.vocabulary) or None,
            )
        except (RuntimeError, ValueError) as exc:
            raise _explained(exc, self.name, self._folder, self.device) from exc
        guess = LanguageGuess(info.language, round(float(info.language_probability), 4))
        return Hearing(guess, parts.used, self._decoded(placed(segments, parts)))

    def _decoded(self, segments: Iterator[Any]) -> Iterator[Segment]:
        try:
            for segment in segments:
                yield _segment(segment)
        except (RuntimeError, ValueError) as exc:
            raise _explained(exc, self.name, self._folder, self.device) from exc


def _segment(heard: Any) -> Segment:
    end_s = float(heard.end)
    words: list[Word] = []
    for word in heard.words or ():
        text = word.word.strip()
        if not text:
            continue
        span = _as_heard(float(word.start), float(word.end), end_s)
        chance = round(float(word.probability), 4)
        if words and not word.word[0].isspace() and needs_space(words[-1].text, text):
            words[-1] = _joined(words[-1], Word(text, span, chance))
        else:
            words.append(Word(text, span, chance))
    times = TimeRange.from_seconds(float(heard.start), end_s)
    return Segment(times, heard.text.strip(), tuple(words))


def _joined(word: Word, rest: Word) -> Word:
    """A word the model cut in two, as it does with `mid-90s` and `15.1%`."""
    span = TimeRange(word.range.start, max(word.range.end, rest.range.end))
    chance = min(word.probability or 0.0, rest.probability or 0.0)
    return Word(word.text + rest.text, span, chance)


def _as_heard(start_s: float, end_s: float, limit_s: float) -> TimeRange:
    """A word's time, later by as much as the model is early, within its segment."""
    end_s = max(end_s, min(end_s + EARLY_S, limit_s))
    return TimeRange.from_seconds(max(start_s, min(start_s + EARLY_S, end_s - EARLY_S)), end_s)


def _fingerprint(name: str, folder: Path) -> str:
    """Tells models apart without hashing gigabytes at every start."""
    weights, config = folder / "model.bin", folder / "config.json"
    if not weights.is_file():
        install = f"`reelremix models install {name}`, or " if name in load_catalog() else ""
        raise ModelNotInstalled(
            f"there is no Whisper model in {folder}: model.bin is missing",
            hint=f"{install}name a folder that holds one",
        )
    size = weights.stat().st_size
    with weights.open("rb") as file:
        file.seek(max(0, size - TAIL_BYTES))
        parts = [str(size).encode(), file.read()]
    if config.is_file():
        parts.append(config.read_bytes())
    return hashlib.sha256(b"".join(parts)).hexdigest()[:16]


def _explained(exc: Exception, name: str, folder: Path, device: str) -> ModelError:
    reason = str(exc) or type(exc).__name__
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
        f"model '{name}' in {folder} cannot be used: {reason.splitlines()[0]}",
        hint=f"`reelremix models install {name}` fetches it again",
    )


EARLY_S = 0.06
"""So much before they are heard do words begin by the model's attention, measured on `base`: the
means of two sets of recordings were 0.08 and 0.10 with the silence before words in them."""
GPU_MODEL, CPU_MODEL = "large-v3-turbo", "base"
"""What `auto` means."""
GPU_ROOM_BYTES = 4_000_000_000
"""Free memory from which `auto` takes the large model: 1.6 GB of weights, and as much again and
more for batches of eight with five beams."""


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A transcriber, and what was chosen on the user's behalf."""

    transcriber: Transcriber
    detail: str
    notice: str | None = None


def choose_whisper(
    model: str, device: str, models: ModelProvider, gpu: Gpu | None = None
) -> ModelChoice:
    """Pick weights and device.

    Args:
        model: a registry name, a folder, or `auto`.
        device: `auto`, `cpu` or `cuda`.
        models: finds installed weights.
        gpu: None asks this machine.

    Raises:
        ModelNotInstalled: the weights are not on this machine.
        ModelError: `cuda` was asked for and is not there, or lacks a library.
    """
    gpu = gpu or NvidiaGpu()
    on_gpu = device != "cpu" and gpu.count() > 0
    if device == "cuda" and not on_gpu:
        raise ModelError(
            "no usable NVIDIA GPU was found", hint="`--device cpu`, or see `reelremix doctor`"
        )
    name, notice = model, None
    if on_gpu and (missing := gpu.missing_library()) is not None:
        if device == "cuda":
            raise ModelError(
                f"the GPU cannot be used: {missing} is missing",
                hint=f"{CUBLAS_HINT}; `--device cpu` works now",
            )
        on_gpu = False
        notice = f"the GPU cannot be used, {missing} is missing ({CUBLAS_HINT}); using the CPU"
    if model == "auto":
        name, notice = _for_gpu(gpu, models) if on_gpu else (CPU_MODEL, notice)
    folder, where = models.folder(name), "cuda" if on_gpu else "cpu"
    transcriber = models.loaded(
        "whisper", (name, folder, where), lambda: FasterWhisper(name, folder, where)
    )
    chosen = "chosen for this machine" if model == "auto" else "as asked"
    return ModelChoice(transcriber, f"{name} on {transcriber.device}, {chosen}", notice)


def _for_gpu(gpu: Gpu, models: ModelProvider) -> tuple[str, str | None]:
    """The model `auto` takes on a GPU, and why it is not the large one."""
    free = gpu.free_bytes()
    if free is not None and free < GPU_ROOM_BYTES:
        return CPU_MODEL, (
            f"the GPU has {free / 1e9:.1f} GB free, too little for {GPU_MODEL}; using {CPU_MODEL}"
        )
    try:
        models.folder(GPU_MODEL)
    except ModelNotInstalled:
        return CPU_MODEL, (
            f"the GPU would allow {GPU_MODEL}, which is not installed; using {CPU_MODEL}"
        )
    return GPU_MODEL, None
