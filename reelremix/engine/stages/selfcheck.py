"""What a planned clip shows, measured before it is rendered: the speaker, the camera, the captions.

`faults` says what a viewer would mind. Where `framing_faults` are among it, whoever plans may frame
the clip otherwise, once; captions over faces are told alone.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise
from operator import itemgetter

from reelremix.engine.domain.clip import Clip, Shown
from reelremix.engine.domain.layout import Layout, LayoutPiece, PiecesByTime, Region
from reelremix.engine.domain.track import Box, Sighting, SightingsByTime, Track
from reelremix.engine.media.compose import box_at
from reelremix.engine.stages.place import on_screen

SPEAKER_SHOWN = 0.75
"""Share of a face that must be inside a region for its owner to count as shown."""
LEAST_SPEAKER_SHOWN = 0.9
MOST_REVERSALS = 2.0
"""A minute."""
SHORT_S = 30.0
"""Turns in shorter clips are counted as if these lasted so long: one alone is no fault."""
MOST_COVERED = 0.1
"""Share of the sightings of faces behind captions."""
COVERED = 0.2
"""A face counts as behind captions from this share of it on."""
STILL_PX = 1.0
"""The camera moves when it moves by more."""


def measure(clip: Clip, tracks: Sequence[Track]) -> Shown:
    """How much of whom a clip shows.

    Args:
        clip: with its layout and captions.
        tracks: faces, by the numbers its layout has for them.
    """
    minutes = max(clip.duration_s, SHORT_S) / 60
    return Shown(
        speaker_in_frame=speaker_in_frame(clip.layout, tracks),
        reversals_per_min=round(_reversals(clip.layout) / minutes, 2),
        captions_over_faces=_captions_over_faces(clip, tracks),
    )


def faults(shown: Shown) -> tuple[str, ...]:
    """What a viewer would mind, in words that follow the clip's name."""
    covered = shown.captions_over_faces
    if covered is not None and covered > MOST_COVERED:
        return (*framing_faults(shown), f"has captions over faces {covered:.0%} of the time")
    return framing_faults(shown)


def framing_faults(shown: Shown) -> tuple[str, ...]:
    """Those that another layout could mend."""
    return tuple(_framing_faults(shown))


def _framing_faults(shown: Shown) -> Iterator[str]:
    speaker = shown.speaker_in_frame
    if speaker is not None and speaker < LEAST_SPEAKER_SHOWN:
        yield f"shows its speaker only {speaker:.0%} of the time"
    if shown.reversals_per_min > MOST_REVERSALS:
        yield f"turns its camera back {shown.reversals_per_min:.0f} times a minute"


def speaker_in_frame(layout: Layout, tracks: Sequence[Track]) -> float | None:
    """Share of the speaker's sightings that a region shows; None when nobody was seen."""
    by_id = {track.id: SightingsByTime([track]) for track in tracks}
    pieces = PiecesByTime(layout.pieces)
    seen = shown = 0
    for entry in layout.speaking:
        sightings = by_id.get(entry.track) if entry.track is not None else None
        for sighting in sightings.during(entry.range) if sightings is not None else ():
            seen += 1
            shown += _is_shown(sighting, pieces.at(sighting.at))
    return round(shown / seen, 3) if seen else None


def _is_shown(sighting: Sighting, piece: LayoutPiece | None) -> bool:
    boxes = [box_at(r.path, sighting.at) for r in piece.regions] if piece is not None else []
    least = SPEAKER_SHOWN * sighting.box.area
    return any(sighting.box.overlap(box) >= least for box in boxes)


def _reversals(layout: Layout) -> int:
    return sum(_turns(region) for piece in layout.pieces for region in piece.regions)


def _turns(region: Region) -> int:
    """Changes of direction along a path, to the side or up and down, whichever are more."""
    middles = [keyframe.box.center for keyframe in region.path]
    return max(_changes_of_sign(places) for places in zip(*middles, strict=True))


def _changes_of_sign(places: Sequence[float]) -> int:
    """How often what moves along a line turns back."""
    steps = [after - before for before, after in pairwise(places)]
    moving = [step for step in steps if abs(step) > STILL_PX]
    return sum(a * b < 0 for a, b in pairwise(moving))


def _captions_over_faces(clip: Clip, tracks: Sequence[Track]) -> float | None:
    """Share of the visible sightings during captions that these cover; None without captions."""
    if clip.captions is None:
        return None
    faces = sorted(_visible(clip.layout.pieces, tracks), key=itemgetter(0))
    times = [at for at, _ in faces]
    seen = covered = 0
    for cue in clip.captions.cues:
        text = Box(*map(float, cue.box))
        begun, ended = (bisect_left(times, at.seconds) for at in (cue.range.start, cue.range.end))
        for _, face in faces[begun:ended]:
            seen += 1
            covered += face.overlap(text) >= COVERED * face.area
    return round(covered / seen, 3) if seen else 0.0


def _visible(pieces: Sequence[LayoutPiece], tracks: Sequence[Track]) -> Iterator[tuple[float, Box]]:
    """Every sighting on screen: when, and where in output pixels.

    A face that is shown twice, as in a small picture on a slide and large beside it, is looked at
    where it is larger.
    """
    sightings = SightingsByTime(tracks)
    for piece in pieces:
        for sighting in sightings.during(piece.range):
            shown = (on_screen(sighting.box, r, sighting.at) for r in piece.regions)
            images = [box for box in shown if box is not None]
            if images:
                yield sighting.at.seconds, max(images, key=lambda box: box.area)
