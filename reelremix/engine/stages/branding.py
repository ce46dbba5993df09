"""What a clip shows besides its picture and its captions, and in which captions' style.

The preset of the captions brings its own title card, progress bar, logo, intro and outro; another
can be asked for, and they are shown without captions too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reelremix.engine.captions.brand import kit_problems, located
from reelremix.engine.captions.overlay import title_box
from reelremix.engine.captions.preset import Preset, read_preset
from reelremix.engine.captions.style import PLATFORMS, CaptionStyle
from reelremix.engine.domain.brand import Brand
from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.occupied import Occupied
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Box
from reelremix.engine.stages.bookends import measured
from reelremix.errors import ConfigError

NONE = "none"


@dataclass(frozen=True, slots=True)
class Dress:
    """How clips are dressed."""

    preset: str | None
    """As asked for; None without captions."""
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
    shown = _brand(worn, captions, brand, folder)
    return Dress(captions, style, None if shown.is_empty else measured(shown))


def _brand(
    worn: Preset | None, captions: str | None, brand: str | None, folder: Path | None
) -> Brand:
    """The kit that is shown, with every file that it or the captions need."""
    own = replace(worn.brand, preset=captions or "") if worn is not None else Brand("")
    if brand is None:
        return own
    other = Brand("")
    if brand != NONE:
        other = replace(read_preset(brand, folder).brand, preset=brand)
    font = worn.style.font if worn is not None else ""
    needed = tuple(asset for asset in own.assets if asset.path == font)
    return replace(other, assets=tuple(dict.fromkeys((*other.assets, *needed))))


def found_again(
    brand: Brand | None, preset: str | None, folder: Path | None, manifest: Path
) -> Brand | None:
    """A manifest's kit with its files where they are now.

    They are looked for beside the preset, in the user's presets and beside the manifest. Raises
    ConfigError for one that is missing or has changed, and for a value that cannot be drawn.
    """
    if brand is None:
        return None
    for problem in kit_problems(brand):
        raise ConfigError(
            f"{manifest}: the brand kit of a clip cannot be used: {problem.text}",
            hint=problem.hint or "undo the last change to the manifest",
        )
    named = [Path(p).parent for p in (preset, brand.preset) if p and p.endswith(".toml")]
    places: Sequence[Path] = [*named, *([folder] if folder is not None else []), manifest.parent]
    return replace(brand, assets=located(brand.assets, places))


def check_platform(platform: str | None) -> None:
    """Raise ConfigError for a platform that is not known."""
    if platform is not None and platform not in PLATFORMS:
        raise ConfigError(f"--platform must be one of {', '.join(PLATFORMS)} (got {platform!r})")


def title_card_of(clip: Clip) -> tuple[Occupied, ...]:
    """The clip's title card as something that captions keep off; empty without one."""
    found = title_box(clip.brand, clip.title, clip.output)
    if found is None or not clip.ranges:
        return ()
    seconds, box = found
    first = clip.ranges[0]
    until = min(first.end, first.start + Timestamp.from_seconds(seconds))
    return (Occupied(TimeRange(first.start, until), Box(*(float(side) for side in box))),)
