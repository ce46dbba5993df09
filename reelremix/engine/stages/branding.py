"""What a clip shows besides its picture and its captions, and in which captions' style.

The preset of the captions brings its own title card, progress bar, logo, intro and outro; another
can be asked for, and they are shown without captions too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from reelremix.engine.captions.brand import kit_problems, located
from reelremix.engine.captions.overlay import title_box
from reelremix.engine.captions.preset import Preset, read_preset
from reelremix.engine.captions.style import CaptionStyle
from reelremix.engine.domain.brand import Asset, Brand
from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.context import ArtifactKey, RunContext
from reelremix.engine.domain.kept import first_of
from reelremix.engine.domain.occupied import Occupied
from reelremix.engine.domain.time import Timestamp
from reelremix.engine.domain.track import Box
from reelremix.engine.stages.artifact import key_for, load, save
from reelremix.engine.stages.bookends import measured
from reelremix.errors import ConfigError

NONE = "none"
VERSION = 1
"""Of what is noted about the place of a file."""


@dataclass(frozen=True, slots=True)
class _Place:
    path: str


@dataclass(frozen=True, slots=True)
class Dress:
    """How clips are dressed."""

    preset: str | None
    """Its name; None without captions."""
    style: CaptionStyle | None
    brand: Brand | None

    @property
    def draws(self) -> bool:
        """Whether anything is drawn over the picture."""
        return self.style is not None or (self.brand is not None and self.brand.draws)


def dress_of(
    captions: str | None,
    brand: str | None,
    folder: Path | None,
    *,
    emoji: bool | None = None,
    platform: str | None = None,
) -> Dress:
    """Read what is asked for.

    Args:
        captions: a preset's name or path; None for no captions.
        brand: a preset to take the rest from, `none`, or None for the captions' own.
        folder: the user's presets.
        emoji: whether captions show emoji; None leaves it to the preset.
        platform: whose interface to keep clear of; None leaves it to the preset.

    Raises:
        ConfigError: there is no such preset, or it is wrong.
    """
    worn = read_preset(captions, folder) if captions is not None else None
    style = worn.style if worn is not None else None
    if style is not None and emoji is not None:
        style = replace(style, emoji=emoji)
    if style is not None and platform is not None:
        style = replace(style, platform=platform)
    shown = _brand(worn, brand, folder)
    name = worn.name if worn is not None else None
    return Dress(name, style, None if shown.is_empty else measured(shown))


def _brand(worn: Preset | None, brand: str | None, folder: Path | None) -> Brand:
    """The kit that is shown, with every file that it or the captions need."""
    own = replace(worn.brand, preset=worn.name) if worn is not None else Brand("")
    if brand is None:
        return own
    other = Brand("")
    if brand != NONE:
        preset = read_preset(brand, folder)
        other = replace(preset.brand, preset=preset.name)
    font = worn.style.font if worn is not None else ""
    needed = tuple(asset for asset in own.assets if asset.path == font)
    return replace(other, assets=tuple(dict.fromkeys((*other.assets, *needed))))


def remember_kit(brand: Brand | None, ctx: RunContext) -> None:
    """Note where the files of a kit are: a manifest does not say."""
    for asset in brand.assets if brand is not None else ():
        save(ctx, _key(asset, ctx), _Place(asset.path))


def found_again(brand: Brand | None, manifest: Path, ctx: RunContext) -> Brand | None:
    """A manifest's kit with its files where they are now.

    They are looked for where they were, in the user's presets and beside the manifest. Raises
    ConfigError for one that is missing or has changed, and for a value that cannot be drawn.
    """
    if brand is None:
        return None
    for problem in kit_problems(brand):
        raise ConfigError(
            f"{manifest}: the brand kit of a clip cannot be used: {problem.text}",
            hint=problem.hint or "undo the last change to the manifest",
        )
    own = [ctx.presets_dir] if ctx.presets_dir is not None else []
    known = [_remembered(asset, ctx) for asset in brand.assets]
    return replace(brand, assets=located(known, [*own, manifest.parent]))


def _remembered(asset: Asset, ctx: RunContext) -> Asset:
    place = load(ctx, _key(asset, ctx), _Place)
    return asset if place is None else replace(asset, path=place.path)


def _key(asset: Asset, ctx: RunContext) -> ArtifactKey:
    return key_for(ctx, "kit", VERSION, sha256=asset.sha256)


def title_card_of(clip: Clip) -> tuple[Occupied, ...]:
    """The clip's title card as something that captions keep off; empty without one.

    It is shown on the film's clock: over every kept range that begins before it goes.
    """
    found = title_box(clip.brand, clip.title, clip.output)
    if found is None:
        return ()
    seconds, sides = found
    box = Box(*map(float, sides))
    shown = first_of(clip.ranges, Timestamp.from_seconds(seconds))
    return tuple(Occupied(span, box) for span in shown)
