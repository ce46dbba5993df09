"""A layout cut down to what a clip keeps of it.

Every join of two kept ranges is the end of one piece and the start of the next, so that what
happens there, such as a punch-in that hides the jump, is one piece's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from reelremix.engine.domain.layout import Keyframe, Layout, LayoutPiece, Region
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.media.compose import box_at


def kept_layout(layout: Layout, ranges: Sequence[TimeRange]) -> Layout:
    """The pieces and speakers of the kept ranges alone, in order, each inside one range."""
    pieces = tuple(
        piece
        for kept in ranges
        for whole in layout.pieces
        if (piece := kept_piece(whole, kept)) is not None
    )
    speaking = tuple(
        replace(entry, range=span)
        for kept in ranges
        for entry in layout.speaking
        if (span := _shared(entry.range, kept)) is not None
    )
    return replace(layout, pieces=pieces, speaking=speaking)


def _shared(a: TimeRange, b: TimeRange) -> TimeRange | None:
    start, end = max(a.start, b.start), min(a.end, b.end)
    return TimeRange(start, end) if start < end else None


def kept_piece(piece: LayoutPiece, kept: TimeRange) -> LayoutPiece | None:
    """The part of a piece inside a range, its camera moving as before; None where none is."""
    span = _shared(piece.range, kept)
    if span is None or span == piece.range:
        return piece if span is not None else None
    regions = tuple(_kept_region(region, span) for region in piece.regions)
    return replace(piece, range=span, regions=regions)


def _kept_region(region: Region, span: TimeRange) -> Region:
    """The camera's path from the start of the span on; a still camera has one keyframe."""
    if len(region.path) == 1:
        return replace(region, path=(replace(region.path[0], at=span.start),))
    path = [Keyframe(span.start, box_at(region.path, span.start)), *_within(region, span)]
    end = Keyframe(span.end, box_at(region.path, span.end))
    return replace(region, path=tuple(path if path[-1].box == end.box else [*path, end]))


def _within(region: Region, span: TimeRange) -> Iterator[Keyframe]:
    return (keyframe for keyframe in region.path if span.start < keyframe.at < span.end)


def held_layout(layout: Layout, ranges: Sequence[TimeRange]) -> Layout:
    """The same for ranges that reach beyond the layout: what is nearest stays in the picture."""
    kept = kept_layout(layout, ranges)
    pieces: list[LayoutPiece] = []
    for span in ranges:
        own = [piece for piece in kept.pieces if span.start <= piece.range.start < span.end]
        pieces += _filled(own or [_nearest(layout, span)], span)
    return replace(kept, pieces=tuple(pieces))


def _filled(pieces: Sequence[LayoutPiece], span: TimeRange) -> list[LayoutPiece]:
    """Pieces that cover a range, each held from where the one before it ends."""
    if pieces[0].range.start > span.start:
        first = replace(
            pieces[0],
            range=TimeRange(span.start, span.start),
            regions=tuple(replace(r, path=r.path[:1]) for r in pieces[0].regions),
        )
        pieces = [first, *pieces]
    starts = [*(piece.range.start for piece in pieces[1:]), span.end]
    held = [
        replace(piece, range=TimeRange(max(piece.range.start, span.start), end))
        for piece, end in zip(pieces, starts, strict=True)
    ]
    return [_anchored(piece) for piece in held if piece.range.start < piece.range.end]


def _anchored(piece: LayoutPiece) -> LayoutPiece:
    """The piece with its camera where it is when it begins."""
    regions = tuple(
        replace(region, path=(replace(region.path[0], at=piece.range.start), *region.path[1:]))
        for region in piece.regions
    )
    return replace(piece, regions=regions)


def _nearest(layout: Layout, span: TimeRange) -> LayoutPiece:
    def apart(piece: LayoutPiece) -> Fraction:
        return max(
            piece.range.start.exact - span.end.exact, span.start.exact - piece.range.end.exact
        )

    piece = min(layout.pieces, key=apart)
    box = 0 if piece.range.start >= span.end else -1
    regions = tuple(replace(r, path=(replace(r.path[box], at=span.start),)) for r in piece.regions)
    return replace(piece, range=span, regions=regions)
