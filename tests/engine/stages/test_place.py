"""Captions keep off faces, as far as there is room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from reelremix.engine.captions.safe_area import safe_area
from reelremix.engine.domain.caption import Captions, Cue
from reelremix.engine.domain.layout import Keyframe, Layout, LayoutKind, LayoutPiece, Region
from reelremix.engine.domain.occupied import Occupied
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Box, Sighting, Track
from reelremix.engine.stages.place import CHIN, place_captions
from tests.fakes import PORTRAIT

FULL = (0, 0, 1080, 1920)
STYLE_BOX = (108, 1200, 864, 200)
"""Where the style puts a cue: its middle at 1300."""


def cue(start_s: float, end_s: float) -> Cue:
    return Cue(TimeRange.from_seconds(start_s, end_s), ((0,),), STYLE_BOX)


def region(output: tuple[int, int, int, int] = FULL, crop: Box | None = None) -> Region:
    """A piece of a portrait source; without a crop the same place in source and output."""
    return Region(output, (Keyframe(Timestamp(0), crop or Box(*map(float, output))),))


def piece(start_s: float, end_s: float, *regions: Region) -> LayoutPiece:
    span = TimeRange.from_seconds(start_s, end_s)
    return LayoutPiece(span, LayoutKind.SINGLE, regions or (region(),))


def face(at_s: float, *boxes: Box) -> Track:
    sightings = (Sighting(Timestamp.from_seconds(at_s), box, 0.9) for box in boxes)
    return Track(0, 0, tuple(sightings))


def placed(cues: Sequence[Cue], pieces: Sequence[LayoutPiece], *tracks: Track) -> list[Box]:
    """The cues' boxes once they are placed."""
    captions = Captions("bold", {}, tuple(cues))
    moved = place_captions(captions, Layout(tuple(pieces)), tracks, PORTRAIT)
    return [Box(*map(float, cue.box)) for cue in moved.cues]


LOW_FACE = Box(340.0, 1150.0, 400.0, 300.0)


def test_captions_keep_off_faces() -> None:
    [box] = placed([cue(0, 2)], [piece(0, 4)], face(1, LOW_FACE))
    assert box.overlap(LOW_FACE) == 0
    assert (box.x, box.width, box.height) == (108, 864, 200)


def test_captions_stay_where_the_style_wants_them_without_a_reason_to_move() -> None:
    high = Box(340.0, 300.0, 400.0, 400.0)
    assert placed([cue(0, 2)], [piece(0, 4)]) == [Box(*STYLE_BOX)]
    assert placed([cue(0, 2)], [piece(0, 4)], face(1, high)) == [Box(*STYLE_BOX)]


def test_captions_do_not_jump_while_the_picture_stands_still() -> None:
    first, second = placed([cue(0, 2), cue(2, 4)], [piece(0, 4)], face(3, LOW_FACE))
    assert first == second and first.overlap(LOW_FACE) == 0


def test_a_face_moves_only_the_captions_of_its_own_piece() -> None:
    pieces = [piece(0, 2), piece(2, 4)]
    first, second = placed([cue(0, 2), cue(2, 4)], pieces, face(3, LOW_FACE))
    assert first == Box(*STYLE_BOX) and second.overlap(LOW_FACE) == 0


def test_faces_count_where_the_viewer_sees_them() -> None:
    shown = region(crop=Box(2000.0, 0.0, 540.0, 960.0))  # twice as large in the output
    inside = face(1, Box(2170.0, 575.0, 200.0, 150.0))
    outside = face(1, LOW_FACE)
    [box] = placed([cue(0, 2)], [piece(0, 4, shown)], inside)
    assert box.overlap(LOW_FACE) == 0
    assert placed([cue(0, 2)], [piece(0, 4, shown)], outside) == [Box(*STYLE_BOX)]


def test_between_two_cells_the_seam_is_free() -> None:
    split = piece(0, 4, region((0, 0, 1080, 960)), region((0, 960, 1080, 960)))
    faces = face(1, Box(240.0, 200.0, 600.0, 650.0)), face(1, Box(240.0, 1070.0, 600.0, 600.0))
    [box] = placed([cue(0, 2)], [split], *faces)
    assert box.center[1] == 960
    assert not any(box.overlap(s.box) for track in faces for s in track.sightings)


def test_a_caption_outside_every_piece_stays_where_it_is() -> None:
    assert placed([cue(5, 6)], [piece(0, 4)], face(1, LOW_FACE)) == [Box(*STYLE_BOX)]


def kept_off(taken: Sequence[Occupied], cues: Sequence[Cue] = (), **style: str) -> list[Box]:
    captions = Captions("bold", dict(style), tuple(cues) or (cue(0, 2),))
    moved = place_captions(captions, Layout((piece(0, 4),)), (), PORTRAIT, taken)
    return [Box(*map(float, c.box)) for c in moved.cues]


def test_captions_keep_off_text_that_is_in_the_picture_already() -> None:
    burned_in = Box(60.0, 1180.0, 960.0, 220.0)
    [box] = kept_off([Occupied(TimeRange.from_seconds(0, 3), burned_in)])
    assert box.overlap(burned_in) == 0
    assert abs(box.center[1] - 1300) < 300  # beside it, not at the other end of the picture


def test_text_that_is_gone_before_does_not_count() -> None:
    gone = Occupied(TimeRange.from_seconds(5, 9), Box(60.0, 1180.0, 960.0, 220.0))
    assert kept_off([gone]) == [Box(*STYLE_BOX)]


def test_a_caption_over_a_cut_minds_only_what_is_there_while_it_is_shown() -> None:
    early = Occupied(TimeRange.from_seconds(0, 2), Box(60.0, 1180.0, 960.0, 220.0))
    card = Occupied(TimeRange.from_seconds(0, 2), Box(60.0, 1180.0, 960.0, 220.0))
    captions = Captions("bold", {}, (cue(3, 5),))
    layout = Layout((piece(0, 4), piece(4, 8)))
    moved = place_captions(captions, layout, (), PORTRAIT, [early], drawn=[card])
    assert moved.cues[0].box == STYLE_BOX


def test_between_text_and_faces_captions_find_the_gap() -> None:
    text = Box(60.0, 1150.0, 960.0, 380.0)
    captions = Captions("bold", {}, (cue(0, 2),))
    high = face(1, Box(240.0, 200.0, 600.0, 600.0))
    taken = [Occupied(TimeRange.from_seconds(0, 4), text)]
    moved = place_captions(captions, Layout((piece(0, 4),)), [high], PORTRAIT, taken)
    box = Box(*map(float, moved.cues[0].box))
    assert box.overlap(text) == 0 and box.overlap(high.sightings[0].box) == 0


def test_captions_keep_off_the_title_card_while_it_is_shown() -> None:
    card = Box(150.0, 260.0, 780.0, 300.0)
    low = face(1, Box(240.0, 620.0, 600.0, 1000.0))
    captions = Captions("bold", {}, (cue(0, 2),))
    layout = Layout((piece(0, 4),))
    for until_s, is_free in ((3, False), (0, True)):
        drawn = [Occupied(TimeRange.from_seconds(0, until_s), card)]
        moved = place_captions(captions, layout, [low], PORTRAIT, drawn=drawn)
        box = Box(*map(float, moved.cues[0].box))
        assert (box.overlap(card) > 0) is is_free


def test_captions_made_for_one_platform_may_use_all_of_its_room() -> None:
    low = (cue(0, 2),)
    text = Occupied(TimeRange.from_seconds(0, 2), Box(0.0, 300.0, 1080.0, 1090.0))
    [everywhere] = kept_off([text], low)
    [shorts] = kept_off([text], low, platform="shorts")
    assert shorts.y > everywhere.y


@given(st.lists(st.tuples(st.floats(0, 1000), st.floats(0, 1800), st.floats(20, 900)), max_size=4))
def test_captions_stay_inside_the_safe_area(faces: list[tuple[float, float, float]]) -> None:
    tracks = [face(1, Box(x, y, size, size)) for x, y, size in faces]
    [box] = placed([cue(0, 2)], [piece(0, 4)], *tracks)
    _, top, _, height = safe_area(PORTRAIT)
    assert top <= box.y and box.y + box.height <= top + height
    assert box.y % 2 == 0


def test_text_over_text_is_worse_than_text_over_a_face() -> None:
    card = Occupied(TimeRange.from_seconds(0, 4), Box(150.0, 240.0, 780.0, 330.0))
    close_up = face(1, Box(100.0, 300.0, 880.0, 1230.0))
    captions = Captions("bold", {}, (cue(0, 2),))
    moved = place_captions(captions, Layout((piece(0, 4),)), [close_up], PORTRAIT, drawn=[card])
    assert Box(*map(float, moved.cues[0].box)).overlap(card.box) == 0


def test_a_chin_is_covered_before_a_forehead_is() -> None:
    """As everybody does who writes over a close face: low, just below the mouth."""
    [box] = placed([cue(0, 2)], [piece(0, 4)], face(1, Box(140.0, 610.0, 780.0, 780.0)))
    assert box.y > 610 + 780 * (1 - CHIN) - 1


def test_captions_leave_a_slide_readable_and_the_face_below_it_free() -> None:
    slide, below = (0, 0, 1080, 606), (0, 606, 1080, 1314)
    whole = Box(0, 0, 1280, 720)
    regions = (region(slide, whole), replace(region(below), track=0))
    shown = LayoutPiece(TimeRange.from_seconds(0, 4), LayoutKind.SCREEN, regions)
    for top, height in ((700.0, 600.0), (900.0, 600.0), (640.0, 860.0)):
        speaker = Box(240.0, top, 600.0, height)
        [box] = placed([cue(0, 2)], [shown], face(1, speaker))
        assert box.overlap(Box(*map(float, slide))) <= box.area / 2
        assert box.overlap(speaker) < 0.2 * speaker.area
