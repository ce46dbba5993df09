"""What a creator puts on every clip besides captions: title card, bar, logo, intro and outro."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reelremix.engine.domain.bookends import Bookend


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the user's that a render needs."""

    file: str
    """As the preset names it, relative to the preset; its name alone where that is elsewhere."""
    sha256: str
    path: str = ""
    """Where it is on this machine; never published. Empty until it is looked for."""


@dataclass(frozen=True, slots=True)
class Brand:
    """The resolved values of a preset's tables; what is None is not shown."""

    preset: str
    title: dict[str, Any] | None = None
    progress: dict[str, Any] | None = None
    logo: dict[str, Any] | None = None
    intro: Bookend | None = None
    outro: Bookend | None = None
    assets: tuple[Asset, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether it shows nothing and needs nothing."""
        return self == Brand(self.preset)

    @property
    def draws(self) -> bool:
        """Whether anything of it is laid over the clip's pictures."""
        return any(table is not None for table in (self.title, self.progress, self.logo))

    @property
    def files(self) -> tuple[str, ...]:
        """What its tables name: files, or for the title's font perhaps a family."""
        named = [(self.title or {}).get("font"), (self.logo or {}).get("file")]
        named += [end.file for end in (self.intro, self.outro) if end is not None]
        return tuple(name for name in named if name)

    def path_of(self, file: str) -> str:
        """Where one of its files is on this machine; empty where that is not known."""
        return next((asset.path for asset in self.assets if asset.file == file), "")
