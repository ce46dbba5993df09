"""Pictures of a clip as the terminal itself draws them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.containers import Horizontal
from textual.widget import Widget

if TYPE_CHECKING:
    from reelremix.engine.stages.glance import Glance

MOST = 6
"""Real pictures are sharp enough to be few, and each is sent to the terminal as a whole."""


class Gallery(Horizontal):
    """A row of pictures."""

    DEFAULT_CSS = """
    Gallery { height: 7; }
    Gallery > * { width: 1fr; height: 100%; margin: 0 1 0 0; }
    """

    def __init__(self, picture: type[Widget], *, id: str | None = None) -> None:
        """`picture` draws one, given a Pillow image."""
        super().__init__(id=id)
        self._picture: Any = picture

    async def show(self, glance: Glance) -> None:
        """Show pictures of another stretch."""
        from PIL import Image

        step = max(1, len(glance.thumbs) // MOST)
        shown = [
            Image.frombytes("RGB", (thumb.width_px, thumb.height_px), thumb.rgb)
            for thumb in glance.thumbs[::step][:MOST]
        ]
        async with self.batch():
            await self.remove_children()
            await self.mount(*(self._picture(image) for image in shown))
