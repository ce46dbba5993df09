"""Whether the sound comes from a face: the network Light-ASD, in PyTorch.

Liao et al., "A Light Weight Model for Active Speaker Detection", CVPR 2023; layers and names as in
https://github.com/Junhua-Liao/Light-ASD (MIT). Of its two trainings, the one on AVA-ActiveSpeaker.

A convolution over space is one over pictures, and one over time is one over a picture whose rows
are moments: both read the same numbers in the same order, three times faster than in three
dimensions. Batch normalisations are multiplied into the convolutions before them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from reelremix.engine.models.mfcc import STEP_HZ, mel_cepstrum
from reelremix.engine.models.speech import Speech
from reelremix.engine.models.torch_checkpoint import Tensors, read_checkpoint
from reelremix.errors import ModelError

if TYPE_CHECKING:
    import torch

Crops = npt.NDArray[np.uint8]
"""Shape (pictures, CROP_PX, CROP_PX): grey values, 0 to 255."""
Features = npt.NDArray[np.float32]
"""Shape (pictures, 128)."""
LogOdds = npt.NDArray[np.float32]
"""One a picture: above zero where the face is more likely than not to be heard."""

LIGHT_ASD = "light-asd"
FILE = "pretrain_AVA_CVPR.model"
RATE_HZ = 25
"""Pictures a second."""
CROP_PX = 112
REACH = 6
"""Pictures before and after one that can change what is seen in it."""
BATCH = 50
"""Pictures handled at once: 80 MB."""
GREY_MEAN, GREY_DEVIATION = 0.4161, 0.1688
NORM_EPSILON = 1e-3
CHANNELS = 128
BLOCKS = ("block1", "block2", "block3")
WIDTHS = (3, 5)
"""Of the two convolutions side by side in every block."""


class ActiveSpeaker(Protocol):
    """Tells how well a moving face goes with a sound."""

    def see(self, crops: Crops) -> Features:
        """What moves, picture by picture; `REACH` pictures at each end are not yet final."""

    def judge(self, features: Features, sound: Speech) -> LogOdds:
        """How likely each picture of a face goes with the sound that begins with the first."""


class Loaded:
    """`ActiveSpeaker` that is loaded by whoever needs it first; raises then what loading raises."""

    def __init__(self, load: Callable[[], ActiveSpeaker]) -> None:
        self._load = load
        self._loaded: ActiveSpeaker | None = None
        self._lock = threading.Lock()

    def see(self, crops: Crops) -> Features:
        """What moves, picture by picture."""
        return self._judge().see(crops)

    def judge(self, features: Features, sound: Speech) -> LogOdds:
        """How likely each picture of a face goes with the sound that begins with the first."""
        return self._judge().judge(features, sound)

    def _judge(self) -> ActiveSpeaker:
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded


class LightAsd:
    """`ActiveSpeaker` on the CPU; may be used by several threads."""

    identity = f"{LIGHT_ASD}-1"

    def __init__(self, folder: Path | str, threads: int = 1) -> None:
        """Load the network.

        Args:
            folder: where the weights are.
            threads: CPU threads for each caller; PyTorch has one number for the whole process.

        Raises:
            ModelError: PyTorch or the weights are missing, or the weights are damaged.
        """
        try:
            import torch  # deferred: 1.5 s
        except (ImportError, OSError) as exc:
            raise ModelError(
                f"PyTorch cannot be loaded: {exc}", hint="reinstall it: `pip install torch`"
            ) from exc

        self._torch = torch
        torch.set_num_threads(threads)
        self._kind = torch.bfloat16 if _is_quick_in_bfloat16() else torch.float32
        path = Path(folder) / FILE
        try:
            tensors = read_checkpoint(path)
            self._visual = [
                _Block(tensors, f"model.visualEncoder.{b}", "s", "t", self._kind) for b in BLOCKS
            ]
            self._audio = [
                _Block(tensors, f"model.audioEncoder.{b}", "m", "t", torch.float32) for b in BLOCKS
            ]
            self._forward = _gru(tensors, "model.GRU.gru_forward")
            self._backward = _gru(tensors, "model.GRU.gru_backward")
            self._verdict = [_tensor(tensors[f"lossAV.FC.{part}"]) for part in ("weight", "bias")]
        except (OSError, ValueError, KeyError, RuntimeError) as exc:
            raise ModelError(
                f"the active speaker network {path} cannot be loaded: {exc}",
                hint=f"`reelremix models install {LIGHT_ASD}` fetches it again",
            ) from exc

    def see(self, crops: Crops) -> Features:
        """What moves, picture by picture; `REACH` pictures at each end are not yet final."""
        parts = []
        for first in range(0, len(crops), BATCH):
            begin, end = max(0, first - REACH), min(len(crops), first + BATCH + REACH)
            with self._torch.inference_mode():
                seen = self._seen(crops[begin:end]).numpy()
            parts.append(seen[first - begin : first - begin + BATCH])
        return np.concatenate(parts) if parts else np.zeros((0, CHANNELS), np.float32)

    def judge(self, features: Features, sound: Speech) -> LogOdds:
        """How likely each picture of a face goes with the sound that begins with the first."""
        count = len(features)
        if not count:
            return np.zeros(0, np.float32)
        cepstrum = mel_cepstrum(sound, count * STEP_HZ // RATE_HZ)
        with self._torch.inference_mode():
            heard = self._heard(cepstrum)
            mixed = self._torch.from_numpy(features)[None] + heard[None, :count]
            gelu = self._torch.nn.functional.gelu
            mixed = gelu(self._forward(mixed)[0]).flip(1)
            mixed = gelu(self._backward(mixed)[0].flip(1))
            silent_or_not = self._torch.nn.functional.linear(mixed[0], *self._verdict)
            odds: LogOdds = (silent_or_not[:, 1] - silent_or_not[:, 0]).numpy()
        return odds

    def _seen(self, crops: Crops) -> torch.Tensor:
        from torch.nn.functional import max_pool2d

        grey = (self._torch.from_numpy(crops).float() / 255 - GREY_MEAN) / GREY_DEVIATION
        x = grey[:, None].to(self._kind, memory_format=self._torch.channels_last)
        x = max_pool2d(self._visual[0].over_pictures(x, stride=2), 3, 2, 1)
        x = max_pool2d(self._visual[1].over_pictures(x), 3, 2, 1)
        return self._visual[2].over_pictures(x).amax((2, 3)).float()

    def _heard(self, cepstrum: npt.NDArray[np.float32]) -> torch.Tensor:
        from torch.nn.functional import max_pool2d

        x = self._torch.from_numpy(np.ascontiguousarray(cepstrum.T))[None, None]
        for block in self._audio[:2]:
            x = max_pool2d(block.over_sound(x), (1, 3), (1, 2), (0, 1))
        return self._audio[2].over_sound(x).mean(2)[0].T


class _Block:
    """Two convolutions over space (or pitch) and time side by side, added and mixed."""

    def __init__(
        self, tensors: Tensors, name: str, across: str, along: str, kind: torch.dtype
    ) -> None:
        self._sides = [
            (
                width,
                _normed(tensors, f"{name}.{across}_{width}", f"{name}.bn_{across}_{width}", kind),
                _normed(tensors, f"{name}.{along}_{width}", f"{name}.bn_{along}_{width}", kind),
            )
            for width in WIDTHS
        ]
        self._last = _normed(tensors, f"{name}.last", f"{name}.bn_last", kind)

    def over_pictures(self, x: torch.Tensor, stride: int = 1) -> torch.Tensor:
        """Shape (pictures, channels, height, width), channels last."""
        from torch.nn.functional import conv2d

        total = None
        size = x.shape
        for width, (across, bias), (along, along_bias) in self._sides:
            y = conv2d(x, across[:, :, 0], bias, stride, width // 2).relu_()
            size = y.shape
            moments = y.permute(0, 2, 3, 1).reshape(1, size[0], size[2] * size[3], size[1])
            moments = moments.permute(0, 3, 1, 2)
            y = conv2d(moments, along[..., 0], along_bias, 1, (width // 2, 0)).relu_()
            total = y if total is None else total.add_(y)
        assert total is not None
        weight, bias = self._last
        y = conv2d(total, weight[..., 0], bias).relu_()
        return y.permute(0, 2, 3, 1).reshape(size[0], *size[2:], -1).permute(0, 3, 1, 2)

    def over_sound(self, x: torch.Tensor) -> torch.Tensor:
        """Shape (1, channels, pitches, moments)."""
        from torch.nn.functional import conv2d

        total = None
        for width, (across, bias), (along, along_bias) in self._sides:
            y = conv2d(x, across, bias, 1, (width // 2, 0)).relu_()
            y = conv2d(y, along, along_bias, 1, (0, width // 2)).relu_()
            total = y if total is None else total.add_(y)
        assert total is not None
        return conv2d(total, *self._last).relu_()


def _tensor(values: npt.NDArray[Any]) -> torch.Tensor:
    import torch

    return torch.from_numpy(np.array(values, np.float32))


def _is_quick_in_bfloat16() -> bool:
    """Whether this CPU multiplies half as long numbers twice as fast; that moves log-odds by a
    few hundredths. Versions of PyTorch that do not tell take the long ones."""
    import torch

    known: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(known.get("avx512_bf16") or known.get("amx_bf16"))


def _normed(
    tensors: Tensors, name: str, norm: str, kind: torch.dtype
) -> tuple[torch.Tensor, torch.Tensor]:
    """Weight and bias of a convolution with its batch normalisation multiplied in."""
    weight = tensors[f"{name}.weight"]
    deviation = np.sqrt(tensors[f"{norm}.running_var"] + np.float32(NORM_EPSILON))
    scale = tensors[f"{norm}.weight"] / deviation
    bias = tensors[f"{norm}.bias"] - tensors[f"{norm}.running_mean"] * scale
    scaled = weight * scale.reshape(-1, *[1] * (weight.ndim - 1))
    return _tensor(scaled).to(kind), _tensor(bias).to(kind)


def _gru(tensors: Tensors, name: str) -> torch.nn.GRU:
    import torch

    layer = torch.nn.GRU(CHANNELS, CHANNELS, batch_first=True)
    own = {key: _tensor(tensors[f"{name}.{key}"]) for key in layer.state_dict()}
    layer.load_state_dict(own)
    return layer.eval()
