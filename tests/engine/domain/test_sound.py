from __future__ import annotations

from reelremix.engine import codec
from reelremix.engine.domain.sound import STEP, SoundTrack
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.transcript import SoundEvent


def track_of(steps: int, *events: SoundEvent) -> SoundTrack:
    """A track that says the same all along."""
    return SoundTrack(
        Timestamp.from_seconds(steps * STEP),
        events,
        (-23.5,) * steps,
        (181.25, None) * (steps // 2),
        (0.48,) * steps,
        (0.12,) * steps,
    )


def test_events_are_given_by_kind_in_order() -> None:
    first, music, second = (
        SoundEvent(kind, TimeRange.from_seconds(at, at + 1), 0.7)
        for kind, at in (("laughter", 1), ("music", 2), ("laughter", 5))
    )
    assert track_of(20, first, music, second).events_of("laughter") == (first, second)


def test_a_track_survives_being_stored() -> None:
    track = track_of(8, SoundEvent("laughter", TimeRange.from_seconds(0.5, 1.25), 0.81))
    assert codec.from_bytes(codec.to_bytes(track), SoundTrack) == track


def test_twelve_hours_take_two_megabytes() -> None:
    assert len(codec.to_bytes(track_of(12 * 3600 * 2))) < 2.2e6
