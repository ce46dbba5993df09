from __future__ import annotations

import pytest

from reelremix.engine.export.clock import clock, span


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (425, "7:05"), (59.6, "1:00"),
                                                (3723, "1:02:03")])  # fmt: skip
def test_clocks_are_read_at_a_glance(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


def test_a_stretch_is_told_by_its_ends() -> None:
    assert span(425, 461.2) == "7:05-7:41"
