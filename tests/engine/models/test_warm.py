"""Models that stay loaded: one of each kind, by what it was loaded from."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from reelremix.engine.models.warm import WarmModels


def test_a_model_is_loaded_once_and_goes_when_another_is_wanted(tmp_path: Path) -> None:
    models, loaded = WarmModels([tmp_path]), list[str]()

    def load(name: str) -> str:
        loaded.append(name)
        return name

    for name in ("base", "base", "small", "base"):
        assert models.loaded("whisper", name, partial(load, name)) == name
    assert loaded == ["base", "small", "base"]


def test_kinds_do_not_push_each_other_out(tmp_path: Path) -> None:
    models = WarmModels([tmp_path])
    first = models.loaded("whisper", "base", object)
    models.loaded("voices", "campplus", object)
    assert models.loaded("whisper", "base", object) is first


def test_a_model_that_cannot_be_loaded_leaves_none_behind(tmp_path: Path) -> None:
    models = WarmModels([tmp_path])
    first = models.loaded("whisper", "base", object)

    def broken() -> object:
        raise ValueError("no weights")

    with pytest.raises(ValueError, match="no weights"):
        models.loaded("whisper", "small", broken)
    assert models.loaded("whisper", "base", object) is not first
