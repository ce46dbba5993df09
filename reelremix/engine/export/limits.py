"""What of a clip a sequence in another program does not have, said so that nobody is surprised."""

from __future__ import annotations

from collections.abc import Iterator

from reelremix.engine.domain.clip import Clip
from reelremix.engine.export.exporters import Material


def what_no_sequence_carries(material: Material) -> Iterator[str]:
    """A sentence for each thing that some of the clips have and no sequence gets."""
    if any(clip.brand is not None and not clip.brand.is_empty for clip in material.clips):
        yield "title card, progress bar, logo, intro and outro are left out"
    if any(clip.censored for clip in material.clips):
        yield "words that the clips bleep or mute are heard in the recording's own sound"
    if any(_is_treated(clip) for clip in material.clips):
        yield "the sound is the recording's own: no music, noise reduction or levelling"


def _is_treated(clip: Clip) -> bool:
    mix = clip.mix
    return mix.denoise or mix.voice_level or mix.music is not None
