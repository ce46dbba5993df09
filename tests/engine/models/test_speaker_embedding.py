from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reelremix.engine.models.campplus import campplus_graph
from reelremix.engine.models.registry import load_catalog
from reelremix.engine.models.speaker_embedding import CAMPPLUS, WEIGHTS, CamPlusPlus, log_mel
from reelremix.engine.models.speech import Speech
from reelremix.errors import ModelError
from tests.conftest import Models
from tests.talkers import read_speech

WINDOW = 24_000


def noise(count: int, length: int = WINDOW) -> Speech:
    return np.random.default_rng(0).normal(0, 0.1, (count, length)).astype(np.float32)


def test_features_are_those_of_kaldi() -> None:
    knf = pytest.importorskip("kaldi_native_fbank", reason="needs kaldi-native-fbank to compare")
    options = knf.FbankOptions()
    options.frame_opts.dither = 0
    options.mel_opts.num_bins = 80
    sound = noise(2, 4_000) * np.linspace(0, 1, 4_000, dtype=np.float32) + np.float32(0.01)
    for window, features in zip(sound, log_mel(sound), strict=True):
        kaldi = knf.OnlineFbank(options)
        kaldi.accept_waveform(16_000, window.tolist())
        kaldi.input_finished()
        expected = np.stack([kaldi.get_frame(i) for i in range(kaldi.num_frames_ready)])
        np.testing.assert_allclose(features, expected, atol=2e-3)


def test_silence_has_finite_features() -> None:
    assert np.isfinite(log_mel(np.zeros((1, WINDOW), np.float32))).all()


def test_missing_weights_name_the_command_to_run(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as error:
        CamPlusPlus(tmp_path).embed(np.zeros((1, WINDOW), np.float32))
    assert "reelremix models install campplus" in str(error.value.hint)


def test_damaged_weights_name_the_command_to_run(tmp_path: Path) -> None:
    (tmp_path / WEIGHTS).write_bytes(b"PK")
    with pytest.raises(ModelError, match="cannot be loaded"):
        CamPlusPlus(tmp_path).embed(np.zeros((1, WINDOW), np.float32))


@pytest.mark.parametrize("frames", [2, 201])
def test_windows_beyond_two_seconds_are_refused(frames: int) -> None:
    with pytest.raises(ValueError, match="frames"):
        campplus_graph({}, frames)


def test_the_catalogue_holds_the_file_the_adapter_loads() -> None:
    assert [file.name for file in load_catalog()[CAMPPLUS].origins[0].files] == [WEIGHTS]


def test_vectors_have_length_one_and_do_not_depend_on_the_batch(installed_models: Models) -> None:
    embedder = CamPlusPlus(installed_models(CAMPPLUS) / CAMPPLUS)
    windows = noise(17)
    together = embedder.embed(windows)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(embedder.embed(windows[16:]), together[16:], atol=1e-4)
    assert len(embedder.embed(windows[:0])) == 0


def test_windows_of_another_length_are_refused(installed_models: Models) -> None:
    embedder = CamPlusPlus(installed_models(CAMPPLUS) / CAMPPLUS)
    with pytest.raises(ValueError, match="wanted"):
        embedder.embed(noise(1, WINDOW - 1))


def test_one_voice_is_more_alike_than_two(installed_models: Models, shared: Path) -> None:
    embedder = CamPlusPlus(installed_models(CAMPPLUS) / CAMPPLUS)
    names = ("ljspeech/LJ001-0001.flac", "ljspeech/LJ001-0014.flac", "jfk.flac")
    speech = [read_speech(shared / "speech" / name)[WINDOW : 3 * WINDOW] for name in names]
    voices = embedder.embed(np.concatenate(speech).reshape(-1, WINDOW)).reshape(3, 2, -1)
    assert (voices[0] @ voices[1].T).min() > 0.5
    assert (voices[0] @ voices[2].T).max() < 0.3
