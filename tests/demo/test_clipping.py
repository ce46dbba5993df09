"""The whole job on the sample: real speech, real faces, real films, compared with the truth."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.cli.commandline import arguments
from tests.conftest import MODEL_ROOTS
from tests.contract.schemas import faults
from tests.demo.test_sample import voices
from tests.fakes import presented

pytestmark = [pytest.mark.slow, voices]
WEAK_KINDS = ("sponsor read", "housekeeping", "small talk")


@dataclass(frozen=True)
class Desk:
    """A home of its own, where one run can follow another."""

    home: Path

    def clip(self, sample: Path, *options: object) -> dict[str, Any]:
        """Clip the sample into this home; returns what was reported about it."""
        environ = {**os.environ, "HOME": str(self.home), "XDG_DATA_HOME": str(self.home / "data"),
                   "REELREMIX_MODELS_DIR": str(self.home / "models")}  # fmt: skip
        done = subprocess.run(
            arguments("clip", sample, "--count", 3, "--encoder-preset", "ultrafast", "--json",
                      *options),
            capture_output=True, text=True, check=False, env=environ, cwd=self.home,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        [run] = json.loads(done.stdout)["runs"]
        return dict(run)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """With the models that are installed."""
    home = tmp_path_factory.mktemp("desk")
    (home / "models").mkdir()
    for name in ("base", "blazeface"):
        found = next((root / name for root in MODEL_ROOTS if (root / name).is_dir()), None)
        if found is None:
            pytest.skip(f"needs the weights of {name}: `reelremix models install {name}`")
        (home / "models" / name).symlink_to(found, target_is_directory=True)
    return Desk(home)


@pytest.fixture(scope="module")
def clipped(desk: Desk, sample: Path) -> dict[str, Any]:
    """Three clips of the sample."""
    return desk.clip(sample)


def overlap_s(span: list[float], start_s: float, end_s: float) -> float:
    return max(0.0, min(span[1], end_s) - max(span[0], start_s))


def spoken_words(truth: dict[str, Any]) -> list[dict[str, Any]]:
    return [word for segment in truth["transcript"]["segments"] for word in segment["words"]]


def test_the_sample_becomes_clips_an_editor_would_keep(
    clipped: dict[str, Any], truth: dict[str, Any], desk: Desk
) -> None:
    manifest, folder = clipped["manifest"], desk.home / clipped["folder"]
    assert faults("clips", manifest) == []
    assert manifest["clips"] and manifest["run"]["network"] == []
    for clip in manifest["clips"]:
        [span] = clip["ranges"]
        length_s = span[1] - span[0]
        assert clip["verdict"]["ok"], clip["verdict"]
        written = presented(folder / clip["files"]["video"])
        assert (written.picture.width_px, written.picture.height_px) == (1080, 1920)
        assert written.duration.seconds == pytest.approx(length_s, abs=0.1)
        weak_s = sum(
            overlap_s(span, moment["start_s"], moment["end_s"])
            for moment in truth["moments"]
            if moment["kind"] in WEAK_KINDS
        )
        assert weak_s < 0.25 * length_s, clip["title"]


def test_no_clip_begins_or_ends_inside_a_word(
    clipped: dict[str, Any], truth: dict[str, Any]
) -> None:
    for clip in clipped["manifest"]["clips"]:
        for edge in clip["ranges"][0]:
            inside = [
                w for w in spoken_words(truth) if w["start_s"] + 0.12 < edge < w["end_s"] - 0.12
            ]
            assert not inside, (edge, inside)


def test_every_piece_of_a_layout_lies_on_one_side_of_every_cut(
    clipped: dict[str, Any], truth: dict[str, Any]
) -> None:
    for clip in clipped["manifest"]["clips"]:
        pieces = sorted(clip["layout"], key=lambda piece: piece["start_s"])
        assert all(a["end_s"] == b["start_s"] for a, b in pairwise(pieces))
        for cut in truth["cuts_s"]:
            assert not any(p["start_s"] < cut - 0.05 and p["end_s"] > cut + 0.05 for p in pieces)


def test_the_words_of_a_clip_are_those_that_are_said(
    clipped: dict[str, Any], truth: dict[str, Any]
) -> None:
    def plain(text: str) -> str:
        return "".join(c for c in text.lower() if c.isalnum())

    for clip in clipped["manifest"]["clips"]:
        [span] = clip["ranges"]
        said = {
            plain(w["text"])
            for w in spoken_words(truth)
            if span[0] <= (w["start_s"] + w["end_s"]) / 2 < span[1]
        }
        heard = {plain(word["text"]) for word in clip["words"]}
        assert len(said & heard) > 0.85 * len(said)


def test_other_captions_listen_and_look_for_nothing_again(
    clipped: dict[str, Any], desk: Desk, sample: Path
) -> None:
    again = desk.clip(sample, "--captions", "pop", "--overwrite")["manifest"]
    cached = {stage["name"]: stage["cached"] for stage in again["run"]["stages"]}
    assert cached["transcribe"] and cached["look"] and not cached["render"]
    assert [c["id"] for c in again["clips"]] == [c["id"] for c in clipped["manifest"]["clips"]]
