"""Clips as they are now, at a quick look: framed where due, in a film a third of the size."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from reelremix.engine.domain.caption import Captions
from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.layout import Layout, LayoutPiece
from reelremix.engine.domain.request import RenderRequest
from reelremix.engine.domain.subject import Subject
from reelremix.engine.music import find_music
from reelremix.engine.rendering import Batch, render
from reelremix.engine.reviewing import Review
from reelremix.engine.revision import looked_at, on_frames, revised, with_files
from reelremix.engine.stages.selfcheck import measure
from reelremix.errors import RenderError

SHRUNK = 3
CRF = 30
"""Coarse enough to be quick, fine enough to read captions."""
Rectangle = tuple[int, int, int, int]


def settle(review: Review, ids: Sequence[str], subject: Subject, ctx: RunContext) -> None:
    """Frame the clips of a review that are due, and keep that.

    Raises ModelNotInstalled where the face detector is missing.
    """
    due = [clip for clip in review.clips if clip.id in ids and clip.framing.is_due]
    if due:
        request = RenderRequest(str(review.path))
        needed = with_files(on_frames(due, subject), request, review.path, ctx)
        revision = revised(needed, review.tracks, request, subject, looked_at(review.content), ctx)
        review.settle(revision.clips, revision.faces)


def preview(review: Review, id: str, subject: Subject, folder: Path, ctx: RunContext) -> Path:
    """Render a clip small and quickly; returns the film.

    Raises:
        RenderError: it cannot be rendered.
        ModelNotInstalled: it has to be framed anew, and the face detector is missing.
    """
    settle(review, [id], subject, ctx)
    request = RenderRequest(str(review.path))
    [whole] = with_files(on_frames([review.clip(id)], subject), request, review.path, ctx)
    clip = replace(shrunk(whole), slug=f"preview-{uuid.uuid4().hex[:8]}", subtitles=())
    folder.mkdir(parents=True, exist_ok=True)
    music = find_music([clip], None, review.path.parent, ctx)
    shown = {id: measure(whole, review.tracks)}
    films = render(Batch([clip], shown, folder, 1, music), subject, ctx)
    if id not in films:
        raise RenderError(f"no preview of clip {whole.rank} could be made")
    return folder / films[id].video


def shrunk(clip: Clip) -> Clip:
    """The clip in a smaller film that shows the same."""
    out = clip.output
    small = replace(
        out, width_px=_even(out.width_px / SHRUNK), height_px=_even(out.height_px / SHRUNK),
        encoder_preset="ultrafast", crf=CRF,
    )  # fmt: skip
    layout = Layout(
        tuple(_small_piece(piece) for piece in clip.layout.pieces),
        clip.layout.speaking,
        clip.layout.occupied,
    )
    captions = clip.captions and _small_captions(clip.captions)
    return replace(clip, output=small, layout=layout, captions=captions)


def _small_piece(piece: LayoutPiece) -> LayoutPiece:
    regions = tuple(replace(r, output=_small(r.output)) for r in piece.regions)
    return replace(piece, regions=regions)


def _small_captions(captions: Captions) -> Captions:
    return replace(captions, cues=tuple(replace(c, box=_small(c.box)) for c in captions.cues))


def _small(rectangle: Rectangle) -> Rectangle:
    """Both sides of an edge land on the same pixel."""
    x, y, width, height = rectangle
    left, top = _even(x / SHRUNK), _even(y / SHRUNK)
    right, bottom = _even((x + width) / SHRUNK), _even((y + height) / SHRUNK)
    return left, top, max(2, right - left), max(2, bottom - top)


def _even(value: float) -> int:
    return round(value / 2) * 2
