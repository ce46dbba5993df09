"""Subtitles as files of their own, on each clip's own clock: no intro before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from reelremix.engine.export.exporters import FOLDER, PROTOCOL, Document, Material, Recording
from reelremix.engine.export.subtitles import WRITERS
from reelremix.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Sidecars:
    """Writes one kind of subtitles, a file a clip."""

    kind: str
    protocol: int = PROTOCOL
    recording: Recording = Recording.UNUSED
    gathers: bool = False
    folder: str = FOLDER

    @property
    def suffix(self) -> str:
        """Of its files."""
        return f".{self.kind}"

    def notes(self, material: Material) -> Iterator[str]:
        """Clips in which nothing is said."""
        silent = [str(clip.rank) for clip in material.clips if not clip.words]
        if silent:
            yield f"nothing is said in clip {', '.join(silent)}, so there is no file for it"

    def documents(self, material: Material, gathered: str | None) -> Iterator[Document]:
        """A file for each clip that says something."""
        several = list(sidecars_of(material, self.kind))
        if gathered is None:
            yield from several
        elif len(several) == 1:
            yield Document(gathered, several[0].content)
        else:
            raise ConfigError(
                f"{len(several)} clips cannot share one {self.suffix} file",
                hint="name a folder with `--out DIR`, or one clip",
            )


SRT, VTT, ASS = Sidecars("srt"), Sidecars("vtt"), Sidecars("ass")


def sidecars_of(material: Material, kind: str) -> Iterator[Document]:
    """The subtitles of every clip that says something."""
    for clip in material.clips:
        if clip.words:
            text = WRITERS[kind](replace(clip, brand=None))
            yield Document(f"{clip.rank:02d}-{clip.slug}.{kind}", text.encode())
