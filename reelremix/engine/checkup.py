"""What this machine has and lacks for the job."""

from __future__ import annotations

import importlib.util
import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version

import psutil

from reelremix import __version__
from reelremix.config import Settings
from reelremix.engine.media.hardware import HARDWARE, SOFTWARE, ffmpeg_version, works
from reelremix.engine.models.active_speaker import LIGHT_ASD
from reelremix.engine.models.gpu import CUBLAS_HINT, Gpu, NvidiaGpu
from reelremix.engine.models.registry import InstalledModels
from reelremix.engine.models.sentences import MINILM
from reelremix.engine.models.sounds import YAMNET
from reelremix.engine.models.speaker_embedding import CAMPPLUS
from reelremix.engine.models.whisper import CPU_MODEL, GPU_MODEL
from reelremix.engine.options import FACE_MODEL
from reelremix.engine.seeing import TORCH_HINT
from reelremix.engine.web import INSTALL
from reelremix.errors import ReelRemixError

LITTLE_SPACE_GB = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    name: str
    is_ok: bool
    detail: str
    hint: str | None = None
    is_required: bool = True
    """Whether `clip` cannot do its job without it."""


def check_machine(settings: Settings) -> list[Finding]:
    """Everything worth knowing before a run; never raises for what it finds."""
    return [
        *_programme(),
        *_encoders(),
        _captions(),
        _gpu(NvidiaGpu()),
        _torch(),
        _web(),
        *_models(settings),
        _space(settings),
    ]


def _programme() -> Iterator[Finding]:
    system = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    cores = psutil.cpu_count(logical=False) or 1
    memory = psutil.virtual_memory().total / 1e9
    yield Finding("reelremix", True, f"{__version__}, {system}")
    yield Finding("machine", True, f"{cores} cores, {memory:.0f} GB of memory")
    yield Finding("FFmpeg", True, f"{ffmpeg_version()} inside PyAV")


def _encoders() -> Iterator[Finding]:
    software = works(SOFTWARE)
    yield Finding(
        SOFTWARE, software, "encodes" if software else "does not open",
        None if software else "reinstall PyAV: `pip install --force-reinstall av`",
    )  # fmt: skip
    for name in HARDWARE:
        yield Finding(name, works(name), "encodes" if works(name) else "not here",
                      is_required=False)  # fmt: skip


def _captions() -> Finding:
    try:
        from reelremix.engine.captions.skia_canvas import Picture

        Picture(2, 2)
    except ReelRemixError as exc:
        return Finding("captions", False, exc.message, exc.hint)
    return Finding("captions", True, "fonts are shaped and drawn")


def _gpu(gpu: Gpu) -> Finding:
    gpus = gpu.count()
    if not gpus:
        return Finding("GPU", False, "none; the CPU is used", is_required=False)
    if (missing := gpu.missing_library()) is not None:
        told = f"{gpus} NVIDIA, but {missing} is missing; the CPU is used"
        return Finding("GPU", False, told, CUBLAS_HINT, is_required=False)
    free = gpu.free_bytes()
    room = "free memory unknown" if free is None else f"{free / 1e9:.1f} GB free on the first"
    return Finding("GPU", True, f"{gpus} NVIDIA usable for transcription, {room}", None, False)


def _torch() -> Finding:
    if importlib.util.find_spec("torch") is None:
        told = "not installed; which of several faces speaks is judged by how mouths move"
        return Finding("PyTorch", False, told, TORCH_HINT, is_required=False)
    return Finding("PyTorch", True, f"{version('torch')}, for who speaks ({LIGHT_ASD})")


def _web() -> Finding:
    if importlib.util.find_spec("yt_dlp") is None:
        told = "not installed; recordings on the web cannot be fetched"
        return Finding("yt-dlp", False, told, INSTALL, is_required=False)
    return Finding("yt-dlp", True, f"{version('yt-dlp')}, for recordings on the web")


def _models(settings: Settings) -> Iterator[Finding]:
    models = InstalledModels(settings.model_roots)
    wanted = {CPU_MODEL: True, FACE_MODEL: True}
    wanted |= dict.fromkeys((MINILM, YAMNET, CAMPPLUS, LIGHT_ASD, GPU_MODEL), False)
    for name, is_required in wanted.items():
        try:
            yield Finding(f"model {name}", True, str(models.folder(name)), None, is_required)
        except ReelRemixError as exc:
            yield Finding(f"model {name}", False, exc.message, exc.hint, is_required)


def _space(settings: Settings) -> Finding:
    place = settings.data_path
    existing = next(p for p in (place, *place.parents) if p.exists())
    free_gb = shutil.disk_usage(existing).free / 1e9
    is_ok = free_gb >= LITTLE_SPACE_GB
    hint = None if is_ok else "free some space, or set REELREMIX_DATA_DIR to a larger disk"
    return Finding("data folder", is_ok, f"{place}, {free_gb:.0f} GB free", hint)
