"""Which settings count for the recordings in a watched folder.

The order is the one of the command line run in that folder: defaults < user file < the folder's
`.reelremix.toml` < environment < what the watch itself says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from reelremix.config import LoadedSettings, expanded, load_settings
from reelremix.engine.captions.naming import is_path as is_preset_path
from reelremix.engine.domain.watch import Watch
from reelremix.engine.models.registry import is_path as is_model_path

PATHS = ("out", "music", "censor_words")
"""Settings that name a place, which is looked for from the folder."""
NAMES: Mapping[str, Callable[[str], bool]] = {
    "captions": is_preset_path,
    "brand": is_preset_path,
    "model": is_model_path,
}
"""Settings that name one where their text is a path."""


def settings_of(watch: Watch, environ: Mapping[str, str] | None = None) -> LoadedSettings:
    """The settings of a watched folder, places in them made absolute.

    Raises:
        ConfigError: a file cannot be read, or what it or the watch says is wrong.
    """
    folder = Path(watch.folder)
    loaded = load_settings(environ, folder).with_flags(watch.options)
    places: dict[str, Any] = {
        name: str(folder / expanded(place, name))
        for name in PATHS
        if (place := getattr(loaded.settings, name))
    }
    for name, is_path in NAMES.items():
        if (place := getattr(loaded.settings, name)) and is_path(place):
            places[name] = str(folder / expanded(place, name))
    return LoadedSettings(replace(loaded.settings, **places), loaded.origins)
