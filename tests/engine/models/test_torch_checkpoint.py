from __future__ import annotations

import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from reelremix.engine.models.torch_checkpoint import read_checkpoint


def test_tensors_are_those_that_torch_saved(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="needs PyTorch to write a checkpoint")
    square = torch.arange(12, dtype=torch.float32).reshape(3, 4)
    saved = {"whole": square, "turned": square.T, "part": square[1:, 2], "steps": torch.tensor(7)}
    torch.save(saved, tmp_path / "a.pt")
    tensors = read_checkpoint(tmp_path / "a.pt")
    assert list(tensors) == list(saved)
    for name, tensor in saved.items():
        np.testing.assert_array_equal(tensors[name], tensor.numpy())


class _Malicious:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return eval, ("1/0",)


def test_a_checkpoint_runs_nothing(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.pt", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"weight": _Malicious()}))
    with pytest.raises(ValueError, match="eval"):
        read_checkpoint(tmp_path / "a.pt")


@pytest.mark.parametrize("content", [b"", b"not a zip file"])
def test_something_else_is_no_checkpoint(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.pt").write_bytes(content)
    with pytest.raises(ValueError, match="no PyTorch state dict"):
        read_checkpoint(tmp_path / "a.pt")


def test_a_zip_file_without_an_index_is_no_checkpoint(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.pt", "w") as archive:
        archive.writestr("archive/version", "3")
    with pytest.raises(ValueError, match="no PyTorch state dict"):
        read_checkpoint(tmp_path / "a.pt")
