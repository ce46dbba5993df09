"""Speakers for tests: known vectors with noise on them, and an embedder that tells hums apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from reelremix.engine.models.speaker_embedding import Embeddings, Windows
from reelremix.engine.models.speech import Speech

RATE = 16_000
DIMENSIONS = 64


def read_speech(path: Path) -> Speech:
    """A whole recording, mono at 16 kHz."""
    pieces = []
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("s16", "mono", RATE)
        for frame in (*container.decode(audio=0), None):
            pieces += [piece.to_ndarray()[0] for piece in resampler.resample(frame)]
    return np.concatenate(pieces).astype(np.float32) / np.float32(32768)


def voices(order: list[int], *, spread: float = 0.7, seed: int = 0) -> Embeddings:
    """A vector for every window, whose voices are given: about 1 / (1 + spread^2) alike."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(max(order, default=0) + 1, DIMENSIONS))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    off = rng.normal(size=(len(order), DIMENSIONS)) / np.sqrt(DIMENSIONS)
    mixed = centres[order] + spread * off
    return _unit(mixed)


def hum(voice: int, seconds: float) -> Speech:
    """What `HumEmbedder` takes for speech of a voice."""
    t = np.arange(round(seconds * RATE)) / RATE
    return (0.3 * np.sin(2 * np.pi * 200 * (voice + 1) * t)).astype(np.float32)


@dataclass
class HumEmbedder:
    """`SpeakerEmbedder` that tells voices apart by their pitch."""

    name: str = "hum"
    identity: str = "hum/1"
    window: int = 24_000
    asked: list[int] = field(default_factory=list)
    """Windows of every call."""
    after: Callable[[], None] = lambda: None
    """Called at the end of every call."""

    def embed(self, windows: Windows) -> Embeddings:
        """The spectrum, coarsely, with its length taken off."""
        self.asked.append(len(windows))
        power = np.abs(np.fft.rfft(windows, axis=1))[:, :12_000].reshape(len(windows), -1, 150)
        sums = power.sum(axis=2)
        self.after()
        return _unit(sums)


def _unit(rows: npt.NDArray[Any]) -> Embeddings:
    lengths: Embeddings = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / lengths, np.float32)
