"""A drawn caption as numbers ready to be laid over YUV 4:2:0 planes, and the laying over.

Values are bt709 in limited range, premultiplied by alpha and scaled to 256, so that a plane needs
one multiplication, one addition and one shift in 16 bits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]
Weights = NDArray[np.uint16]


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """The picture of one cue in one word state. All of x, y, width and height are even."""

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
    part = pixels[top:bottom, left:right].astype(np.float32)
    alpha_y, pre_y = _weights(part, (0.2126, 0.7152, 0.0722), 219 / 255, 16)
    half: NDArray[np.float32] = (
        part[0::2, 0::2] + part[1::2, 0::2] + part[0::2, 1::2] + part[1::2, 1::2]
    ) * np.float32(0.25)
    alpha_uv, pre_u = _weights(half, (-0.114572, -0.385428, 0.5), 224 / 255, 128)
    _, pre_v = _weights(half, (0.5, -0.454153, -0.045847), 224 / 255, 128)
    height, width = alpha_y.shape
    return Patch(x + left, y + top, width, height, alpha_y, pre_y, alpha_uv, pre_u, pre_v)


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


def _weights(
    pixels: NDArray[np.float32], row: tuple[float, float, float], gain: float, offset: int
) -> tuple[Weights, Weights]:
    """Alpha and premultiplied value of one plane, by one row of the colour matrix."""
    opacity = np.rint(pixels[..., 3] * np.float32(256 / 255))
    factors = np.array([*(share * gain for share in row), offset / 255], np.float32) * 256
    pre = pixels @ factors  # one multiplication for colour and offset together
    pre += 128
    np.minimum(pre, 255 * opacity + 255, out=pre)  # the sum with the picture fits 16 bits
    pre[opacity == 0] = 0
    return opacity.astype(np.uint16), np.maximum(pre, 0).astype(np.uint16)
