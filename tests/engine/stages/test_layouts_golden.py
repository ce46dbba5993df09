"""Whole layouts of made-up shots, kept as JSON that a person can read.

To accept a change: `python -m tests.engine.stages.test_layouts_golden`, then read the difference.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reelremix.engine.domain.choice import LayoutChoice
from reelremix.engine.domain.layout import Layout
from reelremix.engine.domain.shot import Shot
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import TALK_RATE_HZ, Box, Sighting, Talk, Track
from reelremix.engine.domain.transcript import Word
from reelremix.engine.seeing import framed
from reelremix.engine.stages.look import FACE_RATE_HZ, Look
from tests.fakes import LANDSCAPE_720, PORTRAIT

GOLDEN = Path(__file__).parents[2] / "golden" / "layouts.json"
NEAR_PX, NEAR_S = 4.0, 0.05


def person(
    number: int,
    x: float,
    y: float,
    height: float,
    odds: list[tuple[float, float]],
    drift: float = 0,
) -> Track:
    """Someone whose mouth says so much, for so many seconds each."""
    length_s = sum(seconds for seconds, _ in odds)
    sightings = tuple(
        Sighting(
            Timestamp.from_seconds(n / FACE_RATE_HZ),
            Box(x + drift * n / FACE_RATE_HZ, y, 0.8 * height, height),
            0.9,
        )
        for n in range(round(length_s * FACE_RATE_HZ))
    )
    values = tuple(value for seconds, value in odds for _ in range(round(seconds * TALK_RATE_HZ)))
    talk = (Talk(Timestamp(0), values),) if any(values) else ()
    return Track(number, 0, sightings, person=number, talk=talk)


def words(until_s: float) -> list[Word]:
    return [
        Word("word", TimeRange.from_seconds(n * 0.4, n * 0.4 + 0.36))
        for n in range(int(until_s / 0.4))
    ]


def look(*tracks: Track, panes: tuple[Box, ...] = (), screen: Box | None = None) -> Look:
    end = max((t.range.end_s for t in tracks), default=10.0) + 1 / FACE_RATE_HZ
    span = TimeRange.from_seconds(0, round(end, 3))
    return Look(span, (replace(Shot(span), panes=panes, screen=screen),), tracks)


HALVES = (Box(0, 0, 640, 720), Box(640, 0, 640, 720))
QUARTERS = tuple(Box(x, y, 640, 360) for y in (0, 360) for x in (0, 640))
SCENES = {
    "one who sits still": look(person(0, 600, 200, 180, [(10, 0)])),
    "one who walks across": look(person(0, 200, 200, 180, [(10, 0)], drift=70)),
    "two who take turns": look(
        person(0, 180, 250, 200, [(4, 3), (4, -3), (4, 3)]),
        person(1, 900, 250, 200, [(4, -3), (4, 3), (4, -3)]),
        panes=HALVES,
    ),
    "two who interrupt each other": look(
        person(0, 180, 250, 200, [(1, 3), (1, -3)] * 5),
        person(1, 900, 250, 200, [(1, -3), (1, 3)] * 5),
        panes=HALVES,
    ),
    "a call of four": look(
        *(person(n, 220 + 640 * (n % 2), 60 + 360 * (n // 2), 200, [(10, 3 if n == 2 else -3)])
          for n in range(4)),
        panes=QUARTERS,
    ),
    "a slide with its speaker": look(
        person(0, 1020, 520, 120, [(10, 0)]),
        panes=(Box(930, 440, 320, 256),), screen=Box(0, 0, 1280, 720),
    ),
    "nobody": look(),
}  # fmt: skip


def decided(seen: Look) -> list[dict[str, Any]]:
    shown: Layout = framed(
        seen, seen.range, words(seen.range.end_s), LANDSCAPE_720, PORTRAIT, LayoutChoice.AUTO
    ).layout
    return [
        {
            "start_s": piece.range.start_s,
            "end_s": piece.range.end_s,
            "kind": piece.kind.value,
            "regions": [
                {
                    "track": region.track,
                    "output": list(region.output),
                    "path": [
                        [k.at.seconds, *(round(v, 1) for v in (k.box.x, k.box.y, k.box.width,
                                                               k.box.height))]
                        for k in region.path
                    ],
                }
                for region in piece.regions
            ],
        }
        for piece in shown.pieces
    ]  # fmt: skip


@pytest.mark.parametrize("name", SCENES)
def test_layouts_are_those_that_were_agreed_on(name: str) -> None:
    found = decided(SCENES[name])
    assert_alike(found, json.loads(GOLDEN.read_text("utf-8"))[name])


def assert_alike(found: list[dict[str, Any]], agreed: list[dict[str, Any]]) -> None:
    assert [p["kind"] for p in found] == [p["kind"] for p in agreed]
    for piece, other in zip(found, agreed, strict=True):
        assert piece["start_s"] == pytest.approx(other["start_s"], abs=NEAR_S)
        assert piece["end_s"] == pytest.approx(other["end_s"], abs=NEAR_S)
        for region, before in zip(piece["regions"], other["regions"], strict=True):
            assert (region["track"], region["output"]) == (before["track"], before["output"])
            for keyframe, then in zip(region["path"], before["path"], strict=True):
                assert keyframe == pytest.approx(then, abs=NEAR_PX)


if __name__ == "__main__":
    agreed = {name: decided(seen) for name, seen in SCENES.items()}
    GOLDEN.write_text(json.dumps(agreed, indent=1) + "\n", "utf-8")
