"""A drawn caption as numbers ready to be laid over YUV 4:2:0 planes, and the laying over.

Values are bt709 in limited range, premultiplied by alpha and scaled to 256, so that a plane needs
one multiplication, one addition and one shift in 16 bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]
Weights = NDArray[np.uint16]
Area = tuple[int, int, int, int]
"""Left, top, right and bottom, all even."""


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """A picture to lay over another. All of x, y, width and height are even."""

    x: int
    y: int
    width: int
    height: int
    alpha_y: Weights
    """0 to 256."""
    pre_y: Weights
    """256 times the premultiplied value, rounding included."""
    alpha_uv: Weights
    pre_u: Weights
    pre_v: Weights


def patch_from_rgba(pixels: Plane, x: int, y: int) -> Patch | None:
    """The painted part of premultiplied RGBA at an even output position; None if nothing is."""
    area = _painted(pixels[..., 3])
    if area is None:
        return None
    top, bottom, left, right = area
    return whole_patch(pixels[top:bottom, left:right], x + left, y + top)


def whole_patch(pixels: Plane, x: int, y: int) -> Patch:
    """All of premultiplied RGBA, of even size, at an even output position."""
    height, width = pixels.shape[:2]
    luma, chroma = _converted(pixels)
    return Patch(x, y, width, height, *luma, *chroma)


def redrawn(patch: Patch, pixels: Plane, areas: Sequence[Area]) -> Patch:
    """The patch with rectangles of its pixels drawn anew; the old one stays as it is."""
    alpha_y, pre_y, alpha_uv, pre_u, pre_v = (
        plane.copy()
        for plane in (patch.alpha_y, patch.pre_y, patch.alpha_uv, patch.pre_u, patch.pre_v)
    )
    for left, top, right, bottom in areas:
        luma, chroma = _converted(pixels[top:bottom, left:right])
        for plane, part in zip((alpha_y, pre_y), luma, strict=True):
            plane[top:bottom, left:right] = part
        for plane, part in zip((alpha_uv, pre_u, pre_v), chroma, strict=True):
            plane[top // 2 : bottom // 2, left // 2 : right // 2] = part
    return replace(patch, alpha_y=alpha_y, pre_y=pre_y, alpha_uv=alpha_uv, pre_u=pre_u, pre_v=pre_v)


def shown_as(patch: Patch, opacity: float, lower_px: int) -> Patch:
    """The patch less opaque and further down, by an even number of pixels."""
    share = np.uint32(round(opacity * 256))
    faded = {
        name: ((getattr(patch, name) * share) >> 8).astype(np.uint16)
        for name in ("alpha_y", "pre_y", "alpha_uv", "pre_u", "pre_v")
    }
    return replace(patch, y=patch.y + lower_px, **faded)


def cut_to(patch: Patch, width: int, height: int) -> Patch | None:
    """The part of the patch inside a picture of this size; None when nothing is."""
    left, top = max(0, -patch.x), max(0, -patch.y)
    right = min(patch.width, width - patch.x) // 2 * 2
    bottom = min(patch.height, height - patch.y) // 2 * 2
    if right <= left or bottom <= top:
        return None
    if (left, top, right, bottom) == (0, 0, patch.width, patch.height):
        return patch
    whole, half = (
        np.s_[top:bottom, left:right],
        np.s_[top // 2 : bottom // 2, left // 2 : right // 2],
    )
    return Patch(
        patch.x + left, patch.y + top, right - left, bottom - top,
        patch.alpha_y[whole], patch.pre_y[whole],
        patch.alpha_uv[half], patch.pre_u[half], patch.pre_v[half],
    )  # fmt: skip


def blend(y: Plane, u: Plane, v: Plane, patch: Patch) -> None:
    """Lay the patch over the planes of a picture, in place; nothing outside it is touched."""
    rows, columns = slice(patch.y, patch.y + patch.height), slice(patch.x, patch.x + patch.width)
    _over(y[rows, columns], patch.alpha_y, patch.pre_y)
    half_rows = slice(patch.y // 2, (patch.y + patch.height) // 2)
    half_columns = slice(patch.x // 2, (patch.x + patch.width) // 2)
    _over(u[half_rows, half_columns], patch.alpha_uv, patch.pre_u)
    _over(v[half_rows, half_columns], patch.alpha_uv, patch.pre_v)


def _over(plane: Plane, alpha: Weights, pre: Weights) -> None:
    """`plane * (256 - alpha) + pre >> 8`; the sum stays below 2^16."""
    mixed = np.subtract(256, alpha, dtype=np.uint16)
    np.multiply(mixed, plane, out=mixed)
    np.add(mixed, pre, out=mixed)
    np.right_shift(mixed, 8, out=mixed)
    plane[...] = mixed


def _painted(alpha: Plane) -> tuple[int, int, int, int] | None:
    """Top, bottom, left and right of what is not transparent, widened to even numbers."""
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    if not rows.size:
        return None
    top, left = int(rows[0]) // 2 * 2, int(columns[0]) // 2 * 2
    return top, (int(rows[-1]) + 2) // 2 * 2, left, (int(columns[-1]) + 2) // 2 * 2


def _converted(pixels: Plane) -> tuple[tuple[Weights, Weights], tuple[Weights, Weights, Weights]]:
    """Alpha and premultiplied values of the luma plane and of the two chroma planes.

    No colour of premultiplied pixels exceeds its alpha, so that the sum with any picture fits 16
    bits without being limited.
    """
    part = pixels.astype(np.float32)
    pairs = part[0::2] + part[1::2]
    half: NDArray[np.float32] = (pairs[:, 0::2] + pairs[:, 1::2]) * np.float32(0.25)
    luma = _alpha(pixels[..., 3]), _rounded(part @ _LUMA)
    blue, red = _rounded(half @ _CHROMA_U), _rounded(half @ _CHROMA_V)
    return luma, (_alpha(np.rint(half[..., 3])), blue, red)


def _alpha(opacity: NDArray[Any]) -> Weights:
    """0 to 255 as 0 to 256."""
    alpha = opacity.astype(np.uint16)
    alpha += alpha >> 7
    return alpha


def _rounded(pre: NDArray[np.float32]) -> Weights:
    pre += 128
    return pre.astype(np.uint16)


def _row(row: tuple[float, float, float], gain: float, offset: int) -> NDArray[np.float32]:
    """One row of the colour matrix, with its offset as what alpha brings."""
    return np.array([*(share * gain for share in row), offset / 255], np.float32) * 256


_LUMA = _row((0.2126, 0.7152, 0.0722), 219 / 255, 16)
_CHROMA_U = _row((-0.114572, -0.385428, 0.5), 224 / 255, 128)
_CHROMA_V = _row((0.5, -0.454153, -0.045847), 224 / 255, 128)
