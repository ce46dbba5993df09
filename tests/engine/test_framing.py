"""Framing that looks at itself: two people, of whom the one on the left is the one who speaks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reelremix.engine import framing
from reelremix.engine.domain.choice import LayoutChoice
from reelremix.engine.domain.clip import Clip, Shown
from reelremix.engine.domain.layout import Framing, LayoutKind
from reelremix.engine.domain.shot import Shot
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Box, Sighting, Talk, Track
from reelremix.engine.framing import frame_clip
from reelremix.engine.stages.look import Look
from tests.fakes import LANDSCAPE_720, clip_of, presented
from tests.media_factory import Film, write_media

SPAN = TimeRange.from_seconds(0, 10)
AUTO, SINGLE, SPLIT, FIT = (LayoutChoice(name) for name in ("auto", "single", "split", "fit"))


def face(number: int, *lefts: float, odds: float = 0.0) -> Track:
    """Somebody who is at these places in turn."""
    sightings = tuple(
        Sighting(Timestamp.from_seconds(n / 6), Box(lefts[n % len(lefts)], 200, 120, 120), 0.9)
        for n in range(60)
    )
    return Track(number, 0, sightings, person=number, talk=(Talk(SPAN.start, (odds,) * 250),))


def seen(*tracks: Track) -> Look:
    return Look(SPAN, (Shot(SPAN),), tracks)


TWO = seen(face(0, 200, odds=4.0), face(1, 900, odds=-4.0))


@pytest.fixture
def clip(tmp_path: Path) -> Clip:
    presentation = presented(write_media(tmp_path / "a.mp4", Film(5)))
    return replace(clip_of(presentation, 0, 0.2), ranges=(SPAN,))


def showing(monkeypatch: pytest.MonkeyPatch, **shares: float) -> None:
    """How much of the speaker each kind of layout shows; all of it unless said."""

    def measured(clip: Clip, _: object) -> Shown:
        return Shown(shares.get(clip.layout.pieces[0].kind.value, 1.0))

    monkeypatch.setattr(framing, "measure", measured)


def test_a_face_that_no_crop_can_hold_is_shown_with_the_whole_picture(clip: Clip) -> None:
    made, _ = frame_clip(clip, seen(face(0, 100, 1060)), LANDSCAPE_720)
    assert {piece.kind for piece in made.layout.pieces} == {LayoutKind.FIT}
    repaired = made.framing.repaired or ""
    assert repaired.startswith("shows its speaker only") and repaired.endswith(": fit instead")


def test_what_shows_enough_is_left_as_it_is(clip: Clip) -> None:
    made, tracks = frame_clip(clip, TWO, LANDSCAPE_720)
    assert made.layout.pieces[0].kind is LayoutKind.SINGLE
    assert made.framing == Framing(AUTO, AUTO) and [t.id for t in tracks] == [0, 1]


def test_a_repaired_clip_is_still_wanted_as_it_was(
    clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    showing(monkeypatch, single=0.5)
    made, _ = frame_clip(clip, TWO, LANDSCAPE_720)
    assert (made.framing.wanted, made.framing.made) == (AUTO, AUTO)


@pytest.mark.parametrize(
    ("shares", "kind", "told"),
    [
        ({"single": 0.5}, LayoutKind.SPLIT, ": split instead"),
        ({"single": 0.5, "split": 0.6}, LayoutKind.FIT, ": fit instead"),
        ({"single": 0.5, "split": 0.6, "fit": 0.7}, LayoutKind.SINGLE, None),
    ],
)
def test_everybody_is_tried_before_the_whole_picture(
    clip: Clip,
    monkeypatch: pytest.MonkeyPatch,
    shares: dict[str, float],
    kind: LayoutKind,
    told: str | None,
) -> None:
    showing(monkeypatch, **shares)
    made, _ = frame_clip(clip, TWO, LANDSCAPE_720)
    assert made.layout.pieces[0].kind is kind
    why = "shows its speaker only 50% of the time"
    assert made.framing.repaired == (told and why + told)


def test_what_the_user_chose_is_not_repaired(clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    showing(monkeypatch, single=0.5)
    asked = replace(clip, framing=Framing(SINGLE, AUTO))
    made, _ = frame_clip(asked, TWO, LANDSCAPE_720)
    assert made.layout.pieces[0].kind is LayoutKind.SINGLE
    assert made.framing == Framing(SINGLE, SINGLE)
