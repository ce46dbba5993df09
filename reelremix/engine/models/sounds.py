"""Kinds of sound in a recording: YAMNet through onnxruntime.

YAMNet names 521 kinds of sound in patches of 0.96 s (Plakal and Ellis,
https://github.com/tensorflow/models/tree/master/research/audioset/yamnet, trained on AudioSet:
Gemmeke et al., 2017). What is here are its 8-bit weights and its front end, a log-mel spectrogram
as `features.py` there describes it, in numpy. How patches become events is `stages.listen`'s work.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from reelremix.engine.models.speech import RATE_HZ, Speech
from reelremix.errors import ModelError

Floats = npt.NDArray[np.float32]

YAMNET = "yamnet"
WEIGHTS = "YamNet_w8a8.onnx.zip"
PATCH_FRAMES, BANDS = 96, 64
FRAME, HOP, FFT = 400, 160, 512
"""Samples of a spectrogram's frame, from one frame to the next, and of its transform."""
LOWEST_HZ, HIGHEST_HZ = 125.0, 7500.0
LOG_OFFSET = 0.001
INPUT_SCALE, INPUT_ZERO = 0.047937885, 144
"""The initialisers `audio_scale` and `audio_zero_point` of the weights."""
SCORE_SCALE, SCORE_ZERO = 0.7565417, 190
"""The initialisers `class_scores_scale` and `class_scores_zero_point`."""

CLASSES: Mapping[str, tuple[int, ...]] = {
    "speech": (0, 1, 2, 3),
    "laughter": (13, 14, 15, 16, 17, 18),
    "applause": (58, 62),
    "cheering": (61,),
    "music": (132,),
}
"""The network's outputs (`yamnet_class_map.csv`) that speak for each kind."""


class SoundClassifier(Protocol):
    """Says which kinds of sound are heard in equal patches of a recording."""

    identity: str
    """Names weights and version: another identity may give other answers."""
    kinds: tuple[str, ...]
    window: int
    """Samples of a patch."""
    hop: int
    """Samples from the start of a patch to the next."""

    def classify(self, sound: Speech) -> Floats:
        """Probability of each kind in each whole patch.

        Args:
            sound: mono at 16 kHz, -1 to 1.

        Returns:
            Shape (patches, kinds), 0 to 1; kinds are not exclusive. Patches that would reach
            beyond the end are left out.
        """


class Yamnet:
    """`SoundClassifier` over YAMNet; may be used by several threads at once."""

    identity = "yamnet-w8a8-1"
    kinds = tuple(CLASSES)
    window = PATCH_FRAMES * HOP + FRAME - HOP
    hop = PATCH_FRAMES * HOP // 2

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        """Name the weights; they are loaded when first needed.

        Args:
            folder: where they are.
            threads: patches looked at side by side.
        """
        self._threads = threads
        self._path = folder / WEIGHTS

    @cached_property
    def _session(self) -> Any:
        return _session(self._path)

    def classify(self, sound: Speech) -> Floats:
        """Probability of each kind in each whole patch, shape (patches, kinds).

        Raises:
            ModelError: the weights are missing or damaged.
        """
        logits = self.logits(sound)
        groups = [logits[:, classes].max(axis=1) for classes in CLASSES.values()]
        odds = np.exp(np.clip(np.stack(groups, axis=1), -30, 30))
        return np.asarray(odds / (1 + odds), np.float32)

    def logits(self, sound: Speech) -> Floats:
        """Log odds of every class in each whole patch, shape (patches, 521)."""
        patches = _patches(log_mel(sound))
        if not len(patches):
            return np.zeros((0, 521), np.float32)
        with ThreadPoolExecutor(self._threads) as pool:  # the network takes one patch at once
            scores = np.concatenate(list(pool.map(self._scores, patches)))
        return np.asarray((scores.astype(np.float32) - SCORE_ZERO) * SCORE_SCALE, np.float32)

    def _scores(self, patch: npt.NDArray[np.uint8]) -> Any:
        return self._session.run(None, {"audio": patch[None, None]})[0]


def log_mel(sound: Speech) -> Floats:
    """Log of magnitudes in 64 mel bands, shape (frames, 64), for every whole frame of 25 ms."""
    if len(sound) < FRAME:
        return np.zeros((0, BANDS), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(sound, FRAME)[::HOP]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)
    magnitudes = np.abs(np.fft.rfft(frames * window.astype(np.float32), FFT))
    return np.asarray(np.log(magnitudes @ _mel_weights() + LOG_OFFSET), np.float32)


@cache
def _mel_weights() -> npt.NDArray[np.float64]:
    """Triangles on the mel scale of HTK, shape (257, 64), as `linear_to_mel_weight_matrix`."""
    bins = _mel(np.arange(1, FFT // 2 + 1) * RATE_HZ / FFT)[:, None]
    edges = np.linspace(_mel(LOWEST_HZ), _mel(HIGHEST_HZ), BANDS + 2)
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    without_dc = np.maximum(0.0, np.minimum(rising, falling))
    return np.concatenate([np.zeros((1, BANDS)), without_dc])


def _mel(hertz: Any) -> Any:
    return 1127.0 * np.log1p(np.asarray(hertz) / 700.0)


def _patches(spectrogram: Floats) -> npt.NDArray[np.uint8]:
    """Quantised patches that overlap by half, shape (patches, 96, 64)."""
    if len(spectrogram) < PATCH_FRAMES:
        return np.zeros((0, PATCH_FRAMES, BANDS), np.uint8)
    levels = np.clip(np.round(spectrogram / INPUT_SCALE + INPUT_ZERO), 0, 255).astype(np.uint8)
    views = np.lib.stride_tricks.sliding_window_view(levels, PATCH_FRAMES, axis=0)
    return np.ascontiguousarray(views[:: PATCH_FRAMES // 2].transpose(0, 2, 1))


def _session(path: Path) -> Any:
    """The network, read out of its zip without unpacking it to disk."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        with zipfile.ZipFile(path) as bundle:
            names = {Path(name).name: name for name in bundle.namelist()}
            weights = bundle.read(names["model.data"])
            options.add_external_initializers_from_files_in_memory(
                ["model.data"], [weights], [len(weights)]
            )
            return onnxruntime.InferenceSession(
                bundle.read(names["model.onnx"]), options, providers=["CPUExecutionProvider"]
            )
    except Exception as exc:  # onnxruntime's own have no base class of their own
        raise ModelError(
            f"the sound classifier {path} cannot be loaded: {exc}",
            hint="`reelremix models install yamnet` fetches it again",
        ) from exc
