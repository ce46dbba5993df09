"""Real pictures, where the terminal can draw them: by kitty's protocol or as sixels.

Whether it can is asked of the terminal itself, which has to happen before the session begins and
takes a tenth of a second where nobody answers. So only terminals are asked that are known to be
able to; all others get half blocks and pay nothing.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reelremix.errors import ConfigError, ModelError

if TYPE_CHECKING:
    from textual.widget import Widget

AUTO, KITTY, SIXEL, BLOCKS, OFF = CHOICES = "auto", "kitty", "sixel", "blocks", "off"
ABLE_TERMS = ("kitty", "ghostty", "foot", "mlterm", "wezterm", "contour", "sixel")
ABLE_PROGRAMS = {"WezTerm", "iTerm.app", "ghostty", "rio", "kitty"}
MULTIPLEXERS = ("TMUX", "STY")
"""What runs between us and the terminal would swallow pictures."""


def picture_widget(asked: str, environ: Mapping[str, str]) -> type[Widget] | None:
    """The widget that draws a picture here; None where half blocks do.

    Raises:
        ConfigError: there is no such way to draw.
        ModelError: one was asked for, and the package that draws so is not installed.
    """
    if asked not in CHOICES:
        raise ConfigError(f"pictures must be one of {', '.join(CHOICES)} (got {asked!r})")
    if asked in (BLOCKS, OFF) or (asked == AUTO and not seems_able(environ)):
        return None
    if importlib.util.find_spec("textual_image") is None:
        if asked == AUTO:
            return None
        raise ModelError(
            "textual-image is not installed, so no real pictures can be drawn",
            hint="`pip install 'reelremix[review]'` adds it; `pictures = \"blocks\"` needs nothing",
        )
    from textual_image import widget

    kinds: dict[str, Any] = {KITTY: widget.TGPImage, SIXEL: widget.SixelImage}
    if asked != AUTO:
        found: type[Widget] = kinds[asked]
        return found
    from textual_image import renderable

    drawn = {renderable.TGPImage: KITTY, renderable.SixelImage: SIXEL}.get(renderable.Image)
    return kinds[drawn] if drawn is not None else None


def seems_able(environ: Mapping[str, str]) -> bool:
    """Whether it is worth asking the terminal."""
    if any(name in environ for name in MULTIPLEXERS):
        return False
    term = environ.get("TERM", "").lower()
    by_name = any(name in term for name in ABLE_TERMS)
    by_program = environ.get("TERM_PROGRAM") in ABLE_PROGRAMS
    return by_name or by_program or "KITTY_WINDOW_ID" in environ
