"""Everything that is laid over the pictures of one clip."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from reelremix.engine.captions.overlay import OverlayPainter
from reelremix.engine.captions.paint import CaptionPainter
from reelremix.engine.captions.patch import Patch
from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.time import Timestamp


class Drawing:
    """Captions and brand kit of one clip. Raises what their painters raise."""

    def __init__(self, clip: Clip) -> None:
        assets = clip.brand.assets if clip.brand is not None else ()
        self._captions = (
            CaptionPainter(clip.captions, clip.words, clip.output, assets)
            if clip.captions is not None
            else None
        )
        self._overlay = (
            OverlayPainter(clip.brand, clip.title, clip.output, clip.duration_s)
            if clip.brand is not None
            else None
        )

    @property
    def still_title(self) -> Patch | None:
        """What is laid over the thumbnail."""
        return self._overlay.still_title if self._overlay is not None else None

    def patches_at(self, source: Timestamp, output: Fraction) -> Iterator[Patch]:
        """What to lay over the picture of a moment, on both clocks, from back to front."""
        if self._overlay is not None:
            yield from self._overlay.patches_at(output)
        caption = self._captions.patch_at(source) if self._captions is not None else None
        if caption is not None:
            yield caption
