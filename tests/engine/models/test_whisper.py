from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from reelremix.engine.domain.request import TranscribeOptions
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.media.audio import SPEECH, read_pcm
from reelremix.engine.models.whisper import (
    CPU_MODEL,
    EARLY_S,
    GPU_MODEL,
    GPU_ROOM_BYTES,
    FasterWhisper,
    _segment,
    choose_whisper,
)
from reelremix.errors import ConfigError, ModelError, ModelNotInstalled
from tests.conftest import Models
from tests.fakes import Unkept, gathered, presented

pytestmark = pytest.mark.slow


@dataclass
class Machine:
    """`Gpu` with so many of them."""

    gpus: int = 0
    free: int | None = None
    missing: str | None = None

    def count(self) -> int:
        """GPUs."""
        return self.gpus

    def missing_library(self) -> str | None:
        """What is not installed."""
        return self.missing

    def free_bytes(self) -> int | None:
        """Memory."""
        return self.free


class Shelf(Unkept):
    """`ModelProvider` over empty weights of some names."""

    def __init__(self, root: Path, *names: str) -> None:
        self._root = root
        for name in names:
            (root / name).mkdir()
            (root / name / "model.bin").write_bytes(name.encode())

    def folder(self, name: str) -> Path:
        """A folder, or the usual error."""
        if not (self._root / name).is_dir():
            raise ModelNotInstalled(f"model '{name}' is not installed", name=name)
        return self._root / name


ROOMY = Machine(1, GPU_ROOM_BYTES)
TIGHT = Machine(1, GPU_ROOM_BYTES - 1)


@pytest.mark.parametrize(
    ("machine", "installed", "name", "device"),
    [
        (Machine(), (CPU_MODEL, GPU_MODEL), CPU_MODEL, "cpu"),
        (ROOMY, (CPU_MODEL, GPU_MODEL), GPU_MODEL, "cuda"),
        (Machine(1, None), (CPU_MODEL, GPU_MODEL), GPU_MODEL, "cuda"),
        (TIGHT, (CPU_MODEL, GPU_MODEL), CPU_MODEL, "cuda"),
        (ROOMY, (CPU_MODEL,), CPU_MODEL, "cuda"),
    ],
)
def test_auto_takes_the_large_model_on_a_gpu_with_room(
    tmp_path: Path, machine: Machine, installed: tuple[str, ...], name: str, device: str
) -> None:
    choice = choose_whisper("auto", "auto", Shelf(tmp_path, *installed), machine)
    assert (choice.transcriber.name, choice.transcriber.device) == (name, device)
    assert choice.detail == f"{name} on {device}, chosen for this machine"


def test_a_second_best_choice_says_why(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, CPU_MODEL)
    assert "too little for" in (choose_whisper("auto", "auto", shelf, TIGHT).notice or "")
    assert "not installed" in (choose_whisper("auto", "auto", shelf, ROOMY).notice or "")
    assert choose_whisper("auto", "cpu", shelf, ROOMY).notice is None


def test_a_gpu_that_is_not_there_is_refused_when_asked_for(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no usable NVIDIA GPU"):
        choose_whisper("auto", "cuda", Shelf(tmp_path, CPU_MODEL), Machine())


def test_a_gpu_without_its_libraries_gives_way_to_the_cpu_and_says_what_to_type(
    tmp_path: Path,
) -> None:
    shelf = Shelf(tmp_path, CPU_MODEL, GPU_MODEL)
    bare = Machine(1, GPU_ROOM_BYTES, "libcublas.so.12")
    choice = choose_whisper("auto", "auto", shelf, bare)
    assert (choice.transcriber.name, choice.transcriber.device) == (CPU_MODEL, "cpu")
    assert "libcublas.so.12 is missing" in (choice.notice or "")
    assert "pip install 'reelremix[gpu]'" in (choice.notice or "")
    with pytest.raises(ModelError, match=r"libcublas\.so\.12 is missing") as raised:
        choose_whisper("auto", "cuda", shelf, bare)
    assert "pip install" in (raised.value.hint or "")
    assert choose_whisper("auto", "cpu", shelf, bare).notice is None


def test_a_named_model_runs_where_it_can(tmp_path: Path) -> None:
    choice = choose_whisper("small", "auto", Shelf(tmp_path, "small"), ROOMY)
    assert choice.detail == "small on cuda, as asked"


def test_a_folder_without_weights_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(ModelNotInstalled, match=r"model\.bin is missing"):
        FasterWhisper("mine", tmp_path / "mine", "cpu")


def test_other_weights_or_settings_have_another_identity(tmp_path: Path) -> None:
    Shelf(tmp_path, "a", "b")
    a, b = (FasterWhisper(n, tmp_path / n, "cpu").identity for n in "ab")
    assert a != b
    assert a != FasterWhisper("a", tmp_path / "a", "cuda").identity
    (tmp_path / "a" / "config.json").write_text("{}")
    assert a != FasterWhisper("a", tmp_path / "a", "cpu").identity


def test_damaged_weights_are_an_error_that_says_what_to_type(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, "base")
    whisper = FasterWhisper("base", shelf.folder("base"), "cpu")
    with pytest.raises(ModelError, match="cannot be used") as caught:
        whisper.transcribe(np.zeros(16_000, np.float32), None, TranscribeOptions(), goes_on=False)
    assert "reelremix models install base" in (caught.value.hint or "")


@pytest.fixture
def tiny(installed_models: Models) -> FasterWhisper:
    """The smallest real model."""
    return FasterWhisper("tiny.en", installed_models("tiny.en") / "tiny.en", "cpu")


def speech_of(path: Path) -> np.typing.NDArray[np.float32]:
    """A recording's samples, -1 to 1."""
    presentation = presented(path)
    span = TimeRange.from_seconds(0, presentation.duration.seconds)
    samples = gathered(read_pcm(path, presentation, span, SPEECH))[0]
    heard: np.typing.NDArray[np.float32] = samples.astype(np.float32) / 32768
    return heard


def test_speech_becomes_words_in_order_within_their_segments(
    tiny: FasterWhisper, shared: Path
) -> None:
    speech = speech_of(shared / "speech" / "jfk.flac")
    hearing = tiny.transcribe(speech, None, TranscribeOptions(), goes_on=False)
    guess, heard = hearing.guess, list(hearing.segments)
    assert hearing.used == len(speech)
    words = [word for segment in heard for word in segment.words]
    assert guess.language == "en"
    assert "ask not what your country can do for you" in " ".join(s.text for s in heard)
    assert all(a.range.start <= b.range.start for a, b in pairwise(words))
    assert all(0 <= w.range.start_s < w.range.end_s <= len(speech) / 16_000 for w in words)
    assert all(w.probability is not None and 0 < w.probability <= 1 for w in words)


def test_a_model_for_english_refuses_other_languages(tiny: FasterWhisper) -> None:
    speech = np.zeros(16_000, np.float32)
    with pytest.raises(ConfigError, match=r"model 'tiny\.en' hears English only"):
        tiny.transcribe(speech, "fr", TranscribeOptions(), goes_on=False)
    assert tiny.transcribe(speech, "en", TranscribeOptions(), goes_on=False).used == len(speech)


def test_silence_says_nothing(tiny: FasterWhisper) -> None:
    silence = np.zeros(16_000 * 3, np.float32)
    hearing = tiny.transcribe(silence, None, TranscribeOptions(), goes_on=True)
    assert list(hearing.segments) == [] and hearing.used == len(silence)


@pytest.mark.slow
def test_vocabulary_bends_what_is_heard(tiny: FasterWhisper, shared: Path) -> None:
    speech = speech_of(shared / "speech" / "jfk.flac")

    def text(options: TranscribeOptions) -> str:
        return " ".join(
            segment.text
            for segment in tiny.transcribe(speech, None, options, goes_on=False).segments
        )

    shouted = TranscribeOptions(initial_prompt="AND SO, MY FELLOW AMERICANS, ASK NOT, ASK.")
    assert text(TranscribeOptions()) != text(shouted)


def test_a_language_nobody_speaks_is_refused(installed_models: Models) -> None:
    base = FasterWhisper("base", installed_models("base") / "base", "cpu")
    with pytest.raises(ConfigError, match="not a language Whisper knows"):
        base.transcribe(np.zeros(16_000, np.float32), "xx", TranscribeOptions(), goes_on=False)


@pytest.mark.parametrize("language", [None, "en"])
@pytest.mark.parametrize("broken", [{"batch_size": 0}, {"beam_size": 0}])
def test_other_faults_of_whisper_are_not_laid_on_the_language(
    installed_models: Models, shared: Path, language: str | None, broken: dict[str, int]
) -> None:
    base = FasterWhisper("base", installed_models("base") / "base", "cpu")
    speech = speech_of(shared / "speech" / "jfk.flac")[: 16_000 * 2]
    with pytest.raises(ModelError, match=r"model 'base' in .* cannot be used"):
        options = TranscribeOptions(**broken)  # type: ignore[arg-type]
        list(base.transcribe(speech, language, options, goes_on=False).segments)


@pytest.mark.slow
def test_a_whole_recording_is_heard_as_faster_whisper_alone_hears_it(
    tiny: FasterWhisper, shared: Path
) -> None:
    from faster_whisper import BatchedInferencePipeline

    speech = speech_of(shared / "speech" / "earnings22" / "earnings22_3_4483589_261_321.wav")
    ours = list(tiny.transcribe(speech, None, TranscribeOptions(), goes_on=False).segments)
    alone, _ = BatchedInferencePipeline(tiny._model).transcribe(
        speech, word_timestamps=True, batch_size=8
    )
    theirs = list(alone)
    assert [s.text for s in ours] == [s.text.strip() for s in theirs]
    whole = [w for s in theirs for w in s.words or () if w.word.startswith(" ")]
    pairs = list(zip((w.range for s in ours for w in s.words), whole, strict=True))
    later = [span.start_s - word.start for span, word in pairs]
    assert np.median(later) == pytest.approx(EARLY_S, abs=0.011)
    assert all(-0.011 < by < EARLY_S + 0.011 for by in later)


@dataclass
class Piece:
    """A word as faster-whisper gives it."""

    word: str
    start: float
    end: float
    probability: float = 0.9


@pytest.mark.parametrize(
    ("pieces", "texts"),
    [
        ((" in", " mid", "-90s."), ["in", "mid-90s."]),
        ((" 15", ".1", "%", " less"), ["15.1%", "less"]),
        (("こ", "れは"), ["こ", "れは"]),
        ((" ", " so"), ["so"]),
    ],
)
def test_words_that_the_model_cut_in_two_are_one(pieces: tuple[str, ...], texts: list[str]) -> None:
    words = [Piece(text, n * 0.3, n * 0.3 + 0.3) for n, text in enumerate(pieces)]
    heard = SimpleNamespace(start=0.0, end=3.0, text="".join(pieces), words=words)
    found = _segment(heard).words
    assert [word.text for word in found] == texts
    assert found[-1].range.end_s == pytest.approx(len(pieces) * 0.3 + EARLY_S)
