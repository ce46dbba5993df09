"""Whether a clip that somebody may have edited can be rendered."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Any

from reelremix.engine.domain.caption import Cue
from reelremix.engine.domain.clip import Clip, OutputFormat
from reelremix.engine.domain.layout import Layout, Region
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.track import Box

SLACK_S = 0.5
"""Ranges may end this much after the recording: times are rounded, frames have a length."""


def checked(clip: Clip, source: Mapping[str, Any]) -> Clip:
    """The clip, if it can be rendered. Raises ValueError with what is wrong."""
    end_s = float(source["duration_s"]) + SLACK_S
    if not clip.ranges or any(not 0 <= r.start_s < r.end_s <= end_s for r in clip.ranges):
        raise ValueError("its ranges are empty, reversed or outside the recording")
    if any(later.start < earlier.end for earlier, later in pairwise(clip.ranges)):
        raise ValueError("its ranges overlap or are not in order")
    out = clip.output
    if not (16 <= out.width_px <= 8192 and 16 <= out.height_px <= 8192):
        raise ValueError("its output size is not between 16 and 8192")
    if out.width_px % 2 or out.height_px % 2 or not 1 <= out.frame_rate <= 120:
        raise ValueError("its output is odd in size, or its rate not between 1 and 120")
    if not 0 <= out.crf <= 51:
        raise ValueError("its crf is not between 0 and 51")
    if not all(_is_covered(span, clip.layout, 1 / out.frame_rate) for span in clip.ranges):
        raise ValueError(
            "its layout does not cover its ranges; `reelremix clip --range` makes a longer clip"
        )
    picture = Box(0, 0, float(source["width_px"]), float(source["height_px"]))
    for piece in clip.layout.pieces:
        for region in piece.regions:
            _check_region(region, picture, out)
    for word in clip.words:
        _check_time(word.range, end_s, f"its word {word.text!r}")
    cues = clip.captions.cues if clip.captions else ()
    for number, cue in enumerate(cues, start=1):
        _check_time(cue.range, end_s, f"caption {number}")
        _check_cue(number, cue, clip)
    for number, (cue, following) in enumerate(pairwise(cues), start=2):
        if following.range.start < cue.range.end:
            raise ValueError(f"caption {number} begins before the one before it has ended")
    if clip.still is not None:
        _check_time(TimeRange(clip.still, clip.still), end_s, "its still_s")
    return clip


def _check_time(span: TimeRange, end_s: float, what: str) -> None:
    """Something that is said or shown somewhere in the recording; a clip may have been trimmed."""
    if span.start_s < 0 or span.end_s < span.start_s:
        raise ValueError(f"{what} is from {span.start_s:g} to {span.end_s:g}")
    if span.start_s > end_s:
        raise ValueError(f"{what}, {span.start_s:g}, is after the end of the recording")


def _check_cue(number: int, cue: Cue, clip: Clip) -> None:
    if cue.range.start >= cue.range.end:
        raise ValueError(f"caption {number} has no length")
    if not cue.lines or not all(cue.lines):
        raise ValueError(f"caption {number} has an empty line; take the line or the caption out")
    words = [i for line in cue.lines for i in line]
    if any(not 0 <= i < len(clip.words) for i in (*words, *cue.keywords)):
        raise ValueError(f"caption {number} names a word that is not there")
    x, y, width, height = cue.box
    out = clip.output
    is_inside = min(x, y) >= 0 and x + width <= out.width_px and y + height <= out.height_px
    if not is_inside or min(width, height) < 1:
        raise ValueError(f"the box of caption {number}, {list(cue.box)}, is not in the picture")


def _is_covered(span: TimeRange, layout: Layout, slack: Fraction) -> bool:
    """Whether pieces follow each other through the range; a frame may be missing at the edges."""
    reached = span.start.exact
    for piece in sorted(layout.pieces, key=lambda piece: piece.range.start):
        if piece.range.start.exact <= reached + slack:
            reached = max(reached, piece.range.end.exact)
    return reached >= span.end.exact - slack


def _check_region(region: Region, picture: Box, out: OutputFormat) -> None:
    x, y, width, height = region.output
    if min(x, y) < 0 or min(width, height) < 2 or any(v % 2 for v in region.output):
        raise ValueError("a region of its layout has an odd, empty or negative output")
    if x + width > out.width_px or y + height > out.height_px:
        raise ValueError("a region of its layout lies outside the output")
    for keyframe in region.path:
        box = keyframe.box
        # Written so that a number that is not one fails too.
        inside = (
            box.x >= -1
            and box.y >= -1
            and box.width >= 2
            and box.height >= 2
            and box.x + box.width <= picture.width + 1
            and box.y + box.height <= picture.height + 1
        )
        if not inside:
            raise ValueError("a region of its layout shows what lies outside the picture")
