"""Where a request names files: which of its fields may be a path, and which of them are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter

from reelremix.engine.captions.naming import is_path as is_preset_path
from reelremix.engine.domain.request import ClipRequest
from reelremix.engine.models.registry import is_path as is_model_path

PATHS = ("source", "out", "transcribe.transcript", "sound.music", "sound.censor_words")
"""Fields that are paths and nothing else."""
NAMES: Mapping[str, Callable[[str], bool]] = {
    "captions": is_preset_path,
    "brand": is_preset_path,
    "transcribe.model": is_model_path,
}
"""Names of what may be given by its path instead, and what tells the one from the other."""


def named_in(request: ClipRequest) -> dict[str, str | None]:
    """Every path and name in a request, by its field."""
    return {field: attrgetter(field)(request) for field in (*PATHS, *NAMES)}


def paths_of(request: ClipRequest) -> dict[str, str]:
    """Everything in a request that is a path, by its field; the source may be an address."""
    return {
        field: name
        for field, name in named_in(request).items()
        if name is not None and (field in PATHS or NAMES[field](name))
    }
