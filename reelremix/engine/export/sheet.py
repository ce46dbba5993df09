"""The contact sheet of the chosen clips as a page of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reelremix.engine.export.exporters import PROTOCOL, Document, Material, Recording
from reelremix.engine.export.report import sheet_of


@dataclass(frozen=True, slots=True)
class Sheet:
    """Writes one page."""

    protocol: int = PROTOCOL
    suffix: str = ".html"
    recording: Recording = Recording.UNUSED
    gathers: bool = True
    folder: str = ""

    def notes(self, material: Material) -> Iterator[str]:
        """What the page needs beside it."""
        if any((entry.get("files") or {}).get("video") for entry in material.entries):
            yield "the page plays films that lie beside it: leave it in the folder of the clips"

    def documents(self, material: Material, gathered: str | None) -> Iterator[Document]:
        """The page."""
        content = {**material.manifest, "clips": [dict(entry) for entry in material.entries]}
        page = sheet_of(content, material.folder)
        yield Document(gathered or f"{material.name}-clips{self.suffix}", page.encode())


HTML = Sheet()
