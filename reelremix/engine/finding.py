"""Which manifest is meant, by its place, its recording or the library; which of its clips are."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reelremix.config import expanded
from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.context import Catalogue
from reelremix.engine.domain.edit import Status
from reelremix.engine.export.clip_reading import clips_from_dict
from reelremix.engine.export.manifest import FILE_NAME
from reelremix.engine.output_folder import safe_stem
from reelremix.engine.store.sources import identify_file
from reelremix.errors import ConfigError

LISTED = 5
MOST_COMPARED = 10_000
"""Names that one which is not known is compared with, the latest."""
MAKE_CLIPS = "`reelremix clip {}` makes some"


def find_manifest(named: str, catalogue: Catalogue) -> Path:
    """The manifest that a path, a recording, or the name or id of a source stands for.

    Raises ConfigError where there is none, or more than one.
    """
    path = expanded(named, "SOURCE")
    if path.is_dir():
        return _in_folder(path)
    if path.suffix.lower() == ".json":
        return path  # whoever reads it says what is wrong with it
    if path.is_file():
        return _of_recording(path, catalogue)
    return _of_source(_source_named(named, catalogue), named, catalogue)


def clips_named(names: Sequence[str], ranks: Mapping[str, int], manifest: Path) -> tuple[str, ...]:
    """The ids of clips that are named by id or rank, in that order, each once.

    Args:
        names: of clips.
        ranks: of all the clips there are, by id.
        manifest: they are in.

    Raises:
        ConfigError: there is no such clip, or several have that rank.
    """
    found = []
    for name in names:
        meant = [id for id, rank in ranks.items() if name in (id, str(rank))]
        if len(meant) > 1:
            raise ConfigError(
                f"several clips of {manifest} have rank {name}: {', '.join(meant)}",
                hint="name one by its id",
            )
        if not meant:
            listed = ", ".join(f"{rank} ({id})" for id, rank in ranks.items()) or "none"
            raise ConfigError(f"{manifest} has no clip {name!r}; it has: {listed}")
        found += meant
    return tuple(dict.fromkeys(found))


def clips_meant(
    content: Mapping[str, Any], names: Sequence[str], manifest: Path
) -> tuple[Mapping[str, Any], ...]:
    """The entries of the clips that are named; without names, of all that were not dropped.

    Raises ConfigError where there is no such clip.
    """
    if not names:
        return tuple(entry for entry in content["clips"] if not is_dropped(entry))
    entries = {str(entry["id"]): entry for entry in content["clips"]}
    ranks = {id: entry["rank"] for id, entry in entries.items()}
    return tuple(entries[id] for id in clips_named(names, ranks, manifest))


def clips_wanted(
    content: Mapping[str, Any], names: Sequence[str], manifest: Path
) -> tuple[Clip, ...]:
    """The same, as clips. Raises ConfigError also where every one is dropped."""
    clips = {clip.id: clip for clip in clips_from_dict(content, manifest)}
    meant = clips_meant(content, names, manifest)
    if clips and not meant:
        raise ConfigError(f"every clip of {manifest} is dropped", hint="name one to render it")
    return tuple(clips[str(entry["id"])] for entry in meant)


def is_dropped(entry: Mapping[str, Any]) -> bool:
    """Whether somebody decided against a clip; older manifests do not say."""
    return bool(entry.get("status") == Status.DROPPED)


def _in_folder(folder: Path) -> Path:
    if (folder / FILE_NAME).is_file():
        return folder / FILE_NAME
    below = sorted(folder.glob(f"*/{FILE_NAME}"))
    if len(below) == 1:
        return below[0]
    if not below:
        raise ConfigError(f"{folder} holds no clips", hint=MAKE_CLIPS.format("RECORDING"))
    listed = ", ".join(str(path.parent) for path in below[:LISTED])
    raise ConfigError(f"{folder} holds clips of several recordings", hint=f"name one: {listed}")


def _of_recording(path: Path, catalogue: Catalogue) -> Path:
    """The clips of a recording that were written last anywhere, else those in the usual place."""
    source_id = catalogue.recall_file(identify_file(path))
    if source_id is not None:
        return _of_source(source_id, str(path), catalogue)
    usual = Path("clips", safe_stem(path.name), FILE_NAME)
    if usual.is_file():
        return usual
    raise ConfigError(f"no clips of {path} are known", hint=MAKE_CLIPS.format(path))


def _of_source(source_id: str, named: str, catalogue: Catalogue) -> Path:
    places = [Path(place.path) for place in catalogue.manifests(source_id)]
    found = next((place for place in places if place.is_file()), None)
    if found is not None:
        return found
    if places:
        raise ConfigError(
            f"the clips of {named} are no longer in {places[0].parent}",
            hint="name the folder they are in now, or make them anew with `reelremix clip`",
        )
    raise ConfigError(f"no clips of {named} are known", hint=MAKE_CLIPS.format(named))


def _source_named(named: str, catalogue: Catalogue) -> str:
    found = {row.id for row in catalogue.find_sources(named)}
    if len(found) == 1:
        return found.pop()
    if found:
        raise ConfigError(
            f"{named!r} stands for {len(found)} recordings",
            hint="`reelremix library list` shows their ids",
        )
    known = [row.name for row in catalogue.source_rows(limit=MOST_COMPARED)]
    near = difflib.get_close_matches(named, known, n=1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    raise ConfigError(
        f"there is no file and no recording in the library called {named!r}{meant}",
        hint="`reelremix library list` shows what is known",
    )
