"""How captions look: a style's values and what they may be. Presets are read in `preset`.

Lengths are shares of the letter size (em) so that a style fits every output; nothing here draws.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from difflib import get_close_matches
from typing import Any

from reelremix.engine.domain.caption import letter_size
from reelremix.engine.domain.clip import OutputFormat
from reelremix.engine.domain.spacing import visible
from reelremix.errors import ConfigError

CASES = ("as-is", "upper")
ANIMATIONS = ("none", "highlight", "karaoke", "pill", "pop", "typewriter")
ENTRANCES = ("none", "fade", "rise")
PLATFORMS = ("all", "tiktok", "reels", "shorts")

Colour = tuple[int, int, int, int]
"""Red, green, blue, alpha, 0 to 255."""

_COLOURS = ("fill", "highlight", "keywords", "outline", "shadow", "box", "pill")
_COLOUR_LISTS = ("speakers",)
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
    "max_words": (1, 20),
    "position": (0.0, 1.0),
}
_CHOICES: dict[str, tuple[str, ...]] = {
    "case": CASES,
    "animation": ANIMATIONS,
    "entrance": ENTRANCES,
    "platform": PLATFORMS,
}


def check_platform(platform: str | None) -> None:
    """Raise ConfigError for a platform that is not known."""
    if platform is not None and platform not in PLATFORMS:
        raise ConfigError(f"--platform must be one of {', '.join(PLATFORMS)} (got {platform!r})")


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
    """Letters."""
    highlight: str = "#FFD60A"
    """Letters of the word being spoken."""
    keywords: str = ""
    """Letters of the words worth stress: numbers, names and rare words; empty stresses none."""
    speakers: tuple[str, ...] = ()
    """Letters of each voice in the order they are first heard, where more than one speaks."""
    outline: str = "#101014"
    """Edge of the letters."""
    outline_width: float = 0.07
    """How far the outline reaches out of the letters."""
    shadow: str = "#000000A6"
    """Soft shadow of the letters, or their glow."""
    shadow_blur: float = 0.08
    """How far the shadow spreads."""
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
    """Lines a cue."""
    max_chars: int = 24
    """Characters a line, spaces included; the width of the safe area may allow fewer."""
    max_words: int = 20
    """Words a cue, where speech is slow enough to read so few."""
    position: float = 0.86
    """Middle of the text between the top (0) and the bottom (1) of the safe area."""
    animation: str = "highlight"
    """`none`, `highlight` (the spoken word takes colour), `karaoke` (a wipe through the words),
    `pill` (a box glides from word to word), `pop` (the spoken word grows) or `typewriter`."""
    pop_scale: float = 1.12
    """Size of the spoken word with animation `pop`."""
    entrance: str = "none"
    """How a cue comes: `none`, `fade` or `rise`."""
    emoji: bool = False
    """Whether a fitting emoji stands above some cues; speech in English alone has one."""
    platform: str = "all"
    """Whose interface is kept clear: `tiktok`, `reels`, `shorts`, or `all` of them."""

    def em_px(self, output: OutputFormat) -> float:
        """Letter size in output pixels."""
        return letter_size(self.size, output.width_px, output.height_px)

    def displayed(self, text: str) -> str:
        """The text as it is drawn: without what would steer the line, and never endless."""
        return _capitals(visible(text)) if self.case == "upper" else visible(text)


def _capitals(text: str) -> str:
    """Capitals, in Greek without the accents that small letters have."""
    if not any("\u0370" <= c <= "\u03ff" for c in text):
        return text.upper()
    parts = unicodedata.normalize("NFD", text.upper())
    return unicodedata.normalize("NFC", parts.replace("\u0301", ""))


def rgba(colour: str) -> Colour | None:
    """The colour's parts; None for the empty colour."""
    if not colour:
        return None
    parts = bytes.fromhex(colour.removeprefix("#"))
    return parts[0], parts[1], parts[2], parts[3] if len(parts) == 4 else 255


def to_dict(style: CaptionStyle) -> dict[str, Any]:
    """The resolved values, ready for the manifest."""
    return asdict(style) | {"speakers": list(style.speakers)}


def from_dict(values: Mapping[str, Any]) -> CaptionStyle:
    """A style from a manifest's values, unknown keys ignored; raises ConfigError for wrong ones."""
    known = {f.name: values[f.name] for f in fields(CaptionStyle) if f.name in values}
    return build_style(known, "captions.style")


def bounds_of(key: str) -> str:
    """What a key may be, as a reader is told; empty where its kind says enough."""
    if key in _CHOICES:
        return ", ".join(_CHOICES[key])
    if key in _BOUNDS:
        low, high = _BOUNDS[key]
        return f"{low:g} to {high:g}"
    return ""


def build_style(values: Mapping[str, Any], file: str) -> CaptionStyle:
    """A style from checked values. Raises ConfigError naming the first thing that is wrong."""
    for problem in style_problems(values):
        raise ConfigError(f"{file}: {problem.text}", hint=problem.hint)
    checked: dict[str, Any] = {k: tuple(v) if k in _COLOUR_LISTS else v for k, v in values.items()}
    return CaptionStyle(**checked)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a preset."""

    key: str
    text: str
    hint: str | None = None


def style_problems(
    values: Mapping[str, object], known: Collection[str] | None = None
) -> list[Problem]:
    """Everything wrong with the values of a style; `known` are the keys that may be there."""
    allowed = tuple(_defaults()) if known is None else tuple(known)
    found: list[Problem] = []
    for key, value in values.items():
        if key not in allowed:
            found.append(Problem(key, f"unknown key '{key}'{did_you_mean(key, allowed)}"))
        elif problem := _problem(key, value):
            found.append(problem)
    return found


def _defaults() -> dict[str, object]:
    return {f.name: f.default for f in fields(CaptionStyle) if f.default is not MISSING}


def _problem(key: str, value: object) -> Problem | None:
    """What is wrong with a known key's value."""
    default = _defaults()[key]
    if isinstance(default, bool):
        wrong = not isinstance(value, bool)
        return Problem(key, f"{key} must be true or false (got {value!r})") if wrong else None
    if key in _BOUNDS:
        return number_problem(key, value, _BOUNDS[key], whole=isinstance(default, int))
    if key in _COLOUR_LISTS:
        return _list_problem(key, value)
    if not isinstance(value, str):
        return Problem(key, f"{key} must be text (got {value!r})")
    if key in _CHOICES:
        return choice_problem(key, value, _CHOICES[key])
    return colour_problem(key, value) if key in _COLOURS else None


def choice_problem(key: str, value: str, choices: tuple[str, ...]) -> Problem | None:
    """What is wrong with a word that must be one of a few."""
    if value in choices:
        return None
    guess = did_you_mean(value, choices)
    return Problem(key, f"{key} cannot be '{value}'{guess}", f"one of {', '.join(choices)}")


def colour_problem(key: str, value: object) -> Problem | None:
    """What is wrong with a colour."""
    if isinstance(value, str) and _is_colour(value):
        return None
    return Problem(key, f"{key} must be a colour such as #FFD60A (got '{value}')")


def _list_problem(key: str, value: object) -> Problem | None:
    if not isinstance(value, list | tuple):
        return Problem(key, f"{key} must be a list of colours (got {value!r})")
    problems = (colour_problem(key, colour or "none") for colour in value)
    return next((problem for problem in problems if problem), None)


def number_problem(
    key: str, value: object, bounds: tuple[float, float], *, whole: bool = False
) -> Problem | None:
    """What is wrong with a number."""
    low, high = bounds
    is_number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    if is_number and low <= float(str(value)) <= high:
        return None
    kind = "a whole number" if whole else "a number"
    return Problem(key, f"{key} must be {kind} from {low} to {high} (got {value!r})")


def _is_colour(value: str) -> bool:
    digits = value.removeprefix("#")
    is_hex = all(c in "0123456789abcdefABCDEF" for c in digits)
    return value == "" or (value.startswith("#") and len(digits) in (6, 8) and is_hex)


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """A guess at what a mistyped word meant, ready to follow a sentence; empty without one."""
    close = get_close_matches(word, known, n=1, cutoff=0.5)
    return f"; did you mean '{close[0]}'?" if close else ""
