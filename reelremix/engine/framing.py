"""How a clip is framed and captioned: what planning and rendering anew do alike.

It is framed as is wanted of it, or otherwise where that would show too little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reelremix.engine.captions.style import CaptionStyle
from reelremix.engine.domain.caption import Captions
from reelremix.engine.domain.choice import LayoutChoice
from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.kept import hull_of
from reelremix.engine.domain.layout import Framing
from reelremix.engine.domain.source import VideoFormat
from reelremix.engine.domain.track import Track
from reelremix.engine.seeing import cut_layout, framed
from reelremix.engine.stages.branding import title_card_of
from reelremix.engine.stages.caption import plan_captions
from reelremix.engine.stages.look import Look
from reelremix.engine.stages.place import place_captions
from reelremix.engine.stages.selfcheck import framing_faults, measure
from reelremix.engine.stages.stills import best_still

SAFER = (LayoutChoice.SPLIT, LayoutChoice.FIT)
"""Layouts to try where what was chosen shows too little."""


def frame_clip(
    clip: Clip, seen: Look | None, picture: VideoFormat
) -> tuple[Clip, tuple[Track, ...]]:
    """The clip with its layout and its still, and the faces in it.

    Where the choice is ours and shows too little, it is framed otherwise, once, if that mends it;
    what is wanted of it stays.

    Args:
        clip: with its output, and in its framing what is wanted.
        seen: in its hull; None where nobody looked.
        picture: the source's.
    """
    wanted = clip.framing.wanted
    best, tracks = _framed(clip, seen, picture, wanted)
    wrong = framing_faults(measure(best, tracks))
    if wanted is not LayoutChoice.AUTO or seen is None or not wrong:
        return best, tracks
    for safer in SAFER:
        other, others = _framed(clip, seen, picture, safer)
        if not framing_faults(measure(other, others)):
            repaired = f"{'; '.join(wrong)}: {safer} instead"
            return replace(other, framing=replace(other.framing, repaired=repaired)), others
    return best, tracks


def captions_of(
    clip: Clip, tracks: Sequence[Track], preset: str, style: CaptionStyle | None
) -> Captions:
    """Captions for the framed clip: off faces, off text in the picture and off its title card."""
    captions = plan_captions(clip.words, clip.ranges, clip.output, preset, style=style)
    return out_of_the_way(captions, clip, tracks)


def out_of_the_way(captions: Captions, clip: Clip, tracks: Sequence[Track]) -> Captions:
    """The captions off what the clip shows, moved up or down and nothing else."""
    drawn, taken = title_card_of(clip), clip.layout.occupied
    return place_captions(captions, clip.layout, tracks, clip.output, taken, drawn=drawn)


def _framed(
    clip: Clip, seen: Look | None, picture: VideoFormat, choice: LayoutChoice
) -> tuple[Clip, tuple[Track, ...]]:
    wanted, zoom, pins = clip.framing.wanted, clip.framing.zoom, clip.framing.pins
    shown = framed(seen, hull_of(clip.ranges), clip.words, picture, clip.output, choice, pins)
    layout = cut_layout(shown.layout, clip.ranges, clip.words, picture, zoom)
    clip = replace(clip, layout=layout, framing=Framing(wanted, wanted, zoom, pins=pins))
    return replace(clip, still=best_still(clip, shown.tracks)), shown.tracks
