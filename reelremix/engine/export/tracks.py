"""Who is seen, as a manifest lists it, and the numbers by which clips name them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.time import Timestamp
from reelremix.engine.domain.track import Box, Sighting, Track
from reelremix.errors import ConfigError


def track_to_dict(track: Track) -> dict[str, Any]:
    """One entry of `tracks`."""
    boxes = [
        [s.at.seconds, *(round(v, 1) for v in (s.box.x, s.box.y, s.box.width, s.box.height))]
        for s in track.sightings
    ]
    return {"id": track.id, "speaker": track.speaker, "boxes": boxes}


def tracks_from_dict(content: Mapping[str, Any], path: Path) -> tuple[Track, ...]:
    """The tracks of a loaded manifest; which shot each belongs to is not kept there."""
    try:
        return tuple(_read_track(entry) for entry in content.get("tracks", ()))
    except (LookupError, TypeError, ValueError, ArithmeticError) as exc:
        raise ConfigError(f"{path}: a track cannot be used: {exc}") from exc


def _read_track(entry: Mapping[str, Any]) -> Track:
    sightings = tuple(
        Sighting(Timestamp.from_seconds(at), Box(x, y, w, h), 1.0)
        for at, x, y, w, h in entry["boxes"]
    )
    if not sightings:
        raise ValueError(f"track {entry['id']} has no boxes")
    if any(later.at < earlier.at for earlier, later in pairwise(sightings)):
        raise ValueError(f"the boxes of track {entry['id']} are not in order")
    return Track(int(entry["id"]), 0, sightings, entry.get("speaker"))


def track_number(value: object) -> int | None:
    """The track that is named, if any. Raises ValueError for what is no number."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise ValueError(f"{value!r} is not the number of a track")


def tracks_with(
    content: Mapping[str, Any], faces: Mapping[str, Sequence[Track]]
) -> list[Mapping[str, Any]]:
    """The tracks of a manifest, those of some clips replaced.

    A track is a clip's if it names it, or is seen only in it and no other clip names it. Where
    clips were edited all stay: what is undone names them again.
    """
    if content.get("edited_to"):
        stay = list(content.get("tracks", ()))
        return [*stay, *(track_to_dict(track) for own in faces.values() for track in own)]
    anew = [entry for entry in content["clips"] if entry["id"] in faces]
    spans = [(entry["ranges"][0][0], entry["ranges"][-1][1]) for entry in anew]
    others = (entry for entry in content["clips"] if entry["id"] not in faces)
    kept = {track for entry in others for track in _named_tracks(entry)}
    gone = {track for entry in anew for track in _named_tracks(entry)}
    stay = [
        track
        for track in content.get("tracks", ())
        if track["id"] in kept
        or not (track["id"] in gone or any(_is_seen_only_in(span, track) for span in spans))
    ]
    return [*stay, *(track_to_dict(track) for own in faces.values() for track in own)]


def _named_tracks(entry: Mapping[str, Any]) -> set[int]:
    """The tracks that a clip of a manifest follows or hears."""
    regions = (region for piece in entry["layout"] for region in piece["regions"])
    named = {part.get("track") for part in (*regions, *entry.get("speaking", ()))}
    return named - {None}


def _is_seen_only_in(span: tuple[float, float], track: Mapping[str, Any]) -> bool:
    return bool(span[0] <= track["boxes"][0][0] and track["boxes"][-1][0] <= span[1])


def renumbered(clip: Clip, tracks: Sequence[Track], first: int) -> tuple[Clip, tuple[Track, ...]]:
    """Shift a clip's track ids so that they are unique within a manifest."""
    numbered = with_tracks_named(clip, lambda track: track + first)
    return numbered, tuple(replace(t, id=t.id + first) for t in tracks)


def renumbered_from(
    clip: Clip, tracks: Sequence[Track], first: int
) -> tuple[Clip, tuple[Track, ...]]:
    """Number a clip's own tracks from a number on, whatever numbers they have."""
    numbers = {track.id: first + n for n, track in enumerate(tracks)}
    named = with_tracks_named(clip, lambda track: numbers.get(track, track))
    return named, tuple(replace(track, id=numbers[track.id]) for track in tracks)


def with_tracks_named(clip: Clip, named: Callable[[int], int | None]) -> Clip:
    """The clip with its tracks named otherwise."""

    def name(track: int | None) -> int | None:
        return None if track is None else named(track)

    pieces = tuple(
        replace(piece, regions=tuple(replace(r, track=name(r.track)) for r in piece.regions))
        for piece in clip.layout.pieces
    )
    speaking = tuple(replace(s, track=name(s.track)) for s in clip.layout.speaking)
    return replace(clip, layout=replace(clip.layout, pieces=pieces, speaking=speaking))
