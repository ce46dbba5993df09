"""Small indexes for the tests of this folder."""

from __future__ import annotations

import numpy as np

from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.window import Line, Meaning, Window, WindowIndex


def window(*terms: str, start_s: float = 0.0, vector: tuple[int, ...] | None = None) -> Window:
    """A window that says these terms, a line each."""
    lines = tuple(
        Line(f"{term}, yes.", TimeRange.from_seconds(start_s + n, start_s + n + 0.9), (term,))
        for n, term in enumerate(terms)
    )
    span = TimeRange(lines[0].range.start, lines[-1].range.end)
    packed = np.array(vector or (), np.int8).tobytes()
    meaning = None if vector is None else Meaning(packed, packed * len(lines))
    return Window(span, lines, meaning)


def indexed(
    source_id: str, *windows: Window, digest: str = "1", model: str | None = None
) -> WindowIndex:
    """An index of a source."""
    return WindowIndex(source_id, f"{source_id}/{digest}", model, windows)
