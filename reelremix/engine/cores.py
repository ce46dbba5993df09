"""How the cores of this machine are shared."""

from __future__ import annotations

import psutil


def side_by_side() -> tuple[int, int]:
    """How many processes work on recordings best side by side, and the cores they share."""
    cores = psutil.cpu_count(logical=False) or 1
    return (cores if cores <= 2 else max(2, cores // 2)), cores
