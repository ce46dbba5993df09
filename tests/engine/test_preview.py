from __future__ import annotations

from reelremix.engine.preview import shrunk
from tests.engine.examples import CLIP


def test_a_small_film_is_arranged_as_the_large_one() -> None:
    small = shrunk(CLIP)
    assert (small.output.width_px, small.output.height_px) == (360, 640)
    for before, now in zip(CLIP.layout.pieces, small.layout.pieces, strict=True):
        for large, region in zip(before.regions, now.regions, strict=True):
            assert region.path == large.path
            assert all(value % 2 == 0 for value in region.output)
            assert [round(v / 3) for v in large.output] == list(region.output)


def test_cells_that_meet_go_on_meeting() -> None:
    [piece] = [p for p in shrunk(CLIP).layout.pieces if len(p.regions) == 2]
    upper, lower = (region.output for region in piece.regions)
    assert upper[1] + upper[3] == lower[1] and lower[1] + lower[3] == 640


def test_captions_stay_inside_the_picture() -> None:
    small = shrunk(CLIP)
    assert small.captions is not None and small.captions.cues
    for cue in small.captions.cues:
        x, y, width, height = cue.box
        assert x >= 0 and x + width <= 360 and y >= 0 and y + height <= 640
