"""A clip twice as long takes about twice the work: an hour is a clip too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from reelremix.engine.domain.caption import Captions, Cue
from reelremix.engine.domain.choice import Tighten
from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.kept import hull_of
from reelremix.engine.domain.layout import (
    Keyframe,
    Layout,
    LayoutKind,
    LayoutPiece,
    Region,
    Speaking,
)
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Box, Sighting, Track
from reelremix.engine.domain.transcript import Word
from reelremix.engine.stages.place import place_captions
from reelremix.engine.stages.quiet import STEP_S, Loudness
from reelremix.engine.stages.selfcheck import measure
from reelremix.engine.stages.stills import best_still
from reelremix.engine.stages.tighten import Stretch, tighten
from tests.engine.examples import CLIP
from tests.engine.stages.test_tighten import on_frame
from tests.fakes import PORTRAIT

PIECE_S = 4


def span(number: int, length_s: int = PIECE_S) -> TimeRange:
    return TimeRange.from_seconds(number * PIECE_S, number * PIECE_S + length_s)


def long_clip(pieces: int) -> tuple[Clip, list[Track]]:
    """Somebody speaks in every piece and is seen once a second; a track lasts ten pieces."""
    camera = Keyframe(Timestamp(0), Box(0, 0, 1080, 1920))
    shown = tuple(
        LayoutPiece(span(n), LayoutKind.SINGLE, (Region((0, 0, 1080, 1920), (camera,), n // 10),))
        for n in range(pieces)
    )
    speaking = tuple(Speaking(span(n), n // 10, None, 0.9) for n in range(pieces))
    cues = tuple(Cue(span(n), ((0,),), (108, 1200, 864, 200)) for n in range(pieces))
    tracks = [
        Track(n, 0, tuple(
            Sighting(Timestamp.from_seconds(s), Box(400, 1150, 200, 200), 0.9, 1.0)
            for s in range(n * 10 * PIECE_S, (n + 1) * 10 * PIECE_S)
        ))
        for n in range(pieces // 10)
    ]  # fmt: skip
    whole = hull_of([piece.range for piece in shown])
    clip = replace(
        CLIP, ranges=(whole,), layout=Layout(shown, speaking), captions=Captions("bold", {}, cues)
    )
    return replace(clip, output=PORTRAIT), tracks


def placed(clip: Clip, tracks: list[Track]) -> object:
    assert clip.captions is not None
    return place_captions(clip.captions, clip.layout, tracks, clip.output)


def tightened(clip: Clip, _: list[Track]) -> object:
    """As many words as there are pieces, each loud for a second and after a second of silence."""
    count, a_second = len(clip.layout.pieces), round(1 / STEP_S)
    words = tuple(Word("word", TimeRange.from_seconds(2 * n + 1, 2 * n + 2)) for n in range(count))
    levels = np.tile(np.repeat([-60.0, -20.0], a_second), count).astype(np.float32)
    stretch = Stretch(TimeRange.from_seconds(0, 2 * count), words, Loudness(0.0, levels))
    return tighten(stretch, Tighten.STRONG, on_frame)


@pytest.mark.parametrize("work", [placed, measure, best_still, tightened])
def test_a_clip_twice_as_long_takes_no_more_than_about_twice_the_work(
    monkeypatch: pytest.MonkeyPatch, work: Callable[[Clip, list[Track]], object]
) -> None:
    steps = 0

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*given: Any) -> Any:
            nonlocal steps
            steps += 1
            return function(*given)

        return counting

    clips = [long_clip(pieces) for pieces in (100, 200)]
    seconds = vars(Timestamp)["seconds"].fget
    monkeypatch.setattr(Timestamp, "seconds", property(counted(seconds)))
    monkeypatch.setattr(Timestamp, "_compared", counted(Timestamp._compared))
    work(*clips[0])
    short, steps = steps, 0
    work(*clips[1])
    assert short and steps < 2.7 * short
