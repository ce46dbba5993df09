"""The user's own music: known by its content, found again where a manifest is rendered.

A manifest names it by file name and SHA-256, never by its folder; where it was is remembered here,
on this machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from reelremix.config import expanded
from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.context import ArtifactKey, RunContext
from reelremix.engine.domain.mix import Music
from reelremix.engine.domain.request import SoundOptions
from reelremix.engine.stages.artifact import key_for, load, save
from reelremix.engine.stages.mixing import require_music
from reelremix.engine.store.files import file_sha256
from reelremix.errors import ConfigError

VERSION = 1


@dataclass(frozen=True, slots=True)
class _Place:
    path: str


def music_of(options: SoundOptions) -> tuple[Music, Path] | None:
    """The music that is asked for, and where it is.

    Raises:
        UnreadableMedia: it cannot be read or holds no sound.
    """
    if options.music is None:
        return None
    path = expanded(options.music, "--music")
    require_music(path)
    return Music(path.name, file_sha256(path), options.music_level_db), path


def remember(music: Music, path: Path, ctx: RunContext) -> None:
    """Note where a piece of music is."""
    save(ctx, _key(music, ctx), _Place(str(path.resolve())))


def find_music(
    clips: Iterable[Clip], given: str | None, beside: Path, ctx: RunContext
) -> Mapping[str, Path]:
    """Where the music of clips is, by its SHA-256.

    Looks at the `given` path, else where it was, else in the manifest's folder and the one above.

    Raises:
        ConfigError: it is nowhere, or not the same any more.
    """
    wanted = {clip.mix.music.sha256: clip.mix.music for clip in clips if clip.mix.music}
    return {digest: _found(music, given, beside, ctx) for digest, music in wanted.items()}


def _found(music: Music, given: str | None, beside: Path, ctx: RunContext) -> Path:
    places = [expanded(given, "--music")] if given is not None else []
    if given is None:
        place = load(ctx, _key(music, ctx), _Place)
        places = [Path(place.path)] if place is not None else []
        places += [beside / music.name, beside.parent / music.name, Path(music.name)]
    there = [path for path in places if path.is_file()]
    for path in there:
        if file_sha256(path) == music.sha256:
            return path
    if there:
        what = f"{there[0]} is not the music {music.name} that the clip was made with"
    else:
        what = f"the music {music.name} that the clip was made with is not to be found"
    raise ConfigError(what, hint="name its place with `--music FILE`")


def _key(music: Music, ctx: RunContext) -> ArtifactKey:
    return key_for(ctx, "music", VERSION, sha256=music.sha256)
