"""Presets: TOML files that hold a style and, if wanted, a brand kit, built in or the user's own.

A preset is found by name, first among the built-in ones, then in the user's folder, or given as the
path of a file. Everything wrong with a file is found at once, so that `preset check` tells it all.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from reelremix.engine.captions.bookends import BOOKENDS, Look, with_tables
from reelremix.engine.captions.brand import brand_problems, read_brand, with_names_resolved
from reelremix.engine.captions.naming import is_path
from reelremix.engine.captions.reference import commented_copy
from reelremix.engine.captions.style import (
    CaptionStyle,
    Problem,
    build_style,
    did_you_mean,
    style_problems,
)
from reelremix.engine.captions.typefaces import chain_for, is_font_file
from reelremix.engine.domain.brand import Brand
from reelremix.errors import ConfigError

DEFAULT_PRESET = "bold"
BUILT_IN, OWN = "built-in", "yours"
TABLES = ("brand", "title", "progress", "logo", *BOOKENDS)


@dataclass(frozen=True, slots=True)
class Preset:
    """A named look."""

    name: str
    description: str
    """One line; empty when the file has none."""
    style: CaptionStyle
    brand: Brand
    origin: str
    """`built-in` or `yours`."""


def preset_names(folder: Path | None = None) -> tuple[str, ...]:
    """The built-in presets and those in the user's folder, sorted."""
    built_in = {Path(p.name).stem for p in _built_in().iterdir() if p.name.endswith(".toml")}
    own = {path.stem for path in folder.glob("*.toml")} if folder is not None else set()
    return tuple(sorted(built_in | own))


def load_preset(name_or_path: str, folder: Path | None = None) -> CaptionStyle:
    """The style of a preset. Raises ConfigError as `read_preset` does."""
    return read_preset(name_or_path, folder).style


def read_preset(name_or_path: str, folder: Path | None = None) -> Preset:
    """Read a preset by name, or a TOML file by path.

    Args:
        name_or_path: a name, or anything with a slash or ending in `.toml`.
        folder: the user's presets.

    Raises:
        ConfigError: there is no such preset, or it holds an unknown key, a wrong value or a font
            logo, intro or outro that is not there.
    """
    text, file, path = _text_of(name_or_path, folder)
    values = _parsed(text, file)
    for problem in _problems(values, path):
        rest = "`reelremix preset check FILE` lists everything that is wrong"
        raise ConfigError(f"{file}: {problem.text}", hint=problem.hint or rest)
    return _preset(values, Path(file).stem, path)


@dataclass(frozen=True, slots=True)
class Listed:
    """A preset as a list tells of it."""

    name: str
    origin: str
    description: str
    problem: str | None = None
    """Why it cannot be used."""


def listed_presets(folder: Path | None) -> tuple[Listed, ...]:
    """Every preset, the built-in ones first; broken ones say why."""
    listed = [_listed(name, folder) for name in preset_names(folder)]
    return tuple(sorted(listed, key=lambda p: (p.origin != BUILT_IN, p.name)))


def _listed(name: str, folder: Path | None) -> Listed:
    try:
        preset = read_preset(name, folder)
    except ConfigError as error:
        return Listed(name, OWN, "", error.message)
    return Listed(name, preset.origin, preset.description)


def new_preset(name: str, base: str, folder: Path) -> Path:
    """Write a commented copy of a preset into the user's folder and return its path.

    Raises ConfigError when the name is taken or cannot be a file's, or the folder not be written.
    """
    if not re.fullmatch(r"[\w][\w -]{0,60}", name):
        raise ConfigError(f"a preset cannot be called {name!r}: letters, digits, - and _ only")
    path = folder / f"{name}.toml"
    if name in preset_names(folder):
        raise ConfigError(f"there is a preset named '{name}' already", hint="choose another name")
    text = commented_copy(preset_text(base, folder), base)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError(f"{path} cannot be written: {reason}") from error
    return path


def preset_text(name_or_path: str, folder: Path | None = None) -> str:
    """The preset's file as it is written. Raises ConfigError when there is none."""
    return _text_of(name_or_path, folder)[0]


def check_preset(path: Path, look: Look | None = None) -> list[str]:
    """Everything wrong with a preset's file, each with its line; empty when all is well.

    `look` tells what intro and outro hold; without it they only have to be there. Raises
    ConfigError when the preset cannot be read at all.
    """
    text = _read(path)
    try:
        values = _parsed(text, str(path))
    except ConfigError as error:
        return [error.message]
    return [
        f"{path}:{_line(text, p.key)}: {p.text}" + (f"; {p.hint}" if p.hint else "")
        for p in _problems(values, path, look)
    ]


def _preset(values: Mapping[str, Any], name: str, path: Path | None) -> Preset:
    resolved = with_names_resolved(with_tables(values))
    style = {k: v for k, v in resolved.items() if k not in (*TABLES, "description")}
    if path is not None and is_font_file(style.get("font")):
        style["font"] = str((path.parent / style["font"]).resolve())
    return Preset(
        name,
        str(values.get("description", "")),
        build_style(style, name),
        read_brand(resolved, path),
        BUILT_IN if path is None else OWN,
    )


def _problems(
    values: Mapping[str, Any], path: Path | None, look: Look | None = None
) -> list[Problem]:
    """Everything wrong with a file's values: keys, then values, then what they name."""
    resolved = with_names_resolved(with_tables(values))
    style = {k: v for k, v in resolved.items() if k not in (*TABLES, "description")}
    found = style_problems(style)
    known = (*(_known_keys()), *TABLES, "description")
    found = [
        Problem(p.key, f"unknown key '{p.key}'{did_you_mean(p.key, known)}")
        if p.key not in known
        else p
        for p in found
    ]
    if not isinstance(values.get("description", ""), str):
        found.append(Problem("description", "description must be text"))
    return [*found, *_font_problems(style.get("font"), path), *brand_problems(resolved, path, look)]


def _known_keys() -> tuple[str, ...]:
    return tuple(CaptionStyle.__dataclass_fields__)


def _font_problems(font: object, path: Path | None) -> list[Problem]:
    if not isinstance(font, str):
        return []
    try:
        chain_for(str(path.parent / font) if path is not None and is_font_file(font) else font)
    except ConfigError as error:
        return [Problem("font", error.message, error.hint)]
    return []


def _text_of(name_or_path: str, folder: Path | None) -> tuple[str, str, Path | None]:
    """A preset's text, how to call it, and its file unless it is built in."""
    if is_path(name_or_path):
        path = Path(name_or_path)
        return _read(path), str(path), path
    built_in = _built_in() / f"{name_or_path}.toml"
    if name_or_path in preset_names() and built_in.is_file():
        return built_in.read_text("utf-8"), f"{name_or_path}.toml", None
    if folder is not None and (own := folder / f"{name_or_path}.toml").is_file():
        return _read(own), str(own), own
    raise _no_preset(name_or_path, folder)


def _built_in() -> Traversable:
    return files("reelremix.engine.captions") / "presets"


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is not text in UTF-8"
        if isinstance(error, OSError):
            reason = (error.strerror or str(error)).lower()
        raise ConfigError(
            f"the preset {path} cannot be read: {reason}",
            hint="`reelremix preset list` shows the presets there are",
        ) from error


def _parsed(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file} is not valid TOML: {error}") from error
    except RecursionError as error:
        raise ConfigError(f"{file} is no preset: its values are nested too deeply") from error


def _line(text: str, key: str) -> int:
    """The line that sets a key, else that of its table, else one that sets its like; else 1."""
    table, _, name = key.rpartition(".")
    section, near = "", {table: 0, name: 0}
    for number, line in enumerate(text.splitlines(), start=1):
        bare = line.strip()
        heads = bare.startswith("[")
        found = bare.strip("[]") if heads else bare.partition("=")[0].strip().strip('"')
        if found == key or (found == name and section == table and not heads):
            return number
        section = found if heads else section
        if found in near and not near[found]:
            near[found] = number
    return near[table] or near[name] or 1


def _no_preset(name: str, folder: Path | None) -> ConfigError:
    names = preset_names(folder)
    return ConfigError(
        f"no preset named '{name}'{did_you_mean(name, names)}",
        hint=f"presets: {', '.join(names)}; or the path of a .toml file",
    )
