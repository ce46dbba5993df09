from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from reelremix.engine.domain.layout import Keyframe, Layout, LayoutKind, LayoutPiece, Region
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Box
from reelremix.engine.domain.transcript import Word
from reelremix.engine.media.compose import box_at
from reelremix.engine.stages.joins import kept_layout
from reelremix.engine.stages.punch import TIGHTER, hide_jumps, stress_sentences
from tests.fakes import LANDSCAPE_720

WHOLE = (0, 0, 1080, 1920)
BOX = Box(400, 0, 404, 720)


def piece(start_s: float, end_s: float, box: Box = BOX, kind: LayoutKind = LayoutKind.SINGLE,
          output: tuple[int, int, int, int] = WHOLE) -> LayoutPiece:  # fmt: skip
    span = TimeRange.from_seconds(start_s, end_s)
    return LayoutPiece(span, kind, (Region(output, (Keyframe(span.start, box),), 0),))


def heights(layout: Layout) -> list[float]:
    return [p.regions[0].path[0].box.height for p in layout.pieces]


def cut(layout: Layout, *ranges: tuple[float, float]) -> Layout:
    return kept_layout(layout, [TimeRange.from_seconds(a, b) for a, b in ranges])


def test_pictures_on_both_sides_of_a_cut_differ() -> None:
    jumpy = cut(Layout((piece(0, 10),)), (0, 3), (4, 6), (6.5, 10))
    a, b, c = heights(hide_jumps(jumpy, LANDSCAPE_720))
    assert a == c == 720 and b == pytest.approx(720 / TIGHTER, abs=2)


def test_where_nothing_was_cut_out_nothing_changes() -> None:
    layout = Layout((piece(0, 4), piece(4, 10)))
    assert hide_jumps(layout, LANDSCAPE_720) == layout


def test_another_picture_needs_no_punch_in() -> None:
    layout = Layout((piece(0, 4), piece(5, 10, Box(0, 0, 404, 720))))
    assert heights(hide_jumps(layout, LANDSCAPE_720)) == [720, 720]


def test_a_shared_picture_is_not_punched() -> None:
    halves = Layout((piece(0, 4, kind=LayoutKind.SPLIT), piece(5, 10, kind=LayoutKind.SPLIT)))
    assert hide_jumps(halves, LANDSCAPE_720) == halves


def test_few_pixels_are_not_enlarged_further() -> None:
    small = Box(400, 100, 280, 500)
    layout = Layout((piece(0, 4, small), piece(5, 10, small)))
    assert heights(hide_jumps(layout, LANDSCAPE_720)) == [500, 500]


def test_a_punched_picture_lies_inside_the_other_and_keeps_its_shape() -> None:
    _, after = hide_jumps(Layout((piece(0, 4), piece(5, 10))), LANDSCAPE_720).pieces
    box = after.regions[0].path[0].box
    assert BOX.x < box.x and box.x + box.width < BOX.x + BOX.width
    assert box.y + box.height <= 720
    assert box.width / box.height == pytest.approx(BOX.width / BOX.height, rel=0.01)


def said(*sentences: tuple[str, float]) -> list[Word]:
    """Sentences that begin at these times, each word 0.4 s long."""
    return [
        Word(text, TimeRange.from_seconds(start + n * 0.4, start + n * 0.4 + 0.4))
        for sentence, start in sentences
        for n, text in enumerate(sentence.split())
    ]


def test_a_sentence_with_a_number_is_stressed() -> None:
    words = said(("this is how it was.", 0), ("it took 40 years.", 3), ("and so on it is.", 6))
    pieces = stress_sentences(Layout((piece(0, 10),)), words, LANDSCAPE_720).pieces
    assert [(p.range.start_s, p.range.end_s) for p in pieces] == [(0, 3), (3, 4.6), (4.6, 10)]
    assert all(a.range.end == b.range.start for a, b in pairwise(pieces))
    low, tight, again = (p.regions[0].path[0].box.height for p in pieces)
    assert low == again == 720 > tight


def test_the_camera_is_where_it_was_at_every_moment_that_is_kept() -> None:
    moving = piece(0, 10)
    path = tuple(
        Keyframe(Timestamp.from_seconds(at), Box(60 * at, 0, 404, 720)) for at in (0, 5, 10)
    )
    moving = replace(moving, regions=(replace(moving.regions[0], path=path),))
    words = said(("this is how it was.", 0), ("it took 40 years.", 3), ("and so on it is.", 6))
    pieces = stress_sentences(Layout((moving,)), words, LANDSCAPE_720).pieces
    assert len(pieces) == 3
    for part in pieces:
        for step in range(11):
            at = part.range.start_s + part.range.duration_s * step / 10
            shown = box_at(part.regions[0].path, Timestamp.from_seconds(at))
            assert shown.center[0] == pytest.approx(60 * at + 202, abs=2)  # even pixels


def test_sentences_in_a_row_are_not_stressed_one_by_one() -> None:
    words = said(
        ("it took 40 years.", 1), ("then another 20 years.", 3), ("and 90 more of them.", 8)
    )
    pieces = stress_sentences(Layout((piece(0, 12),)), words, LANDSCAPE_720).pieces
    assert len(pieces) == 3


def test_without_words_nothing_is_stressed() -> None:
    layout = Layout((piece(0, 10),))
    assert stress_sentences(layout, [], LANDSCAPE_720) == layout
