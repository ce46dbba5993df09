from __future__ import annotations

import _ctypes
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reelremix.engine.domain.request import TranscribeOptions
from reelremix.engine.models import gpu
from reelremix.engine.models.gpu import CUBLAS, NvidiaGpu
from reelremix.engine.models.registry import InstalledModels
from reelremix.engine.models.whisper import GPU_ROOM_BYTES, FasterWhisper, choose_whisper
from tests.conftest import Models
from tests.engine.models.test_whisper import speech_of


@pytest.fixture
def no_cublas_yet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The library is neither loaded nor where the system looks."""
    monkeypatch.setattr(gpu, "CUBLAS", "libcublas-of-no-system.so")
    for name in [name for name in sys.modules if name.partition(".")[0] == "nvidia"]:
        monkeypatch.delitem(sys.modules, name)
    gpu._cublas.cache_clear()
    yield
    gpu._cublas.cache_clear()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where pip would put the library."""
    folder = tmp_path / "nvidia" / "cublas" / "lib"
    folder.mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path)
    return folder / "libcublas-of-no-system.so"


@pytest.mark.usefixtures("no_cublas_yet")
def test_a_missing_library_is_named() -> None:
    assert NvidiaGpu().missing_library() == "libcublas-of-no-system.so"


@pytest.mark.usefixtures("no_cublas_yet")
def test_a_library_that_pip_installed_is_found_without_any_path_set(package: Path) -> None:
    shutil.copy(_ctypes.__file__, package)
    assert NvidiaGpu().missing_library() is None


@pytest.mark.usefixtures("no_cublas_yet")
def test_a_damaged_library_counts_as_missing(package: Path) -> None:
    package.write_bytes(b"\x7fELF")
    assert NvidiaGpu().missing_library() == "libcublas-of-no-system.so"


@pytest.mark.gpu
def test_a_gpu_tells_what_it_has() -> None:
    assert NvidiaGpu().count() >= 1
    assert (NvidiaGpu().free_bytes() or 0) > GPU_ROOM_BYTES // 4


@pytest.mark.gpu
def test_a_gpu_hears_what_the_cpu_hears(installed_models: Models, shared: Path) -> None:
    if NvidiaGpu().missing_library() is not None:
        pytest.skip(f"needs {CUBLAS}: pip install 'reelremix[gpu]'")
    folder = installed_models("tiny.en")
    choice = choose_whisper("tiny.en", "auto", InstalledModels((folder,)))
    assert choice.transcriber.device == "cuda" and choice.notice is None
    plain = FasterWhisper("tiny.en", folder / "tiny.en", "cpu")
    speech = speech_of(shared / "speech" / "jfk.flac")
    fast, slow = (
        [
            word
            for segment in one.transcribe(speech, None, TranscribeOptions(), goes_on=False).segments
            for word in segment.words
        ]
        for one in (choice.transcriber, plain)
    )
    assert [word.text for word in fast] == [word.text for word in slow]
    for a, b in zip(fast, slow, strict=True):
        assert abs(a.range.start_s - b.range.start_s) < 0.2
