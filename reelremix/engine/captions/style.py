"""How captions look: a style's values, and the TOML presets they are read from.

Lengths are shares of the letter size (em) so that a style fits every output; nothing here draws.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from difflib import get_close_matches
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from reelremix.engine.domain.clip import OutputFormat
from reelremix.errors import ConfigError

DEFAULT_PRESET = "bold"
CASES = ("as-is", "upper")
ANIMATIONS = ("none", "highlight", "karaoke", "pill", "pop")

Colour = tuple[int, int, int, int]
"""Red, green, blue, alpha, 0 to 255."""

_COLOURS = ("fill", "highlight", "outline", "shadow", "box", "pill")
_BOUNDS: dict[str, tuple[float, float]] = {
    "size": (0.01, 0.2),
    "line_height": (0.8, 2.5),
    "word_gap": (0.0, 1.0),
    "outline_width": (0.0, 0.5),
    "shadow_blur": (0.0, 1.0),
    "shadow_drop": (0.0, 1.0),
    "padding": (0.0, 1.0),
    "radius": (0.0, 2.0),
    "pop_scale": (1.0, 1.5),
    "max_lines": (1, 2),
    "max_chars": (4, 80),
    "position": (0.0, 1.0),
}
_CHOICES: dict[str, tuple[str, ...]] = {"case": CASES, "animation": ANIMATIONS}


@dataclass(frozen=True, slots=True)
class CaptionStyle:
    """The look of captions. Colours are `#RRGGBB` or `#RRGGBBAA`; empty draws nothing."""

    font: str = "Montserrat ExtraBold"
    """Family name of a bundled or an installed font; other scripts fall back by themselves."""
    size: float = 0.05
    """Letter size as a share of the output height; other shapes than 9:16 get larger letters."""
    line_height: float = 1.22
    """Distance between baselines; tall scripts push it apart where they need to."""
    word_gap: float = 0.0
    """Added to the font's own space between words."""
    case: str = "as-is"
    """`as-is` or `upper`."""
    fill: str = "#FFFFFF"
    highlight: str = "#FFD60A"
    """Letters of the word being spoken."""
    outline: str = "#101014"
    outline_width: float = 0.07
    """How far the outline reaches out of the letters."""
    shadow: str = "#000000A6"
    shadow_blur: float = 0.08
    shadow_drop: float = 0.05
    """How far down the shadow falls."""
    box: str = ""
    """Behind the whole line."""
    pill: str = ""
    """Behind the word being spoken, with animation `pill`."""
    padding: float = 0.2
    """Between the letters and the edge of box or pill."""
    radius: float = 0.25
    """Corners of box and pill."""
    max_lines: int = 2
    max_chars: int = 24
    """Characters a line, spaces included; the width of the safe area may allow fewer."""
    position: float = 0.86
    """Middle of the text between the top (0) and the bottom (1) of the safe area."""
    animation: str = "highlight"
    """`none`, `highlight` (the spoken word), `karaoke` (all words so far), `pill`, or `pop`."""
    pop_scale: float = 1.12
    """Size of the spoken word with animation `pop`."""

    def em_px(self, output: OutputFormat) -> float:
        """Letter size in output pixels."""
        width, height = output.width_px, output.height_px
        return self.size * (1.2 * height if width > height else max(height, 1.4 * width))

    def displayed(self, text: str) -> str:
        """The text as it is drawn."""
        return text.upper() if self.case == "upper" else text


def rgba(colour: str) -> Colour | None:
    """The colour's parts; None for the empty colour."""
    if not colour:
        return None
    parts = bytes.fromhex(colour.removeprefix("#"))
    return parts[0], parts[1], parts[2], parts[3] if len(parts) == 4 else 255


def preset_names() -> tuple[str, ...]:
    """The built-in presets, sorted."""
    return tuple(sorted(Path(p.name).stem for p in _folder().iterdir() if p.name.endswith(".toml")))


def load_preset(name_or_path: str) -> CaptionStyle:
    """Read a built-in preset by name, or a TOML file by path.

    Raises ConfigError when there is no such preset, or when the file holds an unknown key or value.
    """
    if name_or_path.endswith(".toml") or "/" in name_or_path or "\\" in name_or_path:
        return _read_file(Path(name_or_path))
    if name_or_path not in preset_names():
        raise _no_preset(name_or_path)
    text = (_folder() / f"{name_or_path}.toml").read_text("utf-8")
    return _parse(text, f"{name_or_path}.toml")


def to_dict(style: CaptionStyle) -> dict[str, Any]:
    """The resolved values, ready for the manifest."""
    return asdict(style)


def from_dict(values: Mapping[str, Any]) -> CaptionStyle:
    """A style from a manifest's values, unknown keys ignored; raises ConfigError for wrong ones."""
    known = {f.name: values[f.name] for f in fields(CaptionStyle) if f.name in values}
    return _build(known, "captions.style")


def _folder() -> Traversable:
    return files("reelremix.engine.captions") / "presets"


def _read_file(path: Path) -> CaptionStyle:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"cannot read the caption preset {path}: {error}",
            hint=f"built-in presets: {', '.join(preset_names())}",
        ) from error
    return _parse(text, str(path))


def _parse(text: str, file: str) -> CaptionStyle:
    try:
        return _build(tomllib.loads(text), file)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file} is not valid TOML: {error}") from error


def _build(values: Mapping[str, Any], file: str) -> CaptionStyle:
    for key, value in values.items():
        _check(key, value, file)
    return CaptionStyle(**values)


def _check(key: str, value: object, file: str) -> None:
    """Raise ConfigError unless `key` exists and may hold `value`."""
    defaults = {f.name: f.default for f in fields(CaptionStyle) if f.default is not MISSING}
    if key not in defaults:
        raise ConfigError(f"{file}: unknown key '{key}'{_did_you_mean(key, tuple(defaults))}")
    if key in _BOUNDS:
        _check_number(key, value, file, whole=isinstance(defaults[key], int))
    elif not isinstance(value, str):
        raise ConfigError(f"{file}: {key} must be text (got {value!r})")
    elif key in _CHOICES and value not in _CHOICES[key]:
        guess = _did_you_mean(value, _CHOICES[key])
        raise ConfigError(
            f"{file}: {key} cannot be '{value}'{guess}", hint=f"one of {', '.join(_CHOICES[key])}"
        )
    elif key in _COLOURS and not _is_colour(value):
        raise ConfigError(f"{file}: {key} must be a colour such as #FFD60A (got '{value}')")


def _check_number(key: str, value: object, file: str, *, whole: bool) -> None:
    low, high = _BOUNDS[key]
    is_number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    if not is_number or not low <= float(str(value)) <= high:
        kind = "a whole number" if whole else "a number"
        raise ConfigError(f"{file}: {key} must be {kind} from {low} to {high} (got {value!r})")


def _is_colour(value: str) -> bool:
    digits = value.removeprefix("#")
    is_hex = all(c in "0123456789abcdefABCDEF" for c in digits)
    return value == "" or (value.startswith("#") and len(digits) in (6, 8) and is_hex)


def _no_preset(name: str) -> ConfigError:
    names = preset_names()
    return ConfigError(
        f"no preset named '{name}'{_did_you_mean(name, names)}",
        hint=f"presets: {', '.join(names)}; or the path of a .toml file",
    )


def _did_you_mean(word: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(word, known, n=1, cutoff=0.5)
    return f"; did you mean '{close[0]}'?" if close else ""
