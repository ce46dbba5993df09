"""A preset's brand kit: named colours and fonts, title card, progress bar, logo, intro and outro.

Reading and checking the tables; they are drawn in `overlay`, `bookends` has intro and outro.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from reelremix.engine.captions.bookends import (
    BOOKENDS,
    FITS,
    LONGEST_S,
    BookendTable,
    Look,
    bookend,
    bookend_problems,
)
from reelremix.engine.captions.style import (
    CaptionStyle,
    Problem,
    build_style,
    choice_problem,
    colour_problem,
    did_you_mean,
    number_problem,
    style_problems,
)
from reelremix.engine.captions.typefaces import chain_for, is_font_file
from reelremix.engine.domain.brand import Asset, Brand
from reelremix.errors import ConfigError

CORNERS = ("top-left", "top-right", "bottom-left", "bottom-right")
PLACES = ("top", "bottom")
LARGEST_LOGO_BYTES = 32_000_000
LARGEST_LOGO_PX = 8192
TITLE_KEYS = (
    "font", "size", "line_height", "case", "fill", "outline", "outline_width", "shadow",
    "shadow_blur", "shadow_drop", "box", "padding", "radius", "max_chars", "position", "entrance",
)  # fmt: skip
"""Keys of a style that a title card takes."""


def _title_style() -> CaptionStyle:
    return CaptionStyle(
        size=0.038, max_chars=24, position=0.06, animation="none", entrance="rise", max_lines=2
    )


@dataclass(frozen=True, slots=True)
class TitleCard:
    """The clip's title over its first seconds."""

    seconds: float = 2.5
    """How long it is shown."""
    on_thumbnail: bool = False
    """Whether the thumbnail bears it too."""
    style: CaptionStyle = field(default_factory=_title_style)


@dataclass(frozen=True, slots=True)
class ProgressBar:
    """A bar that grows as the clip goes on."""

    colour: str = "#FFD60A"
    """The part that has passed."""
    back: str = "#FFFFFF40"
    """The part still to come; empty draws nothing."""
    height: float = 0.006
    """Share of the output height."""
    place: str = "bottom"
    """`top` or `bottom`."""


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture in a corner."""

    file: str = ""
    """PNG, JPEG or WebP beside the preset."""
    corner: str = "top-right"
    """Where it stands."""
    size: float = 0.14
    """Width as a share of the output width."""
    opacity: float = 0.9
    """1 hides what is behind it."""
    margin: float = 0.04
    """Distance from the edges as a share of the output width."""


_BOUNDS = {
    "title.seconds": (0.5, 60.0),
    "progress.height": (0.001, 0.1),
    "logo.size": (0.02, 1.0),
    "logo.opacity": (0.05, 1.0),
    "logo.margin": (0.0, 0.5),
    **{f"{name}.seconds": (0.1, LONGEST_S) for name in BOOKENDS},
}
_CHOICES = {
    "progress.place": PLACES,
    "logo.corner": CORNERS,
    **{f"{name}.fit": FITS for name in BOOKENDS},
}
_COLOURS = ("progress.colour", "progress.back")
_SWITCHES = ("title.on_thumbnail",)
_TABLE_KEYS = {
    "title": ("seconds", "on_thumbnail", *TITLE_KEYS),
    "progress": tuple(f.name for f in fields(ProgressBar)),
    "logo": tuple(f.name for f in fields(Logo)),
    **{name: tuple(f.name for f in fields(BookendTable)) for name in BOOKENDS},
    "brand": ("colours", "fonts", *BOOKENDS),
}


def allowed_in_table(key: str) -> str:
    """What a table's key may be, as a reader is told; empty where its kind says enough."""
    if key in _CHOICES:
        return ", ".join(_CHOICES[key])
    if key in _BOUNDS:
        return "{:g} to {:g}".format(*_BOUNDS[key])
    return ""


def title_card(values: Mapping[str, Any]) -> TitleCard:
    """A title card from a table or a manifest. Raises ConfigError."""
    known = {k: v for k, v in values.items() if k in TITLE_KEYS}
    seconds = float(values.get("seconds", TitleCard().seconds))
    checked = build_style(known, "title")
    style = replace(_title_style(), **{k: getattr(checked, k) for k in known})
    return TitleCard(seconds, values.get("on_thumbnail") is True, style)


def progress_bar(values: Mapping[str, Any]) -> ProgressBar:
    """A progress bar from a table or a manifest."""
    return ProgressBar(**{k: v for k, v in values.items() if k in _TABLE_KEYS["progress"]})


def logo(values: Mapping[str, Any]) -> Logo:
    """A logo from a table or a manifest."""
    return Logo(**{k: v for k, v in values.items() if k in _TABLE_KEYS["logo"]})


def with_names_resolved(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with `$name` replaced by what `[brand]` gives that name; unknown ones stay."""
    brand = values.get("brand")
    named: dict[str, Any] = {}
    for table in ("colours", "fonts"):
        entries = brand.get(table) if isinstance(brand, dict) else None
        named |= entries if isinstance(entries, dict) else {}
    return {key: _resolved(value, named) for key, value in values.items() if key != "brand"} | (
        {"brand": brand} if brand is not None else {}
    )


def _resolved(value: Any, named: Mapping[str, Any]) -> Any:
    if isinstance(value, str) and value.startswith("$"):
        return named.get(value[1:], value)
    if isinstance(value, list):
        return [_resolved(part, named) for part in value]
    if isinstance(value, dict):
        return {key: _resolved(part, named) for key, part in value.items()}
    return value


def read_brand(values: Mapping[str, Any], path: Path | None) -> Brand:
    """The brand kit of a preset whose values were checked; its files are digested."""
    fonts = values.get("font"), _part(values, "title", "font")
    files = [str(font) for font in fonts if is_font_file(font)]
    if "logo" in values:
        files.append(values["logo"]["file"])
    intro, outro = (bookend(values, name) for name in BOOKENDS)
    files += [end.file for end in (intro, outro) if end is not None]
    assets = _assets(files, path) if path is not None else ()
    intro, outro = (end and replace(end, file=_published(end.file)) for end in (intro, outro))
    tables = {
        name: {key: _published(value) for key, value in values[name].items()}
        for name in ("title", "progress", "logo")
        if name in values
    }
    preset = path.stem if path is not None else ""
    return Brand(preset, assets=assets, intro=intro, outro=outro, **tables)


def _published(value: Any) -> Any:
    """A file as manifests name it: never by its place on this machine; other values as they are."""
    is_place = isinstance(value, str) and Path(value).is_absolute()
    return Path(value).name if is_place else value


def _assets(files: Iterable[str], preset: Path) -> tuple[Asset, ...]:
    """Every file once. Raises ConfigError where two could not be told apart by their names."""
    assets = tuple(dict.fromkeys(_asset(file, preset) for file in files))
    names = [asset.file for asset in assets]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{preset}: two different files are called {name}",
                              hint="give one of them another name")  # fmt: skip
    return assets


def _asset(file: str, preset: Path) -> Asset:
    place = (preset.parent / file).resolve()
    return Asset(_published(file), _digest(place), str(place))


def _digest(place: Path) -> str:
    with place.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def located(assets: Iterable[Asset], folders: Sequence[Path]) -> tuple[Asset, ...]:
    """The assets with where they are now.

    Raises ConfigError for one that is missing or is no longer the file that was used.
    """
    return tuple(_located(asset, folders) for asset in assets)


def _located(asset: Asset, folders: Sequence[Path]) -> Asset:
    places = [Path(asset.path)] if asset.path else []
    places += [folder / asset.file for folder in folders]
    found = [place for place in places if place.is_file()]
    for place in found:
        if _digest(place) == asset.sha256:
            return replace(asset, path=str(place.resolve()))
    if found:
        raise ConfigError(
            f"{found[0]} is not the file the clips were made with: its content has changed",
            hint="put the old file back, or name the preset again with `--brand` or `--captions`",
        )
    looked = ", ".join(str(folder) for folder in folders)
    raise ConfigError(
        f"the file {asset.file} that the clips need is not to be found",
        hint=f"put it into one of: {looked}; or name the preset again with `--brand`",
    )


def with_own_font(style: CaptionStyle, assets: Iterable[Asset]) -> CaptionStyle:
    """The style with a font file replaced by the one of that name among the assets.

    These were checked, whatever place a manifest names. Raises ConfigError without one.
    """
    if not is_font_file(style.font):
        return style
    places = {Path(asset.file).name: asset.path for asset in assets}
    place = places.get(Path(style.font).name)
    if not place:
        raise ConfigError(
            f"the font file {style.font} that the captions need is not to be found",
            hint="name the preset again with `--captions`",
        )
    return replace(style, font=place)


def brand_problems(
    values: Mapping[str, Any], path: Path | None, look: Look | None = None
) -> list[Problem]:
    """Everything wrong with the tables of a preset; `look` tells what intro and outro hold."""
    found: list[Problem] = []
    for name, known in _TABLE_KEYS.items():
        table = values.get(name)
        if table is None:
            continue
        if not isinstance(table, dict):
            found.append(Problem(name, f"{name} must be a table, [{name}]"))
            continue
        found += _unknown(name, table, known)
        found += _wrong_values(name, {k: v for k, v in table.items() if k in known})
    if isinstance(values.get("brand"), dict):
        found += _named_problems(values["brand"])
    if isinstance(values.get("logo"), dict):
        found += _logo_problems(values["logo"], path)
    found += bookend_problems(values, path, look)
    return [*found, *_title_font_problems(values, path)]


def kit_problems(brand: Brand) -> list[Problem]:
    """Everything wrong with the tables of a kit from a manifest, whose unknown keys are ignored."""
    found: list[Problem] = []
    for name, table in (("title", brand.title), ("progress", brand.progress), ("logo", brand.logo)):
        known = {k: v for k, v in (table or {}).items() if k in _TABLE_KEYS[name]}
        found += _wrong_values(name, known)
    file = brand.logo.get("file") if brand.logo is not None else None
    if brand.logo is not None and file not in [asset.file for asset in brand.assets]:
        found.append(Problem("logo.file", f"the logo {file!r} is not among the kit's files"))
    return found


def _unknown(name: str, table: Mapping[str, Any], known: Sequence[str]) -> list[Problem]:
    return [
        Problem(f"{name}.{key}", f"unknown key '{key}' in [{name}]{did_you_mean(key, known)}")
        for key in table
        if key not in known
    ]


def _wrong_values(name: str, table: Mapping[str, Any]) -> list[Problem]:
    found: list[Problem | None] = []
    for key, value in table.items():
        whole = f"{name}.{key}"
        if whole in _BOUNDS:
            found.append(number_problem(whole, value, _BOUNDS[whole]))
        elif whole in _CHOICES:
            found.append(choice_problem(whole, str(value), _CHOICES[whole]))
        elif whole in _COLOURS:
            found.append(colour_problem(whole, value))
        elif whole in _SWITCHES:
            is_switch = isinstance(value, bool)
            text = f"{whole} must be true or false (got {value!r})"
            found.append(None if is_switch else Problem(whole, text))
        elif name == "title":
            wrong = style_problems({key: value}, TITLE_KEYS)
            found += [replace(p, key=whole, text=f"in [title], {p.text}") for p in wrong]
    return [problem for problem in found if problem is not None]


def _named_problems(brand: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with the names a brand gives to colours and fonts."""
    found: list[Problem | None] = []
    for table in ("colours", "fonts"):
        entries = brand.get(table, {})
        if not isinstance(entries, dict):
            found.append(Problem(f"brand.{table}", f"brand.{table} must be a table"))
        elif table == "colours":
            found += [colour_problem(f"brand.colours.{k}", v or "none") for k, v in entries.items()]
        else:
            found += [
                Problem(f"brand.fonts.{k}", f"brand.fonts.{k} must name a font or its file")
                for k, v in entries.items()
                if not isinstance(v, str)
            ]
    return [problem for problem in found if problem is not None]


def _logo_problems(table: Mapping[str, Any], path: Path | None) -> list[Problem]:
    file = table.get("file")
    if not isinstance(file, str) or not file or path is None:
        return [Problem("logo.file", "[logo] needs file, a picture beside the preset")]
    place = path.parent / file
    try:
        size = place.stat().st_size
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        return [Problem("logo.file", f"the logo {place} cannot be read: {reason}")]
    if size > LARGEST_LOGO_BYTES:
        return [Problem("logo.file", f"the logo {place} is larger than 32 MB")]
    return _picture_problems(place)


def _picture_problems(place: Path) -> list[Problem]:
    from reelremix.engine.captions.skia_canvas import picture_size

    size = picture_size(place)
    if size is None:
        return [Problem("logo.file", f"the logo {place} is not a picture (PNG, JPEG or WebP)")]
    if max(size) > LARGEST_LOGO_PX:
        shown = f"{size[0]}x{size[1]}"
        return [
            Problem("logo.file", f"the logo {place} is {shown}; at most {LARGEST_LOGO_PX} a side")
        ]
    return []


def _title_font_problems(values: Mapping[str, Any], path: Path | None) -> list[Problem]:
    font = _part(values, "title", "font")
    if not isinstance(font, str):
        return []
    try:
        chain_for(str(path.parent / font) if path is not None and is_font_file(font) else font)
    except ConfigError as error:
        return [Problem("title.font", error.message, error.hint)]
    return []


def _part(values: Mapping[str, Any], table: str, key: str) -> Any:
    entries = values.get(table)
    return entries.get(key) if isinstance(entries, dict) else None
