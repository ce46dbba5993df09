"""Voices as points: what speaks in a second or two of sound, as a vector.

Vectors of one voice point the same way: their dot product is near one, and near zero for two
voices. The network is CAM++ (see `campplus`) on the features it was trained with: Kaldi's
logarithmic mel filter bank (https://kaldi-asr.org/doc/feat.html), the mean of the window taken off.
"""

from __future__ import annotations

from functools import cache, cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from reelremix.engine.models.speech import RATE_HZ
from reelremix.errors import ModelError

CAMPPLUS = "campplus"
WEIGHTS = "campplus_cn_en_common.pt"
WINDOW_S = 1.5
"""What 3D-Speaker's diarization recipe takes for this network."""
BATCH = 4
"""Windows at once: they take 110 MB, twice as many twice that and hardly less time."""

FRAME = 400
"""Samples of a frame, 25 ms."""
HOP = 160
"""Samples from one frame to the next, 10 ms."""
FFT = 512
PREEMPHASIS = np.float32(0.97)
LOWEST_HZ = 20
ENERGY_FLOOR = np.finfo(np.float32).eps

Windows = npt.NDArray[np.float32]
"""Shape (windows, samples): mono at 16 kHz, -1 to 1."""
Embeddings = npt.NDArray[np.float32]
"""Shape (windows, dimensions), each row of length one."""


class SpeakerEmbedder(Protocol):
    """Turns windows of speech into vectors of the voices in them."""

    name: str
    identity: str
    """Changes whenever the same sound could give other vectors."""
    window: int
    """Samples of a window."""

    def embed(self, windows: Windows) -> Embeddings:
        """A vector of length one for every window, in order."""


class CamPlusPlus:
    """`SpeakerEmbedder` over CAM++ on onnxruntime; not for use by two threads at once."""

    identity = f"{CAMPPLUS}/{WINDOW_S}"

    def __init__(self, folder: Path, *, name: str = CAMPPLUS, threads: int = 0) -> None:
        """Name the weights; they are loaded when first needed.

        Args:
            folder: where they are.
            name: what users call the model.
            threads: CPU threads; 0 for one a core.
        """
        self.name = name
        self.window = round(WINDOW_S * RATE_HZ)
        self._path = folder / WEIGHTS
        self._threads = threads

    @cached_property
    def _network(self) -> Any:
        """Raises ModelError: the weights are missing or damaged."""
        import onnxruntime

        from reelremix.engine.models.campplus import campplus_graph
        from reelremix.engine.models.torch_checkpoint import read_checkpoint

        try:
            graph = campplus_graph(read_checkpoint(self._path), 1 + (self.window - FRAME) // HOP)
        except (OSError, ValueError, KeyError) as exc:
            raise ModelError(
                f"the speaker embedding {self._path} cannot be loaded: {exc}",
                hint=f"`reelremix models install {self.name}` fetches it again",
            ) from exc
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.enable_cpu_mem_arena = False  # it would keep what its largest batch took
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def embed(self, windows: Windows) -> Embeddings:
        """A vector of length one for every window, in order.

        Raises:
            ModelError: the weights are missing or damaged.
        """
        if windows.ndim != 2 or windows.shape[1] != self.window:
            raise ValueError(f"windows of shape {windows.shape}, wanted (n, {self.window})")
        found = [self._embed(windows[i : i + BATCH]) for i in range(0, len(windows), BATCH)]
        return np.concatenate(found) if found else np.zeros((0, 0), np.float32)

    def _embed(self, windows: Windows) -> Embeddings:
        features = log_mel(windows)
        features -= features.mean(axis=1, keepdims=True)
        raw: Embeddings = self._network.run(None, {"features": features})[0]
        raw /= np.linalg.norm(raw, axis=1, keepdims=True)
        return raw


def log_mel(windows: Windows) -> npt.NDArray[np.float32]:
    """Kaldi's filter bank features, as `compute-fbank-feats --num-mel-bins=80 --dither=0`.

    Returns:
        Shape (windows, frames, bands).
    """
    frames = np.lib.stride_tricks.sliding_window_view(windows, FRAME, axis=-1)[:, ::HOP]
    centred = frames - frames.mean(axis=-1, keepdims=True)
    sharp = centred.copy()
    sharp[..., 1:] -= PREEMPHASIS * centred[..., :-1]
    sharp[..., 0] -= PREEMPHASIS * centred[..., 0]
    taper, bands = _filter_bank()
    spectrum = np.fft.rfft(sharp * taper, FFT)
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    energy: npt.NDArray[np.float32] = power @ bands
    return np.log(np.maximum(energy, ENERGY_FLOOR, out=energy), out=energy)


@cache
def _filter_bank() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Povey's window, (samples,), and triangles even on the mel scale, (frequencies, bands)."""
    from reelremix.engine.models.campplus import FEATURES

    taper = np.hanning(FRAME) ** 0.85
    lowest, highest = _mel(np.array([LOWEST_HZ, RATE_HZ / 2]))
    step = (highest - lowest) / (FEATURES + 1)
    centres = lowest + step * np.arange(1, FEATURES + 1)
    heard = _mel(np.arange(FFT // 2 + 1) * RATE_HZ / FFT)
    bands = np.maximum(0, 1 - np.abs(heard[:, None] - centres) / step)
    return taper.astype(np.float32), bands.astype(np.float32)


def _mel(hertz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return 1127 * np.log1p(hertz / 700)
