"""The sound of a clip as its `Mix` says: joined, cleaned, levelled, censored, with music, faded.

How loud it all ends up is `stages.level`'s work. Where a step has to know the whole sound first
(its noise, its loudness), the sound is read once more: decoding is quick, and nobody pays for what
is off.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from reelremix.engine.domain.choice import Censor
from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.kept import on_film
from reelremix.engine.domain.mix import Fades
from reelremix.engine.domain.source import Presentation
from reelremix.engine.domain.time import ZERO, TimeRange
from reelremix.engine.media.audio import PROGRAMME, Samples, loudness_of, read_pcm
from reelremix.engine.media.joints import read_joined
from reelremix.engine.media.noise import LATENCY, against, noise_of
from reelremix.engine.media.probe import choose_streams, probe
from reelremix.engine.media.sound_chain import (
    LEVELLING,
    Cover,
    Curve,
    added,
    covered,
    ducking,
    faded,
    filtered,
    fitted,
    in_seconds,
    looped,
    shaped,
)
from reelremix.errors import UnreadableMedia

RATE = PROGRAMME.rate_hz
DUCKED_DB = -8.0
"""How much quieter music is while somebody speaks."""
ATTACK, RELEASE = RATE * 3 // 10, RATE * 6 // 10
MUSIC_IN, MUSIC_OUT = RATE // 2, RATE * 3 // 2
MEASURED = TimeRange.from_seconds(0, 300)
"""As much of a piece of music is listened to for its loudness."""
FADE_IN_S, FADE_OUT_S = 0.03, 0.15
SHORTEST_FADE_S = 0.004
"""Enough that nothing clicks, even where speech begins at once."""


def fades_for(clip: Clip) -> Fades:
    """Fades at both ends of the clip that leave the first and the last word alone."""
    if not clip.words:
        return Fades(FADE_IN_S, FADE_OUT_S)
    lead = min(w.range.start_s for w in clip.words) - clip.ranges[0].start_s
    rest = clip.ranges[-1].end_s - max(w.range.end_s for w in clip.words)
    return Fades(
        round(min(FADE_IN_S, max(SHORTEST_FADE_S, lead)), 3),
        round(min(FADE_OUT_S, max(SHORTEST_FADE_S, rest)), 3),
    )


@dataclass(frozen=True, slots=True)
class Mixed:
    """A clip's sound; may be read several times."""

    path: Path
    presentation: Presentation
    clip: Clip
    music: Path | None = None
    """Where the clip's music is, if it has any."""

    def __iter__(self) -> Iterator[Samples]:
        fades, total, film = self.clip.mix.fades, self._total, self.clip.film
        blocks = in_seconds(self._with_music() if self.music is not None else self._voice())
        if film.outro:  # which comes with a frame, while a clip may end between two
            total = round(film.clip_ends * RATE) - round(film.clip_begins * RATE)
            blocks = fitted(blocks, total)
        if fades == Fades():
            return blocks
        return faded(blocks, total, round(fades.in_s * RATE), round(fades.out_s * RATE))

    @property
    def _total(self) -> int:
        return round(sum(((r.end - r.start).exact for r in self.clip.ranges), Fraction(0)) * RATE)

    def _joined(self) -> Iterator[Samples]:
        if self.presentation.audio is None:
            return iter([np.zeros((PROGRAMME.channels, self._total), PROGRAMME.dtype)])
        return read_joined(self.path, self.presentation, self.clip.ranges)

    def _voice(self) -> Iterator[Samples]:
        blocks = self._joined()
        if self.clip.mix.denoise and (noise := noise_of(self._joined())) is not None:
            blocks = filtered(blocks, against(noise), LATENCY)
        if self.clip.mix.voice_level:
            blocks = filtered(blocks, LEVELLING)
        return covered(blocks, self._covers()) if self.clip.censored else blocks

    def _covers(self) -> list[Cover]:
        return [
            Cover(round(start * RATE), round(end * RATE), entry.mode)
            for entry in self.clip.censored
            if entry.mode is not Censor.OFF
            for start, end in on_film(entry.range, self.clip.ranges)
        ]

    def _with_music(self) -> Iterator[Samples]:
        assert self.music is not None and self.clip.mix.music is not None
        piece = _Piece(self.music)
        speech = loudness_of(self._voice())
        wanted = (-23.0 if speech is None else speech) + self.clip.mix.music.level_db
        gain = 10 ** ((wanted - (piece.loudness_lufs or wanted)) / 20)
        bed = shaped(looped(piece.once, piece.length, self._total), self._ducking(gain))
        total = self._total
        bed = faded(bed, total, min(MUSIC_IN, total // 4), min(MUSIC_OUT, total // 4))
        return added(self._voice(), bed)

    def _ducking(self, gain: float) -> Curve:
        spoken = [
            (round(start * RATE), round(end * RATE))
            for word in self.clip.words
            for start, end in on_film(word.range, self.clip.ranges)
        ]
        curve = ducking(spoken, 10 ** (DUCKED_DB / 20), ATTACK, RELEASE)
        return [(at, gain * level) for at, level in curve]


class _Piece:
    """A piece of music. Raises UnreadableMedia for a file that holds none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._presentation = require_music(path)
        self._whole = TimeRange(ZERO, self._presentation.duration)
        self.length = round(self._presentation.duration.exact * RATE)

    def once(self) -> Iterator[Samples]:
        """The piece from its beginning to its end."""
        return read_pcm(self._path, self._presentation, self._whole, PROGRAMME)

    @property
    def loudness_lufs(self) -> float | None:
        """How loud it is; None for silence."""
        part = TimeRange(ZERO, min(self._whole.end, MEASURED.end))
        return loudness_of(read_pcm(self._path, self._presentation, part, PROGRAMME))


def require_music(path: Path) -> Presentation:
    """The streams of a music file. Raises UnreadableMedia for one that cannot be played."""
    presentation = choose_streams(probe(path, path.name))
    if presentation.audio is None or round(presentation.duration.exact * RATE) < 1:
        raise UnreadableMedia(
            f"the music {path} holds no sound", hint="name another file with `--music FILE`"
        )
    return presentation
