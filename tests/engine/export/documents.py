"""A manifest as its readers find it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from reelremix.engine.domain.clip import Clip
from reelremix.engine.export.manifest import manifest_to_bytes
from tests.engine.examples import MANIFEST

PATH = Path("clips.json")


def content() -> dict[str, Any]:
    """A manifest as a reader finds it."""
    return dict(json.loads(manifest_to_bytes(MANIFEST)))


def same(clip: Clip) -> Clip:
    """The clip without what a manifest does not keep: how candidates of one source are ordered."""
    assert clip.score is not None
    return replace(clip, score=replace(clip.score, rank_value=0.0))
