"""A clip made up to show what a preset looks like."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from reelremix.engine.captions.preset import Preset
from reelremix.engine.captions.sample import PORTRAIT, write_sample
from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.transcript import Word
from reelremix.engine.stages.caption import plan_captions

TEXT = "So I paid 500 dollars for this camera and it changed everything"
TITLE = "The camera that changed everything"
WORD_S = 0.4
SHOWN_WORD = 3
"""The sample is of the middle of this word."""


def sample_clip(preset: Preset, text: str = TEXT, title: str = TITLE) -> Clip:
    """A clip in which a text is said, as the preset dresses it."""
    words = tuple(
        Word(part, TimeRange.from_seconds(i * WORD_S, (i + 0.9) * WORD_S), None, "S1")
        for i, part in enumerate(text.split())
    )
    whole = TimeRange.from_seconds(0, len(words) * WORD_S + 1)
    captions = plan_captions(words, (whole,), PORTRAIT, preset.name, style=preset.style)
    return Clip(
        id="sample",
        rank=1,
        ranges=(whole,),
        text=text,
        words=words,
        title=title,
        description="",
        hashtags=(),
        slug="sample",
        score=None,
        output=PORTRAIT,
        captions=captions,
        brand=None if preset.brand.is_empty else replace(preset.brand),
    )


def show_sample(preset: Preset, path: Path, text: str = TEXT) -> None:
    """Write a picture of the preset as PNG. Raises OSError."""
    clip = sample_clip(preset, text)
    write_sample(path, clip, moment_of(clip))


def moment_of(clip: Clip, word: int = SHOWN_WORD) -> Timestamp:
    """The middle of a word, or of the last one."""
    span = clip.words[min(word, len(clip.words) - 1)].range
    return Timestamp.from_seconds((span.start.exact + span.end.exact) / 2)
