"""What is done to the sound of a clip, apart from how loud it ends up."""

from __future__ import annotations

from dataclasses import dataclass

from reelremix.engine.domain.choice import Censor
from reelremix.engine.domain.time import TimeRange


@dataclass(frozen=True, slots=True)
class Censored:
    """A stretch of the source whose sound is covered or taken away."""

    range: TimeRange
    mode: Censor


@dataclass(frozen=True, slots=True)
class Music:
    """A piece of the user's own that plays under the speech."""

    name: str
    """Its file's name, without folders."""
    sha256: str
    level_db: float
    """How loud it is where nobody speaks, against the speech."""


@dataclass(frozen=True, slots=True)
class Fades:
    """How long the sound takes to rise and to fall at the ends of a clip."""

    in_s: float = 0.0
    out_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Mix:
    """The sound of a clip. The defaults leave it as it is."""

    denoise: bool = False
    voice_level: bool = False
    """Whether quiet and loud voices are brought closer together."""
    music: Music | None = None
    fades: Fades = Fades()
