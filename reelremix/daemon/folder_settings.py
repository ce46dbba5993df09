"""Which settings count for the recordings in a watched folder.

The order is the one of the command line run in that folder: defaults < user file < the folder's
`.reelremix.toml` < environment < what the watch itself says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from reelremix.config import LoadedSettings, expanded, load_settings
from reelremix.engine.domain.watch import Watch

PATHS = ("out", "music", "censor_words")
"""Settings that name a place, which is looked for from the folder."""


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
    return LoadedSettings(replace(loaded.settings, **places), loaded.origins)
