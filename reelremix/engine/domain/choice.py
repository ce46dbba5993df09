"""One of a few words, as somebody asks for it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeVar

Choice = TypeVar("Choice", bound=StrEnum)


def one_of(kind: type[Choice], value: Any, name: str) -> Choice:
    """The word of that kind. Raises ValueError with all there are."""
    try:
        return kind(value)
    except ValueError as exc:
        raise ValueError(f"{name} must be one of {', '.join(kind)} (got {value!r})") from exc


class LayoutChoice(StrEnum):
    """What a user may ask for."""

    AUTO = "auto"
    """By who speaks, how many there are, and what else is to be seen."""
    SINGLE = "single"
    """One person, always."""
    SPLIT = "split"
    """Everybody, each in a cell."""
    SCREEN = "screen"
    FIT = "fit"
    """The whole picture, always."""
    CENTER = "center"
    """The middle of the picture, whoever is there."""


class Zoom(StrEnum):
    """When the picture is cut to a tighter one of the same person."""

    OFF = "off"
    CUTS = "cuts"
    """Where something was cut out, so that the picture does not jump."""
    EMPHASIS = "emphasis"
    """There, and while a sentence is said that has a number, a name or a rare word in it."""


class GpuFull(StrEnum):
    """What the daemon does where no GPU has room for the model that is to listen."""

    WAIT = "wait"
    SMALLER = "smaller"
    """Listens with the largest installed model that there is room for; waits if there is none."""
    CPU = "cpu"
    """Listens on the CPU, with the same model."""


class Censor(StrEnum):
    """What becomes of words that are not to be heard."""

    OFF = "off"
    BLEEP = "bleep"
    MUTE = "mute"


class Tighten(StrEnum):
    """How much may go."""

    OFF = "off"
    LIGHT = "light"
    """Sounds like "um", and long silences."""
    STRONG = "strong"
    """Also set phrases, repeated words and short pauses."""
