from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reelremix.engine.models import active_speaker
from reelremix.engine.models.active_speaker import (
    CROP_PX,
    FILE,
    LIGHT_ASD,
    REACH,
    Crops,
    LightAsd,
)
from reelremix.errors import ModelError
from tests.conftest import Models

pytest.importorskip("torch", reason="needs PyTorch: `pip install 'reelremix[speaker]'`")


@pytest.fixture
def network(installed_models: Models) -> LightAsd:
    return LightAsd(installed_models(LIGHT_ASD) / LIGHT_ASD)


def faces(count: int) -> Crops:
    return np.random.default_rng(1).integers(0, 255, (count, CROP_PX, CROP_PX), np.uint8)


def test_pictures_in_several_batches_are_seen_as_in_one(
    network: LightAsd, monkeypatch: pytest.MonkeyPatch
) -> None:
    crops = faces(40)
    at_once = network.see(crops)
    monkeypatch.setattr("reelremix.engine.models.active_speaker.BATCH", 10)
    np.testing.assert_allclose(network.see(crops), at_once, atol=1e-4)


def test_a_picture_reaches_no_further_than_stated(network: LightAsd) -> None:
    crops = faces(30)
    changed = crops.copy()
    changed[10] = 0
    differs = np.abs(network.see(crops) - network.see(changed)).max(axis=1) > 1e-5
    assert set(np.flatnonzero(differs)) <= set(range(10 - REACH, 10 + REACH + 1))
    assert differs[10 - REACH] or differs[10 + REACH]


def test_shorter_numbers_give_nearly_the_same(
    installed_models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, crops = installed_models(LIGHT_ASD) / LIGHT_ASD, faces(50)
    sound = np.random.default_rng(2).normal(0, 0.05, 32_000).astype(np.float32)
    odds = []
    for is_quick in (True, False):
        monkeypatch.setattr(active_speaker, "_is_quick_in_bfloat16", lambda q=is_quick: q)
        network = LightAsd(folder)
        odds.append(network.judge(network.see(crops), sound))
    assert 0 < np.abs(odds[0] - odds[1]).max() < 0.2


def test_nothing_seen_is_nothing_judged(network: LightAsd) -> None:
    assert network.judge(network.see(faces(0)), np.zeros(0, np.float32)).shape == (0,)


def test_sound_may_end_before_the_pictures(network: LightAsd) -> None:
    odds = network.judge(network.see(faces(25)), np.zeros(100, np.float32))
    assert odds.shape == (25,) and np.isfinite(odds).all()


def test_missing_weights_name_the_command_to_run(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as error:
        LightAsd(tmp_path)
    assert f"reelremix models install {LIGHT_ASD}" in str(error.value.hint)


def test_damaged_weights_name_the_command_to_run(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"PK")
    with pytest.raises(ModelError, match="cannot be loaded"):
        LightAsd(tmp_path)
