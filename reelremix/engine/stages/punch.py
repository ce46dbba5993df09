"""Punch-ins: cutting to a tighter picture of one person, to hide a jump or to stress a sentence.

Where something was cut out of a sentence, the same picture jumps; a tighter one looks meant. The
face keeps its place on the eye line, and source pixels are never enlarged beyond what is sensible.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from reelremix.engine.captions.joins import ends_sentence
from reelremix.engine.domain.layout import Keyframe, Layout, LayoutKind, LayoutPiece
from reelremix.engine.domain.source import VideoFormat
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Box
from reelremix.engine.domain.transcript import Word
from reelremix.engine.stages.crops import EYE_LINE, MAX_UPSCALE, even_box
from reelremix.engine.stages.emphasis import keywords
from reelremix.engine.stages.joins import kept_piece

TIGHTER = 1.14
"""How many times larger a punched picture is: clearly another one, and still the same person."""
APART_S = 4.0
"""Stressed sentences closer together than this are not stressed one by one."""
SHORTEST_S = 1.2
LONGEST_S = 6.0
"""Sentences of other lengths are not punched in on."""
SAME_PX = 0.1
"""Boxes whose middles are closer than this share of their width show the same picture."""


def hide_jumps(layout: Layout, picture: VideoFormat) -> Layout:
    """The layout of kept ranges with every other picture tighter, where one jumps.

    Pieces that do not follow each other in the source meet at a join.
    """
    pieces: list[LayoutPiece] = []
    is_tight = False
    for piece in layout.pieces:
        jumps = bool(pieces) and piece.range.start != pieces[-1].range.end
        same = bool(pieces) and _shows_the_same(layout.pieces[len(pieces) - 1], piece)
        is_tight = (not is_tight if jumps else is_tight) if same else False
        tighter = _punched(piece, picture) if is_tight else None
        pieces.append(tighter or piece)
    return replace(layout, pieces=tuple(pieces))


def stress_sentences(layout: Layout, words: Sequence[Word], picture: VideoFormat) -> Layout:
    """The layout with a tighter picture while a sentence is said that has a word worth stress."""
    pieces = list(layout.pieces)
    for span in _stressed(words):
        pieces = [part for piece in pieces for part in _parted(piece, span, picture)]
    return replace(layout, pieces=tuple(pieces))


def _shows_the_same(before: LayoutPiece, after: LayoutPiece) -> bool:
    """Whether a viewer sees one person go on in one place."""
    if before.kind is not LayoutKind.SINGLE or after.kind is not LayoutKind.SINGLE:
        return False
    a, b = before.regions[0].path[-1].box, after.regions[0].path[0].box
    near = SAME_PX * a.width
    return (
        abs(a.center[0] - b.center[0]) < near
        and abs(a.center[1] - b.center[1]) < near
        and abs(a.height - b.height) < near
    )


def _punched(piece: LayoutPiece, picture: VideoFormat) -> LayoutPiece | None:
    """The piece, tighter; None where that would enlarge too much or it is not one person."""
    region = piece.regions[0]
    smallest = min(keyframe.box.height for keyframe in region.path) / TIGHTER
    if piece.kind is not LayoutKind.SINGLE or region.output[3] / smallest > MAX_UPSCALE:
        return None
    path = tuple(Keyframe(k.at, _tighter(k.box, picture)) for k in region.path)
    return replace(piece, regions=(replace(region, path=path),))


def _tighter(box: Box, picture: VideoFormat) -> Box:
    width, height = box.width / TIGHTER, box.height / TIGHTER
    x = box.x + (box.width - width) / 2
    y = box.y + EYE_LINE * (box.height - height)
    return even_box(Box(x, y, width, height), picture)


def _stressed(words: Sequence[Word]) -> Iterator[TimeRange]:
    """Sentences to punch in on, in order."""
    starts = [0, *(n + 1 for n, word in enumerate(words) if ends_sentence(word.text))]
    bounds = [*dict.fromkeys(starts), len(words)]
    sentences = [range(a, b) for a, b in pairwise(bounds) if a < b]
    free_from = Timestamp(0)
    for sentence, stressed in zip(sentences, keywords(words, sentences), strict=True):
        span = TimeRange(words[sentence[0]].range.start, words[sentence[-1]].range.end)
        if stressed and SHORTEST_S <= span.duration_s <= LONGEST_S and span.start >= free_from:
            yield span
            free_from = span.end + Timestamp.from_seconds(APART_S)


def _parted(piece: LayoutPiece, span: TimeRange, picture: VideoFormat) -> Iterator[LayoutPiece]:
    """The piece, its part inside the span tighter; whole where that is no sensible picture."""
    inside = kept_piece(piece, span)
    if inside is None or inside.range.duration_s < SHORTEST_S:
        yield piece
        return
    tighter = _punched(inside, picture)
    if tighter is None:
        yield piece
        return
    before = kept_piece(piece, TimeRange(piece.range.start, inside.range.start))
    after = kept_piece(piece, TimeRange(inside.range.end, piece.range.end))
    yield from (part for part in (before, tighter, after) if part is not None)
