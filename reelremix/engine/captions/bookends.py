"""A preset's tables `[intro]` and `[outro]`: what a film shows before and after its clip.

Read and checked here as far as that goes without opening a video; what the files hold is looked
into by whoever may, and handed in as a `Look`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reelremix.engine.captions.style import Problem
from reelremix.engine.domain.bookends import Bookend, Fit
from reelremix.errors import ConfigError

BOOKENDS = ("intro", "outro")
FITS = tuple(fit.value for fit in Fit)
LONGEST_S = 15.0
PICTURE_S = 3.0

Look = Callable[[str, Path, float | None], object]
"""Told `intro` or `outro`, the file and the seconds that are asked for; raises ConfigError for a
file that cannot be shown."""


@dataclass(frozen=True, slots=True)
class BookendTable:
    """The keys of both tables."""

    file: str = ""
    """A video of at most 15 seconds, or a PNG, JPEG or WebP, beside the preset."""
    seconds: float = PICTURE_S
    """How long a picture is shown; a video is shown to its end."""
    fit: str = Fit.FILL.value
    """`fill` cuts off what is too much at the sides; `fit` shows all of it on a blurred
    background."""


def with_tables(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with `intro = "FILE"` in `[brand]` as the table it stands for."""
    brand = values.get("brand")
    named = brand if isinstance(brand, dict) else {}
    tables = {
        name: {"file": named[name]}
        for name in BOOKENDS
        if isinstance(named.get(name), str) and name not in values
    }
    return {**values, **tables}


def bookend(values: Mapping[str, Any], name: str) -> Bookend | None:
    """The intro or outro of a preset whose values were checked; its length as far as it is said."""
    table = values.get(name)
    if table is None:
        return None
    fit = Fit(table.get("fit", Fit.FILL))
    return Bookend(table["file"], round(float(table.get("seconds", 0)), 6), fit)


def bookend_problems(
    values: Mapping[str, Any], path: Path | None, look: Look | None
) -> Iterator[Problem]:
    """Everything wrong with what a preset's values, spread by `with_tables`, say of both."""
    brand = values.get("brand")
    named = brand if isinstance(brand, dict) else {}
    for name in BOOKENDS:
        table = values.get(name)
        if name in named and not isinstance(named[name], str):
            yield Problem(f"brand.{name}", f"brand.{name} must be the name of a file")
        elif name in named and table != {"file": named[name]}:
            yield Problem(f"brand.{name}", f"the {name} is set twice, in [brand] and in [{name}]")
        if isinstance(table, dict):
            yield from _file_problems(name, table, path, look)


def _file_problems(
    name: str, table: Mapping[str, Any], path: Path | None, look: Look | None
) -> Iterator[Problem]:
    key, file, seconds = f"{name}.file", table.get("file"), table.get("seconds")
    if not isinstance(file, str) or not file or path is None:
        yield Problem(key, f"[{name}] needs file, a video or a picture beside the preset")
        return
    place = path.parent / file
    try:
        with place.open("rb") as content:
            is_empty = not content.read(1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        yield Problem(key, f"the {name} {place} cannot be read: {reason}")
        return
    if is_empty:
        yield Problem(key, f"the {name} {place} is empty")
    elif look is not None:
        try:
            look(name, place, float(seconds) if isinstance(seconds, int | float) else None)
        except ConfigError as error:
            yield Problem(key, error.message, error.hint)
