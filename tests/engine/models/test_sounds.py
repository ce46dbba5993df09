"""What every sound classifier must do, and what YAMNet hears."""

from __future__ import annotations

import zipfile
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.resampler import AudioResampler

from reelremix.engine.models.sounds import WEIGHTS, SoundClassifier, Yamnet, log_mel
from reelremix.engine.models.speech import RATE_HZ, Speech
from reelremix.errors import ModelError
from tests.conftest import Models
from tests.fakes import LoudSounds
from tests.sound_factory import noise, quiet, sine


@pytest.fixture(params=["yamnet", "loud sounds"])
def classifier(request: pytest.FixtureRequest, installed_models: Models) -> SoundClassifier:
    """Every implementation."""
    if request.param == "loud sounds":
        return LoudSounds()
    return Yamnet(installed_models("yamnet") / "yamnet")


@pytest.fixture
def yamnet(installed_models: Models) -> Yamnet:
    return Yamnet(installed_models("yamnet") / "yamnet")


def test_only_whole_patches_are_classified(classifier: SoundClassifier) -> None:
    for samples in (0, 1, classifier.window - 1):
        assert classifier.classify(noise(2)[:samples]).shape == (0, len(classifier.kinds))
    for more in (0, 1, 2):
        samples = classifier.window + more * classifier.hop
        assert classifier.classify(noise(4)[:samples]).shape == (more + 1, len(classifier.kinds))


def test_probabilities_lie_between_nothing_and_one(classifier: SoundClassifier) -> None:
    for sound in (noise(3), quiet(3), sine(3, 440, 4.0).clip(-1, 1), np.ones(48_000, np.float32)):
        found = classifier.classify(sound)
        assert found.dtype == np.float32
        assert ((found >= 0) & (found <= 1)).all()


def test_the_same_sound_gives_the_same_answer(classifier: SoundClassifier) -> None:
    assert np.array_equal(classifier.classify(noise(3)), classifier.classify(noise(3)))


def test_what_listening_needs_is_told_apart(classifier: SoundClassifier) -> None:
    needed = {"speech", "laughter", "applause", "cheering", "music"}
    assert needed <= set(classifier.kinds)


def test_patches_side_by_side_give_the_same_answer(installed_models: Models) -> None:
    folder = installed_models("yamnet") / "yamnet"
    one, four = (Yamnet(folder, threads=threads).classify(noise(6)) for threads in (1, 4))
    assert np.array_equal(one, four)


def test_silence_and_noise_are_neither_speech_nor_laughter(yamnet: Yamnet) -> None:
    for sound in (quiet(3), noise(3)):
        assert yamnet.classify(sound).max() < 0.3


def test_a_president_speaks_and_a_silent_film_has_music(yamnet: Yamnet, shared: Path) -> None:
    speech = _mean(yamnet, shared / "speech" / "jfk.flac")
    film = _mean(yamnet, shared / "media" / "chaplin_10s.mp4")
    assert speech["speech"] > 0.7 > 0.2 > speech["music"]  # 8 bits round as the CPU does
    assert film["music"] > 0.8 > 0.1 > film["speech"]


def test_a_tone_is_loudest_in_its_mel_band() -> None:
    bands = [int(log_mel(sine(0.5, hz)).mean(axis=0).argmax()) for hz in (200, 1000, 4000)]
    assert bands == [1, 19, 48]


def test_louder_by_ten_is_higher_by_the_logarithm_of_ten() -> None:
    low, high = (log_mel(sine(0.5, 1000, level)).max() for level in (0.05, 0.5))
    assert high - low == pytest.approx(np.log(10), abs=0.01)


def test_a_spectrogram_has_a_row_for_every_whole_frame() -> None:
    assert [len(log_mel(quiet(1)[:n])) for n in (0, 399, 400, 559, 560)] == [0, 0, 1, 1, 2]


def test_absent_weights_are_told_with_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be loaded") as caught:
        Yamnet(tmp_path).classify(noise(1))
    assert "reelremix models install yamnet" in str(caught.value.hint)


def test_damaged_weights_are_told(tmp_path: Path) -> None:
    (tmp_path / WEIGHTS).write_bytes(b"PK not a zip file")
    with pytest.raises(ModelError, match="cannot be loaded"):
        Yamnet(tmp_path).classify(noise(1))


@pytest.mark.parametrize("names", [(), ("model.onnx",), ("model.onnx", "model.data")])
def test_a_zip_without_the_network_is_told(tmp_path: Path, names: tuple[str, ...]) -> None:
    with zipfile.ZipFile(tmp_path / WEIGHTS, "w") as bundle:
        for name in names:
            bundle.writestr(name, b"not a network")
    with pytest.raises(ModelError, match="cannot be loaded"):
        Yamnet(tmp_path).classify(noise(1))


def _mean(yamnet: Yamnet, path: Path) -> dict[str, float]:
    means = yamnet.classify(_decoded(path)).mean(axis=0)
    return dict(zip(yamnet.kinds, means.tolist(), strict=True))


def _decoded(path: Path) -> Speech:
    resampler = AudioResampler("flt", "mono", RATE_HZ)
    with av.open(str(path)) as container:
        pieces = [
            piece.to_ndarray()[0]
            for frame in container.decode(audio=0)
            for piece in resampler.resample(frame)
        ]
    return np.concatenate(pieces)
