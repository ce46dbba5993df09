"""Where captions may stand: what the interfaces of the platforms leave free, by shape of output.

The portrait margins are those of one platform, or the outermost of TikTok, Reels and Shorts; the
right one is mirrored on the left so that text stays in the middle of the picture. Other shapes are
shown smaller, with the interface around them: there the platforms do not differ.
"""

from __future__ import annotations

from dataclasses import dataclass

from reelremix.engine.domain.clip import OutputFormat


@dataclass(frozen=True, slots=True)
class _Margins:
    """Shares of the output's width (sides) and height (top, bottom)."""

    sides: float
    top: float
    bottom: float


_PORTRAIT = {
    "all": _Margins(0.10, 0.12, 0.20),
    "tiktok": _Margins(0.10, 0.07, 0.20),
    "reels": _Margins(0.09, 0.12, 0.18),
    "shorts": _Margins(0.10, 0.09, 0.17),
}
_FOUR_FIVE = _Margins(0.08, 0.08, 0.12)
_SQUARE = _Margins(0.06, 0.06, 0.08)
_LANDSCAPE = _Margins(0.10, 0.06, 0.08)


def safe_area(output: OutputFormat, platform: str = "all") -> tuple[int, int, int, int]:
    """x, y, width and height in output pixels, all even."""
    margins = _margins(output.width_px / output.height_px, platform)
    left, right = margins.sides * output.width_px, (1 - margins.sides) * output.width_px
    top, bottom = margins.top * output.height_px, (1 - margins.bottom) * output.height_px
    x, y = _up_to_even(left), _up_to_even(top)
    return x, y, int(right - x) // 2 * 2, int(bottom - y) // 2 * 2


def _margins(ratio: float, platform: str) -> _Margins:
    if ratio < 0.7:
        return _PORTRAIT[platform]
    if ratio < 0.9:
        return _FOUR_FIVE
    return _SQUARE if ratio < 1.2 else _LANDSCAPE


def _up_to_even(value: float) -> int:
    return -int(-value // 2) * 2
