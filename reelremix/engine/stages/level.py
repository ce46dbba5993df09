"""How loud a clip is made: -14 LUFS, with peaks held down only where they would be too high.

The source is decoded once for clips of ordinary length, measured, and, where peaks must be
limited, measured once more behind the limiter, because limiting takes loudness away. What AAC then
does to the peaks is only known afterwards: `verify` measures the file, and `lowered` says how to
set the sound again if it went over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from reelremix.engine.domain.clip import Clip, Verdict
from reelremix.engine.domain.context import CancelToken
from reelremix.engine.domain.source import Presentation
from reelremix.engine.media.audio import Levelled, LoudnessMeter, Samples
from reelremix.engine.media.sound_chain import in_seconds
from reelremix.engine.stages.bookends import Bookends, FilmSound
from reelremix.engine.stages.mixing import Mixed

TARGET_LUFS = -14.0
MAX_PEAK_DBTP = -1.0
CEILING_DBTP = -2.0
"""Where the limiter starts: AAC raises peaks by up to a decibel."""
SAFE_PEAK_DBFS = -4.0
"""Sample peaks that stay below need no limiter: between samples and through AAC they have not been
seen to reach MAX_PEAK_DBTP."""
MAX_GAIN_DB = 24.0
"""Silence is not amplified without end."""
MAX_LOUDNESS_ERROR_DB = 0.4
GAIN_TRIES = 3
"""More gain means more limiting; after so many rounds what is missing cannot be heard."""
KEPT_S = 300.0
"""Sound of clips up to this long is kept in memory (0.4 MB a second, twice) instead of being
decoded and limited again."""


@dataclass(frozen=True, slots=True)
class Level:
    """How the sound of a clip is set."""

    gain_db: float
    ceiling_dbtp: float | None
    """None where no peak comes near."""


class Programme:
    """The sound of a clip, mixed, with what is heard before and after it; may be read often."""

    def __init__(
        self,
        path: Path,
        presentation: Presentation,
        clip: Clip,
        cancel: CancelToken,
        music: Path | None = None,
        bookends: Bookends | None = None,
    ) -> None:
        self._mixed: Iterable[Samples] = Mixed(path, presentation, clip, music)
        if bookends is not None and bookends != Bookends():
            self._mixed = FilmSound(self._mixed, bookends, clip.film)
        self._cancel = cancel
        self._keeps = clip.duration_s <= KEPT_S
        self._kept: list[Samples] | None = None
        self._last: tuple[Level, list[Samples]] | None = None
        """The sound as it was last set: what was measured is what is then written."""

    def __iter__(self) -> Iterator[Samples]:
        if self._kept is not None:
            yield from self._kept
            return
        kept: list[Samples] = []
        for block in in_seconds(self._mixed):
            self._cancel.raise_if_set()
            if self._keeps:
                kept.append(block)
            yield block
        if self._keeps:
            self._kept = kept

    def at(self, level: Level) -> Iterator[Samples]:
        """The sound at a level."""
        if self._last is not None and self._last[0] == level:
            yield from self._last[1]
            return
        kept: list[Samples] = []
        for block in in_seconds(self._levelled(level)):
            if self._keeps:
                kept.append(block)
            yield block
        if self._keeps:
            self._last = level, kept

    def _levelled(self, level: Level) -> Iterator[Samples]:
        chain = Levelled(level.gain_db, level.ceiling_dbtp)
        for block in self:
            yield from chain.push(block)
        yield from chain.flush()


def find_level(programme: Programme) -> Level:
    """Gain that reaches the target loudness, and a ceiling where peaks call for one."""
    meter, peak = LoudnessMeter(), 0.0
    for block in programme:
        meter.add(block)
        peak = max(peak, float(np.abs(block).max(initial=0.0)))
    loudness = meter.result().integrated_lufs
    if loudness is None or peak == 0.0:
        return Level(0.0, None)
    gain = round(min(TARGET_LUFS - loudness, MAX_GAIN_DB), 3)
    if 20 * np.log10(peak) + gain <= SAFE_PEAK_DBFS:
        return Level(gain, None)
    return _regained(programme, Level(gain, CEILING_DBTP))


def lowered(programme: Programme, level: Level, heard: Verdict) -> Level | None:
    """A better level after the file was measured; None when nothing needs to change."""
    if heard.true_peak_dbtp is None or heard.true_peak_dbtp <= MAX_PEAK_DBTP:
        return None
    ceiling = CEILING_DBTP if level.ceiling_dbtp is None else level.ceiling_dbtp
    excess = heard.true_peak_dbtp - MAX_PEAK_DBTP
    return _regained(programme, Level(level.gain_db, round(ceiling - excess - 0.2, 3)))


def _regained(programme: Programme, level: Level) -> Level:
    """The level with the loudness that limiting takes given back."""
    for _ in range(GAIN_TRIES):
        meter = LoudnessMeter()
        for block in programme.at(level):
            meter.add(block)
        loudness = meter.result().integrated_lufs
        if loudness is None or abs(TARGET_LUFS - loudness) <= MAX_LOUDNESS_ERROR_DB:
            break
        gain = round(min(level.gain_db + TARGET_LUFS - loudness, MAX_GAIN_DB), 3)
        level = replace(level, gain_db=gain)
    return level
