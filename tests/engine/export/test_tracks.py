from __future__ import annotations

from typing import Any

import pytest

from reelremix.engine.export.tracks import renumbered, tracks_from_dict
from reelremix.errors import ConfigError
from tests.engine.examples import CLIP, TRACK
from tests.engine.export.documents import PATH, content


def test_tracks_come_back_with_their_boxes() -> None:
    [track] = tracks_from_dict(content(), PATH)
    assert (track.id, track.sightings[0].box) == (TRACK.id, TRACK.sightings[0].box)


@pytest.mark.parametrize(
    ("boxes", "told"),
    [
        ([], "track 3 has no boxes"),
        ([[2, 0, 0, 9, 9], [1, 0, 0, 9, 9]], "the boxes of track 3 are not in order"),
    ],
)
def test_a_track_that_nobody_could_follow_is_refused(boxes: list[Any], told: str) -> None:
    document = content()
    document["tracks"][0]["boxes"] = boxes
    with pytest.raises(ConfigError, match=told):
        tracks_from_dict(document, PATH)


def test_track_ids_are_shifted_wherever_they_are_used() -> None:
    clip, tracks = renumbered(CLIP, [TRACK], 10)
    assert [t.id for t in tracks] == [13]
    ids = [r.track for piece in clip.layout.pieces for r in piece.regions]
    assert ids == [13, 13, None]
    assert [s.track for s in clip.layout.speaking] == [13]
