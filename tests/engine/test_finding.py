from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reelremix.engine.finding import clips_meant, clips_named
from reelremix.errors import ConfigError

PATH = Path("clips.json")
RANKS = {"c0ffee000001": 1, "c0ffee000002": 2}


def content(*statuses: str | None) -> dict[str, Any]:
    clips = [
        {"id": id, "rank": rank, "status": status}
        for (id, rank), status in zip(RANKS.items(), statuses, strict=True)
    ]
    return {"clips": clips}


def ids(statuses: tuple[str | None, str | None], *names: str) -> list[str]:
    return [entry["id"] for entry in clips_meant(content(*statuses), names, PATH)]


def test_a_rank_that_several_clips_have_is_not_enough() -> None:
    with pytest.raises(ConfigError, match="rank 1: c0ffee000001, c0ffee000002"):
        clips_named(["1"], {"c0ffee000001": 1, "c0ffee000002": 1}, PATH)


def test_clips_are_named_by_rank_or_id_and_each_counts_once() -> None:
    assert clips_named(["2", "c0ffee000001", "1"], RANKS, PATH) == ("c0ffee000002", "c0ffee000001")


def test_a_clip_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(ConfigError, match=r"has no clip '9'; it has: 1 \(c0ffee000001\), 2"):
        clips_named(["1", "9"], RANKS, PATH)
    with pytest.raises(ConfigError, match="it has: none"):
        clips_named(["1"], {}, PATH)


def test_without_names_all_but_the_dropped_are_meant() -> None:
    assert ids(("dropped", None)) == ["c0ffee000002"]
    assert ids(("dropped", "kept"), "1") == ["c0ffee000001"]


def test_a_manifest_that_does_not_say_has_dropped_nothing() -> None:
    assert len(clips_meant({"clips": [{"id": "c0ffee000001", "rank": 1}]}, [], PATH)) == 1
