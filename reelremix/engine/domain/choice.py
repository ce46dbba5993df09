"""One of a few words."""

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
