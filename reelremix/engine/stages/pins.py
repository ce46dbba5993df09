"""Who is to be shown because a person said so, shot by shot."""

from __future__ import annotations

from collections.abc import Sequence

from reelremix.engine.domain.layout import Pin, Speaking
from reelremix.engine.domain.shot import Shot
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Track

SURE = 1.0


def pinned(
    shots: Sequence[Shot], tracks: Sequence[Track], pins: Sequence[Pin]
) -> tuple[Speaking, ...]:
    """For each pin and each shot in which its person is seen, as whom to treat the speaker.

    A pin whose face is not found, because the look is another one, counts for nothing.
    """
    found = []
    for pin in pins:
        meant = _meant(tracks, pin)
        if meant is None:
            continue
        for index, shot in enumerate(shots):
            span = _shared(shot.range, pin.range)
            seen = _in_shot(tracks, index, meant)
            if span is not None and seen is not None:
                found.append(Speaking(span, seen.id, seen.speaker, SURE))
    return tuple(found)


def _meant(tracks: Sequence[Track], pin: Pin) -> Track | None:
    """Whose face is nearest to the point at that moment, if any face is there."""
    present = [t for t in tracks if t.range.start <= pin.at <= t.range.end]
    return min(present, key=lambda track: _distance(track, pin), default=None)


def _distance(track: Track, pin: Pin) -> float:
    nearest = min(track.sightings, key=lambda s: abs((s.at - pin.at).exact))
    x, y = nearest.box.center
    return (x - pin.x) ** 2 + (y - pin.y) ** 2


def _in_shot(tracks: Sequence[Track], shot: int, meant: Track) -> Track | None:
    """The person in a shot: its own track, or the longest of the same person."""
    own = [t for t in tracks if t.shot == shot and t.person == meant.person]
    return meant if meant in own else max(own, key=lambda t: len(t.sightings), default=None)


def _shared(a: TimeRange, b: TimeRange) -> TimeRange | None:
    start: Timestamp = max(a.start, b.start)
    end: Timestamp = min(a.end, b.end)
    return TimeRange(start, end) if start < end else None
