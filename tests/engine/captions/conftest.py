"""Speech with known times, for tests of captions."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Word

Speech = Callable[..., tuple[Word, ...]]


@pytest.fixture
def speech() -> Speech:
    """Words of a text, each `each_s` long with `gap_s` between them, from one second on."""

    def spoken(text: str, each_s: float = 0.3, gap_s: float = 0.05) -> tuple[Word, ...]:
        words = []
        for index, part in enumerate(text.split()):
            start = 1.0 + index * (each_s + gap_s)
            words.append(Word(part, TimeRange.from_seconds(start, start + each_s)))
        return tuple(words)

    return spoken
